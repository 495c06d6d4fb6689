"""`standings import` from outside: formats, mapping, rejects, resuming after kills, sorted sets of Redis.

STANDINGS_TEST_SCALE=50 makes it 1M members and 10M lines that are killed five times.
"""

import collections
import contextlib
import gzip
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from support.server import KEY, Server, ServerTest, program, wait_until

SCALE = int(os.environ.get("STANDINGS_TEST_SCALE", "1"))
SEED = int(os.environ.get("STANDINGS_SEED", str(random.randrange(2**32))))
MEMBERS = 20_000 * SCALE
KILL_LINES = 200_000 * SCALE
KILLS = 5
PLAYERS = 1000
SECONDS = 60 + 60 * SCALE  # one import of the scaled tests takes no longer


def strace_works():
    if not shutil.which("strace"):
        return False
    return subprocess.run(["strace", "-f", "-o", "/dev/null", "true"], capture_output=True).returncode == 0


class ImportTest(ServerTest):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="standings-import-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def environment(self):
        clean = {name: value for name, value in os.environ.items() if not name.startswith("STANDINGS_")}
        return {**clean, "STANDINGS_KEY": KEY, "STANDINGS_SERVER": self.server.url}

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def begin(self, *args, **more):
        process = subprocess.Popen(
            [str(program()), "import", *map(str, args), "-o", "json"], cwd=self.folder, env=self.environment(),
            stdin=more.pop("stdin", subprocess.DEVNULL), stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def run_import(self, *args, status=0, stdin=b"", seconds=SECONDS):
        """The summary of an import that ends with `status`; its errors, where it has no summary."""
        done = subprocess.run(
            [str(program()), "import", *map(str, args), "-o", "json"], cwd=self.folder, env=self.environment(),
            input=stdin, capture_output=True, timeout=seconds)
        self.assertEqual(done.returncode, status, done)
        self.errors = done.stderr.decode()
        return json.loads(done.stdout) if done.stdout else None

    def board_id(self, **settings):
        return self.make_board(**settings).rsplit("/", 1)[1]

    def rows(self, board):
        rows, cursor = [], ""
        while True:
            page = self.server.api.get(f"/v1/boards/{board}/standings?limit=1000{cursor}").json
            rows += page["rows"]
            if "next_cursor" not in page:
                return rows
            cursor = "&cursor=" + page["next_cursor"]

    def scores(self, board):
        return {row["player"]: row["score"] for row in self.rows(board)}

    def rejects(self, name):
        return [json.loads(line) for line in (self.folder / name).read_text().splitlines()]


class Formats(ImportTest):
    EXPECTED = {"ada": 30, "bob": 20, "eve": 10}

    def expect(self, name, content, *args):
        for pack, ending in ((bytes, ""), (gzip.compress, ".gz")):
            with self.subTest(name=name + ending):
                board = self.board_id()
                path = self.write(name + ending, pack(content))
                summary = self.run_import(path, "--board", board, *args)
                self.assertEqual((summary["rows"], summary["accepted"], summary["rejected"]), (3, 3, 0), summary)
                self.assertEqual(self.scores(board), self.EXPECTED)

    def test_ndjson(self):
        self.expect("s.ndjson", b'{"player":"ada","score":30}\n\n{"player":"bob","score":2e1}\r\n{"player":"eve","score":10}')

    def test_csv_with_mark_and_crlf(self):
        self.expect("s.csv", b'\xef\xbb\xbfplayer,score\r\nada,30\r\n"bob","20"\r\neve, 10 \r\n')

    def test_tsv(self):
        self.expect("s.tsv", b"player\tscore\nada\t30\nbob\t20\neve\t10\n")

    def test_the_content_tells_the_format_where_the_name_does_not(self):
        self.expect("a.data", b'{"player":"ada","score":30}\n{"player":"bob","score":20}\n{"player":"eve","score":10}\n')
        self.expect("b.data", b"score,player\n30,ada\n20,bob\n10,eve\n")
        self.expect("c.data", b"score\tplayer\n30\tada\n20\tbob\n10\teve\n")
        self.expect("d.txt", b"player,score\nada,30\nbob,20\neve,10\n", "--format", "csv")

    def test_any_separator_by_flag(self):
        self.expect("s.csv", b'player;score;name\r\nada;30;"A;da"\r\nbob;20;\r\n"eve";"10";E,ve\r\n', "--separator", ";")
        self.expect("s.txt", b"player|score\nada|30\nbob|20\neve|10\n", "--separator", "|")
        self.expect("s.csv", b"player\tscore\nada\t30\nbob\t20\neve\t10\n", "--separator", "tab")
        self.expect("s.tsv", b"player,score\nada,30\nbob,20\neve,10\n", "--separator", ",")

    def test_another_separator_is_guessed_and_said(self):
        board = self.board_id()
        for text, args, says in (("player;score\na;1\n", (), "seems to be ';'. Say so with --separator ';'"),
                                 ("player\tscore\na\t1\n", (), "seems to be a tab. Say so with --separator tab"),
                                 ("player,score\na,1\n", ("--format", "tsv"), "seems to be ','. Say so with --separator ','"),
                                 ("player|score\na|1\n", ("--separator", ";"), "seems to be '|'. Say so with --separator '|'")):
            with self.subTest(says=says):
                path = self.write("s.csv", text)
                self.run_import(path, "--board", board, *args, status=2)
                self.assertIn(says, self.errors)
                self.run_import(path, "--board", board, "--separator", says.split()[-1].strip("'"))
        self.run_import(self.write("s.csv", "player;score\nb;1,5\n"), "--board", board, "--separator", ";", status=1)
        self.assertIn("decimals follow a point", self.rejects("s.csv.rejects.ndjson")[0]["reason"])
        self.run_import(self.write("s.ndjson", '{"player":"a","score":1}\n'), "--board", board, "--separator", ";", status=2)
        self.assertIn("NDJSON, which has no separator", self.errors)
        self.run_import("s.csv", "--board", board, "--separator", "x", status=2)
        self.assertIn("--separator: it is , or ; or | or tab, not 'x'", self.errors)

    def test_what_is_no_text_is_refused_with_what_is_read(self):
        board = self.board_id()
        for name, content, says in (("s.xlsx", b"PK\x03\x04\x14\0" + bytes(100), "is a spreadsheet; import reads NDJSON, CSV and TSV"),
                                    ("S.ODS", b"PK", "is a spreadsheet; import reads"),
                                    ("s.bin", b"PK\x03\x04\x14\0" + bytes(100), "is no text; import reads NDJSON, CSV and TSV")):
            with self.subTest(name=name):
                self.run_import(self.write(name, content), "--board", board, status=2)
                self.assertIn(says, self.errors)
        # Whoever says the format knows better than the name.
        self.run_import(self.write("s.xls", "player\tscore\na\t1\n"), "--board", board, "--format", "tsv")

    def test_standard_input_is_known_again(self):
        board = self.board_id(rule="sum")
        text = b"player,score\nada,30\nbob,20\neve,10\n"
        for already_there in (0, 3):
            summary = self.run_import("-", "--board", board, stdin=gzip.compress(text) if already_there else text)
            self.assertEqual(summary["already_there"], already_there)
            self.assertEqual(self.scores(board), self.EXPECTED)

    def test_mapping_names_and_several_columns(self):
        board = self.board_id(rule="sum", columns=[{"name": "points"}, {"name": "time", "order": "asc", "decimals": 2}])
        path = self.write("s.csv", 'user,pts,time,who,when,notes,extra\n'
                          'u1,3,1.50,"Ay\u015fe ""A"" Y\u0131ld\u0131z",2026-01-01T10:00:00+01:00,"two\nlines","{""car"":""gt3""}"\n'
                          'u2,4,2,,,,\n')
        summary = self.run_import(path, "--board", board, "--map", "user=player,pts=points,who=name",
                                  "--map", "when=occurred_at,notes=,extra=meta")
        self.assertEqual(summary["accepted"], 2, summary)
        rows = {row["player"]: row for row in self.rows(board)}
        self.assertEqual(json.dumps(rows["u1"]["scores"], default=str), '{"points": 3, "time": "1.5"}')
        self.assertEqual(rows["u1"]["name"], 'Ay\u015fe "A" Y\u0131ld\u0131z')
        self.assertEqual(rows["u2"]["scores"], {"points": 4, "time": 2})
        path = self.write("s.ndjson", '{"player":"u3","scores":{"points":1,"time":1},"name":"Z"}\n'
                          '{"player":4,"points":1,"time":1}\n')
        self.assertEqual(self.run_import(path, "--board", board)["accepted"], 2)

    def test_what_means_nothing_is_refused_with_what_to_do(self):
        board = self.board_id()
        for name, content, args, says in (
                ("a.csv", "player,score,team\na,1,x\n", (), "--map 'team='"),
                ("a.csv", "user,score\na,1\n", ("--map", "usr=player"), "--map names 'usr'"),
                ("a.csv", "player,points\na,1\n", ("--map", "points="), "--map COLUMN=score"),
                ("a.csv", "player,score\na,1\n", ("--map", "player=points"), "knows no such thing"),
                ("a.csv", "player,user,score\na,b,1\n", ("--map", "user=player"), "Two columns"),
                ("a.csv", "player,score,score\na,1,2\n", (), "The header has two columns 'score'"),
                ("a.csv", "a,1\nb,2\n", (), "The first row says what the columns are, like player,score, and 'a, 1' names nothing"),
                ("a.csv", "Player,score\na,1\n", (), "Say what it is with --map 'Player=player'"),
                ("a.csv", "player,score\na,1\n", ("--map", "score=score", "--map", "score="), "--map names 'score' twice"),
                ("a.csv", "player,score\na,1\n", ("--rejects", "-"), "--rejects is a file"),
                ("a.ndjson", '{"player":"a","score":1,"team":"x"}\n', (), "--map 'team='"),
                ("a.json", '[{"player":"a","score":1}]', (), "jq"),
                ("a.json", '{"board":"b","rows":[\n{"player":"a","score":1},\n', (), "export --format ndjson"),
                ("a.json", '{\n  "rows": [', ("--format", "ndjson"), "one JSON document over several lines"),
                ("a.csv", "", (), "is empty"),
                ("a.csv.gz", gzip.compress(b"player,score\na,1\n" * 100)[:-10], (), "cut off")):
            with self.subTest(says=says):
                status = 1 if says == "cut off" else 2
                self.run_import(self.write(name, content), "--board", board, *args, status=status)
                self.assertIn(says, self.errors)
        self.run_import("none.csv", "--board", board, status=1)
        self.assertIn("cannot read none.csv", self.errors)
        self.assertEqual(self.rows(board), [])
        for args in (("--board", board), ("a.csv",), ("a.csv", "--board", "No Slug"), ("a.csv", "--board", board, "--decimals", "2"),
                     ("a.csv", "--board", board, "--from", "redis://x/y"), ("--from", "http://x/y", "--board", board)):
            self.run_import(*args, status=2)

    def test_an_export_as_json_is_refused_before_a_board_is_made(self):
        board = self.board_id()
        self.run_import(self.write("s.csv", "player,score\na,1\nb,2\n"), "--board", board)
        text = self.server.api.get(f"/v1/boards/{board}/export?format=json").body
        path = self.write("export.json", text)
        self.run_import(path, "--board", "from-json", "--create", "best:score", status=2)
        self.assertIn("standings export --format ndjson", self.errors)
        self.assertIn("jq -c '.rows[]' FILE", self.errors)
        self.assertEqual(self.server.api.get("/v1/boards/from-json").status, 404)
        rows = "".join(json.dumps(row) + "\n" for row in json.loads(text)["rows"])
        summary = self.run_import(self.write("rows.ndjson", rows), "--board", "from-json", "--create", "best:score")
        self.assertEqual(summary["accepted"], 2)

    def test_a_board_is_made_when_it_is_missing(self):
        path = self.write("s.csv", "player,points,goal_difference,goals_for\na,3,-2,1\nb,3,4,9\n")
        for board, args in (("made-1", ["--create", "sum:points,goal_difference,goals_for"]),):
            self.run_import(path, "--board", board, status=1)
            self.assertIn("--create", self.errors)
            self.assertEqual(self.run_import(path, "--board", board, *args)["accepted"], 2)
            self.assertEqual([row["player"] for row in self.rows(board)], ["b", "a"])
            self.assertEqual(self.server.api.get(f"/v1/boards/{board}").json["rule"], "sum")
            self.assertEqual(self.run_import(path, "--board", board, *args)["already_there"], 2)
            self.run_import(path, "--board", board, "--create", "best:points,goal_difference,goals_for", status=2)
            self.assertIn("exists as sum:points:desc:0", self.errors)
        for spec in ("most:points", "sum:", "sum:a:up", "sum:a,b,c,d,e"):
            self.run_import(path, "--board", "never", "--create", spec, status=2)

    def test_a_dry_run_sends_nothing(self):
        path = self.write("s.csv", "player,time\na,1.25\nb,x\nc,2\n")
        summary = self.run_import(path, "--board", "dry", "--create", "best:time:asc:2", "--dry-run")
        self.assertEqual((summary["rows"], summary["valid"], summary["rejected"]), (3, 2, 1))
        self.assertEqual(summary["first_rows"], [{"player": "a", "score": 1.25}, {"player": "c", "score": 2}])
        self.assertEqual(self.server.api.get("/v1/boards/dry").status, 404)
        self.assertEqual([reject["line"] for reject in self.rejects("s.csv.rejects.ndjson")], [3])

    def test_rejects_name_line_reason_and_row(self):
        board = self.board_id(limits={"min": 0, "max": 100})
        path = self.write("s.csv", b'player,score,name\n'
                          b'ok,1,A\nbad id,2,\nb,1.5,\n'
                          b'c,999,"two\nlines"\n'          # wrong by the name first
                          b'd,999,D\n'                     # the server's limit
                          b'e,1\nf,"3"x,\ng,4,\xff\n'
                          b'h,' + b"9" * 70000 + b',\nlast,2,L\nopen,"3,\n')
        for expected in ("fresh", "again"):
            summary = self.run_import(path, "--board", board)
            self.assertEqual((summary["rows"], summary["accepted"], summary["rejected"]), (11, 2, 9), summary)
            rejects = {reject["line"]: reject for reject in self.rejects("s.csv.rejects.ndjson")}
            self.assertEqual(sorted(rejects), [3, 4, 5, 7, 8, 9, 10, 11, 13], expected)
            self.assertIn("is no id", rejects[3]["reason"])
            self.assertIn("must be whole", rejects[4]["reason"])
            self.assertEqual(rejects[5]["row"], 'c,999,"two\nlines"')
            self.assertIn("The server: ", rejects[7]["reason"])
            self.assertIn("2 fields", rejects[8]["reason"])
            self.assertIn("closing quote", rejects[9]["reason"])
            self.assertEqual(rejects[10]["row"], "g,4,\ufffd")
            self.assertIn("64 KiB", rejects[11]["reason"])
            self.assertIn("never closed", rejects[13]["reason"])
        self.assertEqual(self.scores(board), {"ok": 1, "last": 2})
        # All wrong is a failure; an old file of rejects goes when there are none.
        path = self.write("t.ndjson", "nonsense\n")
        self.run_import(path, "--board", board, "--rejects", "mine.ndjson", status=1)
        self.assertEqual(len(self.rejects("mine.ndjson")), 1)
        path = self.write("t.ndjson", '{"player":"t","score":1}\n')
        self.run_import(path, "--board", board, "--rejects", "mine.ndjson")
        self.assertFalse((self.folder / "mine.ndjson").exists())

    def test_rejects_go_where_they_are_told_and_nothing_else_changes(self):
        board = self.board_id()
        path = self.write("s.csv", "player,score\na,x\nb,1\n")
        kept = self.write("kept", '{"line":1,"reason":"of an earlier run","row":"old"}\n')
        kept.chmod(0o600)
        (self.folder / "link").symlink_to(kept)
        self.run_import(path, "--board", board, "--rejects", "link")
        self.assertTrue((self.folder / "link").is_symlink())
        self.assertEqual([reject["line"] for reject in self.rejects("kept")], [2])
        self.assertEqual(kept.stat().st_mode & 0o777, 0o600)
        os.mkfifo(self.folder / "pipe")
        got = []
        reader = threading.Thread(target=lambda: got.append((self.folder / "pipe").read_text()))
        reader.start()
        self.run_import(path, "--board", board, "--rejects", "pipe", "--dry-run")
        reader.join(SECONDS)
        self.assertEqual(json.loads(got[0])["line"], 2)
        self.assertTrue((self.folder / "pipe").is_fifo())
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ["kept", "link", "pipe", "s.csv"])

    def test_every_row_that_the_server_refuses_is_named(self):
        board = self.board_id(limits={"min": 0, "max": 100})
        path = self.write("many.csv", "player,score\n" + "".join(f"p{i},{i}\n" for i in range(5000)))
        for already_there in (0, 5000):
            summary = self.run_import(path, "--board", board)
            self.assertEqual((summary["accepted"], summary["rejected"], summary["already_there"]), (101, 4899, already_there))
            self.assertNotIn("unnamed", summary)
            rejects = self.rejects("many.csv.rejects.ndjson")
            self.assertEqual([reject["line"] for reject in rejects], list(range(103, 5002)))
            self.assertEqual({reject["row"] for reject in rejects}, {f"p{i},{i}" for i in range(101, 5000)})
        # Without that file nobody knows any more; one of another import does not count as it.
        for other in (None, '{"line":103,"reason":"The server: no","row":"other,1"}\n' * 2):
            (self.folder / "many.csv.rejects.ndjson").unlink(missing_ok=True)
            if other:
                self.write("many.csv.rejects.ndjson", other)
            summary = self.run_import(path, "--board", board)
            self.assertEqual((summary["rejected"], summary["unnamed"]), (4899, 4899))
            self.assertNotIn("rejects", summary)
            self.assertFalse((self.folder / "many.csv.rejects.ndjson").exists())

    def test_a_closed_board_ends_it_and_loses_nothing(self):
        board = self.board_id(rule="sum")
        path = self.write("s.csv", "player,score\na,1\nb,2\n")
        self.server.api.post(f"/v1/boards/{board}/close", {})
        for _ in range(2):
            self.run_import(path, "--board", board, status=1)
            self.assertIn(f"standings boards reopen {board}", self.errors)
        self.server.api.post(f"/v1/boards/{board}/reopen", {})
        summary = self.run_import(path, "--board", board)
        self.assertEqual((summary["accepted"], summary["rejected"]), (2, 0))
        self.assertEqual(self.scores(board), {"a": 1, "b": 2})

    def test_rejects_replace_no_other_file(self):
        board = self.board_id()
        path = self.write("s.csv", "player,score\na,x\nb,1\n")
        other = self.write("other.txt", "precious\n")
        clean = self.write("clean.csv", "player,score\na,1\n")
        for source, rejects, why in ((path, "s.csv", "to be imported"), (path, "./s.csv", "to be imported"),
                                     (path, "other.txt", "no file of rejects"), (clean, "other.txt", "no file of rejects")):
            for args in ((), ("--dry-run",)):
                before = {file.name: file.read_bytes() for file in self.folder.iterdir()}
                self.run_import(source, "--board", board, "--rejects", rejects, *args, status=2)
                self.assertIn(why, self.errors)
                self.assertIn("--rejects", self.errors)
                self.assertEqual({file.name: file.read_bytes() for file in self.folder.iterdir()}, before)
        self.assertEqual(self.scores(board), {})
        self.assertEqual(other.read_text(), "precious\n")

    def test_a_board_that_was_emptied_is_filled_again(self):
        board = self.board_id(rule="sum")
        path = self.write("s.ndjson", '{"player":"a","score":1}\n' * 10)
        for again in range(3):
            self.assertEqual(self.run_import(path, "--board", board)["already_there"], 0)
            self.assertEqual(self.run_import(path, "--board", board)["already_there"], 10)
            self.assertEqual(self.scores(board), {"a": 10})
            if again == 0:
                self.server.api.post(f"/v1/boards/{board}/reset")
            else:
                self.server.api.delete(f"/v1/boards/{board}")
                self.server.api.post("/v1/boards", {"id": board, "rule": "sum"})
            self.assertEqual(self.scores(board), {})

    def test_an_export_is_taken_as_it_is(self):
        for columns in ([{"name": "time", "order": "asc", "decimals": 1}], [{"name": "points"}, {"name": "goals"}]):
            boards = [self.board_id(columns=columns, ties="earliest") for _ in range(3)]
            scores = "time" if len(columns) == 1 else "points,goals"
            path = self.write("s.csv", f"player,name,meta,{scores}\n" + "".join(
                f'p{n},"N, {n}","{{""n"":{n}}}",' + ",".join("5" for _ in columns) + "\n" for n in range(20, 0, -1)))
            self.run_import(path, "--board", boards[0])
            for board, name in zip(boards[1:], ("e.csv", "e.ndjson")):
                with self.subTest(columns=columns, name=name):
                    done = subprocess.run([str(program()), "export", boards[0], name], cwd=self.folder, env=self.environment(),
                                          capture_output=True, text=True, timeout=60)
                    self.assertEqual(done.returncode, 0, done)
                    summary = self.run_import(name, "--board", board)
                    self.assertEqual((summary["accepted"], summary["rejected"]), (20, 0), summary)
                    plain = lambda row: {key: row[key] for key in row if key != "reached_at"}
                    self.assertEqual([plain(row) for row in self.rows(board)], [plain(row) for row in self.rows(boards[0])])

    def test_again_is_on_purpose(self):
        board = self.board_id(rule="sum")
        path = self.write("s.ndjson", '{"player":"a","score":1}\n' * 10)
        for total, args, already_there in ((10, (), 0), (10, (), 10), (20, ("--again",), 0), (20, (), 10),
                                           (30, ("--again",), 0)):
            summary = self.run_import(path, "--board", board, *args)
            self.assertEqual(summary["already_there"], already_there, args)
            self.assertEqual(self.scores(board), {"a": total})
        word = self.errors.split("--again-as ")[1].split()[0]
        self.assertEqual(self.run_import(path, "--board", board, "--again-as", word)["already_there"], 10, "it was said beforehand")
        for word in ("x", "", "0" * 16):
            self.run_import(path, "--board", board, "--again-as", word, status=2)
            self.assertIn(f"--again-as '{word}' is no word that --again has given for this import", self.errors)
        self.run_import(path, "--board", board, "--again-as", "x", "--again", status=2)
        self.assertEqual(self.scores(board), {"a": 30})
        # Another board, another content, another mapping: another import.
        other = self.board_id(rule="sum")
        self.run_import(path, "--board", other)
        self.assertEqual(self.scores(other), {"a": 10})

    def test_a_mapping_is_the_same_in_any_order(self):
        board = self.board_id(rule="sum")
        path = self.write("s.csv", "user,pts,notes\na,1,x\n" + "b,1,y\n" * 9)
        for args, already_there in ((("user=player,pts=score,notes=",), 0), (("notes=", "--map", "pts=score,user=player"), 10)):
            self.assertEqual(self.run_import(path, "--board", board, "--map", *args)["already_there"], already_there)
        self.assertEqual(self.scores(board), {"a": 1, "b": 9})

    def test_rejected_rows_are_mended_in_a_file_of_their_own(self):
        # Mended in the same file, all the others would count twice.
        board, best = self.board_id(rule="sum"), self.board_id()
        good = "player,score\n" + "a,1\n" * 10
        path = self.write("s.csv", good + "b,x\n")
        self.assertEqual(self.run_import(path, "--board", board)["rejected"], 1)
        self.write("s.csv", good + "b,5\n")
        for looks_first in (False, True):
            if looks_first:
                self.run_import(path, "--board", board, "--dry-run")
            self.run_import(path, "--board", board, status=2)
            for words in ("s.csv has other content than when it was imported to", "a file of their own", "If all rows are new, move"):
                self.assertIn(words, self.errors)
            self.assertEqual(self.scores(board), {"a": 10})
            self.assertEqual(len(self.rejects("s.csv.rejects.ndjson")), 1, "they are still there")
        # As docs/import.md has it.
        rows = "".join(reject["row"] + "\n" for reject in self.rejects("s.csv.rejects.ndjson"))
        self.run_import(self.write("mended.csv", "player,score\n" + rows.replace("x", "5")), "--board", board)
        self.assertEqual(self.scores(board), {"a": 10, "b": 5})
        # A board that adds nothing up takes it, and so does one that has begun anew.
        self.assertEqual(self.run_import(path, "--board", best)["accepted"], 11)
        self.assertIn("no row was rejected; removed", self.errors)
        self.write("s.csv", good + "b,x\n")
        self.run_import(path, "--board", board)
        self.server.api.post(f"/v1/boards/{board}/reset")
        self.write("s.csv", good + "b,5\n")
        self.assertEqual(self.run_import(path, "--board", board)["accepted"], 11)
        self.assertEqual(self.run_import(path, "--board", board)["already_there"], 11)

    def test_a_board_that_is_made_takes_any_content(self):
        path = self.write("s.csv", "player,score\na,1\nb,x\n")
        for life in range(2):
            self.run_import(path, "--board", "made-anew", "--create", "sum:score")
            self.write("s.csv", "player,score\na,1\nb,5\n")
            self.server.api.delete("/v1/boards/made-anew")
        self.run_import(path, "--board", "made-anew", "--create", "sum:score", "--again-as", "x", status=1)
        self.assertEqual(self.server.api.get("/v1/boards/made-anew").status, 404, "nothing was made")

    def test_again_takes_a_file_that_was_mended(self):
        board = self.board_id(rule="sum")
        path = self.write("s.csv", "player,score\na,1\nb,x\n")
        self.run_import(path, "--board", board)
        self.write("s.csv", "player,score\na,1\nb,5\n")
        self.run_import(path, "--board", board, "--again")
        self.assertEqual(self.scores(board), {"a": 2, "b": 5})

    def test_a_name_of_blanks_is_none(self):
        board = self.board_id()
        self.run_import(self.write("s.csv", "player,score,name\na,1,  \nb,1,\n"), "--board", board)
        self.run_import(self.write("s.ndjson", '{"player":"c","score":1,"name":""}\n{"player":"d","score":1,"name":" "}\n'), "--board", board)
        self.assertEqual([row.get("name") for row in self.rows(board)], [None] * 4)

    def test_the_exit_code_of_a_file_without_rows(self):
        board = self.board_id()
        for name, content, status in (("a.csv", "player,score\n", 0), ("a.ndjson", "\n", 0), ("b.csv", "player,score\na,x\n", 1)):
            self.run_import(self.write(name, content), "--board", board, status=status)

    def test_the_table_and_refusals(self):
        board = self.board_id()
        path = self.write("s.ndjson", '{"player":"a","score":1}\n')
        done = subprocess.run([str(program()), "import", str(path), "--board", board], env=self.environment(),
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done)
        self.assertRegex(done.stdout, r"(?m)^accepted +1$")
        self.assertNotIn("\x1b", done.stdout + done.stderr)
        self.run_import(path, "--board", board, "--key", "wrong", status=1)
        self.assertNotIn("Traceback", self.errors)
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            self.run_import(path, "--board", board, "--server", f"http://127.0.0.1:{closed.getsockname()[1]}", status=1)


