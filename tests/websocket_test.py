"""WebSocket: the rules of RFC 6455 as raw frames, whole and byte by byte, and what is watched over it."""

import time
import unittest

from support.api import ApiTest
from support.client import to_json
from support.live import BINARY, CLOSE, PING, PONG, TEXT, Closed, Rows, Watcher, WebSocket, frame
from support.server import Server, is_sanitized, wait_until

WATCH = b'{"id":7,"op":"unwatch","view":"none"}'  # answered by a refusal with its id


def bad_close(code, reason=b""):
    return frame(CLOSE, code.to_bytes(2, "big") + reason)


# What a client sends -> the code that the server closes with, or None: it goes on.
FRAMES = {
    "a text": (frame(TEXT, WATCH), None),
    "two texts at once": (frame(TEXT, WATCH) * 2, None),
    "a text in fragments": (frame(TEXT, WATCH[:5], fin=False) + frame(0, WATCH[5:9], fin=False) + frame(0, WATCH[9:]), None),
    "a ping between fragments": (frame(TEXT, WATCH[:5], fin=False) + frame(PING, b"x") + frame(0, WATCH[5:]), None),
    "an empty fragment": (frame(TEXT, b"", fin=False) + frame(0, WATCH), None),
    "a pong that nobody asked for": (frame(PONG, b"x") + frame(TEXT, WATCH), None),
    "another mask": (frame(TEXT, WATCH, mask=b"\xff\x00\x7f\x80"), None),
    "a mask of zeros": (frame(TEXT, WATCH, mask=b"\0\0\0\0"), None),
    "16 bits of length": (frame(TEXT, WATCH[:-1] + b" " * 200 + b"}"), None),
    "the longest message": (frame(TEXT, WATCH[:-1] + b" " * (16384 - len(WATCH)) + b"}"), None),
    "no mask": (frame(TEXT, WATCH, mask=None), 1002),
    "a first reserved bit": (frame(TEXT, WATCH, reserved=4), 1002),
    "a second reserved bit": (frame(TEXT, WATCH, reserved=2), 1002),
    "a third reserved bit": (frame(TEXT, WATCH, reserved=1), 1002),
    "a reserved opcode": (frame(3, WATCH), 1002),
    "a reserved control opcode": (frame(11, b""), 1002),
    "a continuation of nothing": (frame(0, WATCH), 1002),
    "a text inside a text": (frame(TEXT, WATCH[:5], fin=False) + frame(TEXT, WATCH), 1002),
    "a ping in fragments": (frame(PING, b"x", fin=False), 1002),
    "a long ping": (frame(PING, b"x" * 126), 1002),
    "16 bits for a small length": (frame(TEXT, WATCH, size=(len(WATCH), 2)), 1002),
    "64 bits for a small length": (frame(TEXT, WATCH, size=(len(WATCH), 8)), 1002),
    "a binary message": (frame(BINARY, WATCH), 1003),
    "no UTF-8": (frame(TEXT, b"\xff"), 1007),
    "UTF-8 that is cut": (frame(TEXT, b'"\xe2\x98'), 1007),
    "UTF-8 of a surrogate": (frame(TEXT, b"\xed\xa0\x80"), 1007),
    "UTF-8 too long for its character": (frame(TEXT, b"\xc0\xaf"), 1007),
    "a message that is too large": (frame(TEXT, b" " * 16385), 1009),
    "fragments that are too large together": (frame(TEXT, b" " * 10000, fin=False) + frame(0, b" " * 10000), 1009),
    "a message in 64 fragments": (frame(TEXT, WATCH, fin=False) + frame(0, b"", fin=False) * 62 + frame(0, b""), None),
    "a message in 65 fragments": (frame(TEXT, WATCH, fin=False) + frame(0, b"", fin=False) * 63 + frame(0, b""), 1008),
    "fragments without an end": (frame(TEXT, b" ", fin=False) + frame(0, b"", fin=False) * 100, 1008),
    "a message that claims 2^62 bytes": (frame(TEXT, b"", size=(2**62, 8)), 1009),
    "a close": (frame(CLOSE, b""), 1000),
    "a close with a code": (bad_close(1000, b"bye"), 1000),
    "a close with a code of its own": (bad_close(4999), 4999),
    "a close with half a code": (frame(CLOSE, b"\x03"), 1002),
    "a close with a code that nobody sends": (bad_close(1005), 1002),
    "a close with an unknown code": (bad_close(2999), 1002),
    "a close whose reason is no UTF-8": (bad_close(1000, b"\xff"), 1002),
}


