"""Every endpoint as its users call it: what goes well, and what does not."""

import concurrent.futures
import re
import threading
import unittest

from support.api import ApiTest, brief
from support.server import wait_until

TIME = r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z"


class Boards(ApiTest):
    def test_only_the_id_is_required(self):
        answer = self.api.post("/v1/boards", {"id": "plain"})
        self.assertEqual(answer.status, 201, answer)
        self.assertTrue(answer.headers["location"].endswith("/v1/boards/plain"))
        board = self.get("/v1/boards/plain")
        self.assertEqual(board["id"], "plain")
        self.assertEqual(board["rule"], "best")
        self.assertEqual(board["ties"], "shared")
        self.assertEqual(board["columns"], [{"name": "score", "order": "desc", "decimals": 0}])
        self.assertEqual(board["visibility"], "public")

    def test_keeps_what_it_was_made_with(self):
        made = {"id": "speedrun", "title": "Speedrun ⏱", "rule": "best", "ties": "earliest",
                "columns": [{"name": "score", "order": "asc", "decimals": 3}], "visibility": "public",
                "limits": {"min": 0, "max": 10000000}}
        self.assertEqual(self.api.post("/v1/boards", made).status, 201)
        board = self.get("/v1/boards/speedrun")
        for member, value in made.items():
            self.assertEqual(board[member], value, member)
        self.assertRegex(board["created_at"], TIME)

    def test_a_second_one_of_the_same_name_is_a_conflict(self):
        board = self.make_board()
        self.assert_problem(self.api.post("/v1/boards", {"id": board.rsplit("/", 1)[1]}), 409)

    def test_refuses_what_it_cannot_keep(self):
        column = {"name": "a", "order": "desc", "decimals": 0}
        for pointer, body in (
                ("/id", {"id": "Upper"}),
                ("/id", {"id": ""}),
                ("/id", {"id": "-first"}),
                ("/id", {"id": "x" * 64}),
                ("/id", {"id": 5}),
                ("/id", {}),
                ("/rule", {"id": "x", "rule": "worst"}),
                ("/ties", {"id": "x", "ties": "random"}),
                ("/columns", {"id": "x", "columns": []}),
                ("/columns", {"id": "x", "columns": [dict(column, name=f"c{n}") for n in range(5)]}),
                ("/columns/1/name", {"id": "x", "columns": [column, column]}),
                ("/columns/0/decimals", {"id": "x", "columns": [dict(column, decimals=7)]}),
                ("/columns/0/order", {"id": "x", "columns": [dict(column, order="up")]}),
                ("/visibility", {"id": "x", "visibility": "hidden"}),
                ("/colour", {"id": "x", "colour": "red"}),
                ("/columns/0/width", {"id": "x", "columns": [dict(column, width=3)]})):
            with self.subTest(body=body):
                self.assert_problem(self.api.post("/v1/boards", body), 422, pointer=pointer)
        self.assert_problem(self.public.get("/v1/boards/x"), 404)

    def test_the_list_pages_through_all(self):
        names = sorted(self.make_board().rsplit("/", 1)[1] for _ in range(7))
        seen, path = [], "/v1/boards?limit=3"
        while path:
            page = self.get(path)
            self.assertLessEqual(len(page["items"]), 3)
            seen += [item["id"] for item in page["items"]]
            cursor = page.get("next_cursor")
            path = f"/v1/boards?limit=3&cursor={cursor}" if cursor else None
        self.assertEqual(len(seen), len(set(seen)))
        self.assertLessEqual(set(names), set(seen))

    def test_a_private_board_is_for_those_with_a_key(self):
        board = self.make_board(visibility="private")
        self.assertEqual(self.api.get(board).status, 200)
        for path in (board, f"{board}/standings", f"{board}/players/p", f"{board}/rank?score=1"):
            self.assertIn(self.public.get(path).status, (401, 404), path)
        listed = [item["id"] for item in self.get("/v1/boards?limit=1000")["items"]]
        self.assertNotIn(board.rsplit("/", 1)[1], listed)
        answer = self.api.get(f"{board}/standings")
        self.assertNotIn("public", answer.headers.get("cache-control", ""))

    def test_patch_merges_under_if_match(self):
        board = self.make_board(title="Old")
        tag = self.public.get(board).headers["etag"]
        self.assertRegex(tag, r'\A"[^"]+"\Z')
        answer = self.api.patch(board, {"title": "New"}, if_match=tag)
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.json["title"], "New")
        self.assertEqual(answer.json["rule"], "best")
        self.assertNotEqual(answer.headers["etag"], tag)
        self.assert_problem(self.api.patch(board, {"title": "Lost"}, if_match=tag), 412)
        self.assertEqual(self.get(board)["title"], "New")
        self.assertEqual(self.api.patch(board, {"title": "Any"}, if_match="*").status, 200)

    def test_patch_refuses_what_it_does_not_know(self):
        board = self.make_board()
        tag = self.public.get(board).headers["etag"]
        self.assert_problem(self.api.patch(board, {"colour": "red"}, if_match=tag), 422, pointer="/colour")
        self.assert_problem(self.api.patch(board, {"id": "other"}, if_match=tag), 422, pointer="/id")
        self.assert_problem(self.api.patch(board, b"[]", if_match=tag), (400, 422))
        self.assertEqual(self.public.get(board).headers["etag"], tag)

    def test_a_submission_leaves_the_boards_tag_alone(self):
        board = self.make_board()
        tag = self.public.get(board).headers["etag"]
        self.submit(board, "p", 1)
        self.assertEqual(self.public.get(board).headers["etag"], tag)

    def test_delete_takes_it_away_and_its_name_is_free_again(self):
        board = self.make_board()
        before = self.submit(board, "p", 5)["seq"]
        self.assertIn(self.api.delete(board).status, (200, 204))
        self.assert_problem(self.public.get(board), 404)
        self.assert_problem(self.public.get(f"{board}/standings"), 404)
        self.assert_problem(self.api.delete(board), 404)
        self.assertEqual(self.api.post("/v1/boards", {"id": board.rsplit("/", 1)[1]}).status, 201)
        page = self.get(f"{board}/standings")
        self.assertEqual(page["rows"], [])
        self.assertGreater(page["seq"], before)
        self.assertGreater(self.submit(board, "p", 1)["seq"], before)

    def test_reset_empties_it(self):
        board = self.filled([3, 2, 1])
        before = self.get(f"{board}/standings")["seq"]
        self.assertEqual(self.api.post(f"{board}/reset").status, 200)
        page = self.get(f"{board}/standings")
        self.assertEqual((page["rows"], page["total"]), ([], 0))
        self.assertGreater(page["seq"], before)
        self.assertEqual(self.submit(board, "p1", 1)["outcome"], "created")
        self.server.restart(kill=True)
        self.assertEqual(brief(self.get(f"{board}/standings")["rows"]), [(1, 1, "p1", 1)])

    def test_closed_takes_nothing_more_until_reopened(self):
        board = self.filled([5])
        self.assertEqual(self.api.post(f"{board}/close").status, 200)
        self.assert_problem(self.api.post(f"{board}/submissions", {"player": "p1", "score": 9}), 409)
        self.assertEqual(self.get(f"{board}/players/p1")["score"], 5)
        self.server.restart()
        self.assert_problem(self.api.post(f"{board}/submissions", {"player": "p1", "score": 9}), 409)
        self.assertEqual(self.api.post(f"{board}/reopen").status, 200)
        self.assertEqual(self.submit(board, "p1", 9)["outcome"], "improved")


