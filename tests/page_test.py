"""The page of a board, in a browser: what stands on the screen while scores come in."""

import json
import random
import threading
import unittest

from support.api import ApiTest
from support.browser import PROGRAM, Browser
from support.server import Server

SEED = random.randrange(10**9)

# What the rows on the screen say, as text.
ROWS = """[...document.querySelectorAll("tbody tr")].map(row => [...row.cells].map((cell, at) =>
    at === 1 ? cell.querySelector("bdi").textContent : cell.textContent))"""
# Where they are: none moves any more, and each stands below the one before.
AT_REST = """document.getAnimations().length === 0 && [...document.querySelectorAll("tbody tr")].every((row, at, rows) =>
    at === 0 || row.getBoundingClientRect().top > rows[at - 1].getBoundingClientRect().top)"""
STATE = 'document.getElementById("state").textContent'
GLIDES = """document.getAnimations().filter(each => each.effect.getKeyframes().some(frame => "transform" in frame)).length"""


def on_screen(rows):
    """Rows of the API as the page writes them, with one column of whole numbers."""
    return [[f"{row['rank']:,}", row.get("name") or row["player"], f"{row['score']:,}"] for row in rows]


def shows(rows):
    return f"JSON.stringify({ROWS}) === JSON.stringify({json.dumps(rows)})"


@unittest.skipUnless(PROGRAM, "chromium is not here")
class PageTest(ApiTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)

    def open(self, board, **options):
        page = self.browser.open(f"{self.server.url}/b/{board.removeprefix('/v1/boards/')}", **options)
        self.addCleanup(page.close)
        return page

    def settle(self, page, board):
        rows = on_screen(self.get(f"{board}/standings?limit=50")["rows"])
        page.until(shows(rows), f"the rows {rows}")


class Ranks(PageTest):
    """While scores stream in, many of them equal, what is on the screen obeys the board's tie rule."""

    def stream(self, board, chance, stop):
        client = self.server.new_client(self.server.key)
        while not stop.is_set():
            lines = [{"player": f"p{chance.randrange(80):02d}", "score": chance.randrange(12)} for _ in range(chance.randrange(1, 20))]
            client.stream(f"{board}/submissions", lines)
            # About as many a second as the page is told of.
            stop.wait(chance.random() / 10)

    def samples(self, ties, count=20):
        board = self.make_board(rule="last", ties=ties)
        chance = random.Random(SEED)
        self.api.stream(f"{board}/submissions", [{"player": f"p{number:02d}", "score": chance.randrange(12)} for number in range(80)])
        page = self.open(board)
        page.until('document.querySelectorAll("tbody tr").length === 50', "the first rows")
        stop = threading.Event()
        writer = threading.Thread(target=self.stream, args=(board, chance, stop), daemon=True)
        writer.start()
        found = [page.evaluate(ROWS)]
        try:
            while len(found) < count:
                # Each another one than the one before.
                found.append(page.until(f"(rows => !({shows(found[-1])}) && rows)({ROWS})", "other rows"))
        finally:
            stop.set()
            writer.join()
        self.settle(page, board)
        page.until(AT_REST, "the rows to come to rest")
        self.settle(page, board)
        self.assertEqual(page.errors(), [])
        return found

    def test_equal_scores_share_a_rank(self):
        ties = 0
        for rows in self.samples("shared"):
            self.assertEqual(len(rows), 50)
            rank = score = None
            for position, (its_rank, name, its_score) in enumerate(rows, 1):
                where = f"{name} at {position} of {rows}, seed {SEED}"
                if int(its_score) == score:
                    ties += 1
                else:
                    rank = position
                    self.assertTrue(score is None or int(its_score) < score, where)
                score = int(its_score)
                self.assertEqual(int(its_rank), rank, where)
            self.assertEqual(len({name for _, name, _ in rows}), 50, "each player once")
        self.assertGreater(ties, 20 * 30)

    def test_the_earlier_of_two_has_the_better_rank(self):
        for rows in self.samples("earliest"):
            self.assertEqual([int(rank) for rank, _, _ in rows], list(range(1, 51)), f"seed {SEED}")
            scores = [int(score) for _, _, score in rows]
            self.assertEqual(scores, sorted(scores, reverse=True), f"seed {SEED}")


