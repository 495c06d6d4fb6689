"""Six football seasons, posted as NDJSON, give the final tables that were counted independently."""

import json
import os
import pathlib
import unittest

from support.client import ndjson
from support.server import ROOT, ServerTest, wait_until

SHARED = pathlib.Path(os.environ.get("STANDINGS_SHARED", ROOT.parent / "shared"))
FOLDER = SHARED / "data" / "football"
COLUMNS = ("points", "goal_difference", "goals_for")
BOARD = {"rule": "sum", "columns": [{"name": name, "order": "desc", "decimals": 0} for name in COLUMNS]}


def seasons():
    tables = json.loads((FOLDER / "final-tables.json").read_text())
    for name, season in sorted(tables.items()):
        lines = [json.loads(line) for line in (FOLDER / f"{name}.ndjson").read_text().splitlines()]
        yield name, lines, season["table"]


def as_rows(table):
    return sorted((row["rank"], row["player"], row["name"], *(row[column] for column in COLUMNS)) for row in table)


def totals_after(lines, count):
    totals = {}
    for line in lines[:count]:
        row = totals.setdefault(line["player"], [0, 0, 0])
        for index, column in enumerate(COLUMNS):
            row[index] += line["scores"][column]
    return {player: tuple(row) for player, row in totals.items()}


@unittest.skipUnless(FOLDER.is_dir(), f"the football data is not in {FOLDER}")
class Football(ServerTest):
    def table(self, board):
        answer = self.server.public.get(f"{board}/standings?limit=100")
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def assert_final(self, board, expected):
        page = self.table(board)
        rows = [(row["rank"], row["player"], row["name"], *(row["scores"][column] for column in COLUMNS))
                for row in page["rows"]]
        self.assertEqual(sorted(rows), as_rows(expected))
        self.assertEqual([row["rank"] for row in page["rows"]], sorted(row["rank"] for row in page["rows"]))
        self.assertEqual([row["position"] for row in page["rows"]], list(range(1, len(expected) + 1)))
        self.assertEqual(page["total"], len(expected))

    def totals(self, board):
        return {row["player"]: tuple(row["scores"][column] for column in COLUMNS) for row in self.table(board)["rows"]}

    def test_a_season_posted_as_one_stream_gives_the_final_table(self):
        for name, lines, expected in seasons():
            with self.subTest(name):
                board = self.make_board(id=name, title=name, **BOARD)
                answer = self.server.api.stream(f"{board}/submissions", lines)
                self.assertEqual(answer.status, 200, answer)
                summary = answer.json["summary"]
                self.assertEqual((summary["lines"], summary["accepted"], summary["rejected"]),
                                 (len(lines), len(lines), 0), answer)
                self.assertEqual(answer.json.get("problems", []), [])
                self.assert_final(board, expected)
        self.server.restart()
        for name, _, expected in seasons():
            with self.subTest(name, after="restart"):
                self.assert_final(f"/v1/boards/{name}", expected)

    def test_a_stream_cut_by_a_kill_goes_on_with_the_same_key(self):
        for number, (name, lines, expected) in enumerate(seasons()):
            with self.subTest(name):
                board = self.make_board(id=f"killed-{name}", **BOARD)
                key = f"season-{name}"
                # Another place in the stream for each season.
                sent = 150 + 100 * number
                seen = self.kill_in_mid_stream(board, key, lines, sent)
                self.server.start()

                # What is there is exactly a prefix of the stream, and not less than was seen.
                left = self.totals(board)
                prefixes = [count for count in range(sent + 1) if totals_after(lines, count) == left]
                self.assertTrue(prefixes, f"not a prefix of the stream: {left}")
                self.assertGreaterEqual(prefixes[-1], seen)

                answer = self.server.api.stream(f"{board}/submissions", ndjson(lines), idempotency_key=key)
                self.assertEqual(answer.status, 200, answer)
                self.assertEqual(answer.json["summary"]["rejected"], 0, answer)
                self.assert_final(board, expected)

                again = self.server.api.stream(f"{board}/submissions", ndjson(lines), idempotency_key=key)
                self.assertEqual(again.status, 200, again)
                self.assert_final(board, expected)

                other = self.server.api.stream(f"{board}/submissions", ndjson(lines[1:]), idempotency_key=key)
                self.assert_problem(other, 422)
                self.assert_final(board, expected)

    def kill_in_mid_stream(self, board, key, lines, count):
        """Sends the first `count` lines of an unfinished stream, kills the server once some are
        visible, and returns how many lines were."""
        with self.server.raw() as raw:
            raw.send((f"POST {board}/submissions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.server.key}\r\n"
                      f"Content-Type: application/x-ndjson\r\nIdempotency-Key: {key}\r\n"
                      "Transfer-Encoding: chunked\r\n\r\n").encode())
            for line in lines[:count]:
                piece = ndjson([line])
                raw.send(b"%x\r\n%s\r\n" % (len(piece), piece))
            prefix_of = {tuple(sorted(totals_after(lines, at).items())): at for at in range(count + 1)}

            def visible():
                return prefix_of[tuple(sorted(self.totals(board).items()))]
            seen = wait_until(visible, "a line of the stream to be visible")
            self.server.kill()
            return seen


if __name__ == "__main__":
    unittest.main()
