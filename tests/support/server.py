"""Starts the program under test, talks to it, kills it, and always ends it."""

import atexit
import ctypes
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest

from support.client import Client, Raw

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
KEY = "test-key-of-forty-characters-0123456789ab"
READY_SECONDS = float(os.environ.get("STANDINGS_TEST_READY_SECONDS", "60"))

# The first output of `standings serve`, on a terminal or not, names its URL.
URL = re.compile(r"http://127\.0\.0\.1:(\d+)")

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def program():
    named = os.environ.get("STANDINGS_PROGRAM") or os.environ.get("STANDINGS_PROGRAM_DEFAULT")
    return pathlib.Path(named) if named else ROOT / "build" / "release" / "standings"


def load_program():
    named = os.environ.get("STANDINGS_LOAD")
    return pathlib.Path(named) if named else program().with_name("standings_load")


def watchers_program():
    return load_program().with_name("standings_watchers")


def is_sanitized():
    return os.environ.get("STANDINGS_TEST_SANITIZED") == "1"


def wait_until(condition, what, seconds=30.0):
    """The value of `condition()` as soon as it is true; fails with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    pause = 0.001
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s in vain for {what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)


def die_with_parent():
    """For `preexec_fn`: whatever ends this process ends the new one too, and no signal is ignored that this one ignores."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


_running = set()


@atexit.register
def _end_all():
    for process in list(_running):
        process.kill()


class Server:
    """One data folder and the process that serves it, if it runs. Use as a context manager.

    `wrapper` goes before the program's own words (for example strace). `key=None` lets the program
    make its own.
    """

    def __init__(self, *, data=None, env=None, args=(), key=KEY, wrapper=()):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="standings-test-"))
        self.data = pathlib.Path(data) if data else self.home / "data"
        self.log_path = self.home / "server.log"
        self.key = key
        self.env = dict(env or {})
        self.args = list(args)
        self.wrapper = list(wrapper)
        self.process = None
        self.port = None
        self._clients = threading.local()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    # --- the process --------------------------------------------------------------------------

    def command(self, listen="127.0.0.1:0"):
        return [*self.wrapper, str(program()), "serve", "--listen", listen, "--data", str(self.data), *self.args]

    def environment(self):
        clean = {name: value for name, value in os.environ.items()
                 if not name.startswith("STANDINGS_") or name.startswith("STANDINGS_TEST_")}
        if self.key is not None:
            clean["STANDINGS_INIT_KEY"] = self.key
        return {**clean, "NO_COLOR": "1", **self.env}

    def spawn(self, listen="127.0.0.1:0"):
        """Starts the process without waiting for anything."""
        assert self.process is None
        self.log_offset = self.log_path.stat().st_size if self.log_path.exists() else 0
        with open(self.log_path, "ab") as log:
            # Of its own session: a process group that loses its shell while one of it is stopped gets SIGHUP, all of it.
            self.process = subprocess.Popen(
                self.command(listen), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.home,
                env=self.environment(), preexec_fn=die_with_parent, start_new_session=True)
        _running.add(self.process)
        return self

    def start(self, listen="127.0.0.1:0"):
        """Starts the process and waits until it is ready; `ready_seconds` is how long that took."""
        began = time.monotonic()
        self.spawn(listen)
        try:
            self.port = wait_until(self._find_port, "the program to print its URL", READY_SECONDS)
            wait_until(self._is_ready, "/readyz to answer 200", READY_SECONDS)
        except BaseException:
            print(self.log_tail())
            self.close()
            raise
        self.ready_seconds = time.monotonic() - began
        return self

    def _must_run(self):
        status = self.process.poll()
        if status is not None:
            raise AssertionError(f"the program ended with {status}:\n{self.log_tail()}")

    def _find_port(self):
        self._must_run()
        return self.announced_port()

    def announced_port(self):
        """The port in what the program has said since its start; None before that."""
        found = URL.search(self.log_since_start())
        return int(found[1]) if found else None

    def _is_ready(self):
        self._must_run()
        try:
            return self.new_client().get("/readyz").status == 200
        except OSError:
            return False

    @property
    def pid(self):
        """Of the program itself, also when a wrapper runs it."""
        if not self.wrapper:
            return self.process.pid
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0])

    def signal(self, number):
        os.kill(self.pid, number)

    def wait(self, seconds=30):
        """The exit status, once the process has ended."""
        status = self.process.wait(seconds)
        _running.discard(self.process)
        self.process = None
        self.port = None
        self._clients = threading.local()
        return status

    def kill(self):
        self.signal(signal.SIGKILL)
        return self.wait()

    def terminate(self, seconds=30):
        self.signal(signal.SIGTERM)
        return self.wait(seconds)

    def restart(self, *, kill=False):
        if self.process:
            self.kill() if kill else self.terminate()
        return self.start()

    def close(self):
        if self.process:
            try:
                self.signal(signal.SIGKILL)
            except (OSError, IndexError):  # a wrapper may not have begun the program yet
                pass
            self.process.kill()
            self.wait()
        shutil.rmtree(self.home, ignore_errors=True)

    # --- what it says ---------------------------------------------------------------------------

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def log_since_start(self):
        with open(self.log_path, "rb") as log:
            log.seek(self.log_offset)
            return log.read().decode(errors="replace")

    def log_tail(self, lines=60):
        tail = self.log().splitlines()[-lines:]
        return "\n".join(["--- the server's output", *tail, "---"])

    def rss_bytes(self):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)[1]) * 1024

    # --- talking to it --------------------------------------------------------------------------

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def new_client(self, key=None, timeout=60.0):
        return Client("127.0.0.1", self.port, key=key, timeout=timeout)

    @property
    def api(self):
        """This thread's keep-alive client with the key."""
        if getattr(self._clients, "api", None) is None:
            self._clients.api = self.new_client(self.key)
        return self._clients.api

    @property
    def public(self):
        """This thread's keep-alive client without any key."""
        if getattr(self._clients, "public", None) is None:
            self._clients.public = self.new_client()
        return self._clients.public

    def raw(self, timeout=15.0):
        return Raw("127.0.0.1", self.port, timeout)


