"""The feed: the last submissions from memory, and each as it comes; and submissions over a WebSocket."""

import unittest

from support.api import ApiTest
from support.live import CLOSE, Closed, EventFeed, Watcher, frame
from support.server import Server, wait_until


def players(items):
    return [item["player"] for item in items]


def pointers(answer):
    return [error["pointer"] for error in answer["problem"].get("errors", [])]


class Feed(ApiTest):
    def test_the_last_submissions_of_a_board(self):
        board = self.make_board()
        feed = self.get(f"{board}/feed")
        self.assertEqual((feed["board"], feed["items"]), (board.rpartition("/")[2], []))
        seqs = [self.submit(board, f"p{i}", 10 + i, name=f"P {i}")["standing"]["seq"] for i in range(7)]
        feed = self.get(f"{board}/feed?min_seq={feed['epoch']}:{seqs[-1]}")
        self.assertEqual([item["seq"] for item in feed["items"]], seqs[2:], "five, by seq")
        listed = self.api.get(f"{board}/submissions?limit=100").json["items"][2:]
        members = ("seq", "outcome", "player", "name", "score", "at")
        self.assertEqual([{"board": feed["board"], **{name: item[name] for name in members}} for item in listed], feed["items"])
        self.assertEqual(len(self.get(f"{board}/feed?limit=100")["items"]), 7)
        self.assertEqual(players(self.get(f"{board}/feed?limit=1")["items"]), ["p6"])
        for wrong in ("?limit=0", "?limit=101", "?limit=x", "?last=5"):
            self.assertEqual(self.api.get(f"{board}/feed{wrong}").status, 422, wrong)

    def test_every_accepted_one_is_in_it_also_those_that_change_nothing(self):
        board = self.make_board()
        self.submit(board, "a", 10)
        self.submit(board, "a", 5)
        self.assertEqual(self.api.put(f"{board}/players/b", {"score": 3}).status, 201)
        self.assertEqual([item["outcome"] for item in self.get(f"{board}/feed")["items"]], ["created", "unchanged"])

    def test_what_was_taken_back_is_not_in_it(self):
        board = self.make_board()
        cheat = self.submit(board, "a", 1000)["standing"]["seq"]
        self.submit(board, "b", 10)
        self.submit(board, "a", 20)
        self.assertEqual(self.api.delete(f"{board}/submissions/{cheat}").status, 200)
        self.assertEqual(players(self.get(f"{board}/feed")["items"]), ["b", "a"])
        self.assertEqual(self.api.delete(f"{board}/players/a").status, 200)
        self.assertEqual(players(self.get(f"{board}/feed")["items"]), ["b"])
        self.assertNotIn("a", players(self.get("/v1/feed?limit=2")["items"]))

    def test_of_all_boards_but_private_ones(self):
        one, other = self.make_board(), self.make_board()
        hidden = self.make_board(visibility="private")
        for board in (one, other, hidden, one):
            self.submit(board, "a", 10)
        names = [board.rpartition("/")[2] for board in (one, other, one)]
        self.assertEqual([item["board"] for item in self.get("/v1/feed?limit=3")["items"]], names)
        self.assertEqual(self.api.patch(other, {"visibility": "private"}).status, 200)
        self.assertEqual([item["board"] for item in self.get("/v1/feed?limit=2")["items"]], [names[0], names[2]])
        self.assertEqual(self.public.get(f"{hidden}/feed").status, 404)
        self.assertEqual(players(self.api.get(f"{hidden}/feed").json["items"]), ["a"])

    def test_a_reset_empties_it(self):
        board = self.make_board()
        self.submit(board, "a", 10)
        self.assertEqual(self.api.post(f"{board}/reset").status, 200)
        self.assertEqual(self.get(f"{board}/feed")["items"], [])
        self.submit(board, "b", 10)
        self.assertEqual(players(self.get(f"{board}/feed")["items"]), ["b"])


