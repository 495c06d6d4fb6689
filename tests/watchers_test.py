"""The load program that watches: it takes right streams for right, and ends at a wrong one. No figure of speed is tested."""

import json
import pathlib
import socket
import subprocess
import sys
import threading
import unittest
import unittest.mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "bench"))

import watchers  # noqa: E402
from report import Report  # noqa: E402
from support.api import ApiTest  # noqa: E402
from support.client import to_json  # noqa: E402
from support.live import CLOSE, TEXT, frame  # noqa: E402
from support.server import KEY, die_with_parent, watchers_program  # noqa: E402

VIEW = "b/all/top/10"


def start_watching(port, *more):
    return subprocess.Popen([str(watchers_program()), "--json", "--port", str(port), *map(str, more)],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=die_with_parent)


class Watching:
    """A finished run: its status, complaint, and what it said by event."""

    def __init__(self, process):
        said, self.complaint = process.communicate(timeout=120)
        self.status = process.returncode
        self.said = {line["event"]: line for line in map(json.loads, said.splitlines())}
        self.done = self.said.get("done")


# --- streams that are right or wrong -----------------------------------------------------------------

def row(player, position, score, **more):
    return {"rank": position, "position": position, "player": player, "score": score, **more}


def snapshot(seq, *rows, total=None, epoch="k1"):
    return {"view": VIEW, "type": "snapshot", "epoch": epoch, "seq": seq, "total": len(rows) if total is None else total, "rows": list(rows)}


def delta(prev, seq, total, upsert=(), leave=()):
    return {"view": VIEW, "type": "delta", "prev": prev, "seq": seq, "total": total, "upsert": list(upsert), "leave": list(leave)}


def beat(seq):
    return {"view": VIEW, "type": "beat", "seq": seq}


def welcome(**more):
    return {"id": 1, "ok": True, "view": VIEW, **more}


class FakeServer:
    """Takes WebSockets, and says to each what `script` has for it; then waits for its end. A script is a list of messages, or bytes."""

    def __init__(self, *scripts):
        self.scripts = scripts
        self.asked = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def _accept(self):
        for script in self.scripts:
            threading.Thread(target=self._serve, args=(self.listener.accept()[0], script), daemon=True).start()

    def _serve(self, peer, script):
        with peer:
            received = b""
            while b"\r\n\r\n" not in received:
                received += peer.recv(65536)
            peer.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
            self.asked.append(peer.recv(65536))
            for said in script:
                peer.sendall(said if isinstance(said, bytes) else frame(TEXT, to_json(said), mask=None))
                if isinstance(said, bytes):
                    return
            while peer.recv(65536):
                pass


ADA, BOB, CY = row("ada", 1, 30), row("bob", 2, 20), row("cy", 3, 10)
RIGHT = (welcome(), snapshot(5, ADA, BOB, CY), delta(5, 8, 3, [row("bob", 1, 40), row("ada", 2, 30)]), beat(9),
         {"type": "event", "board": "b", "kind": "leader", "player": "bob"},
         delta(9, 12, 3, [row("dan", 1, 50), row("bob", 2, 40), row("ada", 3, 30)], ["cy"]))


class FakeServerTest(unittest.TestCase):
    def watch(self, *scripts, count=None, more=(), seconds=1):
        with FakeServer(*scripts) as server:
            self.asked = server.asked
            return Watching(start_watching(server.port, "--watchers", count or len(scripts), "--seconds", seconds, *more))


