"""Watching a board: what a client rebuilds from its frames is what the API answers at the same seq."""

import random
import socket
import threading
import time
import unittest

from support.api import ApiTest
from support.client import ndjson
from support.live import EventStream, settled
from support.server import Server, ServerTest, is_sanitized, wait_until

SEED = random.randrange(10**9)


class Live(ApiTest):
    def watch(self, board, query="", **options):
        stream = EventStream(self.server.port, f"{board}/live{query}", **options)
        self.addCleanup(stream.close)
        return stream

    def read(self, board, query=""):
        return self.get(f"{board}/standings{query}")

    def assert_view(self, stream, board, query="?limit=10"):
        page = self.read(board, query)
        settled(stream, page["seq"])
        self.assertEqual((stream.seq, stream.rows), (page["seq"], page["rows"]))


class Views(Live):
    def test_a_board_is_seen_moving(self):
        board = self.make_board()
        self.submit(board, "a", 10)
        stream = self.watch(board)
        self.assertEqual(stream.status, 200)
        self.assertEqual(stream.headers["content-type"], "text/event-stream")
        self.assertEqual(stream.headers["cache-control"], "no-store")
        self.assertEqual(stream.headers["access-control-allow-origin"], "*")
        kind, message = stream.next()
        self.assertEqual(kind, "snapshot")
        self.assertEqual(message["view"], f"{board.removeprefix('/v1/boards/')}/all/top/10")
        self.assertEqual(message["total"], 1)
        self.assertGreaterEqual(stream.retry, 1000)
        self.submit(board, "b", 20)
        stream.until(lambda now: len(now.by_player) == 2)
        self.assertEqual(stream.kinds, ["snapshot", "event", "delta"], "b leads now")
        self.assert_view(stream, board)

    def test_names_and_scores_are_told_as_the_api_tells_them(self):
        board = self.make_board(columns=[{"name": "points", "decimals": 2}, {"name": "wins", "order": "asc"}])
        self.submit(board, "a", {"points": 12.5, "wins": 3}, name="Zoë \"☃\"")
        stream = self.watch(board, "?player=a")
        stream.next()
        self.assertEqual(stream.rows, self.read(board, "?players=a")["rows"])
        self.submit(board, "a", {"points": 13.25, "wins": 2}, name="Zoé")
        stream.until(lambda now: now.rows[0].get("name") == "Zoé")
        self.assertEqual(stream.rows, self.read(board, "?players=a")["rows"])

    def test_a_window_around_a_player(self):
        board = self.make_board()
        self.api.stream(f"{board}/submissions", [{"player": f"p{i:02d}", "score": 100 - i} for i in range(30)])
        stream = self.watch(board, "?around=p15&span=3")
        stream.next()
        self.assertEqual([row["player"] for row in stream.rows], [f"p{i}" for i in range(12, 19)])
        self.submit(board, "p15", 1000)
        stream.until(lambda now: now.rows[0]["player"] == "p15")
        self.assertEqual([row["player"] for row in stream.rows], ["p15", "p00", "p01", "p02"])

    def test_a_player_who_is_not_there_yet(self):
        board = self.make_board()
        stream = self.watch(board, "?player=late")
        stream.next()
        self.assertEqual(stream.rows, [])
        self.submit(board, "late", 5)
        stream.until(lambda now: now.rows)
        self.assertEqual(stream.rows, self.read(board)["rows"])
        self.assertEqual(self.api.delete(f"{board}/players/late").status, 200)
        stream.until(lambda now: not now.rows)

    def test_sizes_are_rounded_up_so_that_few_views_serve_many(self):
        board = self.make_board()
        for query, name in (("?top=11", "top/25"), ("?top=100", "top/100"), ("?around=a", "around/5/a"),
                            ("?around=a&span=6", "around/10/a"), ("?player=a", "player/a")):
            with self.subTest(query):
                self.assertEqual(self.watch(board, query).next()[1]["view"].split("/all/")[1], name)

    def test_frames_come_at_the_rate_that_was_asked_for(self):
        board = self.make_board()
        slow, fast = self.watch(board, "?rate=1"), self.watch(board, "?rate=20")
        for stream in (slow, fast):
            stream.next()
        began = time.monotonic()
        score = 0
        while time.monotonic() - began < 2.5:
            score += 1
            self.submit(board, "a", score)
        for stream in (slow, fast):
            self.assert_view(stream, board)
        took = time.monotonic() - began
        self.assertLessEqual(slow.kinds.count("delta"), took + 1)
        self.assertLessEqual(fast.kinds.count("delta"), 20 * took + 1)
        self.assertGreater(fast.kinds.count("delta"), slow.kinds.count("delta"))

    def test_a_view_that_stands_still_says_so(self):
        board = self.make_board()
        self.api.stream(f"{board}/submissions", [{"player": f"p{i}", "score": 100 - i} for i in range(20)])
        stream = self.watch(board)
        stream.next()
        seq = self.submit(board, "p19", 50)["standing"]["seq"]
        settled(stream, seq)
        self.assertEqual(stream.kinds, ["snapshot"], "its rows are the same")
        self.assertEqual(stream.last_event_id.split(":")[1], str(seq))

    def test_the_number_of_players_is_told_though_no_row_moves(self):
        board = self.make_board()
        for number in range(10):
            self.submit(board, f"p{number}", 100 + number)
        stream = self.watch(board, "?top=10")
        stream.until(lambda now: now.total == 10)
        rows = stream.rows
        for number in range(3):
            self.submit(board, f"low{number}", number)
        stream.until(lambda now: now.total == 13)
        self.assertEqual(stream.rows, rows)
        self.assertEqual(stream.seq, self.read(board)["seq"])

    def test_what_happens_to_the_board_is_told(self):
        board = self.make_board()
        self.submit(board, "a", 10)
        stream = self.watch(board)
        stream.next()

        def event(kind):
            while True:
                name, message = stream.next()
                if name == "event" and message["kind"] == kind:
                    return message

        self.submit(board, "b", 11)
        self.assertEqual(event("leader")["player"], "b")
        self.api.post(f"{board}/close")
        self.assertEqual(event("frozen")["board"], board.removeprefix("/v1/boards/"))
        self.api.post(f"{board}/reopen")
        event("unfrozen")
        self.api.post(f"{board}/reset")
        event("reset")
        stream.until(lambda now: not now.rows)
        self.assert_view(stream, board)

    def test_a_board_that_goes_ends_its_streams(self):
        board = self.make_board()
        stream = self.watch(board)
        stream.next()
        self.assertEqual(self.api.delete(board).status, 204)
        while stream.next() is not None:
            pass
        stream.reconnect()
        self.assertEqual(stream.status, 404, "a browser gives up then")

    def test_a_private_board_is_for_those_who_may(self):
        board = self.make_board(visibility="private")
        self.assertEqual(self.watch(board).status, 404)
        stream = self.watch(board, key=self.server.key)
        self.assertEqual(stream.status, 200)
        stream.next()
        self.assertEqual(self.api.patch(board, {"visibility": "public"}).status, 200)
        while stream.next() is not None:
            pass
        self.assertEqual(self.watch(board).status, 200)

    def test_what_cannot_be_watched_is_refused(self):
        board = self.make_board()
        for query, pointer in (("?top=0", "?top"), ("?top=101", "?top"), ("?top=5&player=a", "?player"), ("?span=3", "?span"),
                               ("?around=a&span=11", "?span"), ("?around=", "?around"), ("?player=a b", "?player"),
                               ("?rate=3", "?rate"), ("?rate=x", "?rate"), ("?limit=5", "?limit"), ("?period=week", "?period")):
            with self.subTest(query):
                query = query.replace(" ", "%20")
                self.assert_problem(self.public.get(f"{board}/live{query}"), 422, pointer=pointer)
        self.assert_problem(self.public.get("/v1/boards/none/live"), 404, "board_not_found")
        head = self.public.head(f"{board}/live")
        self.assertEqual((head.status, head.headers["content-type"]), (200, "text/event-stream"))
        self.assert_problem(self.public.post(f"{board}/live"), 405)

    def test_metrics_tell_of_watchers(self):
        def metric(name):
            line = next(line for line in self.public.get("/metrics").body.decode().splitlines() if line.startswith(name + " "))
            return float(line.split()[1])

        # Those of other tests are found to be gone when something is written to them.
        wait_until(lambda: metric("standings_live_watchers") == 0, "no watcher to be left")
        board = self.make_board()
        stream = self.watch(board)
        stream.next()
        wait_until(lambda: metric("standings_live_watchers") == 1, "the watcher to be counted")
        deltas = metric('standings_live_frames_total{kind="delta"}')
        self.submit(board, "a", 1)
        stream.until(lambda now: now.rows)
        self.assertGreater(metric('standings_live_frames_total{kind="delta"}'), deltas)
        self.assertGreater(metric("standings_live_publish_delay_seconds_count"), 0)
        stream.close()
        wait_until(lambda: metric("standings_live_watchers") == 0, "the watcher to be forgotten")


