"""Exports, statistics, a player on all boards, submissions that name their board, /getscores."""

import csv
import io
import json
import math
import os
import random
import re
import sqlite3
import threading
import time
import unittest

from support.client import ndjson, parse_json
from support.server import Server, ServerTest, is_sanitized, wait_until

SEED = int(os.environ.get("STANDINGS_SEED", random.SystemRandom().randrange(2**32)))
SCALE = int(os.environ.get("STANDINGS_TEST_SCALE", "20000"))


class ReadTest(ServerTest):
    @property
    def api(self):
        return self.server.api

    @property
    def public(self):
        return self.server.public

    def get(self, path, client=None):
        answer = (client or self.public).get(path)
        self.assertEqual(answer.status, 200, answer)
        return answer

    def fill(self, board, lines):
        answer = self.api.stream(f"{board}/submissions", lines)
        self.assertEqual(answer.json["summary"]["rejected"], 0, answer)

    def standings(self, board):
        rows, cursor = [], ""
        while True:
            page = self.get(f"{board}/standings?limit=1000{cursor}", self.api).json
            rows += page["rows"]
            if "next_cursor" not in page:
                return rows
            cursor = f"&cursor={page['next_cursor']}"


class Exports(ReadTest):
    def test_all_formats_hold_the_standings_in_order(self):
        chance = random.Random(SEED)
        for ties in ("shared", "earliest"):
            board = self.make_board(ties=ties, columns=[{"name": "score", "order": "asc", "decimals": 2}],
                                    public_meta=True)
            lines = []
            for number in range(2500):
                line = {"player": f"p{chance.randrange(900)}", "score": chance.randrange(60)}
                if number % 3 == 0:
                    line["name"] = chance.choice(["Ayşe", 'a "quoted", name', "plain", "=1+1"])
                if number % 5 == 0:
                    line["meta"] = {"car": "gt,3", "n": number}
                lines.append(line)
            self.fill(board, lines)
            self.assertEqual(self.api.delete(f"{board}/players/{lines[0]['player']}").status, 200)
            wanted = self.standings(board)
            with self.subTest(ties=ties, seed=SEED):
                answer = self.get(f"{board}/export")
                rows = answer.lines
                submissions = [row.pop("submissions") for row in rows]
                self.assertEqual(rows, wanted)
                self.assertTrue(all(count >= 1 for count in submissions))
                page = self.get(f"{board}/standings").json
                self.assertEqual(answer.headers["standings-position"], f"{page['epoch']}:{page['seq']}")
                self.assertEqual(answer.headers["content-type"], "application/x-ndjson")
                self.assertRegex(answer.headers["content-disposition"], r'\Aattachment; filename="[a-z0-9_-]+\.ndjson"\Z')

                whole = self.get(f"{board}/export?format=json").json
                self.assertEqual(whole["seq"], page["seq"])
                self.assertEqual(whole["epoch"], page["epoch"])
                self.assertEqual(whole["board"], page["board"])
                self.assertEqual([{k: v for k, v in row.items() if k != "submissions"} for row in whole["rows"]], wanted)

                table = self.get(f"{board}/export?format=csv")
                self.assertTrue(table.headers["content-type"].startswith("text/csv"))
                self.assertTrue(table.body.endswith(b"\r\n"))
                read = list(csv.DictReader(io.StringIO(table.body.decode(), newline="")))
                self.assertEqual(len(read), len(wanted))
                for row, other, count in zip(read, wanted, submissions):
                    self.assertEqual(row["player"], other["player"])
                    self.assertEqual((int(row["rank"]), int(row["position"])), (other["rank"], other["position"]))
                    self.assertEqual(row["score"], str(other["score"]))
                    self.assertEqual(row["name"], other.get("name", ""))
                    self.assertEqual(row["reached_at"], other["reached_at"])
                    self.assertEqual(int(row["submissions"]), count)
                    self.assertEqual(json.loads(row["meta"] or "null"), other.get("meta"))

    def test_several_columns(self):
        board = self.make_board(columns=[{"name": "points"}, {"name": "goals", "decimals": 1}])
        self.fill(board, [{"player": "a", "scores": {"points": 3, "goals": 2.5}},
                          {"player": "b", "scores": {"points": 3, "goals": 7}}])
        self.assertEqual([row["scores"]["points"] for row in self.get(f"{board}/export").lines], [3, 3])
        text = self.get(f"{board}/export?format=csv").body.decode()
        self.assertEqual(text.split("\r\n")[0], "rank,position,player,name,scores.points,scores.goals,reached_at,submissions")
        self.assertTrue(text.split("\r\n")[1].startswith("1,1,b,,3,7,"))

    def test_an_empty_board(self):
        board = self.make_board()
        self.assertEqual(self.get(f"{board}/export").body, b"")
        self.assertEqual(self.get(f"{board}/export?format=json").json["rows"], [])
        self.assertEqual(self.get(f"{board}/export?format=csv").body,
                         b"rank,position,player,name,score,reached_at,submissions\r\n")

    def test_head_not_modified_and_what_is_refused(self):
        board = self.make_board()
        self.submit(board, "a", 1)
        first = self.get(f"{board}/export")
        head = self.public.head(f"{board}/export")
        self.assertEqual((head.status, head.body), (200, b""))
        for name in ("etag", "standings-position", "content-disposition", "content-type"):
            self.assertEqual(head.headers[name], first.headers[name])
        self.assertEqual(self.public.get(f"{board}/export", if_none_match=first.headers["etag"]).status, 304)
        self.submit(board, "a", 2)
        self.assertEqual(self.public.get(f"{board}/export", if_none_match=first.headers["etag"]).status, 200)
        self.assert_problem(self.public.get(f"{board}/export?format=xml"), 422, pointer="?format")
        self.assert_problem(self.public.get(f"{board}/export?sort=1"), 422, pointer="?sort")
        self.assert_problem(self.public.get("/v1/boards/none/export"), 404, "board_not_found")
        hidden = self.make_board(visibility="private")
        self.submit(hidden, "a", 1, meta={"x": 1})
        self.assert_problem(self.public.get(f"{hidden}/export"), 404, "board_not_found")
        self.assertEqual(self.get(f"{hidden}/export", self.api).lines[0]["meta"], {"x": 1})

    def test_is_of_one_moment_while_scores_are_written(self):
        board = self.make_board(rule="sum")
        made = self.get(board).json["seq"]
        stop = threading.Event()

        def write():
            client = self.server.new_client(self.server.key)
            number = 0
            while not stop.is_set():
                lines = [{"player": f"p{(number + i) % 300}", "score": 1} for i in range(50)]
                client.stream(f"{board}/submissions", lines)
                number += 50

        writers = [threading.Thread(target=write) for _ in range(3)]
        for writer in writers:
            writer.start()
        try:
            # Each event of this server adds one point to this board.
            began = time.monotonic()
            for turn in range(25):
                # With a sanitizer, on a busy machine, each takes seconds.
                if turn >= 5 and time.monotonic() - began > 20:
                    break
                answer = self.get(f"{board}/export")
                seq = int(answer.headers["standings-position"].split(":")[1])
                self.assertEqual(sum(row["score"] for row in answer.lines), max(seq - made, 0))
        finally:
            stop.set()
            for writer in writers:
                writer.join()

    @unittest.skipIf(is_sanitized(), "a sanitizer keeps what is freed")
    def test_an_export_gives_back_the_memory_it_took(self):
        board = self.make_board(rule="last")
        before = 0
        for number in range(5):
            # Each of them has an event that the export folds.
            self.fill(board, [{"player": f"player-{i}", "score": i * 7919 % 100_003 + number} for i in range(60_000)])
            before = before or self.server.rss_bytes()
            self.assertEqual(self.public.get(f"{board}/export").body.count(b"\n"), 60_000)
        grown = self.server.rss_bytes() - before
        print(f"\nmemory after five exports: {grown / 2**20:+.1f} MiB", flush=True)
        self.assertLess(grown, 48 << 20)  # the database has filled its cache meanwhile

    def test_slow_clients_keep_nobody_else_waiting(self):
        board = self.make_board()
        # More than the sockets between them hold.
        count = max(SCALE, 120000)
        self.fill(board, [{"player": f"player-{i}", "score": i % 1000, "name": "n" * 60} for i in range(count)])
        before = self.server.rss_bytes()
        request = (f"GET {board}/export HTTP/1.1\r\nHost: a\r\n\r\n").encode()
        with self.server.raw(120) as one, self.server.raw(120) as two:
            for raw in (one, two):
                raw.send(request)
                self.assertIn(b"200 OK", raw.read_until(b"\r\n\r\n"))
            self.assertEqual(self.get(board).status, 200)
            busy = self.public.get(f"{board}/export")
            self.assert_problem(busy, 503, "overloaded")
            self.assertIn("retry-after", busy.headers)
            # Others that need the slow readers are served meanwhile.
            self.assertEqual(self.get("/v1/players/player-7").json["player"], "player-7")
            self.submit(board, "late", 10**6)
            grown = self.server.rss_bytes() - before
            if not is_sanitized():  # a sanitizer keeps what is freed
                self.assertLess(grown, 64 << 20)
            # The first one goes on, and gets all of it as it was.
            one.buffer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + one.buffer
            rows = [parse_json(line) for line in one.answer().body.splitlines()]
            self.assertEqual(len(rows), count)
            self.assertEqual([row["position"] for row in rows], list(range(1, count + 1)))
        # The second one has left in the middle: its place is free again.
        wait_until(lambda: self.public.get(f"{board}/export").status == 200, "a free place for an export")

    def test_comes_whole_among_other_requests_of_its_connection(self):
        board = self.make_board()
        self.fill(board, [{"player": f"player-{i}", "score": i, "name": "n" * 64} for i in range(10000)])
        wanted = self.get(f"{board}/export").body
        page = self.get(f"{board}/standings?limit=1000").json["rows"]
        csv_text = self.get(f"{board}/export?format=csv").body
        backup = self.backup()

        def get(path, method="GET", more=""):
            return f"{method} {path} HTTP/1.1\r\nHost: a\r\n{more}\r\n".encode()

        export = get(f"{board}/export")
        table = get(f"{board}/standings?limit=1000")
        with self.subTest("pages behind it, more than it would wait for"), self.server.raw() as raw:
            raw.send(export + 3 * table)
            self.assertEqual(raw.answer().body, wanted)
            for _ in range(3):
                self.assertEqual(parse_json(raw.answer().body)["rows"], page)
            raw.send(export)
            self.assertEqual(raw.answer().body, wanted)
        with self.subTest("two exports"), self.server.raw() as raw:
            raw.send(export + get(f"{board}/export?format=csv") + table)
            self.assertEqual(raw.answer().body, wanted)
            self.assertEqual(raw.answer().body, csv_text)
            self.assertEqual(parse_json(raw.answer().body)["rows"], page)
        with self.subTest("HEAD, and the end of the connection"), self.server.raw() as raw:
            raw.send(get(f"{board}/export", "HEAD") + table + get(f"{board}/export", more="Connection: close\r\n"))
            self.assertEqual(raw.answer("HEAD").status, 200)
            self.assertEqual(parse_json(raw.answer().body)["rows"], page)
            last = raw.answer()
            self.assertEqual((last.body, last.headers["connection"]), (wanted, "close"))
            self.assertTrue(raw.is_closed())
        with self.subTest("a backup"), self.server.raw() as raw:
            key = f"Authorization: Bearer {self.server.key}\r\n"
            raw.send(get(backup, more=key) + 6 * table)
            self.assertEqual(raw.answer().body, self.get(backup, self.api).body)
            for _ in range(6):
                self.assertEqual(parse_json(raw.answer().body)["rows"], page)
        # No place is kept by any of them.
        for _ in range(3):
            self.assertEqual(self.get(f"{board}/export").body, wanted)

    def backup(self):
        self.assertEqual(self.api.post("/v1/backups").status, 202)
        wait_until(lambda: self.get("/v1/backups", self.api).json["items"], "a backup")
        return "/v1/backups/" + self.get("/v1/backups", self.api).json["items"][0]["name"]

    def test_survives_a_restart_with_scores_that_are_not_folded(self):
        with Server() as server:
            server.api.post("/v1/boards", {"id": "b"})
            server.api.stream("/v1/boards/b/submissions", [{"player": f"p{i}", "score": i} for i in range(500)])
            before = server.public.get("/v1/boards/b/export").body
            server.restart(kill=True)
            self.assertEqual(server.public.get("/v1/boards/b/export").body, before)
            left = [path.name for path in server.data.iterdir() if "spool" in path.name]
            self.assertEqual(left, [])


