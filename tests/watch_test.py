"""`top --watch` and `rank --watch`: what is on the screen is what the API answers, whatever happens to the server."""

import fcntl
import itertools
import os
import pathlib
import pty
import re
import resource
import signal
import struct
import subprocess
import termios
import threading
import time
import unittest

from support.client import parse_json
from support.live import EventStream, Rows, settled
from support.server import KEY, Server, ServerTest, die_with_parent, is_sanitized, program, wait_until

ENTER, LEAVE = "\x1b[?1049h", "\x1b[?1049l"
# Around a picture.
BEGIN, END = "\x1b[?2026h\x1b[H", "\x1b[?2026l"
HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"


def environment(**more):
    clean = {name: value for name, value in os.environ.items()
             if not name.startswith("STANDINGS_") and name not in ("COLUMNS", "LINES", "NO_COLOR")}
    return {**clean, **more}


class Terminal:
    """A command on a terminal of its own, which keeps what it shows. Use as a context manager."""

    def __init__(self, url, *words, columns=100, lines=40, env=None, shell=None, keys=None):
        self.master, self.slave = pty.openpty()
        self.resize(columns, lines)
        self.before = termios.tcgetattr(self.slave)
        command = [str(program()), *map(str, words)]

        def own_terminal():
            die_with_parent()
            fcntl.ioctl(1, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            ["bash", "--norc", "-c", shell, *command] if shell else command, stdin=keys or self.slave, stdout=self.slave, stderr=self.slave,
            start_new_session=True, preexec_fn=own_terminal,
            env=environment(**{"STANDINGS_SERVER": url, "STANDINGS_KEY": KEY, "TERM": "xterm", **(env or {})}))
        self.bytes = b""
        self.may_read = threading.Event()
        self.may_read.set()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        while True:
            self.may_read.wait()
            try:
                piece = os.read(self.master, 65536)
            except OSError:
                return
            if not piece:
                return
            self.bytes += piece

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.may_read.set()
        os.close(self.slave)  # the last one: the reader ends
        self.reader.join(10)
        os.close(self.master)

    def resize(self, columns, lines):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def type(self, keys):
        os.write(self.master, keys.encode())

    @property
    def shown(self):
        """All that was ever written."""
        return self.bytes.decode(errors="replace")

    @property
    def picture(self):
        """The lines of the last whole picture, without colours; empty before the first."""
        last = self.drawn
        return re.sub("\x1b\\[[0-9;?]*[A-Za-z]|[\u2068\u2069]", "", last).replace("\r", "").split("\n") if last else []

    @property
    def drawn(self):
        """The same as it was written."""
        return self.shown.rpartition(END)[0].rpartition(BEGIN)[2]

    @property
    def rows(self):
        """The cells of each row, without the mark of a move."""
        rows = []
        for line in self.picture[2:-2]:
            rank, *cells = line.split()
            rows.append([rank, *(cells[1:] if re.match("[▲▼]|new$", cells[0]) else cells)])
        return rows

    def until(self, condition, what):
        try:
            return wait_until(lambda: condition(self), what)
        except AssertionError as failure:
            raise AssertionError(f"{failure}; on the terminal:\n" + "\n".join(self.picture)) from None

    def until_state(self, text):
        return self.until(lambda now: now.picture and text in now.picture[-1], f"'{text}' in the last line")

    def end(self, keys="\x03"):
        """Ends it, and gives its exit code."""
        self.type(keys)
        code = self.process.wait(30)
        wait_until(lambda: self.shown.rstrip().endswith(LEAVE) or code != 0, "the screen to be left")
        return code


def cells_of(row):
    return [str(row["rank"]), row["player"], *([row["name"]] if "name" in row else []), str(row["score"]), row["reached_at"]]


