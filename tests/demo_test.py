"""`standings demo` as a newcomer meets it: boards, traffic, joining without a key, the end."""

import os
import pathlib
import pty
import re
import select
import signal
import socket
import subprocess
import time
import unittest

from support.live import Watcher
from support.server import DemoServer, program, wait_until

BOARDS = ("rating", "season", "speedrun")
PLAYERS = DemoServer.PLAYERS


def board_of(server, slug):
    answer = server.public.get(f"/v1/boards/{slug}")
    assert answer.status == 200, answer
    return answer.json


def rows_of(server, slug, limit=1000):
    return server.public.get(f"/v1/boards/{slug}/standings?limit={limit}").json["rows"]


class DemoTest(unittest.TestCase):
    def demo(self, *args, env=None):
        server = DemoServer(*args, env=env)
        self.addCleanup(server.close)
        return server.start()


class Game(DemoTest):
    def test_the_boards_are_full_and_the_scores_move(self):
        server = self.demo("--seed", "7", "--rate", "200")
        listed = {item["id"]: item for item in server.public.get("/v1/boards").json["items"]}
        self.assertEqual(sorted(listed), sorted(BOARDS))
        self.assertEqual(listed["season"]["total"], PLAYERS)
        self.assertEqual(listed["rating"]["total"], PLAYERS)
        self.assertGreater(listed["speedrun"]["total"], PLAYERS // 2)
        self.assertEqual([listed[slug]["rule"] for slug in BOARDS], ["last", "sum", "best"])
        self.assertEqual([column["name"] for column in listed["season"]["columns"]],
                         ["points", "goal_difference", "goals_for"])
        for slug in BOARDS:
            seq = listed[slug]["seq"]
            wait_until(lambda: board_of(server, slug)["seq"] > seq, f"scores on {slug}")
            rows = rows_of(server, slug, 100)
            self.assertEqual([row["position"] for row in rows], list(range(1, 101)))
            self.assertTrue(all(row["name"] for row in rows), "everybody has a name")

    def test_the_same_seed_starts_with_the_same_standings(self):
        def standings(seed):
            server = self.demo("--seed", seed, "--rate", "0")
            seen = [[(row["rank"], row["player"], row["name"], row.get("score"), row.get("scores"))
                     for row in rows_of(server, slug)] for slug in BOARDS]
            self.assertEqual(server.terminate(), 0)
            return seen
        once = standings("7")
        self.assertEqual(once, standings("7"))
        self.assertNotEqual(once, standings("8"))

    def test_the_page_answers(self):
        server = self.demo("--rate", "0")
        for path in ("/", "/b/speedrun"):
            page = server.public.get(path)
            self.assertEqual(page.status, 200)
            self.assertTrue(page.headers["content-type"].startswith("text/html"))
        self.assertEqual(server.public.get("/readyz").status, 200)


class Joining(DemoTest):
    def test_needs_no_key_and_is_told(self):
        server = self.demo("--rate", "20")
        # Exactly what it tells people to type.
        command = wait_until(lambda: re.search(r"(curl http://\S+ --json '\{.*?\}')", server.log().replace('\\"', '"')),
                             "the curl to join with")[1]
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=30)
        self.assertIn('"outcome":"created"', done.stdout, done)
        place = re.search(r'"rank":(\d+)', done.stdout)
        self.assertLessEqual(int(place[1]), 10, done.stdout)
        wait_until(lambda: "you entered speedrun at #" in server.log(), "the log to tell it")
        own = server.public.get("/v1/boards/speedrun/players/you").json
        self.assertEqual(own["name"], "You")

    def test_a_key_that_is_set_is_told_to_go(self):
        server = self.demo("--rate", "0")
        done = subprocess.run([str(program()), "top", "speedrun", "--server", server.url], capture_output=True, text=True,
                              timeout=30, env={**os.environ, "STANDINGS_KEY": "st_sk_of_another_server"})
        self.assertEqual(done.returncode, 1, done)
        self.assertIn(f"{server.url} takes no key, and STANDINGS_KEY gives one\n  unset STANDINGS_KEY\n",
                      re.sub(r"  request \w+\n", "", done.stderr))

    def test_a_page_of_another_site_may_look_and_not_submit(self):
        server = self.demo("--rate", "0")
        submission = {"player": "from-a-page", "score": 5}
        for origin, status in (("http://elsewhere.example", 401), ("null", 401), ("http://localhost", None)):
            with self.subTest(origin), Watcher(server.port, headers=[f"Origin: {origin}"]) as page:
                page.watch("rating", {"top": 10})
                answer = page.ask(op="submit", board="rating", submission=submission)
                self.assertEqual(answer.get("problem", {}).get("status"), status, answer)

    def test_lets_nobody_change_boards_or_others(self):
        server = self.demo("--rate", "0")
        first = rows_of(server, "rating", 1)[0]["player"]
        for method, path, body in (("POST", "/v1/boards", {"id": "mine"}),
                                   ("DELETE", "/v1/boards/rating", None),
                                   ("POST", "/v1/boards/rating/reset", None),
                                   ("DELETE", f"/v1/boards/rating/players/{first}", None)):
            answer = server.public.request(method, path, body)
            self.assertEqual(answer.status, 403, (method, path, answer))
            self.assertIn("as in a demo", answer.json["detail"])
        self.assertEqual(board_of(server, "rating")["total"], PLAYERS)


