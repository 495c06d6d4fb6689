"""NDJSON streams and Idempotency-Keys: nothing lost, nothing twice, every line accounted for."""

import concurrent.futures
import unittest

from support.api import ApiTest, brief
from support.client import ndjson, parse_json
from support.server import KEY, Server


class Streams(ApiTest):
    def test_the_summary_names_the_lines_that_were_refused(self):
        board = self.make_board()
        body = b'{"player":"a","score":1}\n{"player":"b"}\n\n{"player":"c","score":3}\nnot json\n{"player":"d","score":4}'
        answer = self.api.stream(f"{board}/submissions", body)
        self.assertEqual(answer.status, 200, answer)
        summary = answer.json["summary"]
        self.assertEqual((summary["accepted"], summary["rejected"]), (3, 2))
        self.assertEqual([problem["line"] for problem in answer.json["problems"]], [2, 5])
        page = self.get(f"{board}/standings")
        self.assertEqual([row["player"] for row in page["rows"]], ["d", "c", "a"])
        self.assertEqual(summary["seq"], page["seq"])

    def test_at_most_a_thousand_problems_are_listed(self):
        board = self.make_board()
        answer = self.api.stream(f"{board}/submissions", b"{}\n" * 1500)
        self.assertEqual(answer.json["summary"]["rejected"], 1500)
        self.assertEqual(len(answer.json["problems"]), 1000)

    def test_an_empty_stream_is_a_summary_of_nothing(self):
        board = self.make_board()
        summary = self.api.stream(f"{board}/submissions", b"").json["summary"]
        self.assertEqual((summary["lines"], summary["accepted"], summary["rejected"]), (0, 0, 0))

    def test_lines_of_windows_are_lines(self):
        board = self.make_board()
        answer = self.api.stream(f"{board}/submissions", b'{"player":"a","score":1}\r\n{"player":"b","score":2}\r\n')
        self.assertEqual(answer.json["summary"]["accepted"], 2, answer)

    def test_receipts_for_each_line_and_the_summary_last(self):
        board = self.make_board()
        answer = self.api.stream(f"{board}/submissions?receipts=lines", [{"player": "a", "score": 1}, {"player": "b", "score": "x"}, {"player": "a", "score": 2}])
        self.assertEqual(answer.status, 200, answer)
        self.assertIn("ndjson", answer.headers["content-type"])
        lines = answer.lines
        self.assertEqual(lines[-1]["summary"]["lines"], 3)
        outcomes = [line.get("outcome") for line in lines[:-1]]
        self.assertEqual([outcome for outcome in outcomes if outcome], ["created", "improved"])
        self.assertEqual(len(lines), 4)

    def test_problems_for_each_refused_line(self):
        board = self.make_board(limits={"max": 1})
        lines = [{"player": f"p{number}", "score": number} for number in range(3000)]
        answer = self.api.stream(f"{board}/submissions?receipts=problems", lines)
        self.assertEqual([line["problem"]["line"] for line in answer.lines[:-1]], list(range(3, 3001)))
        self.assertEqual(answer.lines[-1]["summary"]["accepted"], 2)
        self.assertEqual(len(answer.lines[-1]["problems"]), 1000)
        # Where there are none the answer has only the summary.
        answer = self.api.stream(f"{board}/submissions?receipts=problems", lines[:1])
        self.assertEqual(answer.json["summary"]["accepted"], 1)
        self.assertEqual(self.api.stream(f"{board}/submissions?receipts=some", lines).status, 422)

    def test_a_closed_board_ends_a_stream_that_goes_on_once_it_is_open(self):
        board = self.make_board(rule="sum")
        lines = [{"player": f"p{number % 7}", "score": 1} for number in range(3000)]
        for query in ("", "?receipts=problems"):
            key = {"idempotency_key": f"{board}:closed{query}"}
            self.api.post(f"{board}/close")
            answer = self.api.stream(f"{board}/submissions{query}", lines, **key)
            self.assertEqual((answer.status, answer.json["code"]), (409, "board_closed"), answer)
            self.api.post(f"{board}/reopen")
            answer = self.api.stream(f"{board}/submissions{query}", lines, **key)
            self.assertEqual((answer.status, answer.json["summary"]["accepted"]), (200, 3000), answer)
        total = sum(row["score"] for row in self.api.get(f"{board}/standings").json["rows"])
        self.assertEqual(total, 6000)

    def begin_stream(self, raw, board, key):
        raw.send((f"POST {board}/submissions?receipts=problems HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.server.key}\r\n"
                  f"Content-Type: application/x-ndjson\r\nIdempotency-Key: {key}\r\nTransfer-Encoding: chunked\r\n\r\n").encode())

    @staticmethod
    def send_lines(raw, body):
        raw.send(b"%x\r\n%s\r\n" % (len(body), body))

    def ended_stream(self, raw):
        """The last line of an answer that has begun before."""
        found = raw.read_until(b"0\r\n\r\n")
        self.assertIsNotNone(found, "the connection ended")
        last = [line for line in found.split(b"\n") if b'"summary"' in line]
        return parse_json(last[0])

    def test_a_board_that_is_closed_in_the_middle_of_a_stream_ends_it(self):
        board = self.make_board(rule="sum", limits={"max": 1})
        key = f"{board}:middle"
        lines = [{"player": "p", "score": score} for score in (1, 2, 1, 1, 1)]
        with self.server.raw() as raw:
            self.begin_stream(raw, board, key)
            self.send_lines(raw, ndjson(lines[:2]))
            self.assertIsNotNone(raw.read_until(b'"line":2'))
            self.api.post(f"{board}/close")
            self.send_lines(raw, ndjson(lines[2:]))
            last = self.ended_stream(raw)
        self.assertEqual((last["problem"]["status"], last["problem"]["code"]), (409, "board_closed"), last)
        self.assertEqual((last["summary"]["accepted"], last["summary"]["rejected"]), (1, 1), last)
        self.assertEqual([problem["line"] for problem in last["problems"]], [2])
        self.api.post(f"{board}/reopen")
        again = self.api.stream(f"{board}/submissions?receipts=problems", lines, idempotency_key=key)
        self.assertEqual(again.status, 200, again)
        summary = again.json["summary"]
        self.assertEqual((summary["accepted"], summary["rejected"], summary["replayed"]), (4, 1, 2), summary)
        self.assertEqual(self.get(f"{board}/players/p")["score"], 4)

    def test_columns_that_change_while_nothing_is_under_way_end_a_stream(self):
        board = self.make_board(columns=[{"name": "score", "decimals": 2}], limits={"max": 1})
        key = f"{board}:columns"
        refused, rest = b'{"player":"a","score":2}\n', b'{"player":"a","score":0.25}\n{"player":"b","score":1}\n'
        with self.server.raw() as raw:
            self.begin_stream(raw, board, key)
            self.send_lines(raw, refused)
            self.assertIsNotNone(raw.read_until(b'"line":1'))
            self.assertEqual(self.api.patch(board, {"columns": [{"name": "score"}]}).status, 200)
            self.send_lines(raw, rest)
            last = self.ended_stream(raw)
        self.assertEqual((last["problem"]["status"], last["problem"]["code"]), (412, "revision_mismatch"), last)
        self.assertEqual((last["summary"]["accepted"], last["summary"]["rejected"]), (0, 1), last)
        # None of the rest counts as done.
        self.assertEqual(self.api.patch(board, {"columns": [{"name": "score", "decimals": 2}]}).status, 200)
        again = self.api.stream(f"{board}/submissions", refused + rest, idempotency_key=key)
        self.assertEqual((again.status, again.json["summary"]["accepted"], again.json["summary"]["rejected"]), (200, 2, 1), again)

    def test_receipts_come_while_the_client_still_writes(self):
        board = self.make_board()
        with self.server.raw() as raw:
            raw.send((f"POST {board}/submissions?receipts=lines HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.server.key}\r\n"
                      "Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n").encode())
            for score in (1, 2, 3):
                line = ndjson([{"player": "p", "score": score}])
                raw.send(b"%x\r\n%s\r\n" % (len(line), line))
                found = raw.read_until(b'"outcome"')
                self.assertIsNotNone(found, "the connection ended")
            raw.send(b"0\r\n\r\n")
            self.assertIsNotNone(raw.read_until(b'"summary"'))

    def test_the_same_stream_again_counts_nothing_twice(self):
        board = self.make_board(rule="sum")
        lines = [{"player": f"p{number % 7}", "score": 1} for number in range(100)]
        first = self.api.stream(f"{board}/submissions", lines, idempotency_key=f"{board}:s1")
        self.assertEqual(first.json["summary"]["accepted"], 100)
        again = self.api.stream(f"{board}/submissions", lines, idempotency_key=f"{board}:s1")
        self.assertEqual(again.status, 200, again)
        self.assertEqual(again.json["summary"]["seq"], first.json["summary"]["seq"])
        self.assertEqual(sum(row["score"] for row in self.get(f"{board}/standings")["rows"]), 100)
        self.assert_problem(self.api.stream(f"{board}/submissions", lines[::-1], idempotency_key=f"{board}:s1"), 422)

    def test_a_longer_stream_with_the_key_of_a_finished_one_is_refused(self):
        board = self.make_board(rule="sum")
        lines = [{"player": "p", "score": 1}] * 3
        for _ in range(2):
            self.assertEqual(self.api.stream(f"{board}/submissions", lines, idempotency_key=f"{board}:s").status, 200)
        self.assert_problem(self.api.stream(f"{board}/submissions", lines + lines[:2], idempotency_key=f"{board}:s"), 422)
        again = self.api.stream(f"{board}/submissions", lines, idempotency_key=f"{board}:s")
        self.assertEqual((again.status, again.headers.get("idempotency-replayed")), (200, "true"))
        self.assertEqual(self.get(f"{board}/players/p")["score"], 3)

    def test_a_key_of_a_submission_is_no_key_of_a_stream(self):
        board = self.make_board(rule="sum")
        self.api.post(f"{board}/submissions", {"player": "p", "score": 1}, idempotency_key=f"{board}:k")
        self.assert_problem(self.api.stream(f"{board}/submissions", [{"player": "p", "score": 1}], idempotency_key=f"{board}:k"), 422)
        self.assertEqual(self.get(f"{board}/players/p")["score"], 1)

    def test_a_line_that_is_too_long_is_refused_by_itself_however_it_comes(self):
        long_line = b'{"player":"b","score":2,"meta":{"x":"' + b"y" * 70_000 + b'"}}'
        body = b'{"player":"a","score":1}\n' + long_line + b'\n{"player":"c","score":3}\n'
        for size in (len(body), 1000, 65_537):
            with self.subTest(size=size):
                board = self.make_board()
                with self.server.raw() as raw:
                    raw.send((f"POST {board}/submissions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.server.key}\r\n"
                              f"Content-Type: application/x-ndjson\r\nContent-Length: {len(body)}\r\n\r\n").encode())
                    for at in range(0, len(body), size):
                        raw.send(body[at:at + size])
                    answer = raw.answer("POST")
                self.assertEqual(answer.status, 200, answer)
                self.assertEqual([problem["line"] for problem in answer.json["problems"]], [2])
                self.assertEqual([row["player"] for row in self.get(f"{board}/standings")["rows"]], ["c", "a"])

    def test_a_stream_that_ends_in_a_failure_says_what_counts(self):
        board = self.make_board(rule="sum")
        line = {"player": "p", "score": 1}
        self.api.stream(f"{board}/submissions", [line] * 2, idempotency_key=f"{board}:s")
        answer = self.api.stream(f"{board}/submissions", [line] * 3, idempotency_key=f"{board}:s")
        self.assert_problem(answer, 422)
        self.assertEqual(answer.json["summary"]["accepted"], 2)

    def test_over_many_boards(self):
        one, two = self.make_board(), self.make_board()
        slugs = [path.rsplit("/", 1)[1] for path in (one, two)]
        answer = self.api.stream("/v1/submissions", [{"board": slugs[0], "player": "p", "score": 1}, {"board": slugs[1], "player": "p", "score": 2}, {"board": "none", "player": "p", "score": 3}])
        if answer.status == 404:
            self.skipTest("POST /v1/submissions is not built yet")
        summary = answer.json["summary"]
        self.assertEqual((summary["accepted"], summary["rejected"]), (2, 1))
        self.assertEqual(set(summary["seqs"]), set(slugs))