class Submissions(ApiTest):
    def test_a_receipt_says_what_happened(self):
        board = self.make_board()
        for player, score in (("u_301", 70), ("u_77", 60), ("u_1", 100), ("u_812", 50)):
            self.submit(board, player, score)
        receipt = self.submit(board, "u_812", 80, name="Ayşe")
        self.assertEqual(receipt["outcome"], "improved")
        standing = receipt["standing"]
        self.assertEqual((standing["player"], standing["name"], standing["rank"], standing["position"], standing["score"]),
                         ("u_812", "Ayşe", 2, 2, 80))
        self.assertRegex(standing["reached_at"], TIME)
        self.assertEqual(receipt["previous"], {"rank": 4, "score": 50})
        self.assertEqual(sorted(receipt["passed"]), ["u_301", "u_77"])
        self.assertEqual(receipt["to_next"], 20)
        self.assertEqual(receipt["total"], 4)
        page = self.get(f"{board}/standings")
        self.assertEqual((page["epoch"], page["seq"]), (receipt["epoch"], receipt["seq"]))

    def test_the_first_one_creates_and_the_leader_has_no_next(self):
        receipt = self.submit(self.make_board(), "p", 1)
        self.assertEqual(receipt["outcome"], "created")
        self.assertNotIn("previous", receipt)
        self.assertNotIn("to_next", {name for name, value in receipt.items() if value is not None})

    def test_passed_holds_at_most_ten(self):
        board = self.filled(range(1, 31))
        self.assertEqual(len(self.submit(board, "new", 100)["passed"]), 10)

    def test_rules(self):
        for rule, steps in {
                "best": ((5, "created", 5), (3, "unchanged", 5), (5, "unchanged", 5), (8, "improved", 8)),
                "last": ((5, "created", 5), (3, "replaced", 3), (3, "unchanged", 3), (8, "replaced", 8)),
                "sum": ((5, "created", 5), (-7, "added", -2), (0, "added", -2), (8, "added", 6)),
                "first": ((5, "created", 5), (8, "unchanged", 5), (3, "unchanged", 5))}.items():
            board = self.make_board(rule=rule)
            for score, outcome, left in steps:
                with self.subTest(rule, score=score):
                    receipt = self.submit(board, "p", score)
                    self.assertEqual((receipt["outcome"], receipt["standing"]["score"]), (outcome, left))

    def test_best_with_ascending_order_keeps_the_smallest(self):
        board = self.make_board(columns=[{"name": "time", "order": "asc", "decimals": 2}])
        self.submit(board, "p", 90)
        self.assertEqual(self.submit(board, "p", 95)["outcome"], "unchanged")
        self.assertEqual(self.submit(board, "p", 80)["outcome"], "improved")

    def test_best_compares_the_whole_tuple(self):
        columns = [{"name": name, "order": order, "decimals": 0} for name, order in (("points", "desc"), ("faults", "asc"))]
        board = self.make_board(columns=columns)
        self.submit(board, "p", {"points": 10, "faults": 5})
        self.assertEqual(self.submit(board, "p", {"points": 9, "faults": 0})["outcome"], "unchanged")
        self.assertEqual(self.submit(board, "p", {"points": 10, "faults": 4})["outcome"], "improved")
        self.assertEqual(self.get(f"{board}/players/p")["scores"], {"points": 10, "faults": 4})

    def test_last_does_not_let_a_late_message_overwrite_a_newer_one(self):
        board = self.make_board(rule="last")
        self.submit(board, "p", 5, occurred_at="2020-01-02T00:00:00Z")
        self.assertEqual(self.submit(board, "p", 9, occurred_at="2020-01-01T00:00:00Z")["outcome"], "unchanged")
        self.assertEqual(self.submit(board, "p", 7, occurred_at="2020-01-03T00:00:00Z")["outcome"], "replaced")

    def test_scores_are_exact(self):
        board = self.make_board(rule="last", columns=[{"name": "score", "order": "desc", "decimals": 6}])
        largest = "9007199254.740991"
        for text, shown in (("1.50", "1.5"), ("15e-1", "1.5"), ("-0", "0"), ("-0.0", "0"), ("0.000001", "0.000001"),
                            (largest, largest), ("-" + largest, "-" + largest), ("0.1e1", "1"), ("100E-2", "1"),
                            ("1.000000000", "1"), ("9007199254.740990", "9007199254.74099")):
            with self.subTest(text):
                body = f'{{"player":"p","score":{text}}}'.encode()
                answer = self.api.post(f"{board}/submissions", body, content_type="application/json")
                self.assertEqual(answer.status, 200, answer)
                stored = self.public.get(f"{board}/players/p").body.decode()
                self.assertEqual(re.search(r'"score":([^,}]+)', stored)[1], shown)
        for text in ("9007199254.740992", "0.0000001", "1e300", "1e-7"):
            with self.subTest(text):
                body = f'{{"player":"p","score":{text}}}'.encode()
                answer = self.api.post(f"{board}/submissions", body, content_type="application/json")
                self.assert_problem(answer, 422, pointer="/score")
        body = b'{"player":"p","score":1e99999999999999999999}'
        self.assert_problem(self.api.post(f"{board}/submissions", body, content_type="application/json"), 422)

    def test_a_sum_beyond_the_bound_is_refused_and_changes_nothing(self):
        board = self.make_board(rule="sum")
        self.submit(board, "p", 2**53 - 1)
        answer = self.api.post(f"{board}/submissions", {"player": "p", "score": 1})
        self.assert_problem(answer, 409, code="score_overflow")
        self.assertEqual(self.get(f"{board}/players/p")["score"], 2**53 - 1)
        self.assertEqual(self.submit(board, "p", -1)["standing"]["score"], 2**53 - 2)

    def test_refuses_what_is_not_allowed(self):
        board = self.make_board(limits={"min": 0, "max": 100})
        for pointer, body in (
                ("/player", {"score": 1}),
                ("/player", {"player": "", "score": 1}),
                ("/player", {"player": "x" * 129, "score": 1}),
                ("/player", {"player": "a b", "score": 1}),
                ("/player", {"player": "ä", "score": 1}),
                ("/player", {"player": 7, "score": 1}),
                ("/score", {"player": "p"}),
                ("/score", {"player": "p", "score": "12"}),
                ("/score", {"player": "p", "score": None}),
                ("/score", {"player": "p", "score": True}),
                ("/score", {"player": "p", "score": -1}),
                ("/score", {"player": "p", "score": 101}),
                ("/scores", {"player": "p", "scores": {"score": 1}}),
                ("/points", {"player": "p", "score": 1, "points": 2}),
                ("/name", {"player": "p", "score": 1, "name": 5}),
                ("/meta", {"player": "p", "score": 1, "meta": "text"}),
                ("/occurred_at", {"player": "p", "score": 1, "occurred_at": "yesterday"}),
                ("/occurred_at", {"player": "p", "score": 1, "occurred_at": "2999-01-01T00:00:00Z"}),
                ("/occurred_at", {"player": "p", "score": 1, "occurred_at": "2021-02-30T00:00:00Z"}),
                ("/segment", {"player": "p", "score": 1, "segment": {"region": "eu"}})):
            with self.subTest(body=body):
                self.assert_problem(self.api.post(f"{board}/submissions", body), 422, pointer=pointer)
        self.assertEqual(self.get(f"{board}/standings")["total"], 0)

    def test_a_board_with_columns_takes_each_of_them(self):
        board = self.make_board(columns=[{"name": "a", "order": "desc", "decimals": 0}, {"name": "b", "order": "desc", "decimals": 0}])
        for pointer, scores in (("/scores/b", {"a": 1}), ("/scores/c", {"a": 1, "b": 2, "c": 3}), ("/scores/a", {"a": "1", "b": 2})):
            with self.subTest(scores=scores):
                answer = self.api.post(f"{board}/submissions", {"player": "p", "scores": scores})
                self.assert_problem(answer, 422, pointer=pointer)
        answer = self.api.post(f"{board}/submissions", {"player": "p", "score": 1})
        self.assert_problem(answer, 422, pointer="/score")

    def test_an_unknown_board_is_404(self):
        self.assert_problem(self.api.post("/v1/boards/none/submissions", {"player": "p", "score": 1}), 404)

    def test_meta_is_private_unless_the_board_says_otherwise(self):
        for public in (False, True):
            board = self.make_board(public_meta=public)
            self.submit(board, "p", 1, meta={"car": "gt3"})
            self.assertEqual(self.get(f"{board}/players/p").get("meta"), {"car": "gt3"} if public else None)
            self.assertEqual(self.api.get(f"{board}/players/p").json.get("meta"), {"car": "gt3"})

    def test_an_array_is_all_or_nothing(self):
        board = self.filled([5])
        before = self.get(f"{board}/standings")["seq"]
        answer = self.api.post(f"{board}/submissions", [{"player": "p1", "score": 9}, {"player": "p2", "score": "x"}])
        self.assert_problem(answer, 422, pointer="/1/score")
        self.assertEqual(self.get(f"{board}/standings")["seq"], before)
        answer = self.api.post(f"{board}/submissions", [{"player": "p1", "score": 9}, {"player": "p2", "score": 7}, {"player": "p1", "score": 8}])
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(brief(self.get(f"{board}/standings")["rows"]), [(1, 1, "p1", 9), (2, 2, "p2", 7)])

    def test_an_array_that_would_overflow_changes_nothing(self):
        board = self.make_board(rule="sum")
        answer = self.api.post(f"{board}/submissions", [{"player": "p", "score": 2**53 - 1}, {"player": "p", "score": 1}])
        self.assert_problem(answer, 409, code="score_overflow")
        self.assertEqual(self.get(f"{board}/standings")["total"], 0)

    def test_an_array_of_a_thousand_is_accepted_and_one_more_is_not(self):
        board = self.make_board()
        items = [{"player": f"p{number}", "score": number} for number in range(1001)]
        self.assert_problem(self.api.post(f"{board}/submissions", items), (413, 422))
        self.assertEqual(self.api.post(f"{board}/submissions", items[:1000]).status, 200)
        self.assertEqual(self.get(f"{board}/standings")["total"], 1000)

    def test_readers_never_see_half_an_array(self):
        board = self.make_board(rule="sum")
        stop = threading.Event()
        odd = []

        def read():
            while not stop.is_set():
                page = self.get(f"{board}/standings?limit=100")
                if len({row["score"] for row in page["rows"]}) > 1 or len(page["rows"]) not in (0, 100):
                    odd.append(page)
        reader = threading.Thread(target=read)
        reader.start()
        for _ in range(50):
            answer = self.api.post(f"{board}/submissions", [{"player": f"p{number}", "score": 1} for number in range(100)])
            self.assertEqual(answer.status, 200, answer)
        stop.set()
        reader.join()
        self.assertEqual(odd, [])