class Stats(ReadTest):
    def quantile(self, values, percent):
        return sorted(values)[math.ceil(percent * len(values) / 100) - 1]

    def test_agrees_with_the_rows(self):
        chance = random.Random(SEED)
        for order in ("asc", "desc"):
            board = self.make_board(columns=[{"name": "score", "order": order, "decimals": 1}])
            self.fill(board, [{"player": f"p{i}", "score": chance.randrange(-500, 2000)} for i in range(777)])
            values = [row["score"] for row in self.standings(board)]
            for buckets in (1, 7, 20, 100):
                with self.subTest(order=order, buckets=buckets, seed=SEED):
                    stats = self.get(f"{board}/stats?buckets={buckets}").json
                    self.assertEqual((stats["count"], stats["min"], stats["max"]), (777, min(values), max(values)))
                    self.assertEqual(stats["column"], "score")
                    for percent in (1, 5, 10, 25, 50, 75, 90, 95, 99):
                        self.assertEqual(stats["quantiles"][f"p{percent}"], self.quantile(values, percent))
                    histogram = stats["histogram"]
                    self.assertLessEqual(len(histogram), buckets)
                    self.assertEqual(sum(bucket["count"] for bucket in histogram), 777)
                    for bucket, after in zip(histogram, histogram[1:] + [None]):
                        self.assertEqual(bucket["count"],
                                         sum(bucket["from"] <= value < bucket["below"] for value in values))
                        if after:
                            self.assertEqual(bucket["below"], after["from"])

    def test_etag_empty_boards_and_what_is_refused(self):
        board = self.make_board()
        empty = self.get(f"{board}/stats").json
        self.assertEqual((empty["count"], empty["quantiles"], empty["histogram"]), (0, {}, []))
        self.assertNotIn("min", empty)
        self.submit(board, "a", 5)
        first = self.get(f"{board}/stats?column=score")
        self.assertEqual(first.json["histogram"], [{"from": 5, "below": 6, "count": 1}])
        self.assertEqual(self.public.get(f"{board}/stats?column=score", if_none_match=first.headers["etag"]).status, 304)
        self.assert_problem(self.public.get(f"{board}/stats?column=goals"), 422, pointer="?column")
        self.assert_problem(self.public.get(f"{board}/stats?buckets=0"), 422, pointer="?buckets")
        self.assert_problem(self.public.get(f"{board}/stats?buckets=101"), 422, pointer="?buckets")