class Idempotency(ApiTest):
    def test_a_replay_answers_as_it_was(self):
        board = self.make_board(rule="sum")
        self.submit(board, "p", 10)
        body = {"player": "p", "score": 5}
        first = self.api.post(f"{board}/submissions", body, idempotency_key=f"{board}:k1")
        self.assertNotIn("idempotency-replayed", first.headers)
        self.submit(board, "q", 100)
        again = self.api.post(f"{board}/submissions", body, idempotency_key=f"{board}:k1")
        self.assertEqual(again.status, 200, again)
        self.assertEqual(again.headers["idempotency-replayed"], "true")
        self.assertEqual((again.json["outcome"], again.json["seq"]), (first.json["outcome"], first.json["seq"]))
        self.assertEqual(again.json["previous"]["score"], first.json["previous"]["score"])
        self.assertEqual(again.json["standing"]["rank"], 2, "ranks are of now")
        self.assertEqual(self.get(f"{board}/players/p")["score"], 15)

    def test_another_body_with_the_same_key_is_refused(self):
        board = self.make_board(rule="sum")
        self.api.post(f"{board}/submissions", {"player": "p", "score": 5}, idempotency_key=f"{board}:k1")
        self.assert_problem(self.api.post(f"{board}/submissions", {"player": "p", "score": 6}, idempotency_key=f"{board}:k1"), 422)
        self.assertEqual(self.get(f"{board}/players/p")["score"], 5)

    def test_holds_across_a_kill(self):
        board = self.make_board(rule="sum")
        first = self.api.post(f"{board}/submissions", {"player": "p", "score": 5}, idempotency_key=f"{board}:k1")
        self.server.restart(kill=True)
        again = self.api.post(f"{board}/submissions", {"player": "p", "score": 5}, idempotency_key=f"{board}:k1")
        self.assertEqual((again.json["seq"], again.headers.get("idempotency-replayed")), (first.json["seq"], "true"))
        self.assertEqual(self.get(f"{board}/players/p")["score"], 5)

    def test_of_an_array(self):
        board = self.make_board(rule="sum")
        body = [{"player": "a", "score": 1}, {"player": "b", "score": 2}]
        for _ in range(3):
            self.assertEqual(self.api.post(f"{board}/submissions", body, idempotency_key=f"{board}:k1").status, 200)
        self.assertEqual(brief(self.get(f"{board}/standings")["rows"]), [(1, 1, "b", 2), (2, 2, "a", 1)])

    def test_many_at_once_with_one_key_count_once(self):
        board = self.make_board(rule="sum")

        def post(_):
            return self.server.new_client(self.server.key).post(f"{board}/submissions", {"player": "p", "score": 1}, idempotency_key=f"{board}:same")
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(post, range(64)))
        self.assertLessEqual({answer.status for answer in answers}, {200, 409})
        self.assertEqual(self.get(f"{board}/players/p")["score"], 1)
        self.assertEqual(len({answer.json["seq"] for answer in answers if answer.status == 200}), 1)

    def test_an_empty_or_endless_key_is_refused(self):
        board = self.make_board()
        for key in ("", "x" * 300):
            answer = self.api.post(f"{board}/submissions", {"player": "p", "score": 1}, idempotency_key=key)
            self.assert_problem(answer, (400, 422))
        self.assertEqual(self.get(f"{board}/standings")["total"], 0)

    def test_a_refused_submission_does_not_use_its_key_up(self):
        board = self.make_board()
        self.assert_problem(self.api.post(f"{board}/submissions", {"player": "p"}, idempotency_key=f"{board}:k"), 422)
        answer = self.api.post(f"{board}/submissions", {"player": "p", "score": 1}, idempotency_key=f"{board}:k")
        self.assertEqual(answer.status, 200, answer)


