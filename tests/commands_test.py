"""The commands that talk to a server: every form of output, every exit code, tables on terminals."""

import csv
import fcntl
import http.server
import io
import json
import os
import pathlib
import pty
import re
import select
import signal
import socket
import stat
import struct
import subprocess
import tempfile
import termios
import threading
import time
import unicodedata
import unittest

from support.server import KEY, Server, ServerTest, program, wait_until

FORMS = ("table", "json", "ndjson", "csv")
NAMES = ["Ayşe", "さくらの花が咲く頃にまた会いましょう", "مريم بنت محمد", "👩‍👩‍👧 family", "q\u0301uq\u0323\u0307u", "한국어 이름", "דוד",
         "An unusually long name that goes on and on and on for a while"]


def width_of(text):
    """Cells by another way than the program's: what joins to an emoji and marks take none."""
    text = re.sub("\u200d.", "", text)
    return sum(0 if unicodedata.category(c) in ("Mn", "Me", "Cf") else
               2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def clean_environment(**more):
    clean = {name: value for name, value in os.environ.items()
             if not name.startswith("STANDINGS_") and name not in ("COLUMNS", "NO_COLOR")}
    return {**clean, **more}


def run_command(*words, env=None, stdin=subprocess.DEVNULL, seconds=60):
    done = subprocess.run([str(program()), *map(str, words)], stdin=stdin, capture_output=True, timeout=seconds,
                          env=clean_environment(**(env or {})))
    # By hand: the line ends of CSV are to be seen.
    done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
    return done


class CommandTest(ServerTest):
    def command(self, *words, env=None, expect=0):
        done = run_command(*words, env={"STANDINGS_SERVER": self.server.url, "STANDINGS_KEY": KEY, **(env or {})})
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        if expect:
            self.assertTrue(done.stderr.strip(), "a failure says why")
        self.assertNotIn(KEY, done.stdout + done.stderr)
        return done

    def rows_in_every_form(self, *words):
        """Runs it in each form; checks that they agree in size; returns the rows of NDJSON."""
        outputs = {form: self.command(*words, "-o", form).stdout for form in FORMS}
        rows = [json.loads(line, parse_float=str) for line in outputs["ndjson"].splitlines()]
        whole = json.loads(outputs["json"], parse_float=str)
        self.assertEqual(whole.get("rows", whole.get("items", [whole])), rows)
        table = outputs["table"].splitlines()
        self.assertEqual(len(table), len(rows) + 1, table)
        self.assertEqual(table[0], table[0].upper())
        self.assertNotIn("\x1b", outputs["table"])
        self.assertEqual(outputs["csv"].count("\r\n"), len(rows) + 1)
        records = list(csv.DictReader(io.StringIO(outputs["csv"], newline="")))
        self.assertEqual(len(records), len(rows))
        for record, row in zip(records, rows):
            for name, text in record.items():
                value = row
                for step in name.split("."):
                    value = value.get(step, "") if isinstance(value, dict) else ""
                if name != "column_list" and not isinstance(value, bool):
                    self.assertEqual(text, str(value))
        return rows

    def on_terminal(self, *words, columns=80, say=None, env=None):
        """(exit code, what the terminal showed) of a run on a terminal of this width."""
        terminal, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = subprocess.Popen(
            [str(program()), *map(str, words)], stdin=other, stdout=other, stderr=other,
            env=clean_environment(STANDINGS_SERVER=self.server.url, STANDINGS_KEY=KEY, TERM="xterm", **(env or {})))
        os.close(other)
        shown = b""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if not select.select([terminal], [], [], 1)[0]:
                continue
            try:
                piece = os.read(terminal, 65536)
            except OSError:  # the last of the other side is closed
                break
            shown += piece
            if say is not None and shown.rstrip().endswith(b"[y/N]"):
                os.write(terminal, say.encode())
                say = None
        os.close(terminal)
        return process.wait(30), shown.decode().replace("\r\n", "\n")


class Boards(CommandTest):
    def test_create_edit_list_and_remove(self):
        board = self.command("boards", "create", "league", "sum:points,goal_difference,time:asc:2", "--title", "The, League",
                             "--ties", "earliest", "--visibility", "private", "--public-meta",
                             "--limit", "points=0..3", "--limit", "time=..1.5", "-o", "json").stdout
        board = json.loads(board)
        self.assertEqual((board["rule"], board["ties"], board["visibility"]), ("sum", "earliest", "private"))
        self.assertTrue(board["public_meta"])
        self.assertEqual([column["name"] for column in board["columns"]], ["points", "goal_difference", "time"])
        self.assertEqual(board["columns"][2], {"name": "time", "order": "asc", "decimals": 2})
        self.assertEqual(board["limits"], {"points": {"min": 0, "max": 3}, "time": {"max": 1.5}})

        edited = json.loads(self.command("boards", "edit", "league", "--title", "Cup", "--no-public-meta", "--limit",
                                         "goal_difference=-9..9", "-o", "json").stdout)
        self.assertEqual((edited["title"], edited["public_meta"], edited["rule"]), ("Cup", False, "sum"))
        self.assertEqual(edited["limits"]["points"], {"min": 0, "max": 3}, "what was not named stays")
        self.assertEqual(edited["limits"]["goal_difference"], {"min": -9, "max": 9})
        self.assertEqual(json.loads(self.command("boards", "edit", "league", "--limit", "none", "-o", "json").stdout)["limits"],
                         {})

        self.command("boards", "create", "plain")
        rows = self.rows_in_every_form("boards", "ls")
        self.assertLessEqual({"league", "plain"}, {row["id"] for row in rows})
        public = run_command("boards", "ls", "-o", "ndjson", env={"STANDINGS_SERVER": self.server.url}).stdout
        self.assertNotIn("league", [json.loads(line)["id"] for line in public.splitlines()])

        self.assertIn("--yes", self.command("boards", "rm", "league", expect=2).stderr)
        removed = self.command("boards", "rm", "league", "--yes", "-o", "json").stdout
        self.assertEqual(json.loads(removed), {"board": "league", "removed": True})
        self.command("boards", "rm", "league", "--yes", expect=1)

    def test_create_by_flags_alone(self):
        board = json.loads(self.command("boards", "create", "flags", "--rule", "last", "--column", "time:asc:3", "--limit",
                                        "0..", "-o", "json").stdout)
        self.assertEqual(board["columns"], [{"name": "time", "order": "asc", "decimals": 3}])
        self.assertEqual((board["rule"], board["limits"]), ("last", {"min": 0}))
        self.command("boards", "edit", "flags", "--public-meta")
        edited = json.loads(self.command("boards", "edit", "flags", "--title", "T", "-o", "json").stdout)
        self.assertEqual((edited["public_meta"], edited["rule"]), (True, "last"), "only what is named changes")

    def test_close_reopen_and_reset(self):
        self.make_board(id="life")
        self.command("submit", "life", "p", 1)
        self.assertIn("closed", self.command("boards", "close", "life").stdout)
        self.assertIn("closed", self.command("submit", "life", "p", 2, expect=1).stderr)
        self.assertIn("open", self.command("boards", "reopen", "life").stdout)
        self.command("boards", "reset", "life", expect=2)
        self.assertEqual(json.loads(self.command("boards", "reset", "life", "-y", "-o", "json").stdout)["total"], 0)

    def test_reset_asks_on_a_terminal(self):
        path = self.make_board(id="asked")
        self.submit(path, "p", 1)
        code, shown = self.on_terminal("boards", "reset", "asked", say="n\n")
        self.assertEqual(code, 1, shown)
        self.assertIn("the scores of 1 player for ever", shown)
        self.assertEqual(self.server.api.get(path).json["total"], 1)
        code, shown = self.on_terminal("boards", "reset", "asked", say="y\n")
        self.assertEqual(code, 0, shown)
        self.assertEqual(self.server.api.get(path).json["total"], 0)

    def test_a_list_goes_on_behind_a_page(self):
        for number in range(1005):
            self.assertEqual(self.server.api.post("/v1/boards", {"id": f"many-{number:04}"}).status, 201)
        listed = [json.loads(line)["id"] for line in self.command("boards", "ls", "-o", "ndjson").stdout.splitlines()]
        self.assertEqual([name for name in listed if name.startswith("many-")], [f"many-{n:04}" for n in range(1005)])


class Scores(CommandTest):
    def test_submit_and_read_in_every_form(self):
        self.make_board(id="race", columns=[{"name": "score", "order": "desc", "decimals": 6}])
        first = json.loads(self.command("submit", "race", "p1", "9007199254.740991", "--name", "A, \"B\"", "--meta",
                                        '{"car":"gt3"}', "--occurred-at", "2026-01-02T03:04:05Z", "-o", "json").stdout)
        self.assertEqual(first["outcome"], "created")
        self.rows_in_every_form("submit", "race", "p2", "-1.5", "--idempotency-key", "one")
        self.assertIn("9007199254.740991", self.command("top", "race").stdout)
        self.assertEqual(self.server.api.get("/v1/boards/race/players/p1").json["meta"], {"car": "gt3"})
        self.assertEqual([row["player"] for row in self.rows_in_every_form("top", "race")], ["p1", "p2"])
        self.assertEqual(self.rows_in_every_form("rank", "race", "p2")[0]["rank"], 2)
        self.assertEqual(len(self.rows_in_every_form("rank", "race", "p2", "--around", 1)), 2)

    def test_several_columns_in_order_or_by_name(self):
        self.make_board(id="cup", rule="sum", columns=[{"name": "points"}, {"name": "goals"}])
        self.command("submit", "cup", "a", 3, 2)
        self.command("submit", "cup", "b", "goals=-5", "points=4")
        rows = self.rows_in_every_form("top", "cup")
        self.assertEqual([row["scores"] for row in rows], [{"points": 4, "goals": -5}, {"points": 3, "goals": 2}])
        self.assertIn("points, goals", self.command("submit", "cup", "a", 1, expect=2).stderr +
                      self.command("submit", "cup", "a", 1, 2, 3, expect=2).stderr)

    def test_columns_are_headed_by_their_names(self):
        path = self.make_board(id="laps", columns=[{"name": "time", "order": "asc"}])
        self.submit(path, "ada", 5)
        self.make_board(id="nobody", columns=[{"name": "points"}, {"name": "goals"}])
        self.assertIn("TIME", self.command("top", "laps").stdout.splitlines()[0])
        self.assertIn("TIME", self.command("rank", "laps", "ada").stdout.splitlines()[0])
        self.assertRegex(self.command("top", "nobody").stdout, "^RANK.*POINTS +GOALS")
        self.assertIn("scores.points,scores.goals", self.command("top", "nobody", "-o", "csv").stdout)
        self.assertIn("no column 'foo'; the board has points, goals",
                      self.command("submit", "nobody", "p", "foo=1", "goals=2", expect=2).stderr)

    def test_top_counts_from_any_place_and_over_pages(self):
        path = self.make_board(id="crowd")
        lines = "".join(json.dumps({"player": f"p{n:04}", "score": 5000 - n}) + "\n" for n in range(2500))
        answer = self.server.api.request("POST", f"{path}/submissions", lines.encode(), {"Content-Type": "application/x-ndjson"})
        self.assertEqual(answer.status, 200, answer)
        players = lambda *words: [json.loads(line)["player"]
                                  for line in self.command("top", "crowd", *words, "-o", "ndjson").stdout.splitlines()]
        self.assertEqual(players(), [f"p{n:04}" for n in range(20)])
        self.assertEqual(players("-n", 3, "--offset", 7), ["p0007", "p0008", "p0009"])
        self.assertEqual(players("-n", 2300, "--offset", 100), [f"p{n:04}" for n in range(100, 2400)])
        self.assertEqual(len(players("-n", 9999)), 2500)
        self.assertEqual(players("--offset", 9999), [])
        self.assertEqual(json.loads(self.command("top", "crowd", "-n", 1500, "-o", "json").stdout)["total"], 2500)

    def test_the_same_key_counts_once(self):
        self.make_board(id="once", rule="sum")
        for _ in range(2):
            self.command("submit", "once", "p", 5, "--idempotency-key", "k1")
        self.assertIn("--idempotency-key is empty", self.command("submit", "once", "p", 5, "--idempotency-key", "", expect=2).stderr)
        self.command("submit", "once", "p", 1)
        self.command("submit", "once", "p", 1)
        self.assertEqual(self.server.api.get("/v1/boards/once/players/p").json["score"], 7)

    def test_the_key_by_flag_and_environment(self):
        self.make_board(id="keyed", visibility="private")
        at = {"STANDINGS_SERVER": self.server.url}
        self.assertEqual(run_command("top", "keyed", env=at).returncode, 1)
        self.assertEqual(run_command("top", "keyed", "--key", KEY, env=at).returncode, 0)
        self.assertEqual(run_command("top", "keyed", env={**at, "STANDINGS_KEY": KEY}).returncode, 0)
        self.assertEqual(run_command("top", "keyed", "--key", KEY, "--server", self.server.url).returncode, 0)

    def test_flags_may_stand_before_the_command(self):
        self.make_board(id="before")
        for words in [("--server", self.server.url, "boards", "ls"), ("boards", "--server", self.server.url, "ls"),
                      (f"--server={self.server.url}", "-o", "json", "top", "before"), ("-n", 1, "top", "before")]:
            with self.subTest(words=words):
                nowhere = {} if "-n" in words else {"STANDINGS_SERVER": "http://127.0.0.1:9"}
                self.command(*words, env=nowhere)
        said = self.command("--rate", 1, "boards", "ls", expect=2).stderr
        self.assertIn("has no flag '--rate'", said)
        self.assertIn("See `standings boards ls --help`.", said)

    def test_health(self):
        self.assertEqual(self.rows_in_every_form("health")[0]["ready"], True)


class ExitCodes(CommandTest):
    CALLS = [("boards", "ls"), ("boards", "create", "b"), ("boards", "edit", "b", "--title", "t"), ("boards", "reset", "b", "-y"),
             ("boards", "close", "b"), ("boards", "reopen", "b"), ("boards", "rm", "b", "-y"), ("submit", "b", "p", "1"),
             ("top", "b"), ("rank", "b", "p"), ("export", "b"), ("health",)]

    def test_nobody_listens(self):
        for words in self.CALLS:
            with self.subTest(words=words):
                done = self.command(*words, env={"STANDINGS_SERVER": "http://127.0.0.1:9"}, expect=1)
                self.assertIn("cannot reach http://127.0.0.1:9", done.stderr)
                self.assertIn("standings serve", done.stderr)
                self.assertEqual(done.stdout, "")
        self.assertIn("--idempotency-key", self.command("submit", "b", "p", 1, env={"STANDINGS_SERVER": "http://127.0.0.1:9"},
                                                        expect=1).stderr)

    def test_a_submission_without_its_answer_is_named_when_it_is_interrupted(self):
        with socket.create_server(("127.0.0.1", 0)) as deaf:
            deaf.settimeout(30)
            asking = subprocess.Popen([str(program()), "submit", "b", "p", "1", "--server", f"http://127.0.0.1:{deaf.getsockname()[1]}"],
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean_environment())
            with deaf.accept()[0] as connection:
                connection.settimeout(30)
                said = b""
                while b"}" not in said:
                    said += connection.recv(65536)
                asking.send_signal(signal.SIGINT)
                output, errors = asking.communicate(timeout=30)
        key = re.search(rb"(?i)idempotency-key: (\S+)", said)[1].decode()
        self.assertEqual((asking.returncode, output), (130, ""))
        self.assertIn("may have counted", errors)
        self.assertIn(f"--idempotency-key {key} asks again and never counts twice", errors)

    def test_no_key_a_wrong_key_and_no_such_thing(self):
        self.make_board(id="there")
        for words in [("boards", "create", "other"), ("submit", "there", "p", 1)]:
            self.assertIn("STANDINGS_KEY", self.command(*words, env={"STANDINGS_KEY": ""}, expect=1).stderr)
        self.assertIn("a key that this server knows",
                      self.command("submit", "there", "p", 1, env={"STANDINGS_KEY": "st_sk_wrong"}, expect=1).stderr)
        self.assertIn("the key from STANDINGS_KEY is wrong",
                      self.command("top", "there", env={"STANDINGS_KEY": "st_sk_wrong"}, expect=1).stderr)
        self.assertIn("the key from --key is wrong", self.command("top", "there", "--key", "st_sk_wrong", expect=1).stderr)
        self.assertIn("--key-file names a file that is empty",
                      self.command("top", "there", "--key-file", "/dev/null", expect=2).stderr)
        for words in self.CALLS[2:11]:
            with self.subTest(words=words):
                said = self.command(*words, expect=1).stderr
                self.assertIn(f"there is no board 'b' at {self.server.url}\n", said)
        hidden = self.command("top", "b", env={"STANDINGS_KEY": ""}, expect=1).stderr
        self.assertIn("a private board is seen with a key only", hidden)
        self.assertIn("already", self.command("boards", "create", "there", expect=1).stderr)
        self.assertRegex(self.command("rank", "there", "nobody", expect=1).stderr, r"(?m)^  request \w+$")
        self.assertIn("/score", self.command("submit", "there", "p", "1.5", expect=2).stderr)

    def test_a_value_that_cannot_be_is_2_whoever_finds_it(self):
        self.make_board(id="picky", limits={"max": 10})
        for words, says in [(("submit", "picky", "p", 1, "--occurred-at", "yesterday"), "at /occurred_at"),
                            (("submit", "picky", "a b", 1), "at /player"), (("submit", "picky", "p", 11), "at /score"),
                            (("submit", "picky", "p", 1, "--name", ""), "--name is empty"),
                            (("rank", "picky", "p", "--around", 5000), "around"),
                            (("boards", "create", "bad!id"), "at /id"), (("boards", "create", "five", "sum:a,b,c,d,e"), "at /columns")]:
            with self.subTest(words=words):
                said = self.command(*words, expect=2).stderr
                self.assertIn(says, said)
                self.assertRegex(said.splitlines()[-1], r"^See `standings( [a-z]+)* --help`\.$")
        # What another moment would allow is none of these.
        self.command("submit", "picky", "p", 1, "--idempotency-key", "used")
        self.command("submit", "picky", "p", 2, "--idempotency-key", "used", expect=1)

    def test_an_address_that_is_none_of_a_server(self):
        secure = self.server.url.replace("http://", "https://")
        self.assertIn("its address begins with http://", self.command("health", env={"STANDINGS_SERVER": secure}, expect=1).stderr)
        page = self.server.url + "/b/cup"
        self.assertIn(f"{page} has a path", self.command("boards", "ls", env={"STANDINGS_SERVER": page}, expect=1).stderr)

    def test_a_silent_server_is_not_waited_for_in_silence(self):
        with socket.create_server(("127.0.0.1", 0)) as deaf:
            deaf_url = {"STANDINGS_SERVER": f"http://127.0.0.1:{deaf.getsockname()[1]}"}
            asking = subprocess.Popen([str(program()), "submit", "b", "p", "1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                      env=clean_environment(**deaf_url))
            self.addCleanup(asking.kill)
            began = time.monotonic()
            self.assertIn("did not answer in time", self.command("health", env=deaf_url, expect=1).stderr)
            self.assertLess(time.monotonic() - began, 30)
            said = asking.stderr.readline() + asking.stderr.readline()
            asking.send_signal(signal.SIGINT)
            asking.communicate(timeout=30)
        self.assertRegex(said, r"did not answer in time.*\n +asking again\n")

    def test_bad_usage(self):
        for words in [(), ("boards",), ("boards", "create"), ("boards", "edit", "b"), ("boards", "create", "b", "most:points"),
                      ("boards", "create", "b", "--rule", "most"), ("boards", "create", "b", "--column", "a:up"),
                      ("boards", "create", "b", "--limit", "5"), ("submit", "b", "p"), ("submit", "b", "p", "abc"),
                      ("submit", "b", "p", "1", "--meta", "[]"), ("top",), ("top", ""), ("rank", "b", ""), ("top", "b", "-n", "0"), ("top", "b", "-n", "x"),
                      ("top", "b", "-o", "xml"), ("top", "b", "c"), ("rank", "b"), ("export",), ("export", "b", "--format", "xml"),
                      ("health", "--server", "ftp://host"), ("health", "--server", "http://a:b@host"), ("frobnicate",)]:
            with self.subTest(words=words):
                self.command(*words, expect=2)
        self.command("health", env={"STANDINGS_KEY": "two words"}, expect=2)

    def test_help(self):
        for words in [("boards",), *{call[:2] if call[0] == "boards" else call[:1] for call in self.CALLS}]:
            with self.subTest(words=words):
                shown = self.command(*words, "--help").stdout
                self.assertIn("standings " + " ".join(words), shown)
                if words != ("boards",):
                    self.assertIn("STANDINGS_SERVER", shown)

    def test_help_by_word_and_of_nothing(self):
        for words in [(), ("serve",), ("boards", "create"), ("config",)]:
            with self.subTest(words=words):
                self.assertEqual(self.command("help", *words).stdout, self.command(*words, "--help").stdout)
        for words in [("help", "bench"), ("bench", "--help"), ("boards", "mak", "--help"), ("help", "boards", "creat")]:
            with self.subTest(words=words):
                self.assertIn(" no command '", self.command(*words, expect=2).stderr)
        self.assertIn("Usage: standings boards ", self.command("boards", expect=2).stderr)

    def test_help_has_one_style(self):
        for words in [("demo",), ("check",), ("restore",), ("import",), ("top",), ("backup",), ("config", "show")]:
            with self.subTest(words=words):
                shown = self.command(*words, "--help").stdout
                self.assertNotRegex(shown, r"UINT|INT:|FLOAT|\(Env|REQUIRED|TEXT:|=[0-9]|in \[")
                self.assertNotRegex(shown, r"(?m)^Usage:.*\b[a-z]+\]?$" if words[0] != "config" else "UINT")
        self.assertIn("[2 to 5000000; default: 50000]", self.command("demo", "--help").stdout)

    def test_numbers_out_of_range_are_said_plainly(self):
        for words, says in [(("top", "b", "-n", "abc"), "--count: it is a whole number from 1 to 1000000, not 'abc'"),
                            (("demo", "--rate", "-1"), "--rate: it is a number from 0 to 50000, not '-1'"),
                            (("demo", "--for", "soon"), "--for: it is a number of seconds, or a time from 1s")]:
            with self.subTest(words=words):
                self.assertIn(says, self.command(*words, expect=2).stderr)

    # Of the library that reads the words, of the settings, and of the commands themselves; with what must be said.
    WRONG_USAGE = [
        (("frobnicate",), "standings: there is no command 'frobnicate'\n"), (("serv",), "did you mean 'serve'?"),
        (("boards", "xq"), "standings: boards has no command 'xq'\n"), (("help", "bench"), "there is no command 'bench'\n"),
        (("boards", "freeze"), "boards has no command 'freeze'; did you mean 'close'?"), (("boards", "delete"), "did you mean 'rm'?"),
        (("list",), "did you mean 'boards ls'?"), (("help", "status"), "did you mean 'health'?"), (("start",), "did you mean 'serve'?"),
        (("help", "nope"), "there is no command 'nope'\n"), (("demo", "--data", "x"), "demo has no flag '--data'\n"),
        (("demo", "--thread", "1"), "demo has no flag '--thread'; did you mean '--threads'?"), (("demo", "--threads", "x"), "--threads is 'x'"),
        (("--rate", "1"), "there is no flag '--rate' without a command\n"),
        (("top",), "BOARD is required"), (("top", "b", "c"), "does not take 'c'"), (("top", "b", "--cuont=5"), "'--cuont'; did you mean '--count'?"),
        (("top", "b", "-n"), "--count needs a value"), (("top", "b", "-n", "1", "-n", "2"), "--count can be given only once"),
        (("top", "b", "-o", "xml"), "--output: it is one of table, json, ndjson, csv, not 'xml'"),
        (("completion", "tcsh"), "SHELL: it is one of bash, zsh, fish, not 'tcsh'"), (("boards", "rm", "b", "--yes=maybe"), "--yes cannot be 'maybe'"),
        (("backup", "--data", "x", "--server", "http://x"), "--server and --data do not go together"),
        (("submit", "b", "p", "abc"), "a score is a number"), (("boards", "edit", "b"), "say what to change"), (("boards", "rm", "b"), "say --yes"),
        (("top", "b", "--server", "ftp://host"), "ftp://host"), (("import", "x", "--board", "No"), "--board has 1 to 63"),
        (("import", "--board", "b"), "name either a file"), (("export", "b", "x.xlsx"), "export writes CSV, NDJSON and JSON"),
        (("serve", "--threads", "x"), "--threads is 'x', but it is a whole number from 0 to 256"),
        (("serve", "--open=maybe"), "--open: it is true or false, not 'maybe'"), (("serve", "--listen", "300.1.1.1:1"), "--listen: it is an address"),
        (("serve", "--config", "none.toml"), "'none.toml' cannot be read"), (("demo", "--listen", "x"), "--listen is 'x', but it is an address"),
        (("restore", "nofile"), "there is no backup 'nofile'"), (("backup", "--data", "nowhere"), "name the data folder"),
        (("check", "--data", "nowhere"), "name the data folder"), (("config", "show", "--threads", "x"), "--threads is 'x'"),
        (("config", "check", "none.toml"), "'none.toml' cannot be read")]

    def test_wrong_usage_has_one_form_everywhere(self):
        """standings: SENTENCE, for each finding, and where help is; the same on a terminal."""
        for words, says in self.WRONG_USAGE:
            with self.subTest(words=words):
                said = self.command(*words, expect=2).stderr
                self.assertIn(says, said)
                *sentences, last = said.splitlines()
                self.assertTrue(sentences and all(line.startswith("standings: ") for line in sentences), said)
                self.assertRegex(last, r"^See `standings( [a-z]+)* --help`\.$")
                path = re.findall("[a-z]+", last)[2:-1]
                self.assertEqual(path, list(words[:len(path)]) if words[0] != "help" else [])
                # boards rm looks for the board, and asks.
                if words[:2] == ("boards", "rm") and "--yes" not in str(words):
                    continue
                code, shown = self.on_terminal(*words)
                self.assertEqual((code, shown), (2, said))

    def test_two_findings_are_two_sentences(self):
        said = self.command("serve", "--threads", "x", "--engine-batch", "0", expect=2).stderr.splitlines()
        self.assertEqual([line.split(" is ")[0] for line in said[:2]], ["standings: --threads", "standings: --engine-batch"])
        self.assertEqual(said[2:], ["See `standings serve --help`."])

    def test_other_failures_of_commands_are_sentences_too(self):
        with tempfile.TemporaryDirectory(prefix="standings-test-") as folder:
            pathlib.Path(folder, "b.db").write_bytes(b"x" * 100)
            said = self.command("restore", f"{folder}/b.db", "--data", f"{folder}/d", expect=5).stderr
            self.assertRegex(said, "^standings: ")
            self.assertNotIn("--help", said)
        self.assertRegex(self.command("backup", env={"STANDINGS_SERVER": "http://127.0.0.1:9"}, expect=1).stderr, "^standings: ")

    def test_words_of_a_choice_are_known_in_any_case(self):
        self.assertEqual(json.loads(self.command("health", "-o", "JSON").stdout)["ready"], True)

    def test_settings_of_a_server_stop_no_client(self):
        self.make_board(id="calm")
        wrong = {"STANDINGS_THREADS": "abc", "STANDINGS_INIT_KEY_FILE": "/does/not/exist"}
        for words in [("top", "calm"), ("submit", "calm", "p", 1), ("rank", "calm", "p"), ("boards", "ls"), ("health",),
                      ("export", "calm"), ("check", "--data", self.server.data)]:
            with self.subTest(words=words):
                self.command(*words, env=wrong)
        self.assertIn("STANDINGS_THREADS is 'abc'", self.command("serve", env=wrong, expect=2).stderr)
        # Nor does what only lists take stop an export, or a report.
        self.command("export", "calm", env={"STANDINGS_OUTPUT": "xml"})
        self.command("check", "--data", self.server.data, env={"STANDINGS_OUTPUT": "csv"})
        self.command("check", "--data", self.server.data, "-o", "json", env={"STANDINGS_OUTPUT": "xml"})
        self.command("backup", "--to", "/does/not/exist/x.db", env={"STANDINGS_OUTPUT": "csv"}, expect=1)
        self.assertIn("STANDINGS_OUTPUT is 'xml'", self.command("top", "calm", env={"STANDINGS_OUTPUT": "xml"}, expect=2).stderr)

    def test_reports_follow_the_setting_too(self):
        self.make_board(id="told")
        with tempfile.TemporaryDirectory(prefix="standings-test-") as folder:
            scores = pathlib.Path(folder, "s.csv")
            scores.write_text("player,score\na,1\n")
            for words in [("import", scores, "--board", "told"), ("import", scores, "--board", "told", "--dry-run"),
                          ("check", "--data", self.server.data), ("backup", "--to", f"{folder}/b.db")]:
                for form in ("json", "ndjson"):
                    with self.subTest(words=words, form=form):
                        chosen = self.command(*words, env={"STANDINGS_OUTPUT": form}).stdout
                        self.assertIsInstance(json.loads(chosen), dict)
                        self.assertEqual(json.loads(self.command(*words, "-o", form).stdout).keys(), json.loads(chosen).keys())
                self.assertFalse(self.command(*words, "-o", "table", env={"STANDINGS_OUTPUT": "json"}).stdout.startswith("{"))
                self.assertIn("it is one of table, json, ndjson", self.command(*words, "-o", "csv", expect=2).stderr)

    def test_output_that_cannot_be_written(self):
        self.make_board(id="full-disk")
        with open("/dev/full", "w") as full:
            done = subprocess.run([str(program()), "boards", "ls"], stdout=full, stderr=subprocess.PIPE, text=True,
                                  env=clean_environment(STANDINGS_SERVER=self.server.url), timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("No space left", done.stderr)


    def test_no_command_passes_over_output_that_is_lost(self):
        for words in [("--help",), ("help", "serve"), ("top", "--help"), ("--version",), ("version",), ("completion", "bash"), ("man",),
                      ("config", "schema"), ("config", "show"), ("config", "check"), ("health",),
                      ("check", "--data", self.server.data, "-o", "json"), ("check", "--data", self.server.data)]:
            with self.subTest(words=words), open("/dev/full", "w") as full:
                done = subprocess.run([str(program()), *map(str, words)], stdout=full, stderr=subprocess.PIPE, text=True,
                                      env=clean_environment(STANDINGS_SERVER=self.server.url), timeout=60)
                self.assertEqual(done.returncode, 1, done)
                self.assertRegex(done.stderr, "cannot write")


class Restarts(unittest.TestCase):
    def test_submit_waits_for_a_server_that_starts_again(self):
        with Server() as server:
            server.api.post("/v1/boards", {"id": "b", "rule": "sum"})
            port = server.port
            server.terminate()
            process = subprocess.Popen([str(program()), "submit", "b", "p", "5"], stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, text=True,
                                       env=clean_environment(STANDINGS_SERVER=f"http://127.0.0.1:{port}", STANDINGS_KEY=KEY))
            server.start(f"127.0.0.1:{port}")
            output, errors = process.communicate(timeout=60)
            if process.returncode == 0:
                self.assertIn("created", output)
            else:
                # A slow machine: the server took longer than the command waits.
                self.assertIn("--idempotency-key", errors)


class Terminal(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server.api.post("/v1/boards", {"id": "wide"})
        for place, name in enumerate(NAMES):
            answer = cls.server.api.post("/v1/boards/wide/submissions",
                                         {"player": f"player-number-{place}", "name": name, "score": 10 ** (place + 3)})
            assert answer.status == 200, answer

    def test_tables_fit_and_align(self):
        for columns in (40, 60, 120, 300):
            with self.subTest(columns=columns):
                code, shown = self.on_terminal("top", "wide", columns=columns, env={"NO_COLOR": "1"})
                self.assertEqual(code, 0, shown)
                lines = shown.splitlines()
                self.assertEqual(len(lines), len(NAMES) + 1)
                edges = set()
                for place, line in enumerate(reversed(lines[1:])):
                    self.assertLessEqual(width_of(line), columns, line)
                    score = str(10 ** (place + 3))
                    self.assertIn(score, line, "numbers are never cut")
                    edges.add(width_of(line[:line.index(score + "  ") if score + "  " in line else line.rindex(score)]) + len(score))
                self.assertEqual(len(edges), 1, shown)
                self.assertEqual("…" in shown, columns < 300, shown)
                self.assertEqual("REACHED" in shown, columns >= 120, shown)
                self.assertIn("\u2068דוד\u2069", shown)
                self.assertNotIn("\x1b", shown)

    def test_the_environment_names_another_width(self):
        done = self.command("top", "wide", env={"COLUMNS": "40"})
        self.assertLessEqual(max(map(width_of, done.stdout.splitlines())), 40)
        for name in NAMES:
            self.assertIn(f"  {name}  ", self.command("top", "wide").stdout, "a pipe has any width, and names as they are")

    def test_colour_on_a_terminal_only(self):
        self.assertIn("\x1b[1m", self.on_terminal("top", "wide", columns=120)[1])
        self.assertNotIn("\x1b", self.on_terminal("top", "wide", env={"NO_COLOR": "1"})[1])


# What a server that is not to be trusted could put into names.
EVIL = "a\u001b]0;owned\u0007\u009b31m\u202eb\nc"


class _Stub(http.server.BaseHTTPRequestHandler):
    """An API of canned answers: for what the real server never does."""

    protocol_version = "HTTP/1.1"

    boards_asked = 0

    def do_GET(self):
        path = self.path.split("?")[0]
        if path == "/v1/boards/busy":
            _Stub.boards_asked += 1
            if _Stub.boards_asked == 1:
                return self.answer(503, b'{"title":"The server is busy","code":"overloaded"}')
            return self.answer(200, b'{"id":"busy","columns":[{"name":"points"},{"name":"goals"}]}')
        if path == "/v1/boards/lost":
            self.close_connection = True
            return None
        if path == "/v1/boards/evil/standings":
            rows = [{"rank": 1, "position": 1, "player": "p", "name": EVIL, "score": 1, "reached_at": "2026-01-01T00:00:00.000Z"}]
            return self.answer(200, json.dumps({"rows": rows}, ensure_ascii=False).encode())
        if path == "/v1/boards/good/export":
            form = self.path.split("format=")[1]
            return self.answer(200, (f"{form}," + "x" * 100 + "\n").encode() * 1000, {"Standings-Position": "k3:77"})
        if path == "/v1/boards/cut/export":
            self.send_response(200)
            self.send_header("Content-Length", "1000000")
            self.end_headers()
            self.wfile.write(b"only this\n")
            self.close_connection = True
            return None
        if path in ("/v1/boards/slow/export", "/v1/boards/stalled/export"):
            self.send_response(200)
            self.send_header("Content-Length", "1000000000")
            self.end_headers()
            try:
                self.wfile.write(b"a row\n")
                while "slow" in path:
                    self.wfile.write(b"another\n")
                    time.sleep(0.01)
                self.rfile.read(1)  # until the client goes away
            except OSError:
                pass
            self.close_connection = True
            return None
        if path == "/readyz":
            return self.answer(503, b'{"title":"The server is shutting down","detail":"Soon.","code":"draining"}')
        if path == "/moved/v1/boards":
            return self.answer(301, b"", {"Location": "https://elsewhere.example/"})
        return self.answer(200, b'{"status":"ok","version":"9"}' if path in ("/healthz", "/version") else b"<html>")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(200, b'{"outcome":"created","seq":1,"standing":{"player":"p","rank":1,"scores":' + re.search(
            rb'"scores":({.*?})', body)[1] + b'},"total":1}')

    def answer(self, status, body, headers=None):
        self.send_response(status)
        for name, value in {"Content-Length": len(body), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Strangers(CommandTest):
    """Against the canned answers."""

    @classmethod
    def setUpClass(cls):
        stub = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Stub)
        stub.daemon_threads = True
        stub.handle_error = lambda *_: None  # clients that go away early
        stub.url = f"http://127.0.0.1:{stub.server_address[1]}"
        stub.log_tail = lambda: ""
        cls.server = stub
        thread = threading.Thread(target=stub.serve_forever, daemon=True)
        thread.start()
        cls.addClassCleanup(thread.join)
        cls.addClassCleanup(stub.server_close)
        cls.addClassCleanup(stub.shutdown)

    def test_a_submission_of_several_columns_waits_for_the_board_too(self):
        self.assertIn("created", self.command("submit", "busy", "p", 3, 2).stdout)
        self.assertEqual(_Stub.boards_asked, 2)
        self.assertIn("nothing was sent", self.command("submit", "lost", "p", 3, 2, expect=1).stderr)
        self.assertIn("the score of 'goals' is given twice",
                      self.command("submit", "busy", "p", "goals=1", "goals=2", expect=2).stderr)

    def test_names_never_reach_the_terminal_as_they_are(self):
        for form in FORMS:
            with self.subTest(form=form):
                code, shown = self.on_terminal("top", "evil", "-o", form, columns=200, env={"NO_COLOR": "1"})
                self.assertEqual(code, 0, shown)
                self.assertIsNone(re.search("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u202e]", shown), repr(shown))
                self.assertIn("\\u001b", shown)
        # A pipe gets the data as it is.
        record = list(csv.DictReader(io.StringIO(self.command("top", "evil", "-o", "csv").stdout, newline="")))[0]
        self.assertEqual(record["name"], EVIL)

    def test_export_writes_a_file_whole_or_not_at_all(self):
        with tempfile.TemporaryDirectory(prefix="standings-test-") as folder:
            path = os.path.join(folder, "board.ndjson")
            done = self.command("export", "good", path)
            self.assertEqual(done.stdout, "")
            self.assertIn("k3:77", done.stderr)
            with open(path, encoding="utf-8") as file:
                self.assertEqual(file.read(), ("ndjson," + "x" * 100 + "\n") * 1000)
            before = os.stat(path).st_mtime_ns
            self.assertIn("not complete", self.command("export", "cut", path, expect=1).stderr)
            self.assertEqual(os.stat(path).st_mtime_ns, before)
            self.command("export", "cut", os.path.join(folder, "new"), expect=1)
            for name in ("board.xlsx", "board.csv.gz", "board.tsv"):
                said = self.command("export", "good", os.path.join(folder, name), expect=2).stderr
                self.assertIn("export writes CSV, NDJSON and JSON", said)
            self.assertEqual(os.listdir(folder), ["board.ndjson"])
            self.command("export", "good", os.path.join(folder, "none", "x.csv"), expect=1)
        self.assertTrue(self.command("export", "good").stdout.startswith("csv,"))
        for flag in ("--format", "-o", "--output"):
            self.assertTrue(self.command("export", "good", "-", flag, "json").stdout.startswith("json,"))
        self.assertIn("--format: it is one of csv, ndjson, json, not 'table'",
                      self.command("export", "good", "-o", "table", expect=2).stderr)

    def interrupted_export(self, board, number, *words, cwd=None):
        process = subprocess.Popen([str(program()), "export", board, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   cwd=cwd, env=clean_environment(STANDINGS_SERVER=self.server.url))
        self.addCleanup(process.kill)
        if cwd:
            wait_until(lambda: any(path.stat().st_size > 0 for path in pathlib.Path(cwd).glob("*.partial-*")), "the first rows")
        else:
            self.assertEqual(process.stdout.read(5), b"a row")
        process.send_signal(number)
        errors = process.communicate(timeout=30)[1].decode()
        return process.returncode, errors

    def test_export_that_is_interrupted_leaves_nothing_behind_and_says_so(self):
        for board in ("slow", "stalled"):
            for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 1)):
                with self.subTest(board=board, number=number), tempfile.TemporaryDirectory(prefix="standings-test-") as folder:
                    (pathlib.Path(folder) / "board.csv").write_text("as it was")
                    code, errors = self.interrupted_export(board, number, "board.csv", cwd=folder)
                    self.assertEqual((code, errors), (
                        status, "\nstandings: interrupted. Nothing was kept; the same command begins anew.\n"))
                    self.assertEqual(os.listdir(folder), ["board.csv"])
                    self.assertEqual((pathlib.Path(folder) / "board.csv").read_text(), "as it was")
        code, errors = self.interrupted_export("slow", signal.SIGINT)
        self.assertEqual((code, errors), (
            130, "\nstandings: interrupted. What was written is not whole; the same command begins anew.\n"))

    def test_export_replaces_no_device_and_no_pipe(self):
        with tempfile.TemporaryDirectory(prefix="standings-test-") as folder:
            pipe = os.path.join(folder, "pipe")
            os.mkfifo(pipe)
            self.assertIn("no ordinary file", self.command("export", "good", pipe, expect=2).stderr)
            self.assertEqual(os.listdir(folder), ["pipe"])
            self.assertTrue(stat.S_ISFIFO(os.stat(pipe).st_mode))

    def test_export_keeps_the_mode_of_the_file_it_replaces(self):
        with tempfile.TemporaryDirectory(prefix="standings-test-") as folder:
            path = os.path.join(folder, "private.csv")
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
            self.command("export", "good", path)
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)

    def test_export_ends_quietly_when_nobody_reads_on(self):
        process = subprocess.Popen([str(program()), "export", "good"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=clean_environment(STANDINGS_SERVER=self.server.url))
        process.stdout.read(10)
        process.stdout.close()
        self.assertEqual(process.stderr.read(), b"")
        process.stderr.close()
        self.assertIn(process.wait(30), (0, 1, -signal.SIGPIPE))

    def test_not_ready_not_json_and_elsewhere(self):
        done = run_command("health", "-o", "json", env={"STANDINGS_SERVER": self.server.url})
        self.assertEqual(done.returncode, 1)
        self.assertEqual(json.loads(done.stdout)["ready"], False)
        self.assertIn("Soon.", json.loads(done.stdout)["detail"])
        self.assertIn("Standings server", self.command("boards", "ls", expect=1).stderr)
        self.assertIn("https://elsewhere.example/", self.command(
            "boards", "ls", env={"STANDINGS_SERVER": self.server.url + "/moved"}, expect=1).stderr)


class Export(CommandTest):
    def test_a_board_of_the_real_server(self):
        path = self.make_board(id="exported")
        if self.server.api.get(f"{path}/export?format=csv").status == 404:
            self.skipTest("this server has no export")
        for place in range(50):
            self.submit(path, f"p{place}", place, name=NAMES[place % len(NAMES)])
        listed = [json.loads(line) for line in self.command("top", "exported", "-n", 50, "-o", "ndjson").stdout.splitlines()]
        rows = [json.loads(line) for line in self.command("export", "exported", "--format", "ndjson").stdout.splitlines()]
        shared = lambda row: (row["rank"], row["player"], row["name"], row["score"])
        self.assertEqual(list(map(shared, rows)), list(map(shared, listed)))
        records = list(csv.DictReader(io.StringIO(self.command("export", "exported").stdout, newline="")))
        self.assertEqual([record["player"] for record in records], [row["player"] for row in rows])


if __name__ == "__main__":
    unittest.main()