class Resume(Live):
    def test_who_comes_back_gets_what_is_missing(self):
        board = self.make_board()
        self.api.stream(f"{board}/submissions", [{"player": f"p{i}", "score": 100 - i} for i in range(10)])
        stream = self.watch(board)
        stream.next()
        other = self.watch(board)
        stream.close()
        self.submit(board, "p9", 1000)
        other.until(lambda now: now.rows and now.rows[0]["player"] == "p9")
        self.submit(board, "new", 2000)
        other.until(lambda now: now.rows[0]["player"] == "new")
        stream.reconnect()
        kind, message = stream.next()
        self.assertEqual((kind, message["leave"]), ("delta", ["p8"]))
        self.assert_view(stream, board)

    def test_who_was_alone_does_too(self):
        board = self.make_board()
        self.submit(board, "a", 1)
        stream = self.watch(board)
        stream.next()
        stream.close()
        self.submit(board, "b", 2)
        stream.reconnect()
        self.assert_view(stream, board)
        self.assertNotIn("snapshot", stream.kinds)
        stream.reconnect()
        self.submit(board, "c", 3)
        stream.until(lambda now: len(now.by_player) == 3)
        self.assertNotIn("snapshot", stream.kinds, "nothing was missing in between")

    def test_a_position_can_be_named_in_the_address(self):
        board = self.make_board()
        self.submit(board, "a", 1)
        stream = self.watch(board)
        stream.next()
        position = stream.last_event_id
        self.submit(board, "b", 2)
        stream.until(lambda now: len(now.by_player) == 2)
        again = self.watch(board, f"?since={position}")
        again.by_player, again.seq = {"a": self.read(board)["rows"][1] | {"rank": 1, "position": 1}}, int(position.split(":")[1])
        self.assertEqual(again.next()[0], "delta")
        self.assertEqual(again.rows, stream.rows)

    def test_what_is_not_known_any_more_is_a_snapshot(self):
        board = self.make_board()
        self.submit(board, "a", 1)
        stream = self.watch(board)
        stream.next()
        epoch = stream.epoch
        for position in (f"{epoch}:1", f"{epoch}:999999999", "k0:5", "", "x", f"{epoch}:", f"{epoch}:5x", ":"):
            with self.subTest(position):
                again = self.watch(board)
                again.last_event_id = position
                again.reconnect()
                self.assertEqual(again.next()[0], "snapshot")
                self.assertEqual(again.rows, self.read(board)["rows"])

    def test_a_killed_server(self):
        with Server() as server:
            api = server.api
            self.assertEqual(api.post("/v1/boards", {"id": "b"}).status, 201)
            for number in range(20):
                api.post("/v1/boards/b/submissions", {"player": f"p{number}", "score": number})
            with EventStream(server.port, "/v1/boards/b/live?top=25") as stream:
                stream.until(lambda now: len(now.by_player) == 20)
                rows = stream.rows
                server.restart(kill=True)
                stream.reconnect(server.port)
                server.api.post("/v1/boards/b/submissions", {"player": "p0", "score": 100})
                stream.until(lambda now: now.rows[0]["player"] == "p0")
                self.assertNotIn("snapshot", stream.kinds, "nothing had happened: it goes on where it was")
                self.assertNotEqual(stream.rows, rows)
                server.kill()
                server.start()
                server.api.post("/v1/boards/b/submissions", {"player": "p1", "score": 200})
                stream.reconnect(server.port)
                self.assertEqual(stream.next()[0], "snapshot")
                page = server.api.get("/v1/boards/b/standings").json
                settled(stream, page["seq"])
                self.assertEqual(stream.rows, page["rows"])