class Output(DemoTest):
    def on_a_terminal(self, *args, env=None):
        """(process, function that reads what the terminal shows so far)."""
        terminal, other = pty.openpty()
        self.addCleanup(os.close, terminal)
        server = DemoServer(*args)
        self.addCleanup(server.close)
        process = subprocess.Popen(server.command(), stdin=other, stdout=other, stderr=other, cwd=server.home,
                                   env={**server.environment(), **(env or {})})
        os.close(other)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        text = ""

        def shown():
            nonlocal text
            while select.select([terminal], [], [], 0)[0]:
                try:
                    text += os.read(terminal, 4096).decode(errors="replace")
                except OSError:
                    break
            return text
        return process, shown

    def test_greets_a_person_in_at_most_twelve_lines(self):
        process, shown = self.on_a_terminal("--rate", "0", "--no-open")
        wait_until(lambda: "curl" in shown() and shown().endswith("\n"), "the greeting")
        text = shown()
        self.assertLessEqual(len(text.strip().splitlines()), 12, text)
        self.assertNotIn("\x1b", text)
        for slug in BOARDS:
            self.assertRegex(text, rf"http://127\.0\.0\.1:\d+/b/{slug}")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(10), 0)

    def test_a_name_cannot_write_to_the_terminal(self):
        process, shown = self.on_a_terminal("--rate", "0", "--no-open")
        url = wait_until(lambda: re.search(r"http://127\.0\.0\.1:\d+", shown()), "the URL")[0]
        name = "long " * 12
        body = '{"player":"other","name":"%s","score":1}' % name
        done = subprocess.run(["curl", "-s", f"{url}/v1/boards/speedrun/submissions", "--json", body],
                              capture_output=True, text=True, timeout=30)
        self.assertIn("created", done.stdout)
        wait_until(lambda: "entered speedrun at #1" in shown(), "the news")
        line = next(line for line in shown().splitlines() if "entered" in line)
        self.assertLess(len(line), 79, line)
        self.assertIn("…", line)
        process.terminate()
        self.assertEqual(process.wait(10), 0)

    def test_opens_the_browser_once_and_leaves_no_zombie(self):
        home = DemoServer().home
        self.addCleanup(lambda: subprocess.run(["rm", "-rf", str(home)]))
        tools = home / "tools"
        tools.mkdir()
        opened = home / "opened"
        browser = tools / "xdg-open"
        browser.write_text(f"#!/bin/sh\necho noise; echo noise >&2\necho \"$1\" >>{opened}\n")
        browser.chmod(0o755)
        path = f"{tools}:{os.environ['PATH']}"
        process, shown = self.on_a_terminal("--rate", "0", env={"PATH": path, "DISPLAY": ":77"})
        wait_until(lambda: opened.exists() and opened.read_text().endswith("\n"), "the browser")
        self.assertRegex(opened.read_text(), r"\Ahttp://127\.0\.0\.1:\d+/\n\Z")
        self.assertNotIn("noise", shown())
        children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
        # What started the browser may still be about to end.
        wait_until(lambda: not children.read_text().split(), "its process to be gone")
        process.terminate()
        self.assertEqual(process.wait(10), 0)

    def test_without_a_terminal_it_writes_json_lines_and_opens_nothing(self):
        server = self.demo("--rate", "500", env={"DISPLAY": ":77", "PATH": "/nonexistent"})
        wait_until(lambda: len(server.log().splitlines()) >= 3, "some news")
        self.assertNotIn("\x1b", server.log())
        for line in server.log().splitlines():
            self.assertRegex(line, r'\A\{"time":"[^"]+","level":"info","message":".*\}\Z')


