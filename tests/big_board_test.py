"""A board with many players answers exactly what a brute-force count says.

STANDINGS_TEST_SCALE sets the number of players (default 50,000; 1,000,000 takes about two minutes).
"""

import bisect
import os
import random
import threading
import time
import unittest

from support.server import ServerTest

PLAYERS = int(os.environ.get("STANDINGS_TEST_SCALE", "50000"))
SAMPLES = 1000
SEED = int(os.environ.get("STANDINGS_SEED", "20101114"))
CHUNK = 100_000


class Oracle:
    """The whole ranking as a sorted list: (-score, order of arrival, player)."""

    def __init__(self, scores):
        self.order = sorted((-score, number) for number, score in enumerate(scores))
        self.keys = [key for key, _ in self.order]
        self.position = {number: at + 1 for at, (_, number) in enumerate(self.order)}

    def rank_of_score(self, score):
        return bisect.bisect_left(self.keys, -score) + 1

    def row(self, position):
        key, number = self.order[position - 1]
        return self.rank_of_score(-key), position, name_of(number), -key

    def rows(self, first, last):
        return [self.row(position) for position in range(max(first, 1), min(last, len(self.order)) + 1)]


def name_of(number):
    return f"player-{number:07d}"


def as_row(row):
    return row["rank"], row["position"], row["player"], row["score"]