class Streams(FakeServerTest):
    def assert_found(self, what, *scripts, gaps=0):
        # What is wrong ends it earlier.
        run = self.watch(*scripts, seconds=10)
        self.assertEqual(run.status, 1, run.said)
        self.assertIn(what, run.complaint)
        self.assertEqual((run.done["gaps"], run.done["gaps"] + run.done["failures"] > 0), (gaps, True))

    def test_right_ones_pass(self):
        run = self.watch(RIGHT, RIGHT, more=["--show-rows"])
        self.assertEqual(run.status, 0, run.complaint)
        self.assertEqual(run.done["least_seq"], 12)
        self.assertEqual(run.done["rows"][VIEW], {"seq": 12, "rows": [row("dan", 1, 50), row("bob", 2, 40), row("ada", 3, 30)]})

    def test_one_that_joins_later_passes(self):
        late = (welcome(), snapshot(8, row("bob", 1, 40), row("ada", 2, 30), CY), *RIGHT[3:])
        run = self.watch(RIGHT, late)
        self.assertEqual(run.status, 0, run.complaint)

    def test_a_frame_that_was_left_out_is_found(self):
        self.assert_found("a delta from 9 after 5", (*RIGHT[:2], RIGHT[5]), gaps=1)

    def test_one_wrong_socket_among_right_ones_is_found(self):
        self.assert_found("a delta from 9 after 8", RIGHT, RIGHT, (*RIGHT[:3], RIGHT[5]), RIGHT, gaps=1)

    def test_a_frame_that_came_twice_is_found(self):
        self.assert_found("a delta from 5 after 8", (*RIGHT[:3], RIGHT[2]), gaps=1)

    def test_a_delta_before_any_rows_is_found(self):
        self.assert_found("before a snapshot", (welcome(), RIGHT[2]), gaps=1)

    def test_who_leaves_without_having_been_there_is_found(self):
        self.assert_found("dan leaves", (*RIGHT[:2], delta(5, 8, 3, [], ["dan"])))

    def test_a_row_that_did_not_change_is_found(self):
        self.assert_found("told again", (*RIGHT[:2], delta(5, 8, 3, [ADA])))

    def test_a_hole_is_found(self):
        self.assert_found("position 3 follows 1", (*RIGHT[:2], delta(5, 8, 2, [], ["bob"])))

    def test_two_at_one_position_are_found(self):
        self.assert_found("position 1 follows 1", (*RIGHT[:2], delta(5, 8, 3, [row("bob", 1, 40)])))

    def test_a_row_too_few_is_found(self):
        self.assert_found("2 rows, of a board of 3", (*RIGHT[:2], delta(5, 8, 3, [], ["cy"])))

    def test_a_rank_that_cannot_be_is_found(self):
        self.assert_found("a rank behind its position", (welcome(), snapshot(5, row("ada", 1, 30, rank=2) | {"rank": 2})))

    def test_a_seq_that_goes_back_is_found(self):
        self.assert_found("the seq does not grow", (*RIGHT[:4], beat(9)))
        self.assert_found("sent back to 5", (*RIGHT[:4], RIGHT[1]))

    def test_two_sockets_with_different_rows_are_found(self):
        other = (welcome(), snapshot(5, ADA, row("bob", 2, 21), CY))
        self.assert_found("different rows at 5", RIGHT, other)

    def test_what_is_of_another_view_is_found(self):
        self.assert_found("to a watcher of", (welcome(), snapshot(5, ADA) | {"view": "b/all/top/25"}))
        self.assert_found("not watched", (welcome(view="b/all/top/25"),))

    def test_a_refusal_is_found(self):
        self.assert_found("not watched", ({"id": 1, "ok": False, "problem": {"code": "board_not_found"}},))

    def test_what_is_no_message_is_found(self):
        for text in (b"{", b"[]", b'{"view":"x"}', b'{"type":"dance"}'):
            with self.subTest(text):
                # The end behind it is not reached.
                self.assert_found("not a message", (welcome(), frame(TEXT, text, mask=None)))

    def test_a_lost_socket_is_found(self):
        self.assert_found("closed with 1013 slow", (*RIGHT[:2], frame(CLOSE, (1013).to_bytes(2, "big") + b"slow", mask=None)))
        self.assert_found("a watcher was lost", (*RIGHT[:2], b""))


class Resuming(FakeServerTest):
    FIRST = (*RIGHT[:3], {"type": "bye", "reason": "draining", "retry_after_ms": 1}, frame(CLOSE, (1012).to_bytes(2, "big"), mask=None))

    def come_back(self, *second, seconds=1):
        return self.watch(self.FIRST, second, count=1, more=["--restart", "--show-rows"], seconds=seconds)

    def test_goes_on_where_it_was(self):
        run = self.come_back(welcome(recovered=True), *RIGHT[3:])
        self.assertEqual(run.status, 0, run.complaint)
        self.assertIn(b'"since":{"epoch":"k1","seq":8}', self.asked[1])
        self.assertEqual(run.done["rows"][VIEW]["seq"], 12)
        self.assertEqual([run.said["back"][name] for name in ("byes", "recovered", "unrecovered")], [1, 1, 0])

    def test_a_delta_over_what_was_missed_may_tell_a_row_again(self):
        run = self.come_back(welcome(recovered=True), delta(8, 12, 3, [row("bob", 1, 40)]))
        self.assertEqual(run.status, 0, run.complaint)
        run = self.come_back(welcome(recovered=True), delta(8, 12, 3, [row("bob", 1, 40)]), delta(12, 13, 3, [row("bob", 1, 40)]), seconds=10)
        self.assertEqual(run.status, 1, "only the first one")

    def test_or_gets_a_snapshot(self):
        run = self.come_back(welcome(recovered=False), snapshot(12, ADA))
        self.assertEqual(run.status, 0, run.complaint)
        self.assertEqual(run.said["back"]["unrecovered"], 1)

    def test_a_delta_from_elsewhere_is_found(self):
        run = self.come_back(welcome(recovered=True), RIGHT[5], seconds=10)
        self.assertEqual((run.status, run.done["gaps"]), (1, 1))

    def test_rows_from_before_are_found(self):
        run = self.come_back(welcome(recovered=False), RIGHT[1], seconds=10)
        self.assertEqual(run.status, 1)
        self.assertIn("sent back to 5", run.complaint)


# --- the server ----------------------------------------------------------------------------------------