class SubmissionsAnywhere(ReadTest):
    def slug(self, **settings):
        return self.make_board(**settings).rsplit("/", 1)[1]

    def test_one_object(self):
        slug = self.slug()
        answer = self.api.post("/v1/submissions", {"board": slug, "player": "ann", "score": 7}, idempotency_key="k-one")
        self.assertEqual((answer.status, answer.json["board"], answer.json["outcome"]), (200, slug, "created"), answer)
        again = self.api.post("/v1/submissions", {"board": slug, "player": "ann", "score": 7}, idempotency_key="k-one")
        self.assertEqual(again.headers.get("idempotency-replayed"), "true")
        self.assertEqual(again.json["seq"], answer.json["seq"])
        other = self.api.post("/v1/submissions", {"board": slug, "player": "ann", "score": 8}, idempotency_key="k-one")
        self.assert_problem(other, 422, "idempotency_mismatch")
        self.assertEqual(self.get(f"/v1/boards/{slug}/players/ann").json["score"], 7)

    def test_what_is_refused(self):
        slug = self.slug()
        self.assert_problem(self.api.post("/v1/submissions", [{"board": slug, "player": "a", "score": 1}]), 422, "invalid")
        self.assert_problem(self.api.post("/v1/submissions", {"player": "a", "score": 1}), 422, pointer="/board")
        self.assert_problem(self.api.post("/v1/submissions", {"board": 3, "player": "a", "score": 1}), 422, pointer="/board")
        self.assert_problem(self.api.post("/v1/submissions", {"board": "no", "player": "a", "score": 1}), 404, "board_not_found")
        self.assert_problem(self.public.post("/v1/submissions", {"board": slug, "player": "a", "score": 1}), 401)
        self.assert_problem(self.api.post(f"/v1/boards/{slug}/submissions", {"board": slug, "player": "a", "score": 1}),
                            422, pointer="/board")

    def test_a_stream_over_boards(self):
        slugs = [self.slug(), self.slug(), self.slug(rule="sum")]
        closed = self.slug()
        self.assertEqual(self.api.post(f"/v1/boards/{closed}/close").status, 200)
        lines = [{"board": slugs[i % 3], "player": f"p{i % 50}", "score": i} for i in range(3000)]
        lines[10:10] = [{"board": "none-such", "player": "a", "score": 1}, {"board": closed, "player": "a", "score": 1},
                        {"player": "a", "score": 1}]
        answer = self.api.stream("/v1/submissions", lines)
        self.assertEqual(answer.status, 200, answer)
        summary = answer.json["summary"]
        self.assertEqual((summary["lines"], summary["accepted"], summary["rejected"]), (3003, 3000, 3))
        self.assertEqual([(p["line"], p["code"]) for p in answer.json["problems"]],
                         [(11, "board_not_found"), (12, "board_closed"), (13, "invalid")])
        self.assertEqual(set(summary["seqs"]), set(slugs))
        self.assertEqual(max(summary["seqs"].values()), summary["seq"])
        for slug in slugs:
            page = self.get(f"/v1/boards/{slug}/standings?min_seq={summary['epoch']}:{summary['seqs'][slug]}").json
            self.assertEqual(page["seq"], summary["seqs"][slug])
            self.assertEqual(page["total"], 50)
        total = sum(row["score"] for row in self.standings(f"/v1/boards/{slugs[2]}"))
        self.assertEqual(total, sum(i for i in range(3000) if i % 3 == 2))

    def test_a_keyed_stream_counts_once(self):
        slugs = [self.slug(rule="sum"), self.slug(rule="sum")]
        lines = [{"board": slugs[i % 2], "player": f"p{i % 5}", "score": 1} for i in range(1000)]
        first = self.api.stream("/v1/submissions", lines[:400] + [{"board": "none"}], idempotency_key="k-stream-1")
        self.assertEqual(first.json["summary"]["accepted"], 400, first)
        again = self.api.stream("/v1/submissions", lines[:400] + [{"board": "none"}], idempotency_key="k-stream-1")
        self.assertEqual(again.headers.get("idempotency-replayed"), "true")
        self.assertEqual(again.json["summary"]["accepted"], 400)
        # Who lost the first answer reads what it wrote by the second.
        self.assertEqual(set(again.json["summary"]["seqs"]), set(slugs))
        for slug in slugs:
            self.assertGreaterEqual(again.json["summary"]["seqs"][slug], first.json["summary"]["seqs"][slug])
            read = self.get(f"/v1/boards/{slug}/standings?min_seq={again.json['summary']['epoch']}:"
                            f"{again.json['summary']['seqs'][slug]}")
            self.assertEqual(read.json["total"], 5)
        other = self.api.stream("/v1/submissions", lines, idempotency_key="k-stream-1")
        self.assert_problem(other, 422, "idempotency_mismatch")
        self.assertEqual(sum(row["score"] for slug in slugs for row in self.standings(f"/v1/boards/{slug}")), 400)

    def test_receipts_by_line_name_the_board(self):
        slugs = [self.slug(), self.slug()]
        lines = [{"board": slugs[0], "player": "a", "score": 1}, {"board": slugs[1], "player": "a", "score": 2},
                 {"board": "none", "player": "a", "score": 3}]
        answer = self.api.stream("/v1/submissions?receipts=lines", lines)
        receipts = answer.lines
        self.assertEqual([r.get("board") for r in receipts[:2]], slugs)
        self.assertEqual(receipts[1]["standing"]["score"], 2)
        self.assertEqual(receipts[2]["problem"]["code"], "board_not_found")
        self.assertEqual(set(receipts[3]["summary"]["seqs"]), set(slugs))