class Watching(ApiTest):
    def watcher(self, **options):
        watcher = Watcher(self.server.port, **options)
        self.addCleanup(watcher.close)
        return watcher

    def test_the_last_ones_come_first_and_then_each(self):
        board = self.make_board()
        slug = board.rpartition("/")[2]
        for i in range(7):
            self.submit(board, f"p{i}", i)
        watcher = self.watcher()
        one = watcher.watch(slug, {"feed": 4})
        every = watcher.watch(None, {"feed": 5})
        self.assertEqual((one, every), (f"{slug}/feed/5", "feed/5"))
        for i in range(7, 30):
            self.submit(board, f"p{i}", i)
        for name in (one, every):
            while not watcher.views[name].items or watcher.views[name].items[-1]["player"] != "p29":
                watcher.take()
            view = watcher.views[name]
            self.assertEqual((players(view.items), view.gaps), ([f"p{i}" for i in range(2, 30)], 0))
        self.assertEqual(watcher.views[one].items, self.get(f"{board}/feed?limit=28")["items"])

    def test_a_board_that_is_hidden_is_not_in_it_for_who_comes_next(self):
        board = self.make_board()
        first = self.watcher()
        first.watch(None, {"feed": 5})
        self.submit(board, "shy", 5)
        while "shy" not in players(first.views["feed/5"].items):
            first.take()
        tag = self.api.get(board).headers["etag"]
        self.assertEqual(self.api.patch(board, {"visibility": "private"}, if_match=tag).status, 200)
        seq = self.get("/v1/feed")["seq"]
        while first.views["feed/5"].seq < seq:
            first.take()
        second = self.watcher()
        second.watch(None, {"feed": 5})
        while second.views["feed/5"].seq is None:
            second.take()
        self.assertNotIn("shy", players(second.views["feed/5"].items))

    def test_who_comes_back_after_a_reset_begins_anew(self):
        board = self.make_board()
        slug = board.rpartition("/")[2]
        self.submit(board, "a", 1)
        with Watcher(self.server.port) as watcher:
            view = watcher.views[watcher.watch(slug, {"feed": 5})]
            while view.seq is None:
                watcher.take()
        self.assertEqual(self.api.post(f"{board}/reset").status, 200)
        self.submit(board, "b", 1)
        again = self.watcher()
        answer = again.ask(op="watch", board=slug, view={"feed": 5}, since={"epoch": view.epoch, "seq": view.seq})
        self.assertEqual((answer["ok"], answer["recovered"]), (True, False))
        again.views[answer["view"]] = view
        while players(view.items) != ["b"]:
            again.take()

    def test_more_than_a_message_holds_is_told_as_a_gap(self):
        board = self.make_board()
        watcher = self.watcher()
        name = watcher.watch(board.rpartition("/")[2], {"feed": 5}, rate=1)
        while watcher.views[name].seq is None:
            watcher.take()
        self.api.stream(f"{board}/submissions", [{"player": f"p{i}", "score": i} for i in range(1000)])
        view = watcher.views[name]
        while not view.items or view.items[-1]["player"] != "p999":
            watcher.take()
        self.assertGreaterEqual(view.gaps, 1)
        self.assertEqual(players(view.items)[-100:], [f"p{i}" for i in range(900, 1000)])

    def test_server_sent_events_carry_it_too(self):
        board = self.make_board()
        self.submit(board, "a", 1)
        with EventFeed(self.server.port, f"{board}/live?feed=5") as stream:
            self.assertEqual((stream.next()[0], players(stream.items)), ("snapshot", ["a"]))
            self.submit(board, "b", 2)
            stream.until(lambda now: len(now.items) == 2)
            self.assertEqual(players(stream.items), ["a", "b"])

    def test_a_feed_needs_no_board_and_the_rest_do(self):
        watcher = self.watcher()
        answer = watcher.ask(op="watch", view={"top": 10})
        self.assertEqual((answer["ok"], pointers(answer)), (False, ["/board"]))
        for view in ({"feed": 0}, {"feed": 101}, {"feed": "5"}, {"feed": 5, "top": 10}):
            self.assertFalse(watcher.ask(op="watch", view=view)["ok"], view)