class BigBoard(ServerTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        print(f"{PLAYERS} players, STANDINGS_SEED={SEED}")
        chance = random.Random(SEED)
        # Few enough different scores that ties are common.
        cls.scores = [chance.randrange(PLAYERS // 2) for _ in range(PLAYERS)]
        cls.oracle = Oracle(cls.scores)
        answer = cls.server.api.post("/v1/boards", {"id": "big"})
        assert answer.status == 201, answer
        empty = cls.server.rss_bytes()
        began = time.monotonic()
        for first in range(0, PLAYERS, CHUNK):
            body = "".join(f'{{"player":"{name_of(number)}","score":{cls.scores[number]}}}\n'
                           for number in range(first, min(first + CHUNK, PLAYERS)))
            answer = cls.server.api.stream("/v1/boards/big/submissions", body.encode())
            assert answer.status == 200 and answer.json["summary"]["rejected"] == 0, answer
        seconds = time.monotonic() - began
        print(f"loaded in {seconds:.2f} s, {PLAYERS / seconds:,.0f} players/s (with the writing of the lines)")
        print(f"memory after the load: {(cls.server.rss_bytes() - empty) / PLAYERS:.0f} B a player")
        cls.empty_rss = empty

    def get(self, path):
        answer = self.server.public.get(f"/v1/boards/big{path}")
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def rows(self, path):
        return [as_row(row) for row in self.get(path)["rows"]]

    def check_samples(self, samples):
        chance = random.Random(SEED + 1)
        for number in chance.sample(range(PLAYERS), min(samples, PLAYERS)):
            position = self.oracle.position[number]
            player = name_of(number)
            self.assertEqual(as_row(self.get(f"/players/{player}")), self.oracle.row(position))
            around = self.rows(f"/standings?around={player}&limit=11")
            self.assertIn(self.oracle.row(position), around)
            first = around[0][1]
            self.assertEqual(around, self.oracle.rows(first, first + len(around) - 1))
            self.assertEqual(len(around), min(11, PLAYERS))
            neighbours = self.get(f"/players/{player}?around=2")
            self.assertEqual(as_row(neighbours), self.oracle.row(position))
            score = chance.randrange(-5, PLAYERS // 2 + 5)
            self.assertEqual(self.get(f"/rank?score={score}")["rank"], self.oracle.rank_of_score(score))
            offset = chance.randrange(PLAYERS)
            self.assertEqual(self.rows(f"/standings?offset={offset}&limit=20"), self.oracle.rows(offset + 1, offset + 20))

    def test_1_any_place_in_the_list_is_right(self):
        self.check_samples(SAMPLES)

    def test_2_ends_and_beyond(self):
        self.assertEqual(self.rows("/standings?limit=1000"), self.oracle.rows(1, 1000))
        self.assertEqual(self.rows(f"/standings?offset={PLAYERS - 3}&limit=10"), self.oracle.rows(PLAYERS - 2, PLAYERS))
        self.assertEqual(self.rows(f"/standings?offset={PLAYERS + 5}&limit=10"), [])
        self.assertEqual(self.get("/standings?limit=1")["total"], PLAYERS)

    def test_3_a_score_range_and_a_friends_board(self):
        chance = random.Random(SEED + 2)
        low = chance.randrange(PLAYERS // 4)
        high = low + 40
        first, last = self.oracle.rank_of_score(high), self.oracle.rank_of_score(low - 1) - 1
        self.assertEqual(self.rows(f"/standings?score_gte={low}&score_lte={high}&limit=1000"),
                         self.oracle.rows(first, last)[:1000])
        numbers = chance.sample(range(PLAYERS), 50)
        found = self.rows("/standings?limit=200&players=" + ",".join(name_of(number) for number in numbers))
        self.assertEqual([row[2:] for row in found],
                         [self.oracle.row(at)[2:] for at in sorted(self.oracle.position[number] for number in numbers)])

    def test_4_cursors_walk_the_whole_list_while_the_board_moves(self):
        """Who does not move is seen exactly once and in order, whatever the others do."""
        stop = threading.Event()
        failures = []
        moves = 0
        self.addCleanup(self.remove_movers)

        def move():
            nonlocal moves
            chance = random.Random(SEED + 3)
            client = self.server.new_client(self.server.key)
            try:
                while not stop.is_set():
                    body = {"player": f"mover-{chance.randrange(2000)}", "score": chance.randrange(PLAYERS)}
                    answer = client.post("/v1/boards/big/submissions", body)
                    assert answer.status == 200, answer
                    moves += 1
            except BaseException as failure:
                failures.append(failure)

        mover = threading.Thread(target=move)
        mover.start()
        try:
            still, page = [], self.get("/standings?limit=1000")
            pages = [page]
            while page.get("next_cursor"):
                still += [row["player"] for row in page["rows"] if not row["player"].startswith("mover-")]
                page = self.get(f"/standings?limit=1000&cursor={page['next_cursor']}")
                if len(pages) < 5:
                    pages.append(page)
            still += [row["player"] for row in page["rows"] if not row["player"].startswith("mover-")]
            # And back again from the fifth page, as far as the first player of all who stand still.
            back, page = [], pages[-1]
            while page.get("prev_cursor"):
                page = self.get(f"/standings?limit=1000&cursor={page['prev_cursor']}")
                back = [row["player"] for row in page["rows"] if not row["player"].startswith("mover-")] + back
        finally:
            stop.set()
            mover.join()
        self.assertEqual(failures, [])
        self.assertGreater(moves, 0)
        self.assertEqual(still, [name_of(number) for _, number in self.oracle.order])
        self.assertEqual(back, still[:len(back)])
        self.assertGreater(len(back), 1000 if PLAYERS > 5000 else 0)
        print(f"{moves} moves during the walk")

    def remove_movers(self):
        for number in range(2000):
            answer = self.server.api.delete(f"/v1/boards/big/players/mover-{number}")
            self.assertEqual(answer.status, 200, answer)
        self.assertEqual(self.get("/standings?limit=1")["total"], PLAYERS)

    def test_5_everything_is_there_again_after_a_kill(self):
        self.server.restart(kill=True)
        print(f"ready {self.server.ready_seconds:.2f} s after a kill")
        self.check_samples(100)
        ready = []
        for _ in range(3):
            self.server.restart()
            ready.append(self.server.ready_seconds)
        print(f"ready {min(ready):.2f} s after a clean end")
        print(f"memory after the start: {(self.server.rss_bytes() - self.empty_rss) / PLAYERS:.0f} B a player, "
              f"{self.server.rss_bytes() / 2**20:.0f} MiB in all")
        self.assertLess(min(ready), 1.5 * max(1, PLAYERS / 1_000_000), ready)
        self.check_samples(100)


if __name__ == "__main__":
    unittest.main()
