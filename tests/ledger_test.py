"""The ledger from outside: lists, history, and submissions that are taken back, also over kill -9."""

import http.client
import json
import os
import random
import subprocess
import threading
import unittest

from support.server import KEY, Server, ServerTest, wait_until

SEED = int(os.environ.get("STANDINGS_SEED", str(random.randrange(2**32))))


def by_the_rule(rule, submissions):
    """What (seq, score) pairs, in order, add up to: the score and the seq that reached it. Descending."""
    score = reached = None
    for seq, value in submissions:
        if score is None:
            score, reached = value, seq
        elif rule == "sum" and value != 0:
            score, reached = score + value, seq
        elif rule == "best" and value > score or rule == "last" and value != score:
            score, reached = value, seq
    return score, reached


def table(rule, submissions):
    """(rank, position, player, score, reached_seq) by brute force from {seq: (player, score)}."""
    players = {}
    for seq in sorted(submissions):
        player, score = submissions[seq]
        players.setdefault(player, []).append((seq, score))
    ordered = sorted((-by_the_rule(rule, own)[0], by_the_rule(rule, own)[1], player) for player, own in players.items())
    rows = []
    for position, (score, reached, player) in enumerate(ordered, 1):
        rank = rows[-1][0] if rows and rows[-1][3] == -score else position
        rows.append((rank, position, player, -score, reached))
    return rows