class Crowd(Live):
    def test_watchers_that_come_go_and_dawdle_have_what_a_fresh_read_gives(self):
        chance = random.Random(SEED)
        board = self.make_board(id="crowd", rule="last")
        self.api.stream(f"{board}/submissions",
                        [{"player": f"p{i}", "score": chance.randrange(1000), "name": f"Player {i}"} for i in range(200)])
        queries = ["?top=10", "?top=25&rate=20", "?top=100&rate=5", *(f"?around=p{i}&span=3&rate=20" for i in range(10)),
                   *(f"?player=p{i}" for i in range(5))]
        ended = threading.Event()
        failures = []
        seqs = {}

        def follow(number, query):
            mine = random.Random(SEED + number)
            try:
                with EventStream(self.server.port, f"{board}/live{query}") as stream:
                    while not ended.is_set():
                        stream.next()
                        if mine.random() < 0.05:
                            stream.reconnect()
                        if mine.random() < 0.05:
                            time.sleep(mine.random() / 5)
                    settled(stream, seqs["last"])
                    seqs[number] = (query, stream.seq, stream.rows)
            except BaseException as failure:
                failures.append((query, failure))
                raise

        threads = [threading.Thread(target=follow, args=pair, daemon=True) for pair in enumerate(queries)]
        for thread in threads:
            thread.start()
        for _ in range(60):
            lines = [{"player": f"p{chance.randrange(220)}", "score": chance.randrange(1000)} for _ in range(chance.randrange(1, 200))]
            self.assertEqual(self.api.stream(f"{board}/submissions", lines).status, 200)
            self.api.delete(f"{board}/players/p{chance.randrange(200)}")
            self.submit(board, f"p{chance.randrange(200)}", chance.randrange(1000), name=f"Renamed {chance.randrange(1000)}")
            time.sleep(0.03)
        # Moves every view once more, so that each has something to end with.
        last = self.api.stream(f"{board}/submissions", [{"player": f"p{i}", "score": i} for i in range(220)])
        seqs["last"] = last.json["summary"]["seq"]
        ended.set()
        for thread in threads:
            thread.join(30)
        self.assertEqual(failures, [], f"seed {SEED}")
        everything = {row["player"]: row for row in self.read(board, "?limit=1000")["rows"]}
        for number, query in enumerate(queries):
            _, seq, rows = seqs[number]
            self.assertEqual(seq, seqs["last"], query)
            self.assertEqual(rows, [everything[row["player"]] for row in rows], f"{query}, seed {SEED}")
            if query.startswith("?top"):
                size = int(query.removeprefix("?top=").split("&")[0])
                self.assertEqual([row["position"] for row in rows], list(range(1, size + 1)))


