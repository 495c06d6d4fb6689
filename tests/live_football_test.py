"""A football season, match by match, before 200 watchers: each view, at each frame, is what the API answered at that seq.

Some read slowly, some are cut off and go on where they were, half come over WebSocket and half over
server-sent events, and the server is killed and started again at half time.
"""

import json
import os
import pathlib
import random
import threading
import time
import unittest

from support.live import Closed, EventStream, Rows, Watcher
from support.server import ROOT, Server

SHARED = pathlib.Path(os.environ.get("STANDINGS_SHARED", ROOT.parent / "shared"))
SEASON = SHARED / "data" / "football" / "premier-league-2011-12.ndjson"
COLUMNS = ("points", "goal_difference", "goals_for")
BOARD = {"id": "league", "rule": "sum", "columns": [{"name": name, "order": "desc", "decimals": 0} for name in COLUMNS]}
WATCHERS = 200
SEED = random.randrange(10**9)


def rows_of(view, table):
    """What a view shows of the whole table."""
    if "top" in view:
        return table[:view["top"]]
    player = view.get("around") or view.get("player")
    at = next((at for at, row in enumerate(table) if row["player"] == player), None)
    if at is None:
        return []
    span = view.get("span", 0)
    return table[max(0, at - span):at + span + 1]


class Fan(threading.Thread):
    """Follows one view until the last match; keeps what it had after each frame."""

    def __init__(self, match_day, number, view, rate):
        super().__init__(daemon=True)
        self.match_day = match_day
        self.chance = random.Random(SEED + number)
        self.is_slow = number % 7 == 0
        self.is_cut = number % 3 == 0
        self.over_events = number % 2 == 0
        self.view = view
        self.rate = rate
        self.seen = []  # (seq, rows)
        self.cuts = self.recovered = 0
        self.failure = None

    def run(self):
        try:
            self.follow()
        except BaseException as failure:
            self.failure = failure
            raise

    def follow(self):
        source = None
        rows = Rows()
        while not (self.match_day.last_seq and rows.seq and rows.seq >= self.match_day.last_seq):
            if source is None:
                source, rows = self.connect(rows)
            if source is None:
                continue
            try:
                before = rows.seq
                self.take(source)
            except (Closed, ConnectionError, OSError):
                source.close()
                source = None
                continue
            if rows.seq != before:
                self.seen.append((rows.seq, rows.rows))
            if self.is_slow and self.chance.random() < 0.3:
                time.sleep(self.chance.random() / 2)
            if self.is_cut and self.chance.random() < 0.05:
                source.close()
                source = None
                self.cuts += 1
        if source is not None:
            source.close()

    def connect(self, rows):
        """A source of frames for `rows`; None: the server does not answer just now."""
        time.sleep(self.chance.random() / 20)
        try:
            return (self.open_events if self.over_events else self.open_socket)(rows)
        except (OSError, Closed):
            time.sleep(0.1)
            return None, rows

    def open_events(self, rows):
        query = "&".join(f"{name}={value}" for name, value in {**self.view, "rate": self.rate}.items())
        stream = EventStream(self.match_day.port, f"/v1/boards/league/live?{query}", since=rows, timeout=30)
        if stream.status != 200:
            stream.close()
            raise ConnectionRefusedError
        return stream, stream

    def open_socket(self, rows):
        watcher = Watcher(self.match_day.port, timeout=30)
        since = {"since": {"epoch": rows.epoch, "seq": rows.seq}} if rows.seq else {}
        rows.goes_on = True
        try:
            answer = watcher.ask(op="watch", board="league", view=self.view, rate=self.rate, **since)
        except BaseException:
            watcher.close()
            raise
        assert answer["ok"], answer
        self.recovered += answer.get("recovered", False)
        watcher.views[answer["view"]] = rows
        return watcher, rows

    def take(self, source):
        if self.over_events:
            if source.next() is None:
                raise ConnectionError("the stream has ended")
        else:
            source.take()


class MatchDay:
    """The server, and the table at each seq."""

    def __init__(self, server):
        self.server = server
        self.port = server.port  # also while it is away
        self.tables = {}
        self.last_seq = None

    def note(self):
        page = self.server.public.get("/v1/boards/league/standings?limit=100").json
        self.tables[page["seq"]] = page["rows"]
        return page["seq"]

    def play(self, lines, pause):
        for line in lines:
            answer = self.server.api.post("/v1/boards/league/submissions", line)
            assert answer.status == 200, answer
            self.note()
            time.sleep(pause)


@unittest.skipUnless(SEASON.is_file(), f"the football data is not in {SEASON.parent}")
class Season(unittest.TestCase):
    def test_every_watcher_has_the_table_of_its_seq(self):
        lines = [json.loads(line) for line in SEASON.read_text().splitlines()]
        teams = sorted({line["player"] for line in lines})
        chance = random.Random(SEED)
        with Server() as server:
            self.assertEqual(server.api.post("/v1/boards", BOARD).status, 201)
            day = MatchDay(server)
            day.note()
            fans = []
            for number in range(WATCHERS):
                team = chance.choice(teams)
                view = chance.choice([{"top": 10}, {"top": 25}, {"around": team, "span": 3}, {"around": team, "span": 5}, {"player": team}])
                fans.append(Fan(day, number, view, chance.choice([5, 10, 20])))
            for fan in fans:
                fan.start()
            half = len(lines) // 2
            day.play(lines[:half], 0.01)
            server.kill()
            time.sleep(0.3)
            server.start(f"127.0.0.1:{day.port}")
            day.note()
            day.play(lines[half:-1], 0.01)
            # Known before it happens: who has it waits for nothing more.
            day.last_seq = max(day.tables) + 1
            day.play(lines[-1:], 0)
            self.assertEqual(max(day.tables), day.last_seq)
            for fan in fans:
                fan.join(60)
            self.assertEqual([(fan.view, fan.failure) for fan in fans if fan.failure or fan.is_alive()], [], f"seed {SEED}")

        frames = 0
        for fan in fans:
            frames += len(fan.seen)
            for seq, rows in fan.seen:
                self.assertEqual(rows, rows_of(fan.view, day.tables[seq]), f"{fan.view} at {seq}, seed {SEED}")
            self.assertEqual(fan.seen[-1][0], day.last_seq)
        cuts = sum(fan.cuts for fan in fans)
        self.assertGreater(frames, 20 * WATCHERS)
        self.assertGreater(cuts, WATCHERS // 10)
        self.assertGreater(sum(fan.recovered for fan in fans), cuts // 10, "some go on without a snapshot")
        print(f"{frames} frames of {WATCHERS} watchers compared, {cuts} cuts, seed {SEED}")


if __name__ == "__main__":
    unittest.main()
