"""`standings serve` as whoever runs it sees it: first output, key, locks, signals, exit codes."""

import json
import os
import pathlib
import pty
import re
import resource
import select
import signal
import socket
import stat
import subprocess
import threading
import time
import unittest
import urllib.request

from support.server import KEY, Server, die_with_parent, program, wait_until

KEY_SHAPE = re.compile(r"\bst_sk_[A-Za-z0-9_-]{20,}")


class ServeTest(unittest.TestCase):
    def server(self, **options):
        server = Server(**options)
        self.addCleanup(server.close)
        return server

    def run_once(self, *arguments, env=None, seconds=20):
        """Runs the program to its end."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("STANDINGS_")}
        return subprocess.run([str(program()), *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=seconds, env={**clean, **(env or {})})


class FirstStart(ServeTest):
    def test_writes_a_key_to_a_file_when_nobody_watches(self):
        with self.server(key=None) as server:
            path = server.data / "initial-key"
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
            key = path.read_text().strip()
            self.assertGreaterEqual(len(key), 32)
            output = server.log()
            self.assertIn(str(path), output)
            self.assertNotIn(key, output)
            self.assertNotIn("\x1b", output)
            answer = server.new_client(key).post("/v1/boards", {"id": "first"})
            self.assertEqual(answer.status, 201, answer)

            # The key stays good, and no other one is made.
            server.restart()
            self.assertEqual(path.read_text().strip(), key)
            self.assertEqual(server.new_client(key).post("/v1/boards", {"id": "second"}).status, 201)
            self.assertNotIn(key, server.log())

    def test_shows_the_key_on_a_terminal_in_at_most_twelve_lines(self):
        server = self.server(key=None)
        terminal, other = pty.openpty()
        self.addCleanup(os.close, terminal)
        environment = server.environment()
        process = subprocess.Popen(server.command(), stdin=other, stdout=other, stderr=other, cwd=server.home,
                                   env=environment)
        os.close(other)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        text = ""

        def complete():
            nonlocal text
            while select.select([terminal], [], [], 0)[0]:
                text += os.read(terminal, 4096).decode(errors="replace")
            return KEY_SHAPE.search(text) and re.search(r"http://127\.0\.0\.1:\d+", text) and "curl" in text
        wait_until(complete, "the first output on a terminal")
        self.assertRegex(text, r"\(0 boards, 0 players, ready in \d+ ms\)")
        self.assertLessEqual(len(text.strip().splitlines()), 12, text)
        self.assertNotIn("\x1b", text, "NO_COLOR is set")
        process.terminate()
        self.assertEqual(process.wait(20), 0)
        self.assertFalse((server.data / "initial-key").exists(), "shown on the terminal: no file as well")
        self.assertIn(f"shown this once; {server.data}/initial-key goes away now:", text.replace("\r\n", ""))
        self.assertIn("STANDINGS_INIT_KEY", text)

    def test_a_start_that_fails_does_not_lose_the_key(self):
        server = self.server(key=None)
        terminal, other = pty.openpty()
        self.addCleanup(os.close, terminal)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            process = subprocess.Popen(server.command(f"127.0.0.1:{taken.getsockname()[1]}"), stdin=other, stdout=other,
                                       stderr=other, cwd=server.home, env=server.environment())
            os.close(other)
            self.addCleanup(process.kill)
            self.assertEqual(process.wait(20), 3)
        server.start()
        path = server.data / "initial-key"
        self.assertIn(str(path), server.log())
        self.assertEqual(server.new_client(path.read_text().strip()).post("/v1/boards", {"id": "b"}).status, 201)

    def test_a_data_folder_is_for_its_owner_only(self):
        with self.server() as server:
            self.assertEqual(stat.S_IMODE(server.data.stat().st_mode), 0o700)
            self.assertNotIn("chmod", server.log())

    def modes(self, folder):
        return {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in folder.rglob("*") if path.is_file()}

    def test_files_are_for_their_owner_only_whatever_folder_and_umask(self):
        server = self.server()
        server.data.mkdir()
        server.data.chmod(0o755)
        before = os.umask(0)
        try:
            server.start()
            server.api.post("/v1/boards", {"id": "b"})
            server.api.post("/v1/boards/b/submissions", {"player": "p", "score": 1})
            job = server.api.post("/v1/backups").json["id"]
            wait_until(lambda: server.api.get(f"/v1/jobs/{job}").json["state"] == "done", "the backup")
            modes = self.modes(server.data)
            self.assertLessEqual({"standings.db", "standings.db-wal", "standings.db-shm", "standings.mark", "lock"}, modes.keys())
            self.assertEqual(set(modes.values()), {"0o600"}, modes)
            server.kill()
            made = server.home / "made.db"
            self.assertEqual(self.run_once("backup", "--data", server.data, "--to", made).returncode, 0)
            for folder in (server.home / "old", server.home / "new"):
                if folder.name == "old":
                    folder.mkdir()
                    folder.chmod(0o755)
                done = self.run_once("restore", made, "--data", folder)
                self.assertEqual(done.returncode, 0, done)
                self.assertEqual(self.run_once("check", "--data", folder).returncode, 0)
                self.assertEqual(set(self.modes(folder).values()), {"0o600"}, self.modes(folder))
            self.assertEqual({self.modes(server.home)[name] for name in ("made.db", "made.json")}, {"0o600"})
        finally:
            os.umask(before)

    def test_a_start_warns_of_a_folder_that_others_may_read(self):
        server = self.server()
        server.data.mkdir()
        server.data.chmod(0o750)
        for database_too in (False, True):
            server.start()
            lines = [json.loads(line) for line in server.log_since_start().splitlines() if "chmod" in line]
            self.assertEqual([line["level"] for line in lines], ["warning"], lines)
            self.assertIn(f"chmod 700 '{server.data}'", lines[0]["message"])
            self.assertEqual("and so is the database" in lines[0]["message"], database_too)
            server.terminate()
            (server.data / "standings.db").chmod(0o644)
        subprocess.run(["sh", "-c", lines[0]["message"].split("by: ")[1]], check=True)
        server.start()
        self.assertNotIn("chmod", server.log_since_start())
        self.assertEqual(set(self.modes(server.data).values()), {"0o600"})

    def test_a_start_warns_of_a_folder_in_which_others_may_replace_files(self):
        server = self.server()
        server.data.mkdir()
        server.data.chmod(0o733)
        server.start()
        self.assertIn("is open to group or others (0733); close it by: chmod 700", server.log_since_start())

    def test_takes_the_key_from_the_environment_or_a_file(self):
        with self.server() as server:
            self.assertEqual(server.api.post("/v1/boards", {"id": "b"}).status, 201)
            self.assertFalse((server.data / "initial-key").exists())
            self.assertNotIn(KEY, server.log())
        other = self.server(key=None)
        secret = other.home / "secret"
        secret.write_text("from-a-file-" + "x" * 32 + "\n")
        other.env["STANDINGS_INIT_KEY_FILE"] = str(secret)
        other.start()
        client = other.new_client("from-a-file-" + "x" * 32)
        self.assertEqual(client.post("/v1/boards", {"id": "b"}).status, 201)

    def test_refuses_a_key_that_is_too_short(self):
        server = self.server()
        done = self.run_once("serve", "--listen", "127.0.0.1:0", "--data", server.data, env={"STANDINGS_INIT_KEY": "short"})
        self.assertEqual(done.returncode, 2, done)
        self.assertIn("STANDINGS_INIT_KEY", done.stderr + done.stdout)
        self.assertIn("32", done.stderr + done.stdout)


class SecondStart(ServeTest):
    def test_on_the_same_data_exits_3_and_names_the_first(self):
        with self.server() as server:
            done = self.run_once("serve", "--listen", "127.0.0.1:0", "--data", server.data, env={"STANDINGS_INIT_KEY": KEY})
            self.assertEqual(done.returncode, 3, done)
            said = done.stdout + done.stderr
            self.assertIn(str(server.pid), said)
            self.assertIn(str(server.port), said)
            self.assertEqual(server.public.get("/readyz").status, 200)

    def test_on_a_busy_port_exits_3_and_names_it(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            server = self.server()
            done = self.run_once("serve", "--listen", f"127.0.0.1:{port}", "--data", server.data, env={"STANDINGS_INIT_KEY": KEY})
        self.assertEqual(done.returncode, 3, done)
        self.assertIn(str(port), done.stdout + done.stderr)

    def test_on_an_address_of_another_machine_says_which_it_can_have(self):
        server = self.server()
        done = self.run_once("serve", "--listen", "192.0.2.1:8420", "--data", server.data)
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("listen on 192.0.2.1 port 8420: this machine has no such address; 127.0.0.1 is", done.stderr)
        self.assertFalse(server.data.exists())

    def test_on_the_port_of_another_server_exits_3(self):
        with self.server() as server:
            other = self.server()
            done = self.run_once("serve", "--listen", f"127.0.0.1:{server.port}", "--data", other.data, env={"STANDINGS_INIT_KEY": KEY})
            self.assertEqual(done.returncode, 3, done)

    def test_after_a_kill_takes_the_data_over(self):
        with self.server() as server:
            self.assertEqual(server.api.post("/v1/boards", {"id": "b"}).status, 201)
            server.kill()
            server.start()
            self.assertEqual(server.public.get("/v1/boards/b").status, 200)


class Usage(ServeTest):
    def test_an_unknown_flag_exits_2(self):
        done = self.run_once("serve", "--no-such-flag")
        self.assertEqual(done.returncode, 2, done)
        self.assertIn("--no-such-flag", done.stdout + done.stderr)

    def test_an_unknown_command_exits_2(self):
        self.assertEqual(self.run_once("no-such-command").returncode, 2)

    def test_an_address_that_is_none_exits_2(self):
        server = self.server()
        for address in ("nonsense", "127.0.0.1:99999", "127.0.0.1:-1"):
            with self.subTest(address):
                done = self.run_once("serve", "--listen", address, "--data", server.data)
                self.assertEqual(done.returncode, 2, done)

    def test_help_exits_0(self):
        done = self.run_once("serve", "--help")
        self.assertEqual(done.returncode, 0, done)
        for word in ("--listen", "--data"):
            self.assertIn(word, done.stdout)

    def test_a_data_path_that_is_a_file_says_so(self):
        server = self.server()
        path = server.home / "file"
        path.write_text("not a folder")
        done = self.run_once("serve", "--listen", "127.0.0.1:0", "--data", path, env={"STANDINGS_INIT_KEY": KEY})
        self.assertIn(done.returncode, (1, 2), done)
        self.assertIn(str(path), done.stdout + done.stderr)


class Termination(ServeTest):
    def test_sigterm_exits_0(self):
        server = self.server().start()
        server.public.get("/readyz")
        self.assertEqual(server.terminate(), 0)

    def test_sigint_and_a_closed_terminal_exit_0(self):
        for number in (signal.SIGINT, signal.SIGHUP):
            with self.subTest(number):
                server = self.server().start()
                server.signal(number)
                self.assertEqual(server.wait(), 0)
                self.assertIn(f'"signal":"{signal.Signals(number).name}"', server.log())

    def test_nohup_keeps_it_running(self):
        server = self.server(wrapper=["nohup"]).start()
        os.kill(server.process.pid, signal.SIGHUP)
        self.assertEqual(server.public.get("/readyz").status, 200)
        os.kill(server.process.pid, signal.SIGTERM)
        self.assertEqual(server.wait(), 0)

    def test_a_reader_of_its_output_that_goes_away_does_not_end_it(self):
        for command in ("serve", "demo"):
            with self.subTest(command):
                server = self.server()
                words = ["serve", "--data", str(server.data)] if command == "serve" else ["demo", "--players", "100"]
                process = subprocess.Popen([str(program()), *words, "--listen", "127.0.0.1:0"], stdin=subprocess.DEVNULL,
                                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=server.home, preexec_fn=die_with_parent,
                                           env={**server.environment(), "STANDINGS_LOG_LEVEL": "debug"})
                self.addCleanup(process.kill)
                url = wait_until(lambda: re.search(rb"http://127.0.0.1:(\d+)", process.stdout.readline()), "its address")
                process.stdout.close()
                for _ in range(3):
                    with urllib.request.urlopen(f"http://127.0.0.1:{int(url[1])}/readyz", timeout=30) as answer:
                        self.assertEqual(answer.status, 200)
                process.terminate()
                self.assertEqual(process.wait(30), 0)

    def test_sigterm_under_load_loses_no_answer(self):
        server = self.server().start()
        self.assertEqual(server.api.post("/v1/boards", {"id": "b", "rule": "sum"}).status, 201)
        acknowledged, unexpected, unanswered = [], [], []

        def write(player):
            body = b'{"player":"%s","score":1}' % player.encode()
            request = (b"POST /v1/boards/b/submissions HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer %s\r\n"
                       b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (KEY.encode(), len(body), body))
            count = 0
            try:
                with server.raw(30) as raw:
                    while not raw.send(request).ended:
                        sent_at = time.monotonic()
                        answer = raw.answer()
                        if answer is None:
                            unanswered.append(sent_at)
                            break
                        if answer.status == 503:
                            break
                        if answer.status != 200:
                            unexpected.append(answer)
                            break
                        count += 1
                        if answer.headers.get("connection", "").lower() == "close":
                            break
            except Exception as failure:
                unexpected.append(failure)
            acknowledged.append((player, count))

        writers = [threading.Thread(target=write, args=(f"p{number}",)) for number in range(8)]
        for writer in writers:
            writer.start()
        watcher = server.new_client()
        wait_until(lambda: watcher.get("/v1/boards/b/standings").json["total"] == 8, "all writers to be under way")
        signal_at = time.monotonic()
        self.assertEqual(server.terminate(seconds=10), 0)
        for writer in writers:
            writer.join()
        self.assertEqual(unexpected, [])
        # What had been sent by then is answered; only what came later may meet a closed door.
        self.assertEqual([sent_at for sent_at in unanswered if sent_at < signal_at], [])
        server.start()
        for player, count in acknowledged:
            self.assertGreater(count, 0)
            # A request whose answer the end cut off may be in; none that was answered may be missing.
            score = server.public.get(f"/v1/boards/b/players/{player}").json["score"]
            self.assertIn(score, (count, count + 1), player)


class TestSwitches(ServeTest):
    def test_a_server_that_answers_before_it_commits_says_so(self):
        switch = "STANDINGS_TEST_ANSWER_BEFORE_COMMIT"
        for env in ({}, {switch: "1"}):
            with self.subTest(env), Server(env=env) as server:
                warned = [line for line in server.log().splitlines() if switch in line]
                self.assertEqual(len(warned), len(env))
                for line in warned:
                    self.assertIn("warn", line.lower())


class Service(ServeTest):
    def test_a_soft_limit_of_files_is_raised_and_a_hard_one_is_kept(self):
        for limit, wanted in (("ulimit -S -n 300", min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 65536)), ("ulimit -n 300", 300)):
            with self.subTest(limit), self.server(wrapper=["sh", "-c", f'{limit}; exec "$@"', "sh"]) as server:
                limits = pathlib.Path(f"/proc/{server.process.pid}/limits").read_text()
                self.assertEqual(int(re.search(r"Max open files +(\d+)", limits)[1]), wanted)

    def test_health_version_and_metrics(self):
        with self.server() as server:
            for path in ("/healthz", "/readyz", "/version"):
                with self.subTest(path):
                    self.assertEqual(server.public.get(path).status, 200)
            version = server.public.get("/version").json
            self.assertRegex(version["version"], r"\A\d+\.\d+\.\d+")
            metrics = server.public.get("/metrics")
            self.assertEqual(metrics.status, 200)
            self.assertTrue(metrics.headers["content-type"].startswith("text/plain"))
            for line in metrics.body.decode().splitlines():
                self.assertRegex(line, r"\A(#.*|[a-zA-Z_:][a-zA-Z0-9_:]*(\{[^}]*\})? [-+0-9.eEinfNaIF]+)\Z")

    def test_the_page_is_small_and_complete(self):
        with self.server() as server:
            server.api.post("/v1/boards", {"id": "b"})
            for path in ("/", "/b/b"):
                with self.subTest(path):
                    page = server.public.get(path)
                    self.assertEqual(page.status, 200, page)
                    self.assertTrue(page.headers["content-type"].startswith("text/html"))
                    self.assertLess(len(page.body), 8192)
                    self.assertNotRegex(page.body.decode(), r'(src|href)="https?://')
            # It says so itself, and to whoever only looks at the status.
            server.api.post("/v1/boards", {"id": "hidden", "visibility": "private"})
            for board in ("none", "hidden"):
                page = server.public.get(f"/b/{board}")
                self.assertEqual((page.status, page.headers["content-type"].partition(";")[0]), (404, "text/html"))

    def test_each_answer_carries_a_request_id_of_its_own(self):
        with self.server() as server:
            ids = {server.public.get("/version").headers["x-request-id"] for _ in range(20)}
            self.assertEqual(len(ids), 20)


if __name__ == "__main__":
    unittest.main()