class Relay:
    """Stands between a client and the server, and lets `limit` bytes of the client pass. Then both sides stay connected,
    and what the server says still passes. A request with `held` in its head waits until `go_on` is set. With `rate`, so
    many bytes of a client pass in a second."""

    def __init__(self, port, limit=2**30, held=None, rate=None):
        self.port, self.limit, self.held, self.rate = port, limit, held, rate
        self.waits, self.go_on = threading.Event(), threading.Event()
        self.passed = bytearray()
        self.sockets = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.go_on.set()
        self.cut()

    def cut(self):
        """Ends the connections that there are."""
        for end in self.sockets:
            # A thread may still wait for it.
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()
        self.sockets = []

    def accept(self):
        try:
            while True:
                client = self.listener.accept()[0]
                try:
                    server = socket.create_connection(("127.0.0.1", self.port))
                except ConnectionRefusedError:  # it is down for a while
                    client.close()
                    continue
                self.sockets += [client, server]
                threading.Thread(target=self.forward, args=(client, server), daemon=True).start()
                threading.Thread(target=self.answer, args=(server, client), daemon=True).start()
        except OSError:
            pass

    def forward(self, client, server):
        try:
            while len(self.passed) < self.limit:
                piece = client.recv(min(8192 if self.rate else 65536, self.limit - len(self.passed)))
                if not piece:
                    break
                if self.held and self.held in piece:
                    self.waits.set()
                    self.go_on.wait()
                self.passed += piece  # before the next request can follow from it
                server.sendall(piece)
                if self.rate:
                    time.sleep(len(piece) / self.rate)
        except OSError:
            client.close()  # unread bytes make that a reset, as the end of the server itself would be

    @staticmethod
    def answer(server, client):
        with contextlib.suppress(OSError):
            while piece := server.recv(65536):
                client.sendall(piece)
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_WR)

    def lines(self):
        """How many whole lines of the stream have passed, once the limit is reached."""
        wait_until(lambda: len(self.passed) == self.limit, "the limit to be reached")
        at = self.passed.index(b"\r\n\r\n", self.passed.index(b"POST ")) + 4
        lines = 0
        while (end := self.passed.find(b"\r\n", at)) > 0:
            size = int(self.passed[at:end], 16)
            lines += self.passed[end + 2:end + 2 + size].count(b"\n")
            at = end + 2 + size + 2
        return lines