class Standings(ApiTest):
    def test_shared_ranks_skip_and_positions_do_not(self):
        board = self.filled([10, 20, 20, 5])
        self.assertEqual(brief(self.get(f"{board}/standings")["rows"]), [(1, 1, "p2", 20), (1, 2, "p3", 20), (3, 3, "p1", 10), (4, 4, "p4", 5)])

    def test_earliest_has_no_shared_ranks(self):
        board = self.filled([10, 20, 20, 5], ties="earliest")
        self.assertEqual([row["rank"] for row in self.get(f"{board}/standings")["rows"]], [1, 2, 3, 4])

    def test_an_equal_score_keeps_its_place(self):
        board = self.filled([10, 10], rule="last")
        self.submit(board, "p1", 10)
        self.assertEqual([row["player"] for row in self.get(f"{board}/standings")["rows"]], ["p1", "p2"])
        self.submit(board, "p1", 9)
        self.submit(board, "p1", 10)
        self.assertEqual([row["player"] for row in self.get(f"{board}/standings")["rows"]], ["p2", "p1"])

    def test_a_page_says_where_it_stands(self):
        board = self.filled([3, 2, 1])
        page = self.get(f"{board}/standings?limit=2")
        self.assertEqual((page["board"], page["period"], page["total"], len(page["rows"])), (board.rsplit("/", 1)[1], "all", 3, 2))
        self.assertIsInstance(page["seq"], int)
        self.assertIsInstance(page["epoch"], str)
        self.assertRegex(page["rows"][0]["reached_at"], TIME)
        self.assertTrue(page["next_cursor"])

    def test_fifty_rows_by_default(self):
        board = self.filled(range(60))
        self.assertEqual(len(self.get(f"{board}/standings")["rows"]), 50)

    def test_offset_around_players_and_score_range(self):
        board = self.filled(range(100, 0, -1))  # p1 has 100, p100 has 1
        self.assertEqual(brief(self.get(f"{board}/standings?offset=10&limit=2")["rows"]), [(11, 11, "p11", 90), (12, 12, "p12", 89)])
        self.assertEqual([row["player"] for row in self.get(f"{board}/standings?around=p50&limit=3")["rows"]], ["p49", "p50", "p51"])
        self.assertIn("p1", [row["player"] for row in self.get(f"{board}/standings?around=p1&limit=5")["rows"]])
        self.assertIn("p100", [row["player"] for row in self.get(f"{board}/standings?around=p100&limit=5")["rows"]])
        self.assertEqual(brief(self.get(f"{board}/standings?players=p9,p3,nobody,p40")["rows"]), [(3, 3, "p3", 98), (9, 9, "p9", 92), (40, 40, "p40", 61)])
        self.assertEqual([row["score"] for row in self.get(f"{board}/standings?score_gte=10&score_lte=12")["rows"]], [12, 11, 10])
        self.assertEqual([row["score"] for row in self.get(f"{board}/standings?score_lte=2")["rows"]], [2, 1])
        self.assertEqual([row["score"] for row in self.get(f"{board}/standings?score_gte=99")["rows"]], [100, 99])

    def test_cursors_go_forth_and_back(self):
        board = self.filled([7] * 10 + list(range(20)))
        whole = self.get(f"{board}/standings")["rows"]
        page = self.get(f"{board}/standings?limit=7")
        rows, last = list(page["rows"]), page
        while page.get("next_cursor"):
            page = self.get(f"{board}/standings?limit=7&cursor={page['next_cursor']}")
            rows += page["rows"]
            last = page if page["rows"] else last
        self.assertEqual(rows, whole)
        back, page = list(last["rows"]), last
        while page.get("prev_cursor"):
            page = self.get(f"{board}/standings?limit=7&cursor={page['prev_cursor']}")
            back = page["rows"] + back
        self.assertEqual(back, whole)

    def test_refuses_pages_that_do_not_exist(self):
        board = self.filled([1, 2, 3])
        for query in ("limit=0", "limit=1001", "limit=-1", "limit=x", "limit=", "limit=1.5", "limit=99999999999999999999", "offset=-1",
                      "offset=x", "cursor=garbage", "cursor=", "offset=1&around=p1", "around=p1&players=p2", "score_gte=x",
                      "players=" + ",".join(f"p{number}" for number in range(201)), "period=daily", "segment=region:eu", "nonsense=1",
                      "limit=1&limit=2"):
            with self.subTest(query):
                self.assert_problem(self.public.get(f"{board}/standings?{query}"), (400, 422))
        self.assert_problem(self.public.get(f"{board}/standings?around=nobody"), 404)

    def test_a_cursor_of_another_board_is_refused_or_harmless(self):
        one, two = self.filled(range(10)), self.filled(range(10), columns=[{"name": "t", "order": "asc", "decimals": 0}])
        cursor = self.get(f"{one}/standings?limit=3")["next_cursor"]
        self.assertIn(self.public.get(f"{two}/standings?cursor={cursor}").status, (200, 400, 422))

    def test_rank_of_a_score_that_would_come_now(self):
        board = self.filled([30, 20, 20, 10])
        for score, rank in ((40, 1), (30, 1), (25, 2), (20, 2), (15, 4), (10, 4), (5, 5)):
            self.assertEqual(self.get(f"{board}/rank?score={score}")["rank"], rank, score)
        board = self.filled([30, 20, 20, 10], ties="earliest")
        for score, rank in ((40, 1), (30, 2), (20, 4), (10, 5)):
            self.assertEqual(self.get(f"{board}/rank?score={score}")["rank"], rank, score)
        for query in ("", "?score=", "?score=x", "?scores=1,2", "?score=1.5", "?score=1e99"):
            self.assert_problem(self.public.get(f"{board}/rank{query}"), (400, 422))

    def test_rank_with_several_columns(self):
        columns = [{"name": name, "order": "desc", "decimals": 0} for name in ("a", "b")]
        board = self.make_board(columns=columns)
        for player, a, b in (("x", 3, 1), ("y", 2, 9), ("z", 2, 5)):
            self.submit(board, player, {"a": a, "b": b})
        self.assertEqual(self.get(f"{board}/rank?scores=2,7")["rank"], 3)
        self.assertEqual(self.get(f"{board}/rank?scores=3,0")["rank"], 2)


