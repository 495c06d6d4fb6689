"""The oracle of the fault tests: each thing that must never happen, made on purpose, has an exception of its own."""

import io
import pathlib
import sqlite3
import tempfile
import types
import unittest
import unittest.mock

import faults_test
from faults.beside import ARRAYS, ArrayWriter, Halved
from faults.harness import Row
from faults.oracle import BOARD, Disagrees, Lost, Oracle, Twice, WentBack, open_database
from faults_test import CountingResult
from support.client import Answer, to_json
from support.server import Server

PLAYERS = ("ada", "bob", "cyd", "dan")


class Doctored:
    """What the oracle sees of a server: a database, and answers in which `change` has been at the page."""

    def __init__(self, data, page, change):
        self.data = data
        change(page)
        self.public = types.SimpleNamespace(get=lambda path: Answer(200, {}, to_json(page)))


class TheOracle(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        cls.server.start()
        cls.server.api.post("/v1/boards", {"id": BOARD, "rule": "sum"})
        cls.sent = []  # key, player, seq
        # Ada has four points, Bob three, and so on.
        for number, player in enumerate(PLAYERS):
            for turn in range(len(PLAYERS) - number):
                key = f"{player}-{turn}"
                answer = cls.server.api.post(f"/v1/boards/{BOARD}/submissions", {"player": player, "score": 1}, idempotency_key=key)
                cls.sent.append((key, player, answer.json["seq"]))

    def setUp(self):
        self.oracle = Oracle()
        for sent in self.sent:
            self.oracle.acknowledge(*sent)

    def look(self, sql="", change=lambda page: None):
        """The verdict on a copy of the database that `sql` has changed, and a page that `change` has."""
        with tempfile.TemporaryDirectory(prefix="standings-oracle-") as folder:
            copy = sqlite3.connect(pathlib.Path(folder) / "standings.db")
            source = open_database(self.server.data)
            source.backup(copy)
            source.close()
            copy.executescript(sql)
            copy.close()
            page = self.server.public.get(f"/v1/boards/{BOARD}/standings?limit=1000").json
            self.oracle.verify(Doctored(folder, page, change), "doctored")

    def test_has_nothing_against_what_is_whole(self):
        self.look()
        # Nor against one without an answer, whether it is there or not.
        self.oracle.open["never-answered"] = "ada"
        self.look()

    # --- lost -----------------------------------------------------------------------------------

    def test_misses_an_event(self):
        with self.assertRaisesRegex(Lost, "1 of 10 acknowledged are not in the database"):
            self.look("DELETE FROM event WHERE seq = %d" % self.sent[-1][2])

    def test_misses_an_event_that_is_another_players(self):
        with self.assertRaisesRegex(Lost, "1 of 10 acknowledged are not in the database"):
            self.look("UPDATE event SET slot = (SELECT slot FROM player WHERE id = 'bob') WHERE seq = %d" % self.sent[0][2])

    def test_misses_a_point(self):
        def take_two(page):
            page["rows"][0]["score"] -= 2

        with self.assertRaisesRegex(Lost, "2 of 10 acknowledged are not counted"):
            self.look(change=take_two)

    def test_misses_what_only_the_feed_has_shown(self):
        self.oracle.show(self.sent[-1][2], [(seq, player) for _, player, seq in self.sent])
        self.look()
        self.oracle.show(1000, [(1000, "ada")])
        with self.assertRaisesRegex(Lost, "1 that the feed has shown are not in the database, the first has seq 1000"):
            self.look()

    def test_misses_an_array_and_sees_half_of_one(self):
        players = ArrayWriter.players(1)
        self.server.api.post("/v1/boards", {"id": ARRAYS})

        def submit(names):
            self.assertEqual(self.server.api.post(f"/v1/boards/{ARRAYS}/submissions", [{"player": name, "score": 1} for name in names]).status, 200)

        def verify(acknowledged, still_open=()):
            writer.acknowledged, writer.open = list(acknowledged), set(still_open)
            return writer.verify()

        writer = ArrayWriter(self.server)
        self.assertEqual(verify([], [1, 2]), 0)
        self.assertEqual(writer.open, {2}, "the last one may be under way")
        submit(players)
        self.assertEqual(verify([], [1]), 0, "whole, and not answered yet")
        self.assertEqual(verify([1]), 1)
        with self.assertRaisesRegex(Lost, "array 2 was acknowledged, and is not there"):
            verify([2])
        submit(ArrayWriter.players(3)[:2])
        with self.assertRaisesRegex(Halved, r"\{3: 2\}"):
            verify([], [3])
        self.assertEqual(self.server.api.delete(f"/v1/boards/{ARRAYS}").status, 204)

    # --- twice ----------------------------------------------------------------------------------

    def test_sees_a_second_event_under_a_key(self):
        with self.assertRaisesRegex(Twice, "2 events share their key"):
            self.look("""
                CREATE TEMP TABLE again AS SELECT * FROM event WHERE key IS NOT NULL ORDER BY seq LIMIT 2;
                UPDATE again SET seq = seq + 1000;
                INSERT INTO event SELECT * FROM again""")

    def test_sees_a_point_too_many(self):
        def give_one(page):
            page["rows"][0]["score"] += 1

        with self.assertRaisesRegex(Twice, "1 more than were ever sent are counted: ada has 5 points, but only 4 were sent"):
            self.look(change=give_one)

    def test_allows_no_more_points_than_stayed_unanswered(self):
        def give_two(page):
            page["rows"][0]["score"] += 2

        self.oracle.open["never-answered"] = "ada"
        with self.assertRaisesRegex(Twice, "1 more than were ever sent are counted: ada has 6 points, but only 5 were sent"):
            self.look(change=give_two)

    # --- went back ------------------------------------------------------------------------------

    def test_sees_a_seq_that_is_given_twice(self):
        with self.assertRaisesRegex(WentBack, "given to two submissions"):
            self.oracle.acknowledge("another", "ada", self.sent[-1][2])

    def test_sees_a_seq_that_was_there_before_the_run(self):
        seq = self.sent[-1][2] + 1
        with tempfile.NamedTemporaryFile("w", prefix="standings-oracle-") as log:
            log.write(f"ada 1 r1-0 {seq}\n")
            log.flush()
            with self.assertRaisesRegex(WentBack, "was acknowledged before it was sent"):
                self.oracle.read(log.name, floor=seq)
            self.assertEqual(self.oracle.read(log.name, floor=seq - 1), 1)

    def test_sees_a_board_that_went_back(self):
        def go_back(page):
            page["seq"] = self.oracle.newest - 1

        with self.assertRaisesRegex(WentBack, "the board is at seq"):
            self.look(change=go_back)

    def test_sees_a_feed_that_went_back_or_shows_another_one_at_a_seq(self):
        self.oracle.show(7, [(6, "ada"), (7, "bob")])
        self.oracle.show(7, [(7, "bob")])
        with self.assertRaisesRegex(WentBack, "the feed is at seq 6, and was at 7"):
            self.oracle.show(6, [])
        with self.assertRaisesRegex(WentBack, "the feed shows seq 7 of cyd, and had shown bob there"):
            self.oracle.show(8, [(7, "cyd")])

    # --- disagrees ------------------------------------------------------------------------------

    def test_sees_two_ranks_that_changed_places(self):
        def swap(page):
            first, second = page["rows"][:2]
            first["rank"], second["rank"] = second["rank"], first["rank"]

        with self.assertRaises(Disagrees):
            self.look(change=swap)

    def test_sees_two_rows_that_changed_places(self):
        def swap(page):
            page["rows"][:2] = page["rows"][1::-1]

        with self.assertRaises(Disagrees):
            self.look(change=swap)

    def test_sees_events_that_make_another_score(self):
        with self.assertRaises(Disagrees):
            self.look("UPDATE event SET input_1 = 2 WHERE seq = %d" % self.sent[0][2])

    def test_sees_a_point_in_memory_alone(self):
        def give_one(page):
            page["rows"][0]["score"] += 1

        self.oracle.open["never-answered"] = "ada"
        with self.assertRaises(Disagrees):
            self.look(change=give_one)


class Holes(unittest.TestCase):
    """What a run in full leaves unproven."""

    def holes(self, skipped=(), controls=("lost",), runs=1):
        row = Row("sample")
        row.runs, row.controls = runs, list(controls)
        result = unittest.TestResult()
        result.skipped = list(skipped)
        with unittest.mock.patch.dict(faults_test.ROWS, {"sample": row}, clear=True), unittest.mock.patch.object(faults_test, "FULL", True):
            return faults_test.holes(result)

    def test_there_is_none_in_a_whole_run(self):
        self.assertEqual(self.holes(), [])

    def test_a_skipped_test_a_missing_control_and_a_fault_that_was_never_met_are_some(self):
        self.assertIn("skipped, no strace", self.holes(skipped=[(self, "no strace")])[0])
        self.assertEqual(self.holes(controls=()), ["sample: no control"])
        self.assertEqual(self.holes(runs=0), ["sample: never met"])


class TheTable(unittest.TestCase):
    """Counts submissions, not tests that failed."""

    def run_test(self, body):
        class Sample(unittest.TestCase):
            def runTest(self):
                self.row = Row("sample")
                body(self)

        sample = Sample()
        result = CountingResult(io.StringIO(), descriptions=False, verbosity=0)
        sample.run(result)
        self.assertFalse(result.wasSuccessful())
        return sample.row.lost, sample.row.twice

    def test_sums_what_was_lost_and_what_was_doubled(self):
        def lose(test):
            raise Lost("seven", 7)

        def double(test):
            raise Twice("three", 3)

        self.assertEqual(self.run_test(lose), (7, 0))
        self.assertEqual(self.run_test(double), (0, 3))

    def test_sums_over_subtests(self):
        def lose_and_double(test):
            for number in (2, 3):
                with test.subTest(number):
                    raise Lost("some", number)
            with test.subTest("twice"):
                raise Twice("four", 4)
            with test.subTest("well"):
                pass
            raise Lost("one at the end", 1)

        self.assertEqual(self.run_test(lose_and_double), (6, 4))

    def test_other_failures_lose_nothing(self):
        self.assertEqual(self.run_test(lambda test: test.fail("slow")), (0, 0))
        self.assertEqual(self.run_test(lambda test: {}["no such thing"]), (0, 0))


if __name__ == "__main__":
    unittest.main()