class Watch(ServerTest):
    def watch(self, *words, server=None, **options):
        terminal = Terminal((server or self.server).url, *words, **options)
        self.addCleanup(terminal.__exit__)
        return terminal

    def fill(self, board, count):
        for number in range(count):
            self.submit(board, f"p{number:02}", 1000 - number, name=f"Name-{number}")

    def assert_shows(self, terminal, board, count=20, server=None):
        api = (server or self.server).api
        want = lambda: [cells_of(row) for row in api.get(f"{board}/standings?limit={count}").json["rows"]]
        terminal.until(lambda now: now.rows == want(), "the rows of the API")


class OnATerminal(Watch):
    def test_rows_move_as_scores_come(self):
        board = self.make_board(id="moving", title="Our cup", rule="last")
        self.fill(board, 30)
        terminal = self.watch("top", "moving", "--watch")
        self.assert_shows(terminal, board)
        self.assertEqual(terminal.picture[0], "Our cup (moving)  30 players")
        self.assertIn(f"{ENTER}{HIDE}", terminal.shown)
        self.assertEqual(terminal.picture[-1], "● live")
        self.assertNotRegex("".join(terminal.picture), "[▲▼]|new", "at first nobody has moved")

        self.submit(board, "p05", 5000, name="Name-5")
        terminal.until_state("Name-5 leads now")
        self.assert_shows(terminal, board)
        self.submit(board, "late", 2000, name="Late")
        self.assert_shows(terminal, board)
        self.assertIn("31 players", terminal.picture[0])
        everything = terminal.shown
        self.assertRegex(everything, "\x1b\\[32m▲5\x1b\\[0m")
        self.assertRegex(everything, "\x1b\\[31m▼1\x1b\\[0m")
        self.assertRegex(everything, "\x1b\\[33mnew\x1b\\[0m")
        terminal.until(lambda now: not re.search("[▲▼]|new", "".join(now.picture)), "the marks to go")

        self.server.api.post(f"{board}/close")
        terminal.until_state("no more scores are taken")
        self.assertIn("closed", terminal.picture[0])
        self.server.api.post(f"{board}/reopen")
        terminal.until_state("scores are taken again")
        self.assertNotIn("closed", terminal.picture[0])
        self.server.api.post(f"{board}/reset")
        terminal.until(lambda now: "No scores yet" in now.picture, "an empty board")
        self.assertEqual(terminal.end(), 0)

    def test_ctrl_c_and_q_and_signals_leave_the_terminal_as_it_was(self):
        board = self.make_board(id="left")
        self.fill(board, 3)
        for end in ("\x03", "q", signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with self.subTest(end=end):
                terminal = self.watch("top", "left", "--watch")
                self.assert_shows(terminal, board)
                if isinstance(end, str):
                    self.assertEqual(terminal.end(end), 0)
                else:
                    terminal.process.send_signal(end)
                    self.assertEqual(terminal.process.wait(30), 0)
                terminal.until(lambda now: now.shown.endswith(f"{SHOW}{LEAVE}"), "the cursor and the other screen")
                self.assertEqual(termios.tcgetattr(terminal.slave), terminal.before)

    def test_an_end_by_force_leaves_the_terminal_as_it_was(self):
        board = self.make_board(id="forced")
        self.fill(board, 3)
        # Two that come at once are one that does not wait for an end in order.
        for signals, codes in (((signal.SIGTERM, signal.SIGINT), (1, 130)), ((signal.SIGQUIT,), (-signal.SIGQUIT,))):
            with self.subTest(signals=signals):
                terminal = self.watch("top", "forced", "--watch")
                self.assert_shows(terminal, board)
                process = terminal.process
                resource.prlimit(process.pid, resource.RLIMIT_CORE, (0, 0))
                process.send_signal(signal.SIGSTOP)
                wait_until(lambda: pathlib.Path(f"/proc/{process.pid}/stat").read_text().split()[2] == "T", "it to stop")
                for number in (*signals, signal.SIGCONT):
                    process.send_signal(number)
                self.assertIn(process.wait(30), codes)
                terminal.until(lambda now: now.shown.endswith(f"{SHOW}{LEAVE}"), "the cursor and the other screen")
                self.assertEqual(termios.tcgetattr(terminal.slave), terminal.before)

    def test_keys_that_are_gone_cost_no_time(self):
        board = self.make_board(id="keyless")
        self.fill(board, 3)
        keys, slave = pty.openpty()
        terminal = self.watch("top", "keyless", "--watch", keys=slave)
        os.close(slave)
        self.assert_shows(terminal, board)
        os.close(keys)
        used = lambda: sum(map(int, pathlib.Path(f"/proc/{terminal.process.pid}/stat").read_text().split()[13:15]))
        before = used()
        time.sleep(2)
        self.assertLess(used() - before, 50, "hundredths of a second")
        self.assertEqual(terminal.end(), 0)

    def test_no_colour_where_none_is_wanted(self):
        board = self.make_board(id="plain", rule="last")
        self.fill(board, 3)
        terminal = self.watch("top", "plain", "--watch", env={"NO_COLOR": "1"})
        self.assert_shows(terminal, board)
        self.submit(board, "p02", 9000, name="Name-2")
        terminal.until(lambda now: "▲2" in "".join(now.picture), "a mark")
        self.assertNotRegex(terminal.shown, "\x1b\\[[0-9;]+m(?<!\x1b\\[0m)")
        self.assertEqual(terminal.end(), 0)

    def test_fits_the_window_as_it_becomes_larger_and_smaller(self):
        board = self.make_board(id="sized")
        self.fill(board, 20)
        terminal = self.watch("top", "sized", "--watch", columns=60, lines=10)
        terminal.until_state("14 more rows do not fit")
        self.assertEqual(len(terminal.picture), 10)
        terminal.resize(100, 40)
        self.assert_shows(terminal, board)
        terminal.resize(40, 8)
        terminal.until(lambda now: len(now.picture) == 8, "a small picture")
        self.assertLessEqual(max(map(len, terminal.picture)), 40)
        # Cleared behind a line, the letter at the edge would be gone.
        for line in re.split("\r*\n", terminal.drawn):
            self.assertRegex(line, "^\x1b\\[[KJ]")
            self.assertNotRegex(line, ".\x1b\\[[KJ]")
        self.assertEqual(terminal.end(), 0)

    def test_ctrl_z_gives_the_terminal_back_until_it_goes_on(self):
        board = self.make_board(id="paused", rule="last")
        self.fill(board, 5)
        terminal = self.watch("top", "paused", "--watch",
                              shell='set -m; "$0" "$@"; echo stopped $?; read; fg >/dev/null; echo ended $?')
        self.assert_shows(terminal, board)
        terminal.type("\x1a")
        terminal.until(lambda now: "stopped 148" in now.shown, "the shell")
        self.assertIn(f"{SHOW}{LEAVE}", terminal.shown)
        self.assertTrue(termios.tcgetattr(terminal.slave)[3] & termios.ECHO)
        self.submit(board, "p04", 9000, name="Name-4")
        terminal.bytes = b""
        terminal.type("\r")
        self.assert_shows(terminal, board)
        self.assertIn(f"{ENTER}{HIDE}", terminal.shown)
        terminal.type("\x03")
        terminal.until(lambda now: "ended 0" in now.shown, "the end")

    def test_who_is_ended_while_suspended_touches_the_terminal_no_more(self):
        board = self.make_board(id="killed")
        self.fill(board, 5)
        terminal = self.watch("top", "killed", "--watch", shell='set -m; "$0" "$@"; echo stopped; read; kill %1; while kill -0 %1 2>/dev/null; do sleep 0.05; done; echo gone; read')
        self.assert_shows(terminal, board)
        terminal.type("\x1a")
        terminal.until(lambda now: "stopped" in now.shown, "the shell")
        terminal.bytes = b""
        terminal.type("\r")
        terminal.until(lambda now: "gone" in now.shown, "the end")
        self.assertNotIn(ENTER, terminal.shown)
        self.assertNotIn(LEAVE, terminal.shown)
        self.assertTrue(termios.tcgetattr(terminal.slave)[3] & termios.ECHO)
        terminal.type("\r")

    def test_one_player_with_those_around(self):
        board = self.make_board(id="mine", rule="last")
        self.fill(board, 30)
        around = lambda: [cells_of(row) for row in self.server.api.get(f"{board}/players/p15?around=4").json["rows"]]
        terminal = self.watch("rank", "mine", "p15", "--around", 4, "--watch")
        terminal.until(lambda now: now.rows == around(), "the rows around the player")
        self.assertEqual(len(terminal.rows), 9)
        self.assertIn("\x1b[1mp15\x1b[0m", terminal.shown)
        self.submit(board, "p15", 5000, name="Name-15")
        terminal.until(lambda now: now.rows == around(), "the rows around the player")
        self.assertEqual([row[1] for row in terminal.rows], ["p15", "p00", "p01", "p02", "p03"])
        self.assertEqual(terminal.end(), 0)

        alone = self.watch("rank", "mine", "nobody", "--watch")
        alone.until(lambda now: "nobody has no score here yet" in now.picture, "who is not there yet")
        self.submit(board, "nobody", 1, name="N")
        alone.until(lambda now: [row[1] for row in now.rows] == ["nobody"], "the player's row")
        self.assertEqual(alone.end(), 0)

    def test_a_terminal_that_is_slow_costs_no_memory(self):
        board = self.make_board(id="slow", rule="last")
        lines = lambda round: "".join(f'{{"player":"player-{i:03}","name":"{"x" * 50}{i}","score":{i * round % 997}}}\n' for i in range(100))
        headers = {"Content-Type": "application/x-ndjson"}
        self.server.api.request("POST", f"{board}/submissions", lines(1).encode(), headers)
        terminal = self.watch("top", "slow", "--watch", "-n", 100, "--rate", 20, columns=160, lines=120)
        self.assert_shows(terminal, board, 100)
        status = pathlib.Path(f"/proc/{terminal.process.pid}/status")
        memory = lambda: int(re.search(r"VmRSS:\s+(\d+)", status.read_text())[1])
        before = memory()
        terminal.may_read.clear()
        deadline = time.monotonic() + 5
        round = 1
        while time.monotonic() < deadline:
            round += 1
            self.server.api.request("POST", f"{board}/submissions", lines(round).encode(), headers)
        if not is_sanitized():
            self.assertLess(memory() - before, 8192, "KiB more")
        terminal.may_read.set()
        self.assert_shows(terminal, board, 100)
        self.assertEqual(terminal.end(), 0)

    def test_a_terminal_that_takes_nothing_keeps_it_from_nothing(self):
        board = self.make_board(id="stopped", rule="last")
        self.fill(board, 20)
        terminal = self.watch("top", "stopped", "--watch")
        self.assert_shows(terminal, board)
        terminal.type("\x13")
        scores = itertools.count(9000)

        def blocked():
            # The terminal may take one more picture before it hears of it.
            self.submit(board, "p07", next(scores), name="Name-7")
            try:
                return pathlib.Path(f"/proc/{terminal.process.pid}/syscall").read_text().startswith(("1 ", "64 "))  # write()
            except OSError:  # not to be seen here: it is at once, or soon
                return True

        wait_until(blocked, "the picture to wait")
        terminal.process.send_signal(signal.SIGTERM)
        self.assertEqual(terminal.process.wait(10), 0)

    def test_a_terminal_that_is_gone_ends_it(self):
        board = self.make_board(id="gone")
        self.fill(board, 1)
        master, slave = pty.openpty()
        process = subprocess.Popen([str(program()), "top", "gone", "--watch"], stdin=subprocess.DEVNULL, stdout=slave, stderr=slave,
                                   env=environment(STANDINGS_SERVER=self.server.url, TERM="xterm"), preexec_fn=die_with_parent)
        os.close(slave)
        self.assertIn(b"\x1b[?1049h", os.read(master, 1000))
        os.close(master)
        self.assertEqual(process.wait(30), 0)


class Restarts(Watch):
    """With servers of their own, which are killed."""

    def setUp(self):
        self.own = Server().start()
        self.addCleanup(self.own.close)
        self.assertEqual(self.own.api.post("/v1/boards", {"id": "cup", "rule": "last"}).status, 201)
        for number in range(30):
            self.score(f"p{number}", 1000 - number)

    def score(self, player, score):
        answer = self.own.api.post("/v1/boards/cup/submissions", {"player": player, "name": player.upper(), "score": score})
        self.assertEqual(answer.status, 200, answer)

    def start_again(self):
        """On the same data and port."""
        self.own.start(f"127.0.0.1:{self.port}")

    def test_a_killed_server_is_waited_for(self):
        self.port = self.own.port
        terminal = self.watch("top", "cup", "--watch", server=self.own)
        self.assert_shows(terminal, "/v1/boards/cup", server=self.own)
        for round in range(2):
            self.own.kill()
            terminal.until_state("no connection, trying again in ")
            self.assertEqual(len(terminal.rows), 20, "what is known stays")
            self.start_again()
            self.score(f"p{20 + round}", 5000 + round)
            terminal.until_state("● live")
            self.assert_shows(terminal, "/v1/boards/cup", server=self.own)
            self.score(f"new{round}", 6000 + round)
            self.assert_shows(terminal, "/v1/boards/cup", server=self.own)
        self.assertEqual(terminal.end(), 0)

    def test_a_server_that_says_goodbye_is_waited_for(self):
        self.port = self.own.port
        terminal = self.watch("top", "cup", "--watch", server=self.own, columns=200)
        self.assert_shows(terminal, "/v1/boards/cup", server=self.own)
        self.own.terminate()
        terminal.until(lambda now: "is shutting down" in now.shown, "to be told")
        self.assertEqual(terminal.end(), 0, "also while it waits")

    def test_messages_go_on_where_they_ended(self):
        self.port = self.own.port
        process = subprocess.Popen([str(program()), "top", "cup", "--watch", "-o", "ndjson"], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env=environment(STANDINGS_SERVER=self.own.url), preexec_fn=die_with_parent)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        rows, kinds = Rows(), []

        def take_until(condition):
            while not condition():
                message = parse_json(process.stdout.readline().decode())
                kinds.append(message["type"])
                if "view" in message:
                    rows.goes_on = True
                    rows.apply(message)

        take_until(lambda: rows.seq is not None)
        self.own.kill()
        self.start_again()
        said = [process.stderr.readline() for _ in range(2)]
        self.score("p0", 7000)
        take_until(lambda: rows.rows[0]["score"] == 7000)
        self.assertEqual(kinds.count("snapshot"), 1, "nothing was missing: it goes on where it was")
        self.assertEqual(rows.rows, self.own.api.get("/v1/boards/cup/standings?limit=25").json["rows"])
        self.own.terminate()
        take_until(lambda: kinds[-1] == "bye")
        self.start_again()
        self.score("p1", 8000)
        take_until(lambda: rows.rows[0]["score"] == 8000)
        process.send_signal(signal.SIGINT)
        _, more = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 0)
        said = b"".join([*said, more]).decode()
        self.assertEqual(len(re.findall("(?m)^standings: .*; trying again$", said)), 2, said)
        self.assertEqual(said.count("standings: connected again\n"), 2, said)

    def test_a_board_that_is_deleted_ends_it(self):
        terminal = self.watch("top", "cup", "--watch", server=self.own)
        self.assert_shows(terminal, "/v1/boards/cup", server=self.own)
        self.assertEqual(self.own.api.delete("/v1/boards/cup").status, 204)
        self.assertEqual(terminal.process.wait(30), 1)
        terminal.until(lambda now: now.shown.rstrip().rpartition(LEAVE)[2].startswith(
            f"standings: the watch has ended: there is no board 'cup' at {self.own.url}"), "a sentence behind the screen")

    def test_a_board_that_is_made_anew_is_read_anew(self):
        self.port = self.own.port
        terminal = self.watch("top", "cup", "--watch", server=self.own)
        self.assert_shows(terminal, "/v1/boards/cup", server=self.own)
        self.own.terminate()
        terminal.until_state("no connection")
        self.own.start()  # elsewhere, where nobody watches
        self.own.api.delete("/v1/boards/cup")
        self.assertEqual(self.own.api.post("/v1/boards", {"id": "cup", "title": "New", "rule": "last"}).status, 201)
        for number in range(30):
            self.score(f"q{number}", number)
        self.own.terminate()
        self.start_again()
        terminal.until(lambda now: now.picture[0] == "New (cup)  30 players", "the new board")
        self.assert_shows(terminal, "/v1/boards/cup", server=self.own)
        self.assertEqual(terminal.end(), 0)