class Crowd(ApiTest):
    server_options = {"args": ["--http-write-timeout", "2s"]}

    def watch(self, board, *more, submissions=50):
        writes = ("--submissions", submissions, "--key", KEY) if submissions else ()
        return start_watching(self.server.port, "--board", board.removeprefix("/v1/boards/"), *writes, *more)

    def test_watchers_of_many_views_have_what_a_read_gives(self):
        board = self.make_board(rule="last")
        run = Watching(self.watch(board, "--watchers", 48, "--seconds", 2, "--view", "top:10,top:25,around:5,player", "--players", 30, "--show-rows"))
        self.assertEqual(run.status, 0, run.complaint)
        self.assertGreater(run.done["deltas"], 48)
        self.assertGreater(run.done["screen"]["p50_ms"], 0)
        self.assertEqual(run.done["watchers"], 48)
        everybody = {row["player"]: row for row in self.get(f"{board}/standings?limit=1000")["rows"]}
        self.assertEqual(len(run.done["rows"]), 26)
        for view, has in run.done["rows"].items():
            with self.subTest(view):
                self.assertEqual(has["rows"], [everybody[row["player"]] for row in has["rows"]])

    def test_idle_ones_hear_nothing(self):
        board = self.make_board()
        run = Watching(self.watch(board, "--watchers", 20, "--seconds", 1, submissions=0))
        self.assertEqual((run.status, run.done["messages"]), (0, 0), run.complaint)

    def test_who_never_reads_is_closed_and_the_others_are_not(self):
        board = self.make_board(rule="last")
        run = Watching(self.watch(board, "--watchers", 10, "--deaf", 3, "--rate", 20, "--view", "top:100", "--players", 150, "--seconds", 8, submissions=1000))
        self.assertEqual(run.status, 0, run.complaint)
        self.assertEqual((run.done["deaf"]["sockets"], run.done["deaf"]["closed"]), (3, 3), run.done)

    def test_a_board_that_goes_is_found(self):
        board = self.make_board()
        process = self.watch(board, "--watchers", 5, "--seconds", 60, submissions=0)
        self.assertIn('"watching"', process.stdout.readline())
        self.assertEqual(self.api.delete(board).status, 204)
        run = Watching(process)
        self.assertEqual(run.status, 1)
        self.assertIn("closed with 4404", run.complaint)


class Table(unittest.TestCase):
    def bench(self, *words):
        options = watchers.options_from(["--rounds", "1", "--watchers", "20", "--players", "100", "--seconds", "2", "--idle-minutes", "0.02", *words])
        return watchers.Bench(options, Report({}, watchers.PEERS, vars(options)))

    def test_holds_the_rows_of_all_parts_before_anything_is_measured(self):
        bench = self.bench()
        with unittest.mock.patch.object(watchers.Bench, "board", side_effect=KeyboardInterrupt), self.assertRaises(KeyboardInterrupt):
            bench.run(set(watchers.PARTS))
        bars, met, missing = bench.report.count()
        self.assertGreater(bars, 6)
        self.assertEqual((met, missing), (0, bars))

    def test_is_filled(self):
        bench = self.bench()
        bench.run(set(watchers.PARTS) - {"deaf", "hot"})
        self.assertEqual([row.key for row in bench.report.rows if row.median() is None], [])
        self.assertEqual(bench.report.count()[2], 0)
        self.assertGreater(bench.report.rows[0].median("bare"), 0)

    def test_a_wrong_stream_ends_the_run(self):
        process = unittest.mock.Mock(returncode=1, stdout=iter(['{"event":"done"}\n']))
        process.wait.return_value = 1
        process.stderr.read.return_value = "a delta from 9 after 8"
        run = watchers.Watchers.__new__(watchers.Watchers)
        run.process = process
        with self.assertRaisesRegex(AssertionError, "a delta from 9 after 8"):
            run.until("done")

    def test_takes_the_submissions_off(self):
        alone = {"cpu_seconds": 1.0, "submissions": {"count": 1000}}
        beside = {"cpu_seconds": 2.5, "submissions": {"count": 500}, "messages": 1_000_000}
        self.assertAlmostEqual(watchers.microseconds_a_delivery(alone, beside), 2.0)

    def test_reads_delays_between_two_looks(self):
        before = [(0.064, 100), (0.128, 100), (0.256, 100), (float("inf"), 100)]
        after = [(0.064, 100), (0.128, 150), (0.256, 200), (float("inf"), 200)]
        self.assertAlmostEqual(watchers.quantile_ms(before, after, 0.5), 128)
        self.assertAlmostEqual(watchers.quantile_ms(before, after, 0.75), 192)
        self.assertAlmostEqual(watchers.quantile_ms(before, after, 0.25), 96)
        self.assertEqual(watchers.quantile_ms(before, before, 0.5), 0)

    def test_says_how_long_slow_ones_were_kept(self):
        samples = watchers.Samples(None)
        samples.all = [(0, 1, 13, 5), (1, 1, 13, 5), (2, 1, 13, 6), (7, 1, 12, 9), (8, 9, 10, 9)]
        self.assertEqual(samples.closed_within(10), 6)
        self.assertEqual(samples.most_memory(), 9)
        with self.assertRaisesRegex(AssertionError, "1 were not closed"):
            samples.closed_within(9)


if __name__ == "__main__":
    unittest.main()