class Ledger(ServerTest):
    def list(self, board, **parameters):
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        answer = self.server.api.get(f"{board}/submissions?{query}")
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def test_lists_a_board_in_order_and_a_player_newest_first(self):
        board = self.make_board(rule="best")
        other = self.make_board()
        seqs = []
        for turn in range(5):
            for player in ("ann", "bob"):
                seqs.append(self.submit(board, player, turn, name=player.title())["seq"])
            self.submit(other, "zoe", turn)
        page = self.list(board)
        self.assertEqual([item["seq"] for item in page["items"]], seqs)
        self.assertNotIn("next_cursor", page)
        first = page["items"][0]
        self.assertEqual((first["kind"], first["outcome"], first["player"], first["name"], first["score"], first["result"]),
                         ("submit", "created", "ann", "Ann", 0, {"score": 0}))
        self.assertNotIn("previous", first)
        self.assertEqual(page["items"][2]["previous"], {"score": 0})

        found, after = [], 0
        while after is not None:
            page = self.list(board, after_seq=after, limit=3)
            self.assertLessEqual(len(page["items"]), 3)
            found += [item["seq"] for item in page["items"]]
            after = page.get("next_cursor")
        self.assertEqual(found, seqs)

        found, cursor = [], 0
        while cursor is not None:
            page = self.list(board, player="ann", cursor=cursor, limit=2)
            found += [item["seq"] for item in page["items"]]
            cursor = page.get("next_cursor")
        self.assertEqual(found, seqs[0::2][::-1])
        self.assertEqual(self.list(board, player="nobody")["items"], [])

        # What is new since the last look, on a board and of a player.
        newest = self.list(board, player="ann")["items"][0]["seq"]
        self.assertEqual(self.list(board, player="ann", after_seq=newest)["items"], [])
        more = [self.submit(board, "ann", 100 + n)["seq"] for n in range(3)]
        found = self.list(board, player="ann", after_seq=newest, limit=2)
        self.assertEqual([item["seq"] for item in found["items"]], more[:0:-1])
        found = self.list(board, player="ann", after_seq=newest, limit=2, cursor=found["next_cursor"])
        self.assertEqual([item["seq"] for item in found["items"]], more[:1])
        self.assertNotIn("next_cursor", found)

    def test_shows_only_what_a_key_may_see(self):
        board = self.make_board()
        self.assertEqual(self.server.public.get(f"{board}/submissions").status, 401)
        self.assertEqual(self.server.public.delete(f"{board}/submissions/1").status, 401)
        self.assertEqual(self.server.api.get(f"{board}/submissions?limit=1001").status, 422)
        self.assertEqual(self.server.api.get(f"{board}/submissions?player=a%20b").status, 422)
        self.assertEqual(self.server.api.get(f"{board}/submissions?frm=1").status, 422)
        self.assertEqual(self.server.api.delete(f"{board}/submissions").status, 422)

    def test_takes_one_back_and_says_what_counts_now(self):
        board = self.make_board(rule="best")
        first = self.submit(board, "ann", 10, name="Ann")
        cheat = self.submit(board, "ann", 999)
        self.submit(board, "bob", 20)
        answer = self.server.api.delete(f"{board}/submissions/{cheat['seq']}")
        self.assertEqual(answer.status, 200, answer)
        standing = answer.json["standing"]
        self.assertEqual((answer.json["deleted"], standing["rank"], standing["score"], standing["name"]), (1, 2, 10, "Ann"))
        self.assertEqual(standing["reached_at"], first["standing"]["reached_at"])
        again = self.server.api.delete(f"{board}/submissions/{cheat['seq']}")
        self.assertEqual((again.status, again.json["deleted"], again.json["standing"]["score"]), (200, 0, 10), again)

        items = self.list(board)["items"]
        self.assertEqual([item.get("taken_back", False) for item in items], [False, True, False, False])
        self.assertEqual((items[3]["kind"], items[3]["takes_back"]), ("taken_back", cheat["seq"]))

        last = self.server.api.delete(f"{board}/submissions?player=ann")
        self.assertEqual((last.status, last.json["deleted"]), (200, 1), last)
        self.assertNotIn("standing", last.json)
        self.assertEqual(self.server.api.delete(f"{board}/submissions?player=ann").json["deleted"], 0)
        self.assertEqual(self.server.public.get(f"{board}/players/ann").status, 404)

    def test_refuses_what_it_cannot_know(self):
        board = self.make_board(rule="best")
        other = self.make_board()
        foreign = self.submit(other, "ann", 1)["seq"]
        for seq, status, code in ((foreign, 404, "submission_not_found"), (10**9, 404, "submission_not_found"),
                                  ("x", 404, "submission_not_found"), (0, 404, "submission_not_found")):
            answer = self.server.api.delete(f"{board}/submissions/{seq}")
            self.assertEqual((answer.status, answer.json["code"]), (status, code), answer)
        before = self.submit(board, "ann", 5)["seq"]
        self.assertEqual(self.server.api.patch(board, {"rule": "sum"}).status, 200)
        answer = self.server.api.delete(f"{board}/submissions/{before}")
        self.assertEqual((answer.status, answer.json["code"]), (409, "history_trimmed"), answer)
        added = self.submit(board, "ann", 7)["seq"]
        answer = self.server.api.delete(f"{board}/submissions/{added}")
        self.assertEqual(answer.json["standing"]["score"], 5, answer)

    def test_a_key_replays_its_answer_and_counts_nothing_again(self):
        board = self.make_board(rule="sum")
        send = lambda: self.server.api.post(f"{board}/submissions", {"player": "ann", "score": 5}, idempotency_key=f"k-{board}")
        first = send()
        self.assertEqual(self.server.api.delete(f"{board}/submissions/{first.json['seq']}").json["deleted"], 1)
        again = send()
        self.assertEqual((again.status, again.json["outcome"], again.json["seq"]), (200, "created", first.json["seq"]))
        self.assertEqual(again.headers["idempotency-replayed"], "true")
        self.assertEqual(self.server.public.get(f"{board}/standings").json["total"], 0)

    def test_history_is_what_counts_thinned(self):
        board = self.make_board(rule="sum")
        self.submit(board, "bob", 1000)
        seqs = [self.submit(board, "ann", 1)["seq"] for _ in range(200)]
        cheat = self.submit(board, "ann", 10**6)["seq"]
        self.server.api.delete(f"{board}/submissions/{cheat}")
        history = self.server.public.get(f"{board}/players/ann/history?points=20")
        self.assertEqual(history.status, 200, history)
        items = history.json["items"]
        self.assertTrue(history.json["complete"])
        self.assertEqual(len(items), 20)
        self.assertEqual((items[0]["seq"], items[0]["score"], items[0]["outcome"]), (seqs[0], 1, "created"))
        self.assertEqual((items[-1]["seq"], items[-1]["score"], items[-1]["rank_now"]), (seqs[-1], 200, 2))
        self.assertEqual(len(self.server.public.get(f"{board}/players/ann/history?points=1000").json["items"]), 200)
        same = self.server.public.get(f"{board}/players/ann/history?points=20", if_none_match=history.headers["etag"])
        self.assertEqual(same.status, 304, same)
        self.assertEqual(self.server.public.get(f"{board}/players/nobody/history").status, 404)


