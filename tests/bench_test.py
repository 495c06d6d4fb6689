"""The benchmarks: what they print is what they measured, and a wrong answer ends them. No figure of speed is tested."""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import unittest.mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "bench"))

import compare  # noqa: E402
import long_readers  # noqa: E402
import machine  # noqa: E402
import mixed_load  # noqa: E402
import players  # noqa: E402
from contender import Ours  # noqa: E402
from peer import Peer  # noqa: E402
from peer_postgres import transactions  # noqa: E402
from peer_redis import Redis, RedisClient  # noqa: E402
from report import Report, figures, number  # noqa: E402
from rows_reads import submissions_share  # noqa: E402
from support.server import KEY, Server, load_program, wait_until  # noqa: E402

MIB = 2**20
COUNT = 30


def samples(rss_of):
    return [{"seconds": 10 * at, "rss": rss_of(at)} for at in range(360)]


class MemorySlope(unittest.TestCase):
    def test_is_nothing_when_memory_grows_in_the_first_third_only(self):
        self.assertEqual(mixed_load.slope_kb_per_minute(samples(lambda at: min(at, 100) * MIB)), 0)

    def test_is_what_leaks_in_a_minute(self):
        leak = 5 * 1024  # in ten seconds
        self.assertAlmostEqual(mixed_load.slope_kb_per_minute(samples(lambda at: 50 * MIB + at * leak)), 30)

    def test_does_not_take_single_peaks_for_growth(self):
        self.assertEqual(mixed_load.slope_kb_per_minute(samples(lambda at: (90 if at % 7 == 0 else 50) * MIB)), 0)

    def test_steps_that_stay_are_seen_by_what_is_kept(self):
        steps = samples(lambda at: (150 + 40 * (at > 60) + 40 * (at > 110)) * MIB)
        self.assertEqual((mixed_load.slope_kb_per_minute(steps), mixed_load.kept(steps, "rss")), (0, 80 * MIB))

    def test_is_unknown_for_a_run_of_seconds(self):
        self.assertIsNone(mixed_load.slope_kb_per_minute(samples(lambda at: MIB)[:2]))


class LongReaders(unittest.TestCase):
    def test_are_held_against_their_bar(self):
        self.assertEqual(long_readers.verdict(1.5), "bar 1.5: met")
        self.assertEqual(long_readers.verdict(1.51), "bar 1.5: not met")


class LimitsOfALongRun(unittest.TestCase):
    HEALTHY = {"counts": {"submissions": 30_000_000}, "memory_growth_mb": 3.0, "memory_kept_mb": 8.0, "descriptor_growth": 2, "wal_max_mb": 16}

    def past(self, minutes=60, **other):
        return mixed_load.past_limits({**self.HEALTHY, **other}, minutes)

    def test_are_kept_by_a_healthy_server(self):
        self.assertEqual(self.past(), [])

    def test_find_memory_descriptors_and_a_log_that_grow(self):
        self.assertEqual([len(self.past(**leak)) for leak in ({"memory_growth_mb": 17}, {"memory_kept_mb": 90}, {"descriptor_growth": 40}, {"wal_max_mb": 300})],
                         [1, 1, 1, 1])

    def test_leave_room_for_keys_that_are_still_to_come(self):
        self.assertEqual(self.past(memory_growth_mb=40, counts={"submissions": 300_000}), [])
        self.assertEqual(len(self.past(memory_growth_mb=70, counts={"submissions": 300_000})), 1)

    def test_are_not_held_in_a_short_run(self):
        self.assertEqual(self.past(9, memory_growth_mb=100), [])


class PartsOfALongRun(unittest.TestCase):
    def setUp(self):
        self.mix = mixed_load.Mix(None, None)

    def test_that_did_something_lately_are_well(self):
        self.mix.did_at = {"churn": time.monotonic(), "watch top=10": time.monotonic() - 30}
        self.assertEqual(self.mix.stalled(), [])

    def test_that_stand_still_are_named(self):
        self.mix.did_at = {"churn": time.monotonic(), "watch top=10": time.monotonic() - 61}
        stalled, = self.mix.stalled()
        self.assertRegex(stalled, r"^watch top=10: nothing done for 6\d s$")


