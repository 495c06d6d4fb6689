"""kill -9 under load: nothing acknowledged is lost, nothing counts twice. And the control, which must lose."""

import shutil
import signal
import statistics
import time
import unittest

from faults.beside import ARRAYS, ArrayWriter, FeedFollower
from faults.harness import FULL, PLAYERS as PLAYERS_OF_LOAD, FaultTest, scaled, waited_seconds
from support.server import wait_until

ROUNDS = scaled(3, 500)
PLAYERS = scaled(20_000, 1_000_000)
# The short form runs beside other tests, and shows that it measures what it should.
READY_IN = scaled(20.0, 2.0)
STREAM = 10_000
THOROUGH_EVERY = 25  # rounds; such a look costs a second per million events


class KillUnderLoad(FaultTest):
    fault = "kill -9 under load"

    def kill_under_load(self, connections):
        self.start_load(connections)
        # The moment of death is what is random here; nothing waits for it to be long enough.
        time.sleep(self.chance.uniform(0.05, 3))
        self.server.kill()
        acknowledged = self.take_load()
        self.server.start()
        return acknowledged

    def test_loses_nothing_and_counts_nothing_twice(self):
        self.start()
        self.assertEqual(self.server.api.post("/v1/boards", {"id": ARRAYS}).status, 201)
        with FeedFollower(self.server, self.oracle) as feed, ArrayWriter(self.server) as arrays:
            self.kill_again_and_again(feed, arrays)

    def kill_again_and_again(self, feed, arrays):
        starts = []
        under_load = arrays_whole = rounds_fed = rounds_written = 0
        for number in range(1, ROUNDS + 1):
            fed = feed.items
            acknowledged = self.kill_under_load(self.chance.choice((1, 8, 64)))
            under_load += acknowledged > 0
            starts.append(self.server.ready_seconds)
            if number % THOROUGH_EVERY == 1 or ROUNDS < THOROUGH_EVERY:
                print(f"round {number}: {acknowledged} acknowledged, {len(self.oracle.open)} open, "
                      f"ready in {self.server.ready_seconds:.2f} s", flush=True)
            thorough = number % THOROUGH_EVERY == 0 or number == ROUNDS
            self.verify(f"round {number}, after the start", thorough)
            written = arrays.verify()
            arrays_whole += written
            rounds_written += written > 0
            rounds_fed += feed.items > fed
            self.ask_again()
            # Now nothing is open: the scores are exactly what was sent.
            self.verify(f"round {number}, after asking again", thorough)
            feed.check()
            arrays.check()
            self.count()
        self.assertGreater(under_load, scaled(0, ROUNDS // 2), "most kills came before anything was acknowledged: this test proves little")
        self.assertGreater(min(rounds_fed, rounds_written), scaled(0, ROUNDS // 2), "the feed or the arrays were left behind by most kills")
        self.row.notes.append(f"{under_load} of {ROUNDS} kills came after acknowledged submissions")
        self.row.notes.append(f"{self.oracle.shown_and_compared:,} items of the feed were all in the database, {arrays_whole:,} atomic arrays of 3 were whole")
        self.row.notes.append(f"starts with {PLAYERS_OF_LOAD} players: median {statistics.median(starts):.2f} s, slowest {max(starts):.2f} s")
        print(f"{ROUNDS} kills, {self.oracle.count} acknowledged: none lost, none twice; {self.row.notes[-1]}", flush=True)

    def newest_shown(self):
        return self.server.public.get("/v1/boards/b/standings?limit=1").json["seq"]

    def start_three_times(self, folder):
        """Seconds until it is ready with a copy of `folder`, as it was killed: the median of three starts.
        What its main thread waited for a processor is taken off; any other wait counts."""
        times = []
        for _ in range(3):
            if self.server.process:
                self.server.kill()
            shutil.rmtree(self.server.data)
            shutil.copytree(folder, self.server.data)
            self.server.start()
            waited = waited_seconds(self.server.pid)
            times.append(self.server.ready_seconds - waited)
            print(f"ready in {self.server.ready_seconds:.2f} s, {waited:.2f} s of it waiting for a processor", flush=True)
        return statistics.median(times)

    def test_many_players_are_back_soon_after_a_kill_at_full_rate(self):
        self.start()
        for first in range(0, PLAYERS, STREAM):
            names = [f"p{number:07}" for number in range(first, first + STREAM)]
            answer = self.server.api.stream("/v1/boards/b/submissions", [{"player": name, "score": 1} for name in names])
            self.assertEqual(answer.json["summary"]["accepted"], STREAM, answer)
            self.oracle.grant(names)
        killed = self.server.home / "killed"
        ready = []
        for number in range(1, 4):
            # Submissions to all of them, of which the database has taken in only a part at the end.
            before = self.newest_shown()
            self.start_load(connections=64, players=PLAYERS)
            wait_until(lambda: self.newest_shown() > before + 1000, "the load to be under way")
            time.sleep(self.chance.uniform(*scaled((0.3, 1), (2, 6))))
            self.server.kill()
            self.assertGreater(self.take_load(), 0)
            self.server.data.rename(killed)
            self.server.data.mkdir()
            ready.append(self.start_three_times(killed))
            shutil.rmtree(killed)
            self.verify(f"kill {number} with {PLAYERS} players", thorough=number == 3)
            self.assertEqual(self.server.public.get("/v1/boards/b/standings?limit=1").json["total"], PLAYERS)
        self.row.notes.append(f"{PLAYERS:,} players ready in {max(ready):.2f} s, the slowest of three kills under load")
        print(self.row.notes[-1], flush=True)
        self.assertLess(max(ready), READY_IN, ready)

    @unittest.skipUnless(FULL, "only ./dev faults waits for longer than the load's patience")
    def test_a_load_that_is_stopped_for_long_goes_on(self):
        self.start()
        self.start_load(seconds=2, more=())
        time.sleep(1)
        self.load.send_signal(signal.SIGSTOP)
        # Beyond its end and the ten seconds for which it waits for an answer.
        time.sleep(13)
        self.load.send_signal(signal.SIGCONT)
        self.assertGreater(self.take_load(), 0)

    def test_control_answering_before_the_commit_is_found_out(self):
        self.start(env={"STANDINGS_TEST_ANSWER_BEFORE_COMMIT": "1"})
        self.lose_by_kills()