class Resume(ImportTest):
    """Whatever is killed, the totals are exact in the end."""

    def make_file(self, name="big.ndjson", lines=KILL_LINES):
        chance = random.Random(SEED)
        totals = collections.Counter()
        path = self.folder / name
        with open(path, "w") as file:
            for _ in range(lines):
                player, score = f"u{chance.randrange(PLAYERS)}", chance.randrange(1, 100)
                totals[player] += score
                file.write(f'{{"player":"{player}","score":{score}}}\n')
        return path, dict(totals)

    def seq(self, board):
        return self.server.new_client().get(f"/v1/boards/{board}").json["seq"]

    def slow_relay(self, path):
        """Lets the file through in six seconds, so that an import of it is not over before it can be ended."""
        return Relay(self.listen_port, rate=path.stat().st_size / 6)

    def begin_slowly(self, relay, path, board, *args):
        """An import that is under way."""
        relay.cut()  # what an ended import has left on its way would be taken for this one's
        before = len(relay.passed)
        process = self.begin(path, "--board", board, "--server", relay.url, *args)
        wait_until(lambda: len(relay.passed) > before + 100_000, "the import to be under way", 60)
        return process

    def wait_for_headway(self, board, before):
        wait_until(lambda: self.seq(board) > before, "the import to make headway", 60)

    def test_killed_clients_and_servers(self):
        print(f"\nSTANDINGS_SEED={SEED}", flush=True)
        path, totals = self.make_file()
        board = self.board_id(rule="sum")
        began = time.monotonic()
        cut = 0
        with self.slow_relay(path) as relay:
            for kill in range(KILLS):
                before = self.seq(board)
                process = self.begin(path, "--board", board, "--server", relay.url)
                self.wait_for_headway(board, before + KILL_LINES // (4 * KILLS))
                if kill % 2 == 0:
                    process.kill()
                    self.end(process)
                    cut += process.returncode != 0
                else:
                    # This client goes on by itself once the server is back.
                    before = self.seq(board)
                    self.server.kill()
                    self.server.start(f"127.0.0.1:{self.listen_port}")
                    cut += process.poll() is None
                    self.wait_for_headway(board, before)
                    process.kill()
                    self.end(process)
        self.assertEqual(cut, KILLS, "the import was over before it could be killed")
        summary = self.run_import(path, "--board", board)
        self.assertEqual((summary["rows"], summary["accepted"], summary["rejected"]), (KILL_LINES, KILL_LINES, 0), summary)
        self.assertEqual(self.scores(board), totals)
        seq = self.seq(board)
        again = self.run_import(path, "--board", board)
        self.assertEqual(again["already_there"], KILL_LINES)
        self.assertEqual(self.seq(board), seq)
        print(f"{KILL_LINES} lines, {KILLS} kills: {time.monotonic() - began:.1f} s; last run {summary}", flush=True)

    @property
    def listen_port(self):
        return type(self).port

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.port = cls.server.port

    def test_a_client_outlives_its_server(self):
        path, totals = self.make_file("outlive.ndjson")
        board = self.board_id(rule="sum")
        with self.slow_relay(path) as relay:
            process = self.begin_slowly(relay, path, board)
            self.server.kill()
            self.server.start(f"127.0.0.1:{self.listen_port}")
            relay.rate = None
            out, errors = process.communicate(timeout=SECONDS)
        self.assertEqual(process.returncode, 0, errors)
        self.assertIn(b"trying again", errors)
        self.assertEqual(json.loads(out)["accepted"], KILL_LINES)
        self.assertEqual(self.scores(board), totals)

    def test_a_signal_leaves_it_resumable(self):
        path, totals = self.make_file("signal.ndjson")
        board = self.board_id(rule="sum")
        with self.slow_relay(path) as relay:
            for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 1)):
                process = self.begin_slowly(relay, path, board)
                process.send_signal(number)
                out, errors = process.communicate(timeout=30)
                self.assertEqual((process.returncode, out), (status, b""), errors)
                self.assertIn(b"the same command goes on", errors)
            process = self.begin_slowly(relay, path, board, "--again")
            process.send_signal(signal.SIGINT)
            word = process.communicate(timeout=30)[1].split(b"--again-as ")[1].split()[0].decode()
        self.run_import(path, "--board", board)
        self.run_import(path, "--board", board, "--again-as", word)
        self.assertEqual(self.scores(board), {player: 2 * score for player, score in totals.items()})

    def test_a_board_that_is_closed_meanwhile_ends_it(self):
        path, totals = self.make_file("close.ndjson")
        board = self.board_id(rule="sum")
        with self.slow_relay(path) as relay:
            process = self.begin_slowly(relay, path, board)
            self.server.api.post(f"/v1/boards/{board}/close", {})
            out, errors = process.communicate(timeout=SECONDS)
        self.assertEqual((process.returncode, out), (1, b""), errors)
        self.assertIn(f"boards reopen {board}".encode(), errors)
        self.server.api.post(f"/v1/boards/{board}/reopen", {})
        summary = self.run_import(path, "--board", board)
        self.assertEqual((summary["accepted"], summary["rejected"]), (KILL_LINES, 0))
        self.assertEqual(self.scores(board), totals)

    LINES, PASSED = 20_000, 300_000

    def refused(self, path, above, lines=LINES):
        """The numbers of the first lines of the file with a score above `above`."""
        with open(path) as file:
            return [number for number, line in enumerate(file, 1) if number <= lines and json.loads(line)["score"] > above]

    def named(self, name):
        """The lines that a file of rejects names; each has its own row."""
        rejects = self.rejects(name)
        rows = (self.folder / name.split(".rejects.")[0]).read_text().splitlines()
        for reject in rejects:
            self.assertEqual(reject["row"], rows[reject["line"] - 1])
            self.assertIn("The server: ", reject["reason"])
        return [reject["line"] for reject in rejects]

    def begin_stalled(self, relay, path, board, *args):
        """An import through `relay` that has heard of all that was refused of what has passed; that, and where it is kept."""
        process = self.begin(path, "--board", board, "--server", relay.url, *args)
        expected = self.refused(path, 50, relay.lines())

        def heard():
            kept = list(self.folder.glob(f"{path.name}.rejects.refused-*.ndjson"))
            return kept and len(kept[0].read_text().splitlines()) == len(expected) and kept[0]
        return process, expected, wait_until(heard, "the client to hear of all that was refused")

    def test_what_the_server_refused_is_named_however_a_run_ends(self):
        path, _ = self.make_file("r.ndjson", self.LINES)
        rejects, every = "r.ndjson.rejects.ndjson", self.refused(path, 50)
        for how in ("Ctrl-C", "Ctrl-C twice", "SIGTERM", "SIGKILL"):
            with self.subTest(how=how):
                # The file is there from an import to another board, which refused more of it.
                other = self.board_id(limits={"max": 20})
                self.run_import(path, "--board", other)
                others = self.refused(path, 20)
                self.assertEqual(self.named(rejects), others)
                board = self.board_id(limits={"max": 50})
                with Relay(self.listen_port, self.PASSED) as relay:
                    process, expected, kept = self.begin_stalled(relay, path, board)
                    began = time.monotonic()
                    for number in {"Ctrl-C": [signal.SIGINT], "Ctrl-C twice": [signal.SIGINT] * 2,
                                   "SIGTERM": [signal.SIGTERM], "SIGKILL": [signal.SIGKILL]}[how]:
                        process.send_signal(number)
                    _, errors = process.communicate(timeout=30)
                self.assertLess(time.monotonic() - began, 10)
                self.assertEqual([json.loads(line)["record"] for line in kept.read_text().splitlines()], expected)
                if how in ("Ctrl-C", "SIGTERM"):
                    self.assertEqual(process.returncode, 130 if how == "Ctrl-C" else 1)
                    # On a busy machine two seconds are not enough for the rows.
                    if f"kept in {kept}" not in errors.decode():
                        self.assertIn(f"refused so far are in {self.folder / rejects}", errors.decode())
                        self.assertEqual(self.named(rejects), expected)
                # The same command goes on, and names all; nothing else remains of it.
                summary = self.run_import(path, "--board", board)
                self.assertEqual(summary["rejected"], len(every))
                self.assertNotIn("unnamed", summary)
                self.assertEqual(self.named(rejects), every)
                self.assertFalse(kept.exists())
                # So does that to the other board, whose file was kept aside.
                if how != "SIGKILL":
                    self.assertIn("of another import", errors.decode() + self.errors)
                summary = self.run_import(path, "--board", other)
                self.assertNotIn("unnamed", summary)
                self.assertEqual((summary["already_there"], self.named(rejects)), (self.LINES, others))
                self.assertEqual([file.name for file in self.folder.glob("*.part") if how != "SIGKILL"], [])
                self.assertEqual(len(list(self.folder.glob("r.ndjson.rejects.????????.ndjson"))), 1)
                for file in self.folder.glob("r.ndjson.rejects.*"):
                    file.unlink()

    def test_a_pass_without_end_does_not_hold_a_signal_up(self):
        path, _ = self.make_file("e.ndjson", self.LINES)
        board = self.board_id(limits={"max": 50})
        with Relay(self.listen_port, self.PASSED) as relay:
            process, expected, kept = self.begin_stalled(relay, path, board)
            # Whoever wants the rows once more waits for ever.
            path.rename(self.folder / "moved")
            os.mkfifo(path)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 130, errors)
        self.assertIn(f"kept in {kept}", errors.decode())
        self.assertEqual(sorted(file.name for file in self.folder.iterdir()), ["e.ndjson", kept.name, "moved"])
        path.unlink()
        (self.folder / "moved").rename(path)
        self.assertNotIn("unnamed", self.run_import(path, "--board", board))
        self.assertEqual(self.named("e.ndjson.rejects.ndjson"), self.refused(path, 50))

    def test_another_import_takes_over_nothing_that_was_refused(self):
        path, _ = self.make_file("n.ndjson", 1000)
        rejects = "n.ndjson.rejects.ndjson"
        board = self.board_id(limits={"max": 50})
        every = self.refused(path, 50)
        self.run_import(path, "--board", board)
        self.assertEqual(self.named(rejects), every)
        # Each of these takes every row.
        self.server.api.patch(f"/v1/boards/{board}", {"limits": None})
        for args, reset in ((("--board", board, "--again"), False), (("--board", board), True), (("--board", self.board_id()), False)):
            if reset:
                self.server.api.post(f"/v1/boards/{board}/reset")
            summary = self.run_import(path, *args)
            self.assertEqual((summary["accepted"], summary["rejected"]), (1000, 0), args)
            self.assertNotIn("unnamed", summary)
            self.assertFalse((self.folder / rejects).exists())
            aside, = self.folder.glob("n.ndjson.rejects.*.ndjson")
            self.assertEqual(self.named(aside.name), every)

    def test_two_runs_of_one_import_keep_each_others_names(self):
        # Of a complete import the server repeats no names; the second run has looked for them before there were any.
        for broken in (0, 3):
            with self.subTest(broken=broken):
                board = self.board_id(limits={"max": 50})
                path = self.write(f"t{broken}.ndjson", "".join(
                    f'{{"player":"p{i}","score":{i}}}\n' for i in range(100)) + "broken\n" * broken)
                rejects = f"{path.name}.rejects.ndjson"
                with Relay(self.listen_port, held=b"POST ") as relay:
                    second = self.begin(path, "--board", board, "--server", relay.url)
                    self.assertTrue(relay.waits.wait(SECONDS))
                    first = self.run_import(path, "--board", board)
                    self.assertEqual((first["rejected"], len(self.rejects(rejects))), (49 + broken, 49 + broken))
                    before = (self.folder / rejects).read_text()
                    relay.go_on.set()
                    out, errors = second.communicate(timeout=SECONDS)
                self.assertEqual(second.returncode, 0, errors)
                summary = json.loads(out)
                self.assertEqual((summary["already_there"], summary["rejected"]), (100, 49 + broken))
                self.assertNotIn("unnamed", summary)
                self.assertEqual((self.folder / rejects).read_text(), before)
                self.assertEqual(sorted(file.name for file in self.folder.glob(path.name + "*")), [path.name, rejects])

    def test_a_run_that_another_one_overtook_replaces_no_names(self):
        path, _ = self.make_file("o.ndjson", self.LINES)
        board = self.board_id(limits={"max": 50})
        rejects, every = "o.ndjson.rejects.ndjson", self.refused(path, 50)
        for ends in (False, True):
            with self.subTest(ends=ends), Relay(self.listen_port, self.PASSED) as relay:
                process, expected, kept = self.begin_stalled(relay, path, board)
                self.assertLess(len(expected), len(every))
                # It is cut off, and gets through only once another run of the import has ended.
                relay.held, relay.limit = b"POST ", 2**30
                relay.cut()
                self.assertTrue(relay.waits.wait(SECONDS))
                self.run_import(path, "--board", board)
                self.assertEqual((self.named(rejects), kept.exists()), (every, False))
                if ends:
                    process.send_signal(signal.SIGINT)
                else:
                    relay.go_on.set()
                out, errors = process.communicate(timeout=SECONDS)
                self.assertEqual(process.returncode, 130 if ends else 0, errors)
                if not ends:
                    self.assertNotIn("unnamed", json.loads(out))
                self.assertEqual(self.named(rejects), every)
                self.assertFalse(kept.exists())
            (self.folder / rejects).unlink()
            self.server.api.post(f"/v1/boards/{board}/reset")

    def test_a_link_that_leads_to_nothing_yet_is_followed(self):
        clean = self.write("clean.csv", "player,score\na,1\n")
        path = self.write("l.csv", "player,score\na,60\nb,1\n")
        (self.folder / "there").mkdir()
        (self.folder / "link").symlink_to("there/mine.ndjson")
        board = self.board_id(limits={"max": 50})
        for _ in range(2):
            self.assertNotIn("unnamed", self.run_import(path, "--board", board, "--rejects", "link"))
            self.assertEqual([reject["line"] for reject in self.rejects("there/mine.ndjson")], [2])
            # Another import keeps that aside, and leaves the link without an end.
            self.run_import(clean, "--board", board, "--rejects", "link")
            self.assertEqual(os.readlink(self.folder / "link"), "there/mine.ndjson")
            aside, = (self.folder / "there").iterdir()
            self.assertRegex(aside.name, r"^mine\.[0-9a-f]{8}\.ndjson$")

    @unittest.skipUnless(strace_works(), "strace is not here or may not trace")
    def test_names_are_on_the_disk_before_others_are_removed(self):
        path = self.write("f.csv", "player,score\na,60\nb,1\n")
        trace = self.folder / "trace"
        done = subprocess.run(
            ["strace", "-f", "-y", "-s", "4096", "-e", "trace=/^(fsync|rename|unlink)", "-e", "signal=none", "-o", trace, program(),
             "import", path, "--board", self.board_id(limits={"max": 50})],
            cwd=self.folder, env=self.environment(), capture_output=True, timeout=SECONDS)
        self.assertEqual(done.returncode, 0, done)
        calls = trace.read_text()
        folder = re.escape(str(self.folder))
        self.assertRegex(calls, rf'(?s)fsync\(\d+<\S+\.part>\) += 0.*rename\w*\([^\n]*\.part".*fsync\(\d+<{folder}>\) += 0'
                                rf'.*unlink\w*\([^\n]*\.refused-')

    def test_a_dry_run_leaves_what_the_server_refused(self):
        path = self.write("d.csv", "player,score\na,1\nb,60\nc,x\n")
        board = self.board_id(limits={"max": 50})
        self.run_import(path, "--board", board)
        before = (self.folder / "d.csv.rejects.ndjson").read_text()
        self.assertEqual(before.count("\n"), 2)
        for args in (("--board", board), ("--board", "nobody", "--create", "best:score")):
            summary = self.run_import(path, *args, "--dry-run")
            self.assertTrue(summary["rejects"].endswith("d.csv.rejects.dry-run.ndjson"), summary)
            self.assertEqual([reject["line"] for reject in self.rejects("d.csv.rejects.dry-run.ndjson")], [4])
            self.assertEqual((self.folder / "d.csv.rejects.ndjson").read_text(), before)
        self.assertNotIn("unnamed", self.run_import(path, "--board", board))
        self.assertEqual((self.folder / "d.csv.rejects.ndjson").read_text(), before)

    def test_rejects_that_cannot_be_written_lose_no_name(self):
        path, _ = self.make_file("w.ndjson", self.LINES)
        for more in ((), ("--dry-run",)):
            self.run_import(path, "--board", "unmade", "--create", "best:score", "--rejects", "none/r", *more, status=1)
            self.assertIn("cannot write the rejects to none/r", self.errors)
            self.assertIn("--rejects", self.errors)
        self.assertEqual(self.server.api.get("/v1/boards/unmade").status, 404)
        # Found out at the end: a folder has come in the way.
        board = self.board_id(limits={"max": 50})
        with Relay(self.listen_port, self.PASSED) as relay:
            process, expected, kept = self.begin_stalled(relay, path, board)
            (self.folder / "w.ndjson.rejects.ndjson").mkdir()
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 130, errors)
        self.assertIn(f"kept in {kept}", errors.decode())
        (self.folder / "w.ndjson.rejects.ndjson").rmdir()
        self.assertNotIn("unnamed", self.run_import(path, "--board", board))
        self.assertEqual(self.named("w.ndjson.rejects.ndjson"), self.refused(path, 50))
        # Nor does a complete import whose file is kept aside, while another one's cannot be.
        mine = self.named("w.ndjson.rejects.ndjson")
        self.run_import(path, "--board", self.board_id(limits={"max": 20}))
        aside, = self.folder.glob("w.ndjson.rejects.????????.ndjson")
        before = (self.folder / "w.ndjson.rejects.ndjson").read_text()
        others = self.rejects("w.ndjson.rejects.ndjson")[0]["import"][len("import-"):][:8]
        in_the_way = self.folder / f"w.ndjson.rejects.{others}.ndjson"
        in_the_way.mkdir()
        self.run_import(path, "--board", board, status=1)
        self.assertIn(f"kept in {aside}", self.errors)
        self.assertEqual((self.named(aside.name), (self.folder / "w.ndjson.rejects.ndjson").read_text()), (mine, before))
        in_the_way.rmdir()
        # A device keeps nothing.
        self.run_import(path, "--board", self.board_id(limits={"max": 50}), "--rejects", "/dev/full", status=1)
        self.assertIn(f"refused {len(self.refused(path, 50)):,} rows that no file names", self.errors)

    def test_a_pipe_that_nobody_reads_does_not_hold_a_signal_up(self):
        path, _ = self.make_file("p.ndjson", self.LINES)
        os.mkfifo(self.folder / "pipe")
        board = self.board_id(limits={"max": 50})
        process = self.begin(path, "--board", board, "--rejects", "pipe")
        with open(self.folder / "pipe", "rb") as pipe:
            pipe.read(1)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)
        self.assertEqual(process.returncode, 130)