class OnAPipe(Watch):
    def start(self, *words, **env):
        process = subprocess.Popen([str(program()), *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=environment(STANDINGS_SERVER=self.server.url, **env), preexec_fn=die_with_parent)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def finish(self, process):
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=30)
        self.assertEqual((process.returncode, errors), (0, b""))
        return output.decode()

    def test_messages_are_those_of_the_protocol(self):
        board = self.make_board(id="told", rule="last")
        self.fill(board, 30)
        process = self.start("top", "told", "-n", 11, "--watch", "-o", "ndjson", "--rate", 20)
        first = process.stdout.readline().decode()
        with EventStream(self.server.port, f"{board}/live?top=25&rate=20") as stream:
            lines, blocks = [first], [stream._next_block() for _ in range(2)][1:]
            for number in range(10):
                self.submit(board, f"p{number % 7:02}", 2000 + number)
                while "event: delta" not in blocks[-1] or f'"score":{2000 + number}' not in blocks[-1]:
                    blocks.append(stream._next_block())
            self.server.api.post(f"{board}/close")
            data = lambda block: block.partition("data: ")[2]
            while not (blocks[-1].startswith("event: event") and "frozen" in blocks[-1]):
                blocks.append(stream._next_block())
            while "frozen" not in lines[-1]:
                lines.append(process.stdout.readline().decode())
            # The one may have had a beat before the other came.
            told = [line for line in lines if '"type":"beat"' not in line]
            expected = [data(block) + "\n" for block in blocks if data(block)]
            self.assertEqual(told, expected)
            self.assertEqual(first, expected[0])
        self.assertGreater(len(told), 11, "the first rows, ten changes, and the end")
        self.finish(process)

    def test_a_beat_is_a_message_too(self):
        board = self.make_board(id="beating")
        self.fill(board, 30)
        process = self.start("top", "beating", "-n", 10, "--watch", "-o", "ndjson")
        first = parse_json(process.stdout.readline().decode())
        seq = self.submit(board, "p29", 972)["standing"]["seq"]
        self.assertEqual(process.stdout.readline().decode(), f'{{"view":"{first["view"]}","type":"beat","seq":{seq}}}\n')
        self.finish(process)

    def test_tables_have_an_empty_line_between_them(self):
        board = self.make_board(id="tables", rule="last")
        self.fill(board, 12)
        top = lambda: subprocess.run([str(program()), "top", "tables", "-n", "3"], capture_output=True, check=True,
                                     env=environment(STANDINGS_SERVER=self.server.url)).stdout.decode()
        for env in ({}, {"STANDINGS_OUTPUT": "table"}):
            process = self.start("top", "tables", "-n", 3, "--watch", **env)
            tables = [top()]
            first = "".join(process.stdout.readline().decode() for _ in range(4))
            self.assertEqual(first, tables[0])
            self.submit(board, "p08", 1, name="Name-8")  # not among the three
            self.submit(board, f"p0{len(env)}", 3000 + len(env), name="Anew")
            tables.append(top())
            second = "".join(process.stdout.readline().decode() for _ in range(5))
            self.assertEqual(second, "\n" + tables[1])
            self.assertEqual(self.finish(process), "")

    def test_a_terminal_without_a_cursor_gets_tables(self):
        board = self.make_board(id="dumb")
        self.fill(board, 2)
        terminal = self.watch("top", "dumb", "--watch", env={"TERM": "dumb"})
        terminal.until(lambda now: now.shown.count("\r\n") >= 3, "a table")
        self.assertNotIn("\x1b", terminal.shown)
        terminal.type("\x03")
        self.assertEqual(terminal.process.wait(30), 0)

    def test_who_reads_no_more_ends_it(self):
        board = self.make_board(id="head", rule="last")
        self.fill(board, 2)
        for form in ("ndjson", "table"):
            with self.subTest(form=form):
                process = self.start("top", "head", "--watch", "-o", form)
                process.stdout.readline()
                process.stdout.close()
                self.assertEqual(process.wait(30), 0)
                self.assertEqual(process.stderr.read(), b"")
                process.stdout = None

    def test_messages_on_a_terminal_can_do_no_harm(self):
        board = self.make_board(id="harm")
        self.submit(board, "p", 1, name="\u05d0\u200d\u05d1")
        terminal = self.watch("top", "harm", "--watch", "-o", "ndjson")
        terminal.until(lambda now: now.shown.endswith("}\r\n"), "a line")
        self.assertNotIn("\x1b", terminal.shown)
        terminal.type("\x03")
        self.assertEqual(terminal.process.wait(30), 0)