class Protocol(ApiTest):
    def open(self, **options):
        socket = WebSocket(self.server.port, **options)
        self.addCleanup(socket.close)
        return socket

    def check(self, name, data, expected, pieces):
        socket = self.open()
        for piece in pieces(data):
            try:
                socket.send_bytes(piece)
            except (BrokenPipeError, ConnectionResetError):
                break  # it has heard enough
        if expected is None:
            self.assertEqual(socket.next()["id"], 7, name)
            socket.send({"id": 8, "op": "unwatch", "view": "none"})
            while socket.next()["id"] != 8:
                pass
        else:
            closed = socket.closing()
            self.assertEqual(closed.code, expected, name)
        socket.close()

    def test_each_frame_whole(self):
        for name, (data, expected) in FRAMES.items():
            with self.subTest(name):
                self.check(name, data, expected, lambda data: [data])

    def test_each_frame_byte_by_byte(self):
        for name, (data, expected) in FRAMES.items():
            with self.subTest(name):
                self.check(name, data, expected, lambda data: [data[at:at + 1] for at in range(len(data))])

    def test_each_frame_cut_once_at_each_byte(self):
        for name in ("a text", "a ping between fragments", "no UTF-8", "a close with a code"):
            data, expected = FRAMES[name]
            for cut in range(1, len(data)):
                with self.subTest(name, cut=cut):
                    self.check(name, data, expected, lambda data, cut=cut: [data[:cut], data[cut:]])

    def test_text_cut_inside_its_characters(self):
        data = '{"id":"é☃𝄞","op":"x"}'.encode()
        for cut in range(1, len(data)):
            with self.subTest(cut=cut):
                socket = self.open()
                socket.send_bytes(frame(TEXT, data[:cut], fin=False) + frame(0, data[cut:]))
                self.assertEqual(socket.next()["id"], "é☃𝄞")
                socket.close()

    def test_a_ping_is_answered(self):
        socket = self.open()
        for payload in (b"", b"x", b"y" * 125):
            socket.send_bytes(frame(PING, payload))
            self.assertEqual(socket.next_frame(), (PONG, payload))

    def test_frames_sent_with_the_upgrade_are_heard(self):
        raw = self.server.raw()
        self.addCleanup(raw.close)
        raw.send(b"GET /v1/live HTTP/1.1\r\nHost: x\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n"
                 b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" + frame(TEXT, WATCH))
        deadline = time.monotonic() + 10
        while b'"id":7' not in raw.buffer:
            self.assertLess(time.monotonic(), deadline)
            raw.buffer += raw.socket.recv(65536)
        self.assertIn(b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", raw.buffer, "as in RFC 6455")

    def test_the_protocol_is_named_when_it_was_offered(self):
        self.assertEqual(self.open().headers["sec-websocket-protocol"], "standings.v1")
        self.assertEqual(self.open(protocol="x, standings.v1").headers["sec-websocket-protocol"], "standings.v1")
        self.assertNotIn("sec-websocket-protocol", self.open(protocol="other").headers)
        self.assertNotIn("sec-websocket-protocol", self.open(protocol=None).headers)

    def test_what_is_no_upgrade_is_refused(self):
        good = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
        for name, value in (("Upgrade", None), ("Upgrade", "h2c"), ("Connection", "keep-alive"), ("Sec-WebSocket-Version", "8"),
                            ("Sec-WebSocket-Version", None), ("Sec-WebSocket-Key", None), ("Sec-WebSocket-Key", "short"),
                            ("Sec-WebSocket-Key", "x" * 200)):
            with self.subTest(name, value=value):
                headers = {**good, name: value}
                answer = self.public.request("GET", "/v1/live", headers={key: text for key, text in headers.items() if text})
                self.assert_problem(answer, 426, "upgrade_required")
                self.assertEqual((answer.headers["upgrade"], answer.headers["sec-websocket-version"]), ("websocket", "13"))
        self.assert_problem(self.public.post("/v1/live"), 405)

    def test_a_connection_that_was_used_can_be_upgraded(self):
        raw = self.server.raw()
        self.addCleanup(raw.close)
        raw.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /v1/live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" + frame(PING, b"now"))
        deadline = time.monotonic() + 10
        while not raw.buffer.endswith(b"\x8a\x03now"):
            self.assertLess(time.monotonic(), deadline, raw.buffer)
            raw.buffer += raw.socket.recv(65536)
        self.assertIn(b"HTTP/1.1 200 OK", raw.buffer)
        upgraded = raw.buffer[raw.buffer.index(b"HTTP/1.1 101 Switching Protocols"):].lower()
        self.assertIn(b"\r\nx-request-id: ", upgraded)
        self.assertNotIn(b"\r\nserver: ", upgraded)

    def test_a_parameter_that_is_not_known_is_refused(self):
        headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
                   "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
        problem = self.assert_problem(self.public.request("GET", "/v1/live?key=st_sk_x", headers=headers), 422, "invalid")
        self.assertNotIn("st_sk_x", str(problem))


class Messages(ApiTest):
    def connect(self, **options):
        watcher = Watcher(self.server.port, **options)
        self.addCleanup(watcher.close)
        return watcher

    def slug(self, board):
        return board.removeprefix("/v1/boards/")

    def settle(self, watcher, name, board, query="?limit=10"):
        page = self.get(f"{board}/standings{query}")
        watcher.until(lambda now: now.views[name].seq is not None and now.views[name].seq >= page["seq"])
        self.assertEqual((watcher.views[name].seq, watcher.views[name].rows), (page["seq"], page["rows"]))

    def resumes(self):
        """Watchers that went on where they were, and that could not."""
        text = self.public.get("/metrics").body.decode()
        return [int(text.partition(f'standings_live_resumes_total{{recovered="{recovered}"}} ')[2].split()[0]) for recovered in ("true", "false")]

    def test_many_views_on_one_socket(self):
        board = self.make_board()
        other = self.make_board()
        self.api.stream(f"{board}/submissions", [{"player": f"p{i:02d}", "score": 100 - i} for i in range(30)])
        watcher = self.connect()
        top = watcher.watch(self.slug(board), {"top": 25})
        around = watcher.watch(self.slug(board), {"around": "p15", "span": 3}, rate=20)
        own = watcher.watch(self.slug(board), {"player": "p29"})
        second = watcher.watch(self.slug(other), {"top": 10})
        self.assertEqual([name.split("/all/")[1] for name in (top, around, own, second)],
                         ["top/25", "around/3/p15", "player/p29", "top/10"])
        self.submit(board, "p29", 200)
        self.submit(other, "x", 1)
        self.settle(watcher, top, board, "?limit=25")
        self.settle(watcher, own, board, "?players=p29")
        self.settle(watcher, second, other)
        self.settle(watcher, around, board, "?around=p15&limit=7")
        self.assertEqual([event["kind"] for event in watcher.events if event["board"] == self.slug(board)], ["leader"],
                         "once, although three of its views are watched")

    def test_unwatch_ends_a_view_and_no_other(self):
        board = self.make_board()
        watcher = self.connect()
        top = watcher.watch(self.slug(board), {"top": 10})
        own = watcher.watch(self.slug(board), {"player": "a"})
        watcher.until(lambda now: now.views[top].seq)
        self.assertTrue(watcher.ask(op="unwatch", view=top)["ok"])
        seq = watcher.views[top].seq
        self.submit(board, "a", 1)
        watcher.until(lambda now: now.views[own].by_player)
        self.assertEqual(watcher.views[top].seq, seq)
        again = watcher.ask(op="unwatch", view=top)
        self.assertEqual((again["ok"], again["problem"]["code"]), (False, "invalid"))

    def test_a_client_goes_on_where_it_was(self):
        board = self.make_board()
        self.submit(board, "a", 1)
        watcher = self.connect()
        name = watcher.watch(self.slug(board), {"top": 10})
        watcher.until(lambda now: now.views[name].seq)
        rows = watcher.views[name]
        watcher.close()
        self.submit(board, "b", 2)
        resumes = self.resumes()
        again = self.connect()
        answer = again.ask(op="watch", board=self.slug(board), view={"top": 10}, since={"epoch": rows.epoch, "seq": rows.seq})
        self.assertEqual((answer["view"], answer["recovered"]), (name, True))
        rows.goes_on = True
        again.views[name] = rows
        self.assertEqual(again.take()["type"], "delta")
        self.settle(again, name, board)
        lost = self.connect().ask(op="watch", board=self.slug(board), view={"top": 10}, since={"epoch": "none", "seq": 5})
        self.assertEqual(lost["recovered"], False)
        self.assertEqual(self.resumes(), [before + 1 for before in resumes])

    def test_asking_again_begins_the_view_anew(self):
        board = self.make_board()
        watcher = self.connect()
        name = watcher.watch(self.slug(board), {"top": 10})
        watcher.until(lambda now: now.views[name].seq)
        self.assertEqual(watcher.watch(self.slug(board), {"top": 9}, rate=20), name)
        self.assertEqual(watcher.take()["type"], "snapshot")
        self.submit(board, "a", 1)
        self.settle(watcher, name, board)

    def test_wrong_messages_are_refused_and_harm_nothing(self):
        board = self.slug(self.make_board())
        watcher = self.connect()
        for message, pointer in (({"op": "dance"}, "/op"), ({}, "/op"), ({"op": "watch"}, "/view"), ({"op": "watch", "view": {"top": 5}}, "/board"),
                                 ({"op": "watch", "board": board}, "/view"), ({"op": "watch", "board": board, "view": {}}, "/view"),
                                 ({"op": "watch", "board": board, "view": {"top": 0}}, "/view/top"),
                                 ({"op": "watch", "board": board, "view": {"top": 101}}, "/view/top"),
                                 ({"op": "watch", "board": board, "view": {"top": "x"}}, "/view/top"),
                                 ({"op": "watch", "board": board, "view": {"top": 5, "player": "a"}}, "/view/player"),
                                 ({"op": "watch", "board": board, "view": {"top": 5}, "segment": "x"}, "/segment"),
                                 ({"op": "watch", "board": board, "view": {"top": 5, "span": 3}}, "/view/span"),
                                 ({"op": "watch", "board": board, "view": {"player": "a b"}}, "/view/player"),
                                 ({"op": "watch", "board": board, "view": {"around": "a", "span": 11}}, "/view/span"),
                                 ({"op": "watch", "board": board, "view": {"top": 5}, "rate": 3}, "/rate"),
                                 ({"op": "watch", "board": board, "view": {"top": 5}, "since": 5}, "/since"),
                                 ({"op": "watch", "board": board, "view": {"top": 5}, "period": "week"}, "/period"),
                                 ({"op": "unwatch"}, "/view"), ({"op": "auth"}, "/token"), ({"op": "auth", "token": "x"}, "/op")):
            with self.subTest(message=message):
                answer = watcher.ask(**message)
                self.assertFalse(answer["ok"])
                self.assertEqual(answer["problem"]["errors"][0]["pointer"], pointer)
        for text in (b"", b"{", b"[]", b"5", b'{"id":1,"id":2}', b'{"id":{},"op":"watch"}', b'{"id":"' + b"x" * 100 + b'"}'):
            with self.subTest(text=text):
                watcher.send_bytes(frame(TEXT, text))
                answer = watcher.take()
                self.assertEqual((answer["id"], answer["ok"]), (None, False))
        self.assertTrue(watcher.watch(board, {"top": 10}))

    def test_a_private_board_needs_a_key(self):
        board = self.slug(self.make_board(visibility="private"))
        watcher = self.connect()
        watcher.send({"id": 1, "op": "watch", "board": board, "view": {"top": 10}})
        self.assertEqual(watcher.next()["problem"]["code"], "board_not_found")
        self.assertEqual(watcher.closing().code, 4404)
        watcher = self.connect()
        self.assertTrue(watcher.ask(op="auth", token=self.server.key)["ok"])
        self.assertTrue(watcher.watch(board, {"top": 10}))
        watcher = self.connect(headers=[f"Authorization: Bearer {self.server.key}"])
        self.assertTrue(watcher.watch(board, {"top": 10}))
        watcher = self.connect()
        watcher.send({"id": 1, "op": "auth", "token": "st_sk_wrong"})
        self.assertEqual(watcher.next()["problem"]["code"], "unauthenticated")
        self.assertEqual(watcher.closing().code, 4401)

    def test_the_number_of_watches_is_bounded(self):
        board = self.slug(self.make_board())
        watcher = self.connect()
        for number in range(64):
            watcher.watch(board, {"player": f"p{number}"})
        watcher.send({"id": 1000, "op": "watch", "board": board, "view": {"player": "one-more"}})
        self.assertEqual(watcher.closing().code, 4409)

    def test_a_client_that_floods_is_closed(self):
        watcher = self.connect()
        try:
            for _ in range(1000):
                watcher.send({"id": 1, "op": "unwatch", "view": "none"})
        except (BrokenPipeError, ConnectionResetError):
            pass
        self.assertIn(watcher.closing().code, (4429, None))

    def test_a_board_that_goes_closes_its_sockets(self):
        board = self.make_board()
        watcher = self.connect()
        watcher.watch(self.slug(board), {"top": 10})
        self.assertEqual(self.api.delete(board).status, 204)
        self.assertEqual(watcher.closing().code, 4404)

    def test_a_watch_that_is_asked_for_again_at_once_is_answered_too(self):
        board = self.slug(self.make_board())
        with self.connect() as watcher:
            watcher.views["%s/all/top/10" % board] = Rows()
            asks = [to_json({"id": number, "op": "watch", "board": board, "view": {"top": 10}}) for number in (1, 2, 3)]
            watcher.send_bytes(b"".join(frame(TEXT, one) for one in asks))
            answers = {}
            while len(answers) < 3:
                message = watcher.take()
                if "id" in message:
                    answers[message["id"]] = message["ok"]
            self.assertTrue(answers[3], answers)

    def test_what_is_not_there_is_forgotten_when_a_client_goes(self):
        def watchers():
            text = self.public.get("/metrics").body.decode()
            return int(next(line.split()[1] for line in text.splitlines() if line.startswith("standings_live_watchers ")))

        board = self.slug(self.make_board())
        wait_until(lambda: watchers() == 0, "no watcher of another test to be left")
        for ending in ("close", "binary", "frame"):
            with self.subTest(ending):
                watcher = self.connect()
                for number in range(5):
                    watcher.watch(board, {"player": f"p{number}"})
                self.assertEqual(watchers(), 5)
                if ending == "binary":
                    watcher.send_bytes(frame(BINARY, b"x"))
                    self.assertEqual(watcher.closing().code, 1003)
                if ending == "frame":
                    watcher.send_bytes(frame(CLOSE, b"\x03\xe8"))
                    self.assertEqual(watcher.closing().code, 1000)
                watcher.close()
                deadline = time.monotonic() + 10
                while watchers() != 0:
                    self.assertLess(time.monotonic(), deadline)


class Limits(unittest.TestCase):
    """Each is a setting."""

    def setUp(self):
        self.server = Server(args=["--live-max-watches", "2", "--live-max-message", "256", "--live-max-fragments", "3"])
        self.addCleanup(self.server.close)
        self.server.start()

    def connect(self):
        watcher = Watcher(self.server.port)
        self.addCleanup(watcher.close)
        return watcher

    def closing_after(self, data):
        watcher = self.connect()
        watcher.send_bytes(data)
        return watcher.closing().code

    def test_views(self):
        self.assertEqual(self.server.api.post("/v1/boards", {"id": "b"}).status, 201)
        watcher = self.connect()
        for number in range(2):
            watcher.watch("b", {"player": f"p{number}"})
        watcher.send({"id": 1000, "op": "watch", "board": "b", "view": {"player": "one-more"}})
        self.assertEqual(watcher.closing().code, 4409)

    def test_messages(self):
        self.assertEqual(self.closing_after(frame(TEXT, b" " * 257)), 1009)

    def test_fragments(self):
        three = frame(TEXT, WATCH, fin=False) + frame(0, b"", fin=False) + frame(0, b"")
        watcher = self.connect()
        watcher.send_bytes(three + three)
        self.assertEqual([watcher.next()["id"], watcher.next()["id"]], [7, 7])
        self.assertEqual(self.closing_after(frame(TEXT, WATCH, fin=False) + frame(0, b"", fin=False) * 3), 1008)

    def test_silence(self):
        self.server.terminate()
        self.server.args = ["--live-ping", "2s"]
        self.server.start()
        watcher = self.connect()
        for _ in range(2):
            self.assertEqual(watcher.next_frame(), (PING, b""))
            watcher.send_bytes(frame(PONG, b""))
        self.assertEqual(watcher.next_frame(), (PING, b""))
        with self.assertRaises(Closed):
            watcher.next_frame()


class Slow(ApiTest):
    def setUp(self):
        super().setUp()
        self.board = self.make_board(rule="last")
        lines = [{"player": f"player-{i:03d}", "score": i, "name": "x" * 60} for i in range(100)]
        self.api.stream(f"{self.board}/submissions", lines)
        self.turns = 0
        wait_until(lambda: self.watchers() == 0, "those of other tests to be gone")

    def watch(self, *views, **options):
        watcher = Watcher(self.server.port, **options)
        self.addCleanup(watcher.close)
        for view in views:
            watcher.watch(self.board.removeprefix("/v1/boards/"), view, rate=20)
        return watcher

    def move_all(self):
        self.turns += 1
        self.api.stream(f"{self.board}/submissions", [{"player": f"player-{i:03d}", "score": i * self.turns % 1000} for i in range(100)])

    def metric(self, name):
        text = self.public.get("/metrics").body.decode()
        return int(next(line.split()[1] for line in text.splitlines() if line.startswith(f"{name} ")))

    def watchers(self):
        return self.metric("standings_live_watchers")

    def skipped(self):
        return self.metric("standings_live_skipped_total")

    def fall_behind(self):
        """Until somebody is, and has missed a few frames."""
        missed = self.skipped() + 5
        deadline = time.monotonic() + 60
        while self.skipped() < missed:
            self.assertLess(time.monotonic(), deadline, "nobody falls behind")
            self.move_all()

    def test_one_that_reads_slowly_goes_on_with_the_rows_as_they_are_by_then(self):
        slow = self.watch({"top": 100}, {"top": 10}, receive_buffer=4096)
        for name in slow.views:
            slow.until(lambda now, name=name: now.views[name].seq)
        for _ in range(3):
            self.fall_behind()
            page = self.get(f"{self.board}/standings?limit=100")
            kinds = []
            while any(rows.seq < page["seq"] for rows in slow.views.values()):
                message = slow.take()
                kinds.append(message.get("type"))
            self.assertIn("snapshot", kinds)
            for rows, count in zip(slow.views.values(), (100, 10)):
                self.assertEqual(rows.rows, page["rows"][:count])

    def test_one_that_reads_nothing_any_more_is_told_why_it_is_closed(self):
        slow = self.watch({"top": 100}, receive_buffer=4096)
        self.fall_behind()
        wait_until(lambda: self.watchers() == 0, "it to be given up")
        self.assertEqual(slow.closing().code, 1013)

    def test_one_that_reads_no_answers_is_closed_too(self):
        deaf = self.watch({"top": 10}, receive_buffer=4096)
        ask = lambda: deaf.send({"id": 1, "op": "unwatch", "view": "none"})
        for _ in range(190):
            ask()
        wait_until(lambda: ask() or self.watchers() == 0, "it to be given up")
        self.assertEqual(deaf.closing().code, 1013)

    def test_a_socket_that_does_not_read_is_closed_and_the_others_go_on(self):
        board = self.board
        quick = self.watch({"top": 100})
        name = next(iter(quick.views))
        for _ in range(40):
            self.watch({"top": 100}, receive_buffer=4096)
        self.assertEqual(self.watchers(), 41)
        before = self.server.rss_bytes()
        most = 0
        deadline = time.monotonic() + 60
        while self.watchers() > 1:
            self.assertLess(time.monotonic(), deadline, "those who do not read are still there")
            self.move_all()
            quick.take()
            most = max(most, self.server.rss_bytes())
        if not is_sanitized():
            self.assertLess((most - before) / 40, 256_000, "of memory for each of them")
        page = self.get(f"{board}/standings?limit=100")
        quick.until(lambda now: now.views[name].seq >= page["seq"])
        self.assertEqual(quick.views[name].rows, page["rows"])


class End(unittest.TestCase):
    def test_a_server_that_ends_says_when_to_come_back(self):
        with Server() as server:
            self.assertEqual(server.api.post("/v1/boards", {"id": "b"}).status, 201)
            sockets = [Watcher(server.port) for _ in range(5)]
            for watcher in sockets:
                watcher.watch("b", {"top": 10})
            began = time.monotonic()
            self.assertEqual(server.terminate(), 0)
            self.assertLess(time.monotonic() - began, 8)
            for watcher in sockets:
                with self.assertRaises(Closed) as closed:
                    while (message := watcher.take()).get("type") != "bye":
                        pass
                    self.assertEqual(message["reason"], "draining")
                    self.assertGreaterEqual(message["retry_after_ms"], 1000)
                    watcher.take()
                self.assertEqual(closed.exception.code, 1012)
                watcher.close()

    def test_a_socket_without_a_watch_does_not_hold_up_the_end(self):
        with Server() as server:
            with WebSocket(server.port) as socket:
                began = time.monotonic()
                self.assertEqual(server.terminate(), 0)
                self.assertLess(time.monotonic() - began, 8)
                self.assertEqual(socket.closing().code, 1012)


if __name__ == "__main__":
    unittest.main()