class Players(ReadTest):
    def test_where_a_player_stands_on_all_boards(self):
        boards = [self.make_board() for _ in range(5)]
        hidden = self.make_board(visibility="private")
        for number, board in enumerate([*boards, hidden]):
            self.submit(board, "wanda", 10 * number, name=f"Wanda {number}")
            self.submit(board, "other", 15)
        answer = self.get("/v1/players/wanda").json
        self.assertEqual(answer["player"], "wanda")
        self.assertEqual([item["board"] for item in answer["items"]], sorted(b.rsplit("/", 1)[1] for b in boards))
        for item in answer["items"]:
            own = self.get(f"/v1/boards/{item['board']}/players/wanda").json
            for member in ("rank", "position", "score", "name", "reached_at", "total", "seq"):
                self.assertEqual(item[member], own[member], member)
            self.assertEqual(item["percentile"], 100 if item["rank"] == 1 else 50)
        self.assertEqual(len(self.get("/v1/players/wanda", self.api).json["items"]), 6)

        seen, cursor = [], ""
        while True:
            page = self.get(f"/v1/players/wanda?limit=2{cursor}").json
            self.assertLessEqual(len(page["items"]), 2)
            seen += page["items"]
            if "next_cursor" not in page:
                break
            cursor = f"&cursor={page['next_cursor']}"
        self.assertEqual(seen, answer["items"])

    def test_who_is_nowhere(self):
        self.assert_problem(self.public.get("/v1/players/nobody"), 404, "player_not_found")
        self.assert_problem(self.public.get("/v1/players/no%20body"), 422)
        self.assert_problem(self.public.get("/v1/players/nobody?limit=0"), 422, pointer="?limit")
        self.assertEqual(self.api.delete("/v1/players/nobody").json["deleted"], 0)
        self.assert_problem(self.public.delete("/v1/players/nobody"), 401)

    def test_delete_takes_a_player_off_all_boards(self):
        boards = [self.make_board(visibility="private" if i == 3 else "public") for i in range(300)]
        for board in boards:
            self.submit(board, "victor", 5, name="Victor", meta={"secret": 1})
        self.assertEqual(self.api.post(f"{boards[0]}/close").status, 200)
        answer = self.api.delete("/v1/players/victor")
        self.assertEqual((answer.status, answer.json["deleted"]), (200, 300), answer)
        self.assertEqual(len(answer.json["seqs"]), 300)
        for board in boards[:5]:
            slug = board.rsplit("/", 1)[1]
            self.assertEqual(self.get(board, self.api).json["seq"], answer.json["seqs"][slug])
        self.assert_problem(self.api.get("/v1/players/victor"), 404)
        self.assertEqual(self.api.delete("/v1/players/victor").json, {**answer.json, "deleted": 0, "seqs": {}})
        self.submit(boards[1], "victor", 1)
        self.assertNotIn("name", self.get(f"{boards[1]}/players/victor").json)