class Acknowledged(unittest.TestCase):
    def test_submissions_that_are_not_there_are_found(self):
        ours = Ours.__new__(Ours)
        ours.server, ours.count = unittest.mock.Mock(pid=1, port=1), COUNT
        for taken_in, is_well in ((10, True), (9, False)):
            with unittest.mock.patch("contender.generate", return_value={"requests": 10}), \
                    unittest.mock.patch.object(Ours, "_submit_once", return_value=5), \
                    unittest.mock.patch.object(Ours, "_newest_seq", return_value=5 + taken_in):
                if is_well:
                    self.assertEqual(ours.submit(), {"requests": 10})
                    continue
                with self.assertRaisesRegex(AssertionError, "10 submissions were acknowledged, 9 are there"):
                    ours.submit()


class Table(unittest.TestCase):
    def setUp(self):
        self.report = Report({}, {"redis": "Redis 7", "postgres": "PostgreSQL 15"})

    def add(self, row, **figures_of):
        for name, values in figures_of.items():
            for value in values:
                row.add(name, value)
        return row

    def test_holds_a_read_against_the_cheapest_answer_of_the_same_run(self):
        self.add(self.report.row("F", "F", "us", 5.0, 4.4), standings=[5.2, 4.8, 4.9])
        met = self.add(self.report.row("a", "a", "us CPU", 2, 1.5, over_base=True), standings=[6.8])
        missed = self.add(self.report.row("b", "b", "us CPU", 2, 1.5, over_base=True), standings=[13.8])
        self.assertEqual(self.report.base, 4.9)
        self.assertEqual(self.report.verdict(met), "met")
        self.assertEqual(self.report.verdict(missed), "**no**, +6.90 us over")
        self.assertEqual(self.report.count(), (3, 2, 0))
        self.assertIn("= F +1.90", self.report.table())

    def test_says_by_how_much_a_rate_falls_short_and_when_an_aim_is_met(self):
        slow = self.add(self.report.row("s", "s", "/s", 50_000, 65_000, more_is_better=True), standings=[25_000])
        fast = self.add(self.report.row("f", "f", "/s", 50_000, 65_000, more_is_better=True), standings=[70_000])
        self.assertEqual(self.report.verdict(slow), "**no**, x 2.00")
        self.assertEqual(self.report.verdict(fast), "aim met")

    def test_says_where_a_peer_wins(self):
        less = self.add(self.report.row("l", "l", "us"), standings=[10], redis=[5], postgres=[40])
        more = self.add(self.report.row("m", "m", "/s", more_is_better=True), standings=[10], redis=[5], postgres=[40])
        self.assertEqual(less.advantage("redis"), 0.5)
        self.assertEqual(more.advantage("redis"), 2)
        lines = self.report.table().splitlines()
        self.assertIn("**redis wins** x 2.00", lines[2])
        self.assertIn("40.0: x 4.00", lines[2])
        self.assertIn("**postgres wins** x 4.00", lines[3])

    def test_shows_the_median_with_the_smallest_and_largest(self):
        self.assertEqual(figures([5.0, 4.0, 9.0]), "5.00 (4.00 - 9.00)")
        self.assertEqual([number(value) for value in (1.234, 12.34, 123.4, 12345.6)], ["1.23", "12.3", "123", "12,346"])

    def test_is_kept_with_the_options_of_the_run_and_the_connections_of_each_row(self):
        self.report.options = {"rounds": 3, "quick": False}
        self.add(self.report.row("r", "r", "us", connections=64), standings=[1])
        kept = json.loads(self.report.json())
        self.assertEqual(kept["options"], {"rounds": 3, "quick": False})
        self.assertEqual(kept["rows"][0]["connections"], 64)

    def test_says_where_one_figure_stands_in_a_run_of_several_rounds(self):
        self.report.options = {"rounds": 3}
        self.add(self.report.row("r", "r", "us"), standings=[1], redis=[1, 2, 3], postgres=[2])
        self.assertIn("| 1.00 (once) ", self.report.table())
        self.assertIn("2.00 (1.00 - 3.00): x 2.00", self.report.table())
        self.assertIn("2.00 (once): x 2.00", self.report.table())

    def test_shows_and_counts_what_was_not_measured(self):
        self.add(self.report.row("r", "run", "us", 5.0, 4.4), standings=[1])
        self.report.row("n", "never run", "us", 5.0, 4.4)
        self.report.row("m", "nor this", "us")
        self.assertEqual([line.count("not measured") for line in self.report.table().splitlines()[2:]], [0, 1, 1])
        self.assertEqual(self.report.count(), (2, 1, 1))

    def test_holds_the_rows_of_all_parts_before_anything_is_measured(self):
        bench = compare.Bench(compare.options_from(["--quick"]), self.report)
        with unittest.mock.patch("rows_size.filled", side_effect=KeyboardInterrupt), self.assertRaises(KeyboardInterrupt):
            bench.run(set(compare.PARTS))
        bars, met, missing = self.report.count()
        self.assertGreater(bars, 20)
        self.assertEqual((met, missing), (0, bars))