class Settings(DemoTest):
    def wrong(self, *args, toml=None, **environment):
        """What it says of settings that it does not start with."""
        server = DemoServer(*args, env=environment)
        self.addCleanup(server.close)
        if toml:
            (server.home / "standings.toml").write_text(toml)
        server.spawn()
        self.assertEqual(server.wait(), 2, server.log())
        return server.log()

    def largest_body(self, server):
        """The largest of a few bodies that it takes."""
        def status(size):
            body = {"player": "p", "score": 1, "name": "n"}
            padding = size - len('{"player": "p", "score": 1, "name": "n"}')
            return server.public.request("POST", "/v1/boards/rating/submissions", {**body, "name": "n" + " " * padding}).status
        return max(size for size in (250, 350, 450, 1000) if status(size) != 413)

    def test_flag_before_environment_before_file(self):
        server = DemoServer("--rate", "0")
        self.addCleanup(server.close)
        (server.home / "standings.toml").write_text("data = '/nowhere'\n[http]\nmax_body = 300\n")
        server.start()
        self.assertEqual(self.largest_body(server), 250)
        server.terminate()
        server.env["STANDINGS_HTTP_MAX_BODY"] = "400"
        server.start()
        self.assertEqual(self.largest_body(server), 350)
        server.terminate()
        server.args += ["--http-max-body", "500"]
        server.start()
        self.assertEqual(self.largest_body(server), 450)

    def test_what_is_wrong_is_refused_by_its_source(self):
        self.assertIn("STANDINGS_HTTP_MAX_BODY is 'foo', but it is a size", self.wrong(STANDINGS_HTTP_MAX_BODY="foo"))
        self.assertIn("standings.toml:1: there is no setting 'lisen'; did you mean 'listen'?", self.wrong(toml="lisen = 'x'\n"))
        self.assertIn("--threads is '999'", self.wrong("--threads", "999"))
        self.assertIn("standings.toml:1: it is at least four times", self.wrong(toml="http.input_memory = 1\n"))

    def test_an_unknown_variable_is_a_warning(self):
        server = self.demo("--rate", "0", env={"STANDINGS_LISSTEN": "x", "STANDINGS_LOG_FORMAT": "pretty"})
        self.assertRegex(server.log(), "WARN.* STANDINGS_LISSTEN is not a setting; did you mean 'STANDINGS_LISTEN'?")

    def test_an_address_of_the_environment_is_obeyed(self):
        server = DemoServer("--rate", "0", env={"STANDINGS_LISTEN": "127.0.0.1:0"})
        self.addCleanup(server.close)
        server.command = lambda listen: [str(program()), "demo", "--players", "100"]
        server.start()
        self.assertNotIn(server.port, range(8420, 8440))
        server.terminate()
        with socket.create_server(("127.0.0.1", 0)) as taken:
            server.env["STANDINGS_LISTEN"] = f"127.0.0.1:{taken.getsockname()[1]}"
            server.spawn()
            self.assertEqual(server.wait(), 3)


class End(DemoTest):
    def run_once(self, *arguments, seconds=30):
        return subprocess.run([str(program()), "demo", "--players", "100", *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=seconds)

    def test_signals_end_it_soon_and_well(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            server = self.demo("--rate", "1000")
            server.public.get("/readyz")
            began = time.monotonic()
            server.signal(number)
            self.assertEqual(server.wait(), 0)
            self.assertLess(time.monotonic() - began, 5)

    def test_ends_by_itself_after_its_time(self):
        for length in ("1", "1s"):
            done = self.run_once("--listen", "127.0.0.1:0", "--for", length)
            self.assertEqual(done.returncode, 0, done)

    def test_a_port_that_was_asked_for_and_is_busy_exits_3(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            done = self.run_once("--listen", f"127.0.0.1:{port}")
        self.assertEqual(done.returncode, 3, done)
        self.assertIn(str(port), done.stderr + done.stdout)

    def test_takes_the_next_port_when_the_usual_one_is_busy(self):
        try:
            taken = socket.create_server(("127.0.0.1", 8420))
        except OSError:
            taken = None  # busy already: that serves as well
        try:
            done = self.run_once("--for", "1")
        finally:
            if taken:
                taken.close()
        self.assertEqual(done.returncode, 0, done)
        self.assertRegex(done.stdout + done.stderr, r"http://127\.0\.0\.1:84(2[1-9]|3\d)\b")
        self.assertIn("8420 is in use", done.stderr)

    def test_wrong_usage_exits_2(self):
        for wrong in (["--players", "1"], ["--rate", "-1"], ["--seed", "x"], ["--listen", "nonsense"], ["--no-such"], ["--for", "0"], ["--for", "10ms"]):
            with self.subTest(wrong):
                self.assertEqual(self.run_once(*wrong).returncode, 2)


if __name__ == "__main__":
    unittest.main()