class Live(PageTest):
    def test_the_first_score_appears_by_itself(self):
        board = self.make_board(title="Speed")
        page = self.open(board)
        page.until(f'{STATE}.startsWith("No scores yet")', "an empty board")
        self.assertEqual(page.text("h1"), "Speed")
        self.submit(board, "ada", 1200, name="Ada")
        page.until(f"{ROWS}.length === 1", "the first row")
        self.assertEqual(page.evaluate(ROWS), [["1", "Ada", "1,200"]])
        page.until(f'{STATE} === "Live"', "the state")
        self.assertEqual(page.text("#count"), "1 player")

    def test_it_asks_for_no_standings(self):
        board = self.filled([3, 2, 1])
        page = self.open(board)
        page.until(f"{ROWS}.length === 3", "the rows")
        self.submit(board, "p3", 10)
        page.until(f'{ROWS}[0][1] === "p3"', "p3 to lead")
        asked = page.evaluate('performance.getEntriesByType("resource").map(each => new URL(each.name).pathname)')
        self.assertEqual(sorted(set(asked)), ["/assets/board_page.css", "/assets/board_page.js", board])

    def test_where_no_websocket_comes_through_it_asks_now_and_then(self):
        board = self.filled([3, 2, 1])
        page = self.open(board, script="window.WebSocket = class { constructor() { setTimeout(() => this.onclose({code: 1006})) } }")
        page.until(f"{ROWS}.length === 3", "the rows")
        self.assertTrue(page.text("#state").startswith("Not live"), page.text("#state"))
        self.submit(board, "p3", 10)
        page.until(f'{ROWS}[0][1] === "p3"', "p3 to lead")
        self.assertEqual(page.text("#count"), "3 players")

    def test_text_of_others_stays_text(self):
        board = self.make_board(title="<i>T</i>")
        name = "<img src=x onerror=alert(1)>"
        self.submit(board, "a", 1, name=name)
        self.submit(board, "b", 2, name="مريم")
        page = self.open(board)
        page.until(f"{ROWS}.length === 2", "the rows")
        self.assertEqual([row[1] for row in page.evaluate(ROWS)], ["مريم", name])
        self.assertEqual(page.text("h1"), "<i>T</i>")
        self.assertEqual(page.evaluate('document.querySelectorAll("main img, h1 i").length'), 0)
        self.assertEqual(page.errors(), [])

    def test_columns_and_their_decimals(self):
        board = self.make_board(columns=[{"name": "points"}, {"name": "goal_difference", "decimals": 2}])
        self.submit(board, "a", {"points": 1234, "goal_difference": -1.5})
        page = self.open(board)
        page.until(f"{ROWS}.length === 1", "the row")
        self.assertEqual(page.evaluate('[...document.querySelectorAll("th")].map(each => each.textContent)'),
                         ["Rank", "Player", "points", "goal difference"])
        self.assertEqual(page.evaluate(ROWS), [["1", "a", "1,234", "-1.50"]])

    def test_who_climbs_glides_there(self):
        board = self.filled([50, 40, 30, 20, 10])
        page = self.open(board)
        page.until(f"{ROWS}.length === 5", "the rows")
        page.slow_down()
        self.submit(board, "p5", 60)
        page.until(f"{GLIDES} === 5", "all five to be under way")
        marked = page.evaluate("""document.getAnimations().filter(each => each.effect.getKeyframes().some(frame => "backgroundColor" in frame))
            .map(each => each.effect.target.querySelector("bdi").textContent)""")
        self.assertEqual(marked, ["p5"], "the others have only made room")
        page.evaluate("document.getAnimations().forEach(each => each.finish())")
        self.assertTrue(page.evaluate(AT_REST))
        self.assertEqual([row[1] for row in page.evaluate(ROWS)], ["p5", "p1", "p2", "p3", "p4"])

    def test_who_wants_no_motion_gets_none(self):
        board = self.filled([50, 40, 30, 20, 10])
        page = self.open(board, still=True)
        page.until(f"{ROWS}.length === 5", "the rows")
        page.slow_down()
        self.submit(board, "p5", 60)
        page.until(f'{ROWS}[0][1] === "p5"', "p5 to lead")
        self.assertEqual(page.evaluate(GLIDES), 0)
        self.assertEqual(page.evaluate("document.getAnimations().length"), 1, "the mark of the row that changed")

    def test_a_narrow_screen_needs_no_scrolling_sideways(self):
        long = self.make_board(title="A board with a rather long title_without_any_place_to_break_it")
        self.submit(long, "a" * 128, 9007199254740991, name="W" * 64)
        columns = [{"name": "points"}, {"name": "goal_difference"}, {"name": "goals_for"}]
        league = self.make_board(columns=columns)
        self.submit(league, "p_001249", {"points": 100, "goal_difference": -100, "goals_for": 100}, name="Wolverhampton")
        for board in (long, league):
            with self.subTest(board):
                page = self.open(board, width=390, height=800)
                page.until(f"{ROWS}.length === 1", "the row")
                self.assertLessEqual(page.evaluate("document.documentElement.scrollWidth"), 390)
                self.assertLessEqual(page.evaluate('document.querySelector("table").getBoundingClientRect().right'), 390)

    def test_the_list_of_boards(self):
        self.make_board(id="page-list", title="In the list")
        page = self.browser.open(f"{self.server.url}/")
        self.addCleanup(page.close)
        page.until("""[...document.querySelectorAll("a")].some(each => each.textContent === "In the list" && each.pathname === "/b/page-list")""",
                   "the board")
        self.make_board(id="page-list-2", title="Made later")
        page.until("""[...document.querySelectorAll("a")].some(each => each.textContent === "Made later")""", "the new board")
        self.assertEqual(page.errors(), [])