class Players(ApiTest):
    def test_one_standing_and_its_neighbours(self):
        board = self.filled([50, 40, 30, 20, 10])
        one = self.get(f"{board}/players/p3")
        self.assertEqual(brief([one]), [(3, 3, "p3", 30)])
        with_neighbours = self.public.get(f"{board}/players/p3?around=1")
        self.assertEqual(with_neighbours.status, 200, with_neighbours)
        for player in ("p2", "p4"):
            self.assertIn(player, with_neighbours.body.decode())
        self.assert_problem(self.public.get(f"{board}/players/nobody"), 404)
        self.assert_problem(self.public.get("/v1/boards/none/players/p1"), 404)

    def test_ids_of_every_allowed_shape(self):
        board = self.make_board()
        for player in ("a", "x" * 128, "A.b_c:d@e-f", "0", "-", "..", "."):
            with self.subTest(player):
                self.submit(board, player, 1)
                # Dots alone are a path's business: clients write them percent-encoded.
                path = player.replace(".", "%2E").replace(":", "%3A").replace("@", "%40")
                self.assertEqual(self.get(f"{board}/players/{path}")["player"], player)

    def test_put_sets_past_the_rule(self):
        board = self.make_board(rule="best")
        answer = self.api.put(f"{board}/players/p", {"score": 50})
        self.assertEqual(answer.status, 201, answer)
        answer = self.api.put(f"{board}/players/p", {"score": 20})
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(self.get(f"{board}/players/p")["score"], 20)
        self.assert_problem(self.api.put(f"{board}/players/p", {"score": "x"}), 422, pointer="/score")
        self.assert_problem(self.api.put(f"{board}/players/a%20b", {"score": 1}), (404, 422))

    def test_delete_takes_the_entry_away(self):
        board = self.filled([3, 2, 1])
        answer = self.api.delete(f"{board}/players/p2")
        self.assertEqual((answer.status, answer.json["deleted"]), (200, 1), answer)
        self.assertEqual(brief(self.get(f"{board}/standings")["rows"]), [(1, 1, "p1", 3), (2, 2, "p3", 1)])
        answer = self.api.delete(f"{board}/players/p2")
        self.assertEqual((answer.status, answer.json["deleted"]), (200, 0), answer)
        self.assert_problem(self.public.get(f"{board}/players/p2"), 404)
        self.assertEqual(self.submit(board, "p2", 9)["outcome"], "created")

    def test_names_stay_until_another_comes(self):
        board = self.make_board()
        self.submit(board, "p", 1, name="Ada")
        self.submit(board, "p", 2)
        self.assertEqual(self.get(f"{board}/players/p")["name"], "Ada")
        self.submit(board, "p", 1, name="Ada L.")
        self.assertEqual(self.get(f"{board}/players/p")["name"], "Ada L.")
        self.server.restart(kill=True)
        self.assertEqual(self.get(f"{board}/standings")["rows"][0]["name"], "Ada L.")

    def test_names_are_stored_in_one_normal_form(self):
        board = self.make_board()
        self.submit(board, "p", 1, name="Ays\u0327e")
        self.assertEqual(self.get(f"{board}/players/p")["name"], "Ay\u015fe")