class Classic(unittest.TestCase):
    def setUp(self):
        self.server = Server().start()
        self.addCleanup(self.server.close)
        self.api, self.public = self.server.api, self.server.public

    def get(self, path, status=200):
        answer = self.public.get(path)
        self.assertEqual(answer.status, status, answer)
        if status == 200:
            self.assertRegex(answer.headers["deprecation"], r"\A@\d+\Z")
            self.assertRegex(answer.headers["link"], r'\A</v1/[^>]+>; rel="successor-version"\Z')
        return answer

    def test_the_classic_read_api(self):
        self.assertEqual(self.public.get("/getscores").status, 422)
        self.api.post("/v1/boards", {"id": "a", "rule": "last"})
        self.api.post("/v1/boards", {"id": "hidden", "visibility": "private"})
        for score in range(1, 16):
            self.api.post("/v1/boards/a/submissions", {"player": f"p{score}", "score": score})
        top = self.get("/getscores")
        self.assertEqual([row["score"] for row in top.json["rows"]], list(range(15, 5, -1)))
        self.assertIn("/v1/boards/a/standings", top.headers["link"])
        self.assertEqual(len(self.get("/getscores?count=3").json["rows"]), 3)
        self.assertEqual(self.get("/getscores?region=eu", 422).json["errors"][0]["pointer"], "?region")
        self.assertEqual(self.get("/getscores/p3?region=eu", 422).json["errors"][0]["pointer"], "?region")
        self.assertEqual(self.get("/getscores?order=asc", 422).json["errors"][0]["pointer"], "?order")
        self.assertEqual(self.get("/getscores?count=0", 422).json["errors"][0]["pointer"], "?count")
        self.get("/getscores?board=hidden", 404)
        self.assertEqual(self.api.get("/getscores?board=hidden").json["rows"], [])

        for score in (20, 5, 9):
            self.api.post("/v1/boards/a/submissions", {"player": "p3", "score": score})
        self.assertEqual(self.get("/getscores/p3?board=a").json["rank"], 7)
        self.assertEqual([item["board"] for item in self.get("/getscores/p3").json["items"]], ["a"])
        scores = lambda query: [item["score"] for item in self.get(f"/getscores/p3?{query}").json["items"]]
        self.assertEqual(scores("count=10"), [9, 5, 20, 3])
        self.assertEqual(scores("count=2"), [9, 5])
        self.assertEqual(scores("count=2&order=asc"), [3, 20])
        items = self.get("/getscores/p3?count=10&board=a").json["items"]
        self.assertEqual(scores(f"from={items[1]['at']}&to={items[0]['at']}&count=9")[:2], [9, 5])
        self.assertEqual(scores("to=2020-01-01"), [])
        self.assertEqual(scores("from=2020-01-01"), [9, 5, 20, 3])
        self.assertEqual(self.get("/getscores/p3?from=tuesday", 422).json["errors"][0]["pointer"], "?from")
        self.assertEqual(self.get("/getscores/p3?order=up", 422).json["errors"][0]["pointer"], "?order")
        self.get("/getscores/nobody", 404)
        self.get("/getscores/nobody?board=a", 404)
        self.get("/getscores/nobody?count=3", 404)

        self.api.delete("/v1/boards/a/players/p3")
        self.api.post("/v1/boards/a/submissions", {"player": "p3", "score": 77})
        self.assertEqual(scores("count=10"), [77])

    def test_classic_submissions_are_those_that_counted(self):
        """What changed nothing is for those who may read the ledger; the successor is open as well."""
        self.api.post("/v1/boards", {"id": "c", "rule": "best"})
        for score in (10, 3, 10, 12, 11):
            self.api.post("/v1/boards/c/submissions", {"player": "p", "score": score})
        for client in (self.public, self.api):
            answer = client.get("/getscores/p?count=10")
            self.assertEqual([(item["outcome"], item["score"]) for item in answer.json["items"]], [("improved", 12), ("created", 10)])
            successor = re.match("<([^>]+)>", answer.headers["link"])[1]
            self.assertEqual([point["score"] for point in self.public.get(successor).json["items"]], [10, 12])
        self.assertEqual(self.get("/getscores/p?count=1&order=asc").json["items"][0]["score"], 10)
        self.assertEqual(self.public.get("/v1/boards/c/submissions?player=p").status, 401)
        ledger = self.api.get("/v1/boards/c/submissions?player=p").json["items"]
        self.assertEqual([item["score"] for item in ledger], [11, 12, 10, 3, 10])

    def test_the_board_may_be_left_out_where_there_is_one(self):
        self.api.post("/v1/boards", {"id": "a"})
        self.api.post("/v1/boards", {"id": "b"})
        self.assertEqual(self.get("/getscores", 422).json["errors"][0]["pointer"], "?board")
        self.get("/getscores?board=b")


class Damage(unittest.TestCase):
    def test_a_damaged_row_is_a_503_and_is_not_served(self):
        with Server() as server:
            server.api.post("/v1/boards", {"id": "b"})
            server.api.post("/v1/boards/b/submissions", {"player": "ann", "score": 1, "name": "Ann"})
            wait_until(lambda: b"standings_dirty_entries 0\n" in server.public.get("/metrics").body, "write-back")
            # A second writer is forbidden but in this test: it harms a row that nothing writes.
            database = sqlite3.connect(server.data / "standings.db")
            database.execute("UPDATE player SET name = 'Bob'")
            database.commit()
            database.close()
            answer = server.public.get("/v1/boards/b/export")
            self.assertEqual((answer.status, answer.json["code"]), (503, "data_damaged"), answer)
            self.assertIn("retry-after", answer.headers)


if __name__ == "__main__":
    unittest.main()