class Refusals(Watch):
    def refused(self, *words, code, env=None):
        done = subprocess.run([str(program()), *map(str, words)], capture_output=True, timeout=60, stdin=subprocess.DEVNULL,
                              env=environment(**{"STANDINGS_SERVER": self.server.url, **(env or {})}))
        self.assertEqual((done.returncode, done.stdout), (code, b""), done.stderr)
        return done.stderr.decode()

    def test_at_the_start(self):
        self.make_board(id="secret", visibility="private")
        for words in (("top", "{}"), ("rank", "{}", "p"), ("top", "{}", "-o", "ndjson")):
            with self.subTest(words=words):
                at = lambda board: [word.format(board) for word in words] + ["--watch"]
                self.assertIn(f"standings: there is no board 'none' at {self.server.url}", self.refused(*at("none"), code=1))
                self.assertIn("there is no board 'secret'", self.refused(*at("secret"), code=1))
                self.assertIn("the key from STANDINGS_KEY is wrong",
                              self.refused(*at("secret"), code=1, env={"STANDINGS_KEY": "st_sk_wrong"}))
                self.assertIn("cannot reach http://127.0.0.1:9: connection refused",
                              self.refused(*at("none"), code=1, env={"STANDINGS_SERVER": "http://127.0.0.1:9"}))
        terminal = self.watch("top", "none", "--watch")
        self.assertEqual(terminal.process.wait(30), 1)
        terminal.until(lambda now: "there is no board 'none'" in now.shown, "the sentence")
        self.assertNotIn("\x1b", terminal.shown)
        private = self.watch("top", "secret", "--watch")
        private.until(lambda now: now.picture, "with the key")
        self.assertEqual(private.end(), 0)

    def test_of_words(self):
        for words, says in [(("top", "b", "--watch", "-o", "json"), "use -o ndjson"), (("rank", "b", "p", "--watch", "-o", "csv"), "use -o ndjson"),
                            (("top", "b", "--watch", "-n", 101), "with --watch, --count is up to 100, not 101"),
                            (("rank", "b", "p", "--watch", "--around", 11), "with --watch, --around is up to 10, not 11"),
                            (("top", "b", "--watch", "--offset", 3), "do not go together"), (("top", "b", "--rate", 5), "--rate requires --watch"),
                            (("top", "b", "--watch", "--rate", 3), "--rate: it is one of 1, 2, 5, 10, 20, not '3'")]:
            with self.subTest(words=words):
                said = self.refused(*words, code=2)
                self.assertIn(says, said)
                self.assertRegex(said, r"(?m)^See `standings \w+ --help`\.$")
        self.assertIn("use -o ndjson", self.refused("top", "b", "--watch", code=2, env={"STANDINGS_OUTPUT": "csv"}))


if __name__ == "__main__":
    unittest.main()