class Http(ApiTest):
    def test_what_a_credential_opens_is_for_no_shared_cache(self):
        board = self.make_board()
        self.submit(board, "p", 1, meta={"email": "x@example.org"})
        for path in (f"{board}/standings", f"{board}/players/p", f"{board}/rank?score=3"):
            with self.subTest(path):
                mine, anybodys = self.api.get(path), self.public.get(path)
                self.assertEqual(mine.headers["cache-control"], "private, no-cache")
                self.assertIn("public", anybodys.headers["cache-control"])
                self.assertEqual((mine.headers["vary"], anybodys.headers["vary"]), ("Authorization", "Authorization"))
                if "etag" in mine.headers:
                    again = self.public.get(path, if_none_match=anybodys.headers["etag"])
                    self.assertEqual((again.status, again.headers["cache-control"]), (304, anybodys.headers["cache-control"]))

    def test_a_parameter_that_is_not_known_stops_a_write(self):
        board = self.make_board()
        self.submit(board, "p", 1)
        self.assert_problem(self.api.delete(f"{board}/players/p?period=weekly"), 422)
        self.assert_problem(self.api.post(f"{board}/submissions?dry=1", {"player": "p", "score": 2}), 422)
        self.assert_problem(self.api.post(f"{board}/reset?segment=x"), 422)
        self.assertEqual(self.get(f"{board}/players/p")["score"], 1)
        for path in (f"{board}/players/p?period=weekly", f"{board}/rank?score=1&period=weekly", f"{board}/rank?score=1&scores=1,2"):
            self.assert_problem(self.public.get(path), 422)

    def test_if_none_match_of_anything_finds_no_player(self):
        board = self.make_board()
        self.assertEqual(self.public.get(f"{board}/players/nobody", if_none_match="*").status, 404)

    def test_ndjson_is_no_json(self):
        self.assert_problem(self.api.request("POST", "/v1/boards", b'{"id":"x"}', {"Content-Type": "application/x-ndjson"}), 415)

    def test_writes_need_the_key(self):
        board = self.make_board()
        for method, path in (("POST", "/v1/boards"), ("PATCH", board), ("DELETE", board), ("POST", f"{board}/reset"),
                             ("POST", f"{board}/close"), ("POST", f"{board}/reopen"), ("POST", f"{board}/submissions"),
                             ("PUT", f"{board}/players/p"), ("DELETE", f"{board}/players/p")):
            for authorization in (None, "Bearer wrong", "Bearer ", "Basic YTpi", self.server.key, f"Bearer {self.server.key}x"):
                with self.subTest(method, path=path, authorization=authorization):
                    headers = {"Content-Type": "application/json"}
                    if authorization is not None:
                        headers["Authorization"] = authorization
                    answer = self.public.request(method, path, b"{}", headers)
                    self.assert_problem(answer, 401)
                    self.assertTrue(answer.headers["www-authenticate"].startswith("Bearer"))

    def test_unknown_routes_and_methods(self):
        board = self.make_board()
        for path in ("/nothing", "/v1", "/v1/", "/v2/boards", "/v1/boards/", f"{board}/", f"{board}/nothing", "//v1/boards", "/v1/boards/%2e%2e/x"):
            with self.subTest(path):
                self.assert_problem(self.public.get(path), (400, 404, 405))
        for method, path, allowed in (("DELETE", "/v1/boards", {"GET", "HEAD", "POST", "OPTIONS"}), ("PUT", board, {"GET", "HEAD", "PATCH", "DELETE", "OPTIONS"}),
                                      ("POST", f"{board}/standings", {"GET", "HEAD", "OPTIONS"}), ("GET", f"{board}/reset", {"POST", "OPTIONS"})):
            with self.subTest(method, path=path):
                answer = self.api.request(method, path, b"{}", {"Content-Type": "application/json"})
                self.assert_problem(answer, 405)
                self.assertEqual({word.strip() for word in answer.headers["allow"].split(",")}, allowed)

    def test_a_page_of_another_site_may_ask_for_what_a_reader_sends(self):
        answer = self.public.request("OPTIONS", f"{self.make_board()}/live", headers={
            "Origin": "https://elsewhere.example", "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "last-event-id"})
        self.assertEqual((answer.status, answer.headers["access-control-allow-origin"]), (204, "*"))
        self.assertEqual({name.strip().lower() for name in answer.headers["access-control-allow-headers"].split(",")},
                         {"if-none-match", "last-event-id", "x-request-id"})

    def test_bodies_of_another_type_are_refused(self):
        board = self.make_board()
        for kind in ("text/plain", "application/x-www-form-urlencoded", "application/xml"):
            answer = self.api.post(f"{board}/submissions", b'{"player":"p","score":1}', content_type=kind)
            self.assert_problem(answer, 415)
        answer = self.api.post(f"{board}/submissions", b'{"player":"p","score":1}', content_type="application/json; charset=utf-8")
        self.assertEqual(answer.status, 200, answer)
        answer = self.api.post(f"{board}/submissions", b"\x1f\x8b", content_type="application/json", content_encoding="gzip")
        self.assert_problem(answer, 415)

    def test_head_is_get_without_the_body(self):
        board = self.filled([1, 2])
        for path in ("/v1/boards", board, f"{board}/standings", f"{board}/players/p1", f"{board}/rank?score=1", "/version", "/healthz", "/readyz", "/metrics", "/"):
            with self.subTest(path):
                get, head = self.public.get(path), self.public.head(path)
                self.assertEqual((get.status, head.status, head.body), (200, 200, b""))
                self.assertEqual(get.headers["content-type"], head.headers["content-type"])
                if path != "/metrics":
                    self.assertEqual(get.headers.get("content-length"), head.headers.get("content-length"))
                    self.assertEqual(get.headers.get("etag"), head.headers.get("etag"))
        head = self.public.head(f"{board}/players/nobody")
        self.assertEqual((head.status, head.body), (404, b""))

    def test_cors_on_public_reads(self):
        board = self.filled([1])
        answer = self.public.get(f"{board}/standings", origin="https://game.example")
        self.assertEqual(answer.headers["access-control-allow-origin"], "*")
        self.assertNotIn("access-control-allow-credentials", answer.headers)
        for path in (f"{board}/standings", f"{board}/export?format=csv", f"/getscores?board={board.split('/')[-1]}"):
            answer = self.public.get(path, origin="https://game.example")
            shown = answer.headers["access-control-expose-headers"].lower().split(", ")
            ours = {"etag", "x-request-id", "standings-position", "deprecation", "link"} & answer.headers.keys()
            self.assertLessEqual(ours, set(shown), path)
        preflight = self.public.options(f"{board}/standings", origin="https://game.example", access_control_request_method="GET")
        self.assertIn(preflight.status, (200, 204))
        self.assertEqual(preflight.headers["access-control-allow-origin"], "*")
        self.assertIn("GET", preflight.headers["access-control-allow-methods"])
        plain = self.public.options(f"{board}/standings")
        self.assertIn(plain.status, (200, 204))
        self.assertIn("GET", plain.headers["allow"])

    def test_a_304_for_what_did_not_change(self):
        board = self.filled([1, 2])
        for path in (f"{board}/standings", f"{board}/standings?limit=1", f"{board}/players/p1"):
            with self.subTest(path):
                tag = self.public.get(path).headers["etag"]
                self.assertRegex(tag, r'\AW/"[^"]+"\Z')
                again = self.public.get(path, if_none_match=tag)
                self.assertEqual((again.status, again.body, again.headers["etag"]), (304, b"", tag))
                self.assertEqual(self.public.get(path, if_none_match=f'"other", {tag}').status, 304)
                self.assertEqual(self.public.get(path, if_none_match="*").status, 304)
                self.assertEqual(self.public.head(path, if_none_match=tag).status, 304)
                self.assertEqual(self.public.get(path, if_none_match='W/"other"').status, 200)
        tag = self.public.get(f"{board}/standings").headers["etag"]
        self.assertNotEqual(tag, self.public.get(f"{board}/standings?limit=1").headers["etag"])
        self.submit(board, "p1", 50)
        self.assertEqual(self.public.get(f"{board}/standings", if_none_match=tag).status, 200)

    def test_public_boards_may_be_cached_for_a_second(self):
        board = self.filled([1])
        self.assertEqual(self.public.get(f"{board}/standings").headers["cache-control"], "public, max-age=1, stale-while-revalidate=5")

    def test_min_seq_waits_for_what_was_written(self):
        board = self.filled([1])
        receipt = self.submit(board, "p1", 5)
        answer = self.public.get(f"{board}/players/p1?min_seq={receipt['epoch']}:{receipt['seq']}")
        self.assertEqual((answer.status, answer.json["score"]), (200, 5))
        answer = self.public.get(f"{board}/standings?min_seq={receipt['epoch']}:{receipt['seq'] + 1000000}")
        self.assert_problem(answer, 503)
        self.assertIn("retry-after", answer.headers)
        self.assert_problem(self.public.get(f"{board}/standings?min_seq=other:1"), 409, code="epoch_changed")
        for bad in ("1", ":", "x", f"{receipt['epoch']}:", f"{receipt['epoch']}:-1", f"{receipt['epoch']}:x"):
            self.assert_problem(self.public.get(f"{board}/standings?min_seq={bad}"), (400, 409, 422))

    def test_min_seq_answers_as_soon_as_it_is_reached(self):
        board = self.filled([1])
        page = self.get(f"{board}/standings")
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(lambda: self.server.new_client().get(f"{board}/standings?min_seq={page['epoch']}:{page['seq'] + 1}"))
            wait_until(lambda: waiting.running() or waiting.done(), "the reader to run")
            self.submit(board, "p1", 9)
            answer = waiting.result(10)
        self.assertEqual(answer.status, 200, answer)
        self.assertGreater(answer.json["seq"], page["seq"])

    def test_a_request_id_is_taken_over(self):
        answer = self.public.get("/version", x_request_id="from-the-client-1")
        self.assertEqual(answer.headers["x-request-id"], "from-the-client-1")
        answer = self.public.get("/version", x_request_id="x" * 5000)
        self.assertNotEqual(answer.headers["x-request-id"], "x" * 5000)

    def test_pipelined_answers_keep_the_order(self):
        board = self.filled([1, 2, 3])
        paths = [f"{board}/players/p{number}" for number in (1, 2, 3)] * 5
        with self.server.raw() as raw:
            raw.send("".join(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n" for path in paths).encode())
            answers = [raw.answer() for _ in paths]
        self.assertEqual([answer.json["player"] for answer in answers], [path.rsplit("/", 1)[1] for path in paths])

    def test_reads_of_one_round_are_each_as_if_asked_for_alone(self):
        board, other = self.filled([3, 1, 2]), self.filled([5, 6])
        paths = [f"{board}/players/p1", f"{other}/players/p2", f"{other}/players/p3", "/version", f"{board}/players/p3?around=1",
                 f"{board}/players/nobody", "/v1/boards/nowhere/players/p1", f"{board}/standings?limit=2", f"{board}/players/p2",
                 f"{board}/standings?around=p2&limit=2", f"{other}/standings?around=p3", f"{board}/standings?around=nobody&limit=3"]
        alone = [self.public.get(path) for path in paths]
        for connections in (1, 7):
            rounds = [self.server.raw() for _ in range(connections)]
            for raw in rounds:
                self.addCleanup(raw.close)
                raw.send("".join(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n" for path in paths * 6).encode())
            for raw in rounds:
                for path, one in zip(paths * 6, alone * 6):
                    answer = raw.answer()
                    self.assertEqual(answer.status, one.status, path)
                    if one.status == 200:
                        self.assertEqual((answer.json, answer.headers.get("etag")), (one.json, one.headers.get("etag")), path)
                    else:
                        self.assertEqual(answer.json["code"], one.json["code"], path)

    def test_a_write_and_a_read_pipelined_keep_the_order(self):
        board = self.make_board(rule="sum")
        body = b'{"player":"p","score":1}'
        post = (f"POST {board}/submissions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.server.key}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body
        get = f"GET {board}/players/p HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        with self.server.raw() as raw:
            raw.send((post + get) * 5)
            answers = [raw.answer() for _ in range(10)]
        self.assertEqual([answer.status for answer in answers[::2]], [200] * 5)
        self.assertEqual([answer.json["standing"]["score"] for answer in answers[::2]], sorted(answer.json["standing"]["score"] for answer in answers[::2]))

    def test_a_read_before_a_write_does_not_see_it(self):
        board = self.filled(range(1000))
        delete = f"DELETE {board}/players/p1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.server.key}\r\n\r\n"
        line = b'{"player":"p2","score":5000}\n'
        stream = (f"POST {board}/submissions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.server.key}\r\n"
                  f"Content-Type: application/x-ndjson\r\nContent-Length: {len(line)}\r\n\r\n") + line.decode()
        # They keep the loop in its round until the write has long been committed.
        slow = f"HEAD {board}/standings?limit=1000&offset=1 HTTP/1.1\r\nHost: x\r\n\r\n" * 60
        for player, write, score in (("p1", delete, 0), ("p2", stream, 1)):
            with self.server.raw() as raw:
                raw.send((f"GET {board}/players/{player} HTTP/1.1\r\nHost: x\r\n\r\n" + write + slow).encode())
                answer = raw.answer()
                self.assertEqual((answer.status, answer.json.get("score")), (200, score), player)
                self.assertIn(raw.answer().status, (200, 204))

    def test_http_1_0_closes_and_keep_alive_stays(self):
        with self.server.raw() as raw:
            answer = raw.send(b"GET /version HTTP/1.0\r\nHost: x\r\n\r\n").answer()
            self.assertEqual(answer.status, 200)
            self.assertTrue(raw.is_closed())
        with self.server.raw() as raw:
            for _ in range(3):
                self.assertEqual(raw.send(b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n").answer().status, 200)
            self.assertEqual(raw.send(b"GET /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").answer().status, 200)
            self.assertTrue(raw.is_closed())

    def test_expect_100_continue(self):
        board = self.make_board()
        body = b'{"player":"p","score":1}'
        with self.server.raw() as raw:
            raw.send((f"POST {board}/submissions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.server.key}\r\nExpect: 100-continue\r\n"
                      f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode())
            self.assertEqual(raw.read_until(b"\r\n\r\n"), b"HTTP/1.1 100 Continue\r\n\r\n")
            self.assertEqual(raw.send(body).answer().status, 200)

    def test_no_body_is_asked_for_that_nobody_takes(self):
        board = self.filled([1])
        refused = (f"POST {board}/submissions HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                   "Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n")
        with self.server.raw() as raw:
            raw.send((f"GET {board}/players/p1 HTTP/1.1\r\nHost: x\r\n\r\n" + refused).encode())
            answers = raw.read_until(b"unauthenticated")
        self.assertEqual(re.findall(rb"HTTP/1.1 (\d+)", answers), [b"200", b"401"])

    def test_an_unknown_path_is_told_where_to_begin(self):
        for path in ("/nope", "/v1", "/docs/none"):
            problem = self.assert_problem(self.public.get(path), 404, "not_found")
            page = self.public.get(problem["type"])
            self.assertEqual(page.status, 200)
            for said in (problem["detail"], page.body.decode() if isinstance(page.body, bytes) else page.body):
                self.assertNotIn("See /docs", said)
                self.assertIn("/v1/boards", said)
        self.assertEqual(self.public.get("/v1/boards").status, 200)

    def test_problem_pages_explain_the_codes(self):
        problem = self.assert_problem(self.public.get("/v1/boards/none"), 404)
        answer = self.public.get(f"/problems/{problem['code']}")
        if answer.status == 404:
            self.skipTest("the pages of problems are not built yet")
        self.assertEqual(answer.status, 200)


if __name__ == "__main__":
    unittest.main()