class Slow(ServerTest):
    server_options = {"args": ["--http-write-timeout", "3s"]}

    def test_a_watcher_that_does_not_read_is_closed_and_the_others_go_on(self):
        board = self.make_board(rule="last")
        api = self.server.api
        names = ndjson({"player": f"player-{i:03d}", "score": i, "name": "x" * 60} for i in range(100))
        api.stream(f"{board}/submissions", names)
        quick = EventStream(self.server.port, f"{board}/live?top=100&rate=20")
        self.addCleanup(quick.close)
        deaf = []
        for _ in range(20):
            one = socket.socket()
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.connect(("127.0.0.1", self.server.port))
            one.sendall(f"GET {board}/live?top=100&rate=20 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            deaf.append(one)
            self.addCleanup(one.close)

        def watchers():
            text = api.get("/metrics").body.decode()
            return int(next(line.split()[1] for line in text.splitlines() if line.startswith("standings_live_watchers ")))

        wait_until(lambda: watchers() == 21, "all to watch")
        before = self.server.rss_bytes()
        most = 0
        deadline = time.monotonic() + 60
        number = 0
        while watchers() > 1:
            self.assertLess(time.monotonic(), deadline, "those who do not read are still there")
            number += 1
            api.stream(f"{board}/submissions", ndjson({"player": f"player-{i:03d}", "score": i * number % 1000} for i in range(100)))
            quick.next()
            most = max(most, self.server.rss_bytes())
        if not is_sanitized():
            self.assertLess((most - before) / 20, 256_000, "of memory for each of them")
        page = api.get(f"{board}/standings?limit=100").json
        settled(quick, page["seq"])
        self.assertEqual(quick.rows, page["rows"])


class End(unittest.TestCase):
    def test_a_server_that_ends_says_so(self):
        with Server() as server:
            self.assertEqual(server.api.post("/v1/boards", {"id": "b"}).status, 201)
            streams = [EventStream(server.port, "/v1/boards/b/live") for _ in range(10)]
            for stream in streams:
                stream.next()
            began = time.monotonic()
            self.assertEqual(server.terminate(), 0)
            self.assertLess(time.monotonic() - began, 5)
            waits = set()
            for stream in streams:
                kind, message = stream.next()
                self.assertEqual((kind, message["type"], message["reason"]), ("bye", "bye", "draining"))
                self.assertEqual(stream.retry, message["retry_after_ms"])
                waits.add(stream.retry)
                self.assertIsNone(stream.next())
                stream.close()
            self.assertGreater(len(waits), 1, "not all at once")


if __name__ == "__main__":
    unittest.main()