class FromRedis(ImportTest):
    @classmethod
    def setUpClass(cls):
        if not shutil.which("redis-server"):
            raise unittest.SkipTest("redis-server is not installed (Debian package redis-server)")
        super().setUpClass()
        cls.redis_folder = tempfile.mkdtemp(prefix="standings-redis-")
        cls.addClassCleanup(shutil.rmtree, cls.redis_folder, ignore_errors=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            cls.redis_port = free.getsockname()[1]
        cls.redis = subprocess.Popen(
            ["redis-server", "--port", str(cls.redis_port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
             "--requirepass", "se cret", "--dir", cls.redis_folder],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=cls.redis_folder)
        cls.addClassCleanup(cls.redis.wait)
        cls.addClassCleanup(cls.redis.kill)
        wait_until(cls.answers, "redis-server to answer")

    @classmethod
    def answers(cls):
        try:
            cls.ask(["PING"])
            return True
        except OSError:
            return False

    @classmethod
    def ask(cls, *commands):
        """The answers to commands in database 3; simple ones, numbers and flat lists."""
        def pack(words):
            words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
            return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)

        def read(stream):
            line = stream.readline()[:-2]
            kind, rest = line[:1], line[1:]
            assert kind != b"-", line
            if kind == b"$":
                return stream.read(int(rest) + 2)[:-2]
            if kind == b"*":
                return [read(stream) for _ in range(int(rest))]
            return rest

        with socket.create_connection(("127.0.0.1", cls.redis_port), 60) as connection, connection.makefile("rb") as stream:
            answers = []
            for words in (["AUTH", "se cret"], ["SELECT", 3], *commands):
                connection.sendall(pack(words))
                answers.append(read(stream))
            return answers[2:]

    def url(self, key):
        return f"redis://:se%20cret@127.0.0.1:{self.redis_port}/3/{key}"

    def fill(self, key, members):
        members = list(members)
        for at in range(0, len(members), 10_000):
            words = [word for member, score in members[at:at + 10_000] for word in (score, member)]
            self.ask(["ZADD", key, *words])

    def test_ranks_equal_zrevrank(self):
        chance = random.Random(SEED)
        self.fill("game:scores", ((f"player:{i}", chance.randrange(MEMBERS // 4)) for i in range(MEMBERS)))
        expected = [member.decode() for member in self.ask(["ZREVRANGE", "game:scores", 0, -1])[0]]
        self.assertEqual(len(expected), MEMBERS)
        board = self.board_id(ties="earliest")
        began = time.monotonic()
        summary = self.run_import("--from", self.url("game:scores"), "--board", board)
        print(f"\n{MEMBERS} members in {time.monotonic() - began:.1f} s: {summary}", flush=True)
        self.assertEqual((summary["accepted"], summary["rejected"], summary["matches"]), (MEMBERS, 0, True))
        rows = self.rows(board)
        self.assertEqual([row["player"] for row in rows], expected)
        self.assertEqual([row["rank"] for row in rows], list(range(1, MEMBERS + 1)))
        # The same set again changes nothing; a member that moved is another content.
        self.assertEqual(self.run_import("--from", self.url("game:scores"), "--board", board)["already_there"], MEMBERS)
        # With shared ties the positions are the same, and equal scores share a rank.
        shared = self.board_id()
        self.run_import("--from", self.url("game:scores"), "--board", shared)
        rows = self.rows(shared)
        self.assertEqual([row["player"] for row in rows], expected)
        first = {}
        for row in rows:
            self.assertEqual(row["rank"], first.setdefault(row["score"], row["position"]))

    def test_the_order_of_zrange_for_a_rising_board(self):
        self.fill("times", [("b", 2), ("a", 2), ("c", 1)])
        board = self.board_id(columns=[{"name": "score", "order": "asc"}], ties="earliest")
        self.run_import("--from", self.url("times"), "--board", board)
        self.assertEqual([row["player"] for row in self.rows(board)], ["c", "a", "b"])

    def test_doubles(self):
        self.fill("doubles", [("a", "3.14"), ("b", "2.005"), ("c", "-1.995"), ("d", "7"), ("e", "0.1")])
        board = self.board_id(columns=[{"name": "score", "decimals": 2}])
        self.run_import("--from", self.url("doubles"), "--board", board, status=2)
        self.assertIn("2 of 5 scores have more decimals than the board's 2 (b has 2.005)", self.errors)
        self.assertIn("--decimals 2", self.errors)
        self.assertEqual(self.rows(board), [])
        summary = self.run_import("--from", self.url("doubles"), "--board", board, "--decimals", "2")
        self.assertIn("2 of 5 scores were rounded", self.errors)
        self.assertEqual((summary["rounded"], summary["matches"]), (2, True))
        self.assertEqual({player: str(score) for player, score in self.scores(board).items()},
                         {"a": "3.14", "b": "2.01", "c": "-2", "d": "7", "e": "0.1"})
        self.run_import("--from", self.url("doubles"), "--board", board, "--decimals", "3", status=2)
        exact = self.board_id(columns=[{"name": "score", "decimals": 3}])
        self.run_import("--from", self.url("doubles"), "--board", exact)
        self.assertEqual(str(self.scores(exact)["b"]), "2.005")

    def test_members_that_are_no_players(self):
        self.fill("mixed", [("fine", 1), ("not fine", 2), (b"\xff\x00", 3), ("endless", "inf"), ("huge", "1e300")])
        board = self.board_id()
        summary = self.run_import("--from", self.url("mixed"), "--board", board)
        self.assertEqual((summary["accepted"], summary["rejected"], summary["matches"]), (1, 4, True), summary)
        reasons = {reject["line"]: reject["reason"] for reject in self.rejects(f"{board}.rejects.ndjson")}
        self.assertEqual(sorted(reasons), [1, 2, 3, 4])
        self.assertIn("inf", reasons[1])
        self.assertIn("too large", reasons[2])

    def test_a_board_that_has_other_scores_is_told(self):
        self.fill("two", [("a", 1), ("b", 2)])
        board = self.board_id()
        self.submit(f"/v1/boards/{board}", "stranger", 5)
        summary = self.run_import("--from", self.url("two"), "--board", board, status=1)
        self.assertFalse(summary["matches"])
        self.assertIn("the board differs from the sorted set: it has 3 players", self.errors)

    def test_an_end_while_comparing_names_no_file_that_is_gone(self):
        self.fill("refused", [("a", 1), ("b", 60)])
        board = self.board_id(limits={"max": 50})
        with Relay(self.server.port, held=b"/standings") as relay:
            process = self.begin("--from", self.url("refused"), "--board", board, "--server", relay.url)
            self.assertTrue(relay.waits.wait(SECONDS))
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 130, errors)
        rejects, = self.folder.iterdir()
        self.assertIn(f"refused are in {rejects.name}", errors.decode())
        self.assertNotIn("refused-", errors.decode())

    def test_failures_are_sentences(self):
        self.ask(["SET", "text", "x"])
        board = self.board_id()
        self.run_import("--from", self.url("none"), "--board", board, status=1)
        self.assertIn("no sorted set 'none'", self.errors)
        self.run_import("--from", self.url("text"), "--board", board, status=1)
        self.assertIn("WRONGTYPE", self.errors)
        self.run_import("--from", self.url("x").replace("se%20cret", "wrong"), "--board", board, status=1)
        self.assertNotIn("wrong@", self.errors)
        self.assertIn("Redis at 127.0.0.1", self.errors)
        self.run_import("--from", "redis://127.0.0.1:1/x", "--board", board, status=1)
        self.assertIn("cannot reach Redis", self.errors)


if __name__ == "__main__":
    unittest.main()