class Restart(unittest.TestCase):
    def submit(self, server, numbers):
        for i in numbers:
            self.assertEqual(server.api.post("/v1/boards/b/submissions", {"player": f"p{i}", "score": i}).status, 200)

    def test_nothing_is_missing_and_nothing_twice_over_a_kill(self):
        with Server() as server:
            self.assertEqual(server.api.post("/v1/boards", {"id": "b"}).status, 201)
            with Watcher(server.port) as watcher:
                view = watcher.views[watcher.watch("b", {"feed": 5})]
                self.submit(server, range(20))
                while len(view.items) < 10:
                    watcher.take()
                server.restart(kill=True)
                with self.assertRaises((Closed, OSError)):
                    while True:
                        watcher.take()
            self.submit(server, range(20, 30))
            self.go_on(server, view)

    def test_who_comes_back_after_a_reset_and_a_restart_begins_anew(self):
        with Server() as server:
            self.assertEqual(server.api.post("/v1/boards", {"id": "b"}).status, 201)
            self.submit(server, [1])
            with Watcher(server.port) as watcher:
                view = watcher.views[watcher.watch("b", {"feed": 5})]
                while view.seq is None:
                    watcher.take()
            self.assertEqual(server.api.post("/v1/boards/b/reset").status, 200)
            self.submit(server, [2])
            server.restart(kill=True)
            with Watcher(server.port) as again:
                answer = again.ask(op="watch", board="b", view={"feed": 5}, since={"epoch": view.epoch, "seq": view.seq})
                self.assertEqual((answer["ok"], answer["recovered"]), (True, False))

    def test_each_item_has_its_name_also_when_it_comes_from_the_disk(self):
        with Server() as server:
            self.assertEqual(server.api.post("/v1/boards", {"id": "b"}).status, 201)
            for i in range(4):
                self.assertEqual(server.api.post("/v1/boards/b/submissions", {"player": f"p{i}", "name": f"P {i}", "score": i}).status, 200)
            server.restart()
            with Watcher(server.port) as watcher:
                view = watcher.views[watcher.watch("b", {"feed": 5})]
                while view.seq is None:
                    watcher.take()
                known = len(view.items)
                for i in range(4):
                    self.submit(server, [i])
                    while len(view.items) < known + i + 1:
                        watcher.take()
                self.assertEqual([item.get("name") for item in view.items[known:]], [f"P {i}" for i in range(4)])

    def test_a_put_is_no_gap(self):
        with Server() as server:
            self.assertEqual(server.api.post("/v1/boards", {"id": "b"}).status, 201)
            with Watcher(server.port) as watcher:
                view = watcher.views[watcher.watch("b", {"feed": 5})]
                while view.seq is None:
                    watcher.take()
                self.assertEqual(server.api.put("/v1/boards/b/players/a", {"score": 1}).status, 201)
                self.submit(server, [2])
                while not view.items:
                    watcher.take()
                self.assertEqual((view.gaps, players(view.items)), (0, ["p2"]))

    def go_on(self, server, view):
        with Watcher(server.port) as again:
            answer = again.ask(op="watch", board="b", view={"feed": 5}, since={"epoch": view.epoch, "seq": view.seq})
            self.assertEqual((answer["ok"], answer["recovered"]), (True, True))
            again.views[answer["view"]] = view
            while players(view.items)[-1] != "p29":
                again.take()
        self.assertEqual(players(view.items), [f"p{i}" for i in range(30)])