class Life(PageTest):
    def test_a_closed_board_says_so(self):
        board = self.filled([2, 1])
        page = self.open(board)
        page.until(f'{STATE} === "Live"', "the rows")
        self.assertEqual(self.api.post(f"{board}/close").status, 200)
        page.until(f'{STATE}.startsWith("Closed")', "the end")
        self.assertEqual(len(page.evaluate(ROWS)), 2)
        self.assertEqual(self.api.post(f"{board}/reopen").status, 200)
        page.until(f'{STATE} === "Live"', "it to go on")

    def test_a_board_that_was_deleted_and_made_anew(self):
        board = self.filled([2, 1])
        page = self.open(board)
        page.until(f"{ROWS}.length === 2", "the rows")
        self.assertEqual(self.api.delete(board).status, 204)
        page.until(f'{STATE}.startsWith("There is no board")', "the end")
        self.assertEqual(page.evaluate(ROWS), [])
        self.make_board(id=board.removeprefix("/v1/boards/"), columns=[{"name": "time", "decimals": 1}])
        self.submit(board, "z", 5)
        page.until(shows([["1", "z", "5.0"]]), "the new board")

    def test_a_reset_and_other_columns(self):
        board = self.filled([2, 1])
        page = self.open(board)
        page.until(f"{ROWS}.length === 2", "the rows")
        self.assertEqual(self.api.post(f"{board}/reset").status, 200)
        page.until(f'{STATE}.startsWith("No scores yet")', "an empty board")
        self.submit(board, "y", 7)
        page.until(shows([["1", "y", "7"]]), "the new row")

    def test_a_server_that_was_killed(self):
        with Server() as server:
            self.assertEqual(server.api.post("/v1/boards", {"id": "b"}).status, 201)
            for player in ("a", "b"):
                server.api.post("/v1/boards/b/submissions", {"player": player, "score": 1})
            page = self.browser.open(f"{server.url}/b/b")
            self.addCleanup(page.close)
            page.until(f"{ROWS}.length === 2", "the rows")
            port = server.port
            server.kill()
            page.until(f'{STATE}.startsWith("Connection lost")', "the loss to show")
            self.assertEqual(len(page.evaluate(ROWS)), 2, "what was there is still shown")
            server.start(f"127.0.0.1:{port}")
            server.api.post("/v1/boards/b/submissions", {"player": "c", "score": 2})
            page.until(f'{ROWS}.length === 3 && {STATE} === "Live"', "the board as it is now")
            self.assertEqual(page.evaluate(ROWS), on_screen(server.public.get("/v1/boards/b/standings").json["rows"]))


if __name__ == "__main__":
    unittest.main()