class SubmissionsBesideReads(unittest.TestCase):
    def test_are_taken_off_as_what_they_cost_beside_the_cheapest_read(self):
        still, beside, read = {"cpu_us": 5}, {"cpu_us": 7, "per_second": 50_000}, {"cpu_us": 11, "per_second": 25_000}
        self.assertEqual(submissions_share(still, beside, read), 4)

    def test_are_never_added_to_the_read(self):
        self.assertEqual(submissions_share({"cpu_us": 5}, {"cpu_us": 4, "per_second": 1}, {"per_second": 1}), 0)


class Names(unittest.TestCase):
    def test_are_short_and_no_two_alike(self):
        names = {players.name_of(number) for number in range(10_000)}
        self.assertEqual(len(names), 10_000)
        lengths = [len(players.name_of(number)) for number in (*range(1000), *range(players.MOST - 1000, players.MOST))]
        self.assertEqual((min(lengths), max(lengths)), (8, 19))


class Transactions(unittest.TestCase):
    def test_are_read_from_the_logs_of_all_threads(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "pgbench_log.1").write_text("0 0 1500 0 1700000001 500000\n")
            (folder / "pgbench_log.1.1").write_text("1 0 2500 0 1700000000 250000\n")
            self.assertEqual(transactions(folder), [(1700000000.25, 2.5), (1700000001.5, 1.5)])


class WrongAnswers:
    """The load program takes right answers for right, and ends at a wrong one."""

    def run_load(self, mode, *more):
        return subprocess.run(
            [str(load_program()), "--known", "--port", str(self.port), "--prefix", players.PREFIX, "--players", str(COUNT), "--mode", mode,
             "--connections", "4", *self.words(mode), *(more if "--seconds" in more else ("--seconds", "0.2", *more))], capture_output=True, text=True)

    def test_right_answers_pass(self):
        for mode in ("version", "standing", "top", "around", "submit"):
            said = self.run_load(mode)
            self.assertEqual(said.returncode, 0, f"{mode}: {said.stderr}")

    def test_another_rank_or_score_is_found(self):
        # The last has become the first, so every rank is another one than the board is known to have.
        self.change(players.ranks(COUNT).index(COUNT), players.MOST)
        for mode in ("standing", "top", "around"):
            said = self.run_load(mode)
            self.assertEqual(said.returncode, 1, f"{mode}: {said.stdout}")

    def test_a_steady_rate_is_kept(self):
        said = self.run_load("version", "--rate", "40", "--json", "--seconds", "1")
        self.assertEqual(said.returncode, 0, said.stderr)
        requests = json.loads(said.stdout)["requests"]
        self.assertLessEqual(requests, 41)
        self.assertGreater(requests, 0)

    def test_the_first_ten_stay_while_the_steady_writer_moves_the_board(self):
        with self.contender.writer(500, None) as writer:
            said = self.run_load("top")
            wait_until(lambda: writer.count > 2 * writer.CONNECTIONS, "some submissions")
        self.assertEqual(said.returncode, 0, said.stderr)
        self.assertGreater(writer.rate, 0)
        self.assertEqual(self.run_load("standing").returncode, 1, "the board has not moved")

    def test_the_steady_writer_fails_at_a_refusal(self):
        with self.assertRaises(AssertionError), self.contender.writer(500, None) as writer:
            writer.is_right = lambda answer: False
            wait_until(lambda: writer.failure, "the writer to fail")