class ReceiptsWithoutNames(unittest.TestCase):
    """A submission that is durable is not answered with a failure because a name cannot be read."""

    def test_more_receipts_than_names_may_be_asked_for(self):
        count = 200
        with Server(args=["--engine-details-cache", "0B", "--engine-read-queue", "1"]) as server:
            server.api.post("/v1/boards", {"id": "b", "rule": "sum"})
            players = [f"p{number:03d}" for number in range(count)]
            server.api.stream("/v1/boards/b/submissions", ndjson({"player": player, "score": 1, "name": player.upper()} for player in players))

            def flood(method, path, bodies, connection):
                connection.send(b"".join(
                    f"{method} {path(player)} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
                    for player, body in zip(players, bodies)))
                return [connection.answer(method) for _ in players]

            bodies = [f'{{"player":"{player}","score":1}}'.encode() for player in players]
            rounds, bare = 0, 0
            while bare == 0 and rounds < 100:
                rounds += 1
                with server.raw() as one:
                    receipts = flood("POST", lambda _: "/v1/boards/b/submissions", bodies, one)
                self.assertEqual({answer.status for answer in receipts}, {200})
                for player, answer in zip(players, receipts):
                    self.assertEqual(answer.json["standing"].get("name", player.upper()), player.upper())
                bare = sum("name" not in answer.json["standing"] for answer in receipts)
            self.assertGreater(bare, 0, "the flood was none")

            # A read may be refused: nothing is lost by asking again.
            refused, tries = 0, 0
            while refused == 0 and tries < 100:
                tries += 1
                with server.raw() as one:
                    reads = flood("GET", lambda player: f"/v1/boards/b/players/{player}", [b""] * count, one)
                refused = sum(answer.status == 503 for answer in reads)
            self.assertGreater(refused, 0, "the flood was none")
            self.assertEqual({row["score"] for row in server.public.get("/v1/boards/b/export?format=json").json["rows"]}, {1 + rounds})


if __name__ == "__main__":
    unittest.main()