class OverKills(unittest.TestCase):
    """Submissions and take-backs at once, kill -9, and everybody agrees: the API before and after, the
    view of the database, and the plain sum of what was acknowledged."""

    RULES = ("best", "last", "sum")

    def setUp(self):
        print(f"\nSTANDINGS_SEED={SEED}", flush=True)
        self.server = Server()
        self.addCleanup(self.server.close)
        self.server.start()
        for rule in self.RULES:
            answer = self.server.api.post("/v1/boards", {"id": rule, "rule": rule})
            self.assertEqual(answer.status, 201, answer)
        self.counted = {rule: {} for rule in self.RULES}
        self.unsure = {rule: set() for rule in self.RULES}  # players with a request that had no answer
        self.failures = []

    def work(self, number, stop):
        """Each worker has players of its own, so that it knows the order of what it did."""
        chance = random.Random(SEED + number)
        client = self.server.new_client(KEY)
        rule = player = None
        try:
            while not stop.is_set():
                rule = chance.choice(self.RULES)
                player = f"w{number}-{chance.randrange(6)}"
                if player in self.unsure[rule]:
                    continue
                counted = self.counted[rule]
                own = [seq for seq, (who, _) in list(counted.items()) if who == player]
                dice = chance.randrange(20)
                if dice < 4 and own:
                    seq = chance.choice(own)
                    answer = client.delete(f"/v1/boards/{rule}/submissions/{seq}")
                    self.check(answer, 1)
                    del counted[seq]
                elif dice == 4:
                    answer = client.delete(f"/v1/boards/{rule}/submissions?player={player}")
                    self.check(answer, len(own))
                    for seq in own:
                        del counted[seq]
                else:
                    score = chance.randrange(-5, 20)
                    answer = client.post(f"/v1/boards/{rule}/submissions", {"player": player, "score": score})
                    assert answer.status == 200, answer
                    counted[answer.json["seq"]] = (player, score)
        except (OSError, http.client.HTTPException):
            self.unsure[rule].add(player)
        except BaseException as failure:
            self.failures.append(failure)

    @staticmethod
    def check(answer, deleted):
        assert answer.status == 200 and answer.json["deleted"] == deleted, (answer, deleted)

    def from_shell(self, rule):
        query = ("SELECT rank, position, player, score_1 AS score, reached_seq FROM standings"
                 f" WHERE board = '{rule}' ORDER BY position")
        done = subprocess.run(["sqlite3", "-readonly", "-json", str(self.server.data / "standings.db"), query],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        rows = json.loads(done.stdout) if done.stdout.strip() else []
        return [(row["rank"], row["position"], row["player"], row["score"], row["reached_seq"]) for row in rows]

    def compare(self, when):
        self.assertEqual(self.failures, [])
        for rule in self.RULES:
            with self.subTest(rule=rule, when=when):
                shown = self.from_shell(rule)
                page = self.server.public.get(f"/v1/boards/{rule}/standings?limit=1000").json
                rows = [(row["rank"], row["position"], row["player"], row["score"]) for row in page["rows"]]
                self.assertEqual([row[:4] for row in shown], rows)
                expected = table(rule, self.counted[rule])
                sure = lambda rows: [row[2:] for row in rows if row[2] not in self.unsure[rule]]
                self.assertEqual(sure(shown), sure(expected))
                if not self.unsure[rule]:
                    self.assertEqual(shown, expected)

    def run_workers(self, until, kill):
        stop = threading.Event()
        workers = [threading.Thread(target=self.work, args=(number, stop)) for number in range(4)]
        for worker in workers:
            worker.start()
        try:
            wait_until(until, "the writers to have done enough")
            if kill:
                self.server.kill()
        finally:
            stop.set()
            for worker in workers:
                worker.join()

    def done(self):
        return sum(max(counted, default=0) for counted in self.counted.values())

    def test_everybody_agrees_after_each_kill(self):
        for number in range(3):
            start = self.done()
            self.run_workers(lambda: self.done() > start + 1500 or self.failures, kill=True)
            self.server.start()
            self.compare(f"after kill {number}")
            for rule in self.RULES:
                for player in self.unsure[rule]:
                    # What is there now is the truth; from here on it is known again.
                    self.settle(rule, player)
                self.unsure[rule].clear()
            self.compare(f"settled {number}")
        self.assertEqual(self.server.terminate(), 0)
        self.server.start()
        self.compare("after a clean end")

    def settle(self, rule, player):
        answer = self.server.api.get(f"/v1/boards/{rule}/submissions?player={player}&limit=1000")
        self.assertEqual(answer.status, 200, answer)
        counted = self.counted[rule]
        for seq in [seq for seq, (who, _) in counted.items() if who == player]:
            del counted[seq]
        for item in answer.json["items"]:
            if item["kind"] == "submit" and "taken_back" not in item:
                counted[item["seq"]] = (player, item["score"])


if __name__ == "__main__":
    unittest.main()