class DemoServer(Server):
    """`standings demo`: it has no data folder and no key."""

    PLAYERS = 2000

    def __init__(self, *args, env=None):
        super().__init__(key=None, args=args, env=env)

    def command(self, listen="127.0.0.1:0"):
        return [*self.wrapper, str(program()), "demo", "--listen", listen, "--players", str(self.PLAYERS), *self.args]


class ServerTest(unittest.TestCase):
    """One server for all tests of the class; its last words are printed under a failure."""

    server_options = {}
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.server = Server(**cls.server_options)
        cls.addClassCleanup(cls.server.close)
        cls.server.start()

    def run(self, result=None):
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            print(self.server.log_tail())
        return result

    _boards = 0

    def make_board(self, **settings):
        """A new board with a name of its own; returns its path."""
        ServerTest._boards += 1
        slug = settings.pop("id", f"{type(self).__name__.lower()}-{ServerTest._boards}")
        answer = self.server.api.post("/v1/boards", {"id": slug, **settings})
        self.assertEqual(answer.status, 201, answer)
        return f"/v1/boards/{slug}"

    def submit(self, board, player, score, **more):
        member = "scores" if isinstance(score, dict) else "score"
        answer = self.server.api.post(f"{board}/submissions", {"player": player, member: score, **more})
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def assert_problem(self, answer, status, code=None, pointer=None):
        """`answer` is a complete problem+json with this status (or one of these)."""
        statuses = status if isinstance(status, (set, tuple)) else {status}
        self.assertIn(answer.status, statuses, answer)
        self.assertEqual(answer.headers.get("content-type", "").split(";")[0], "application/problem+json", answer)
        problem = answer.json
        for member in ("type", "title", "status", "detail", "instance", "code", "request_id"):
            self.assertIn(member, problem, answer)
        self.assertEqual(problem["status"], answer.status)
        self.assertRegex(problem["code"], r"\A[a-z][a-z0-9_]*\Z")
        self.assertTrue(problem["type"].endswith("/problems/" + problem["code"]), problem["type"])
        self.assertTrue(problem["title"] and problem["detail"], problem)
        self.assertEqual(answer.headers.get("x-request-id"), problem["request_id"])
        if code:
            self.assertEqual(problem["code"], code)
        if pointer is not None:
            self.assertIn(pointer, [error.get("pointer") for error in problem.get("errors", [])], problem)
        return problem