class Submitting(ApiTest):
    def watcher(self, key=True):
        headers = (f"Authorization: Bearer {self.server.key}",) if key else ()
        watcher = Watcher(self.server.port, headers=headers)
        self.addCleanup(watcher.close)
        return watcher

    def test_a_submission_is_answered_with_its_receipt(self):
        board = self.make_board()
        slug = board.rpartition("/")[2]
        watcher = self.watcher()
        answer = watcher.ask(op="submit", board=slug, submission={"player": "ada", "name": "Ada", "score": 120})
        self.assertEqual((answer["ok"], answer["receipt"]["outcome"]), (True, "created"))
        self.assertEqual(answer["receipt"]["standing"]["name"], "Ada")
        by_http = self.submit(board, "ada", 130)
        by_socket = watcher.ask(op="submit", board=slug, submission={"player": "ada", "score": 140})["receipt"]
        self.assertEqual(by_socket.keys(), by_http.keys())
        self.assertEqual(by_socket["standing"]["score"], 140)

    def test_a_key_counts_once_also_over_both_ways(self):
        board = self.make_board(rule="sum")
        slug = board.rpartition("/")[2]
        watcher = self.watcher()
        submission = {"player": "ada", "score": 5}
        first = watcher.ask(op="submit", board=slug, submission=submission, idempotency_key="k1")
        again = watcher.ask(op="submit", board=slug, submission=submission, idempotency_key="k1")
        self.assertEqual((again["replayed"], again["receipt"]["standing"]), (True, first["receipt"]["standing"]))
        self.assertNotIn("replayed", first)
        answer = self.api.post(f"{board}/submissions", submission, idempotency_key="k1")
        self.assertEqual((answer.status, answer.headers.get("idempotency-replayed")), (200, "true"))
        other = watcher.ask(op="submit", board=slug, submission={**submission, "score": 6}, idempotency_key="k1")
        self.assertEqual((other["ok"], other["problem"]["status"]), (False, 422))
        self.assertEqual(self.get(f"{board}/standings")["rows"][0]["score"], 5)

    def test_what_is_wrong_is_named(self):
        slug = self.make_board().rpartition("/")[2]
        watcher = self.watcher()
        for message, pointer in (
                ({"submission": {"player": "ada", "score": 1}}, "/board"),
                ({"board": slug}, "/submission"),
                ({"board": slug, "submission": [1]}, "/submission"),
                ({"board": slug, "submission": {"player": "ada"}}, "/submission/score"),
                ({"board": slug, "submission": {"player": "ada", "score": 1}, "idempotencyKey": "k"}, "/idempotencyKey"),
                ({"board": slug, "submission": {"player": "", "score": 1}}, "/submission/player"),
                ({"board": slug, "submission": {"player": "a", "score": 1}, "idempotency_key": ""}, "/idempotency_key"),
                ({"board": slug, "submission": {"player": "a", "score": 1}, "idempotency_key": 5}, "/idempotency_key")):
            with self.subTest(message):
                answer = watcher.ask(op="submit", **message)
                self.assertEqual((answer["ok"], pointers(answer)), (False, [pointer]))
        missing = watcher.ask(op="submit", board="no-such", submission={"player": "a", "score": 1})
        self.assertEqual(missing["problem"]["status"], 404)

    def test_it_needs_a_key(self):
        slug = self.make_board().rpartition("/")[2]
        answer = self.watcher(key=False).ask(op="submit", board=slug, submission={"player": "a", "score": 1})
        self.assertEqual((answer["ok"], answer["problem"]["status"]), (False, 401))

    def test_a_closed_board_takes_none(self):
        board = self.make_board()
        self.assertEqual(self.api.post(f"{board}/close").status, 200)
        answer = self.watcher().ask(op="submit", board=board.rpartition("/")[2], submission={"player": "a", "score": 1})
        self.assertEqual(answer["problem"]["status"], 409)

    def test_what_comes_before_a_close_counts(self):
        board = self.make_board()
        watcher = self.watcher()
        for i in range(50):
            watcher.send({"id": i, "op": "submit", "board": board.rpartition("/")[2],
                          "submission": {"player": f"p{i}", "score": i}})
        watcher.send_bytes(frame(CLOSE, b""))
        self.assertEqual(watcher.closing().code, 1000)
        wait_until(lambda: self.get(f"{board}/standings")["total"] == 50, "all fifty")


if __name__ == "__main__":
    unittest.main()