class OurWrongAnswers(WrongAnswers, unittest.TestCase):
    def setUp(self):
        self.ours = Ours(COUNT)
        self.addCleanup(self.ours.close)
        self.ours.fill()
        self.port = self.ours.server.port
        self.contender = self.ours

    def words(self, mode):
        return ("--key", KEY, "--idempotency") if mode == "submit" else ()

    def change(self, player, score):
        answer = self.ours.server.api.post("/v1/boards/b/submissions", {"player": players.player_id(player), "score": score})
        self.assertEqual(answer.status, 200, answer)

    def test_players_are_filled_with_names_for_the_row_of_memory(self):
        ours = Ours(COUNT)
        self.addCleanup(ours.close)
        ours.fill_with_names()
        self.assertEqual(ours.server.api.get(f"/v1/boards/b/players/{players.player_id(7)}").json["name"], players.name_of(7))

    def test_a_start_after_a_kill_has_submissions_to_recover(self):
        seconds, answered = self.ours.restart_after_kill(0.3)
        self.assertGreater(seconds, 0)
        self.assertGreater(answered, 0)
        kept = self.ours.server.api.get("/v1/boards/b").json["seq"]
        self.assertGreaterEqual(kept, COUNT + answered)
        self.ours.check()

    def test_a_receipt_below_what_the_player_has_is_found(self):
        answer = self.ours.server.api.delete("/v1/boards/b")
        self.assertEqual(answer.status, 204, answer)
        answer = self.ours.server.api.post("/v1/boards", {"id": "b"})
        self.assertEqual(answer.status, 201, answer)
        said = self.run_load("submit", "--score", "0")
        self.assertEqual(said.returncode, 1, said.stdout)


@unittest.skipUnless(shutil.which("redis-server"), "redis-server is not installed (Debian package redis-server)")
class RedisWrongAnswers(WrongAnswers, unittest.TestCase):
    def setUp(self):
        self.redis = Redis(COUNT)
        self.addCleanup(self.redis.close)
        self.redis.fill()
        self.port = self.redis.port
        self.contender = self.redis

    def test_the_append_only_file_is_synced_and_not_rewritten_meanwhile(self):
        client = RedisClient(self.port)
        self.addCleanup(client.close)
        for name, value in (("appendonly", b"yes"), ("appendfsync", b"always"), ("auto-aof-rewrite-percentage", b"0"), ("save", b"")):
            self.assertEqual(client.ask_list("CONFIG", "GET", name), [name.encode(), value])

    def words(self, mode):
        return ("--protocol", "redis", "--script", self.redis.scripts.get(mode, ""))

    def change(self, player, score):
        client = RedisClient(self.port)
        self.assertEqual(client.ask("ZADD", "b", score, players.player_id(player)), 0)
        client.close()


class Steal(unittest.TestCase):
    def test_it_is_the_share_of_the_busy_time_since_it_was_made(self):
        idle, waiting, guests = 10_000, 500, [0, 0]
        then = ["cpu", 100, 0, 50, idle, waiting, 0, 10, 40, *guests]
        later = ["cpu", 400, 20, 150, 2 * idle, 2 * waiting, 10, 20, 200, *guests]
        texts = [" ".join(map(str, line)) + "\ncpu0 1 1 1 1\n" for line in (then, later)]
        facts = {}
        with unittest.mock.patch("pathlib.Path.read_text", side_effect=texts):
            said = machine.Steal().note(facts)
        self.assertEqual(facts, {"steal": round(160 / 600, 4)})
        self.assertIn("26.7%", said)


class Ends(unittest.TestCase):
    def test_a_server_whose_wrapper_has_not_begun_it_is_ended_too(self):
        server = Server(wrapper=["/bin/sh", "-c", "exec sleep 600", "sh"]).spawn()
        wrapper = server.process
        server.close()
        self.assertIsNotNone(wrapper.returncode)
        self.assertFalse(server.home.exists())

    def test_a_peer_whose_helpers_have_just_ended_is_ended_too(self):
        peer = Peer(0)
        peer.spawn(["sleep", "600"])
        gone = subprocess.Popen(["true"])
        gone.wait()
        with unittest.mock.patch("machine.tree", return_value=[gone.pid, peer.process.pid]):
            peer.close()
        self.assertIsNotNone(peer.process.returncode)
        self.assertFalse(peer.home.exists())


if __name__ == "__main__":
    unittest.main()
