"""What takes part in the comparison: our server here, its peers in bench/peer_redis.py and bench/peer_postgres.py.

Each holds the players of bench/players.py, answers the same questions and says what that cost:
`ask` and `submit` return a dict with per_second, p50_ms, p99_ms and cpu_us (of the server, a request).
"""

import contextlib
import json
import os
import subprocess
import time

import machine
import players
from support.server import KEY, Server, die_with_parent, load_program, program
from writer import SteadyWriter


def generate(port, pid, **run):
    """One run of the load program, which checks each answer; fails when one is wrong."""
    return result_of(start_load(port, pid, **run))


def start_load(port, pid, *, mode, count, seconds, connections=64, pipeline=1, cores=None, more=()):
    return subprocess.Popen(
        [str(load_program()), "--json", "--known", "--port", str(port), "--prefix", players.PREFIX, "--players", str(count), "--mode", mode,
         "--seconds", str(seconds), "--connections", str(connections), "--pipeline", str(pipeline), "--server-pid", str(pid),
         "--seed", str(time.monotonic_ns() % 2**32), *more],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: (die_with_parent(), cores and os.sched_setaffinity(0, cores)))


def result_of(load):
    said, complaint = load.communicate()
    if load.returncode != 0:
        raise AssertionError(f"{load.args[load.args.index('--mode') + 1]}: {complaint.strip()}")
    return json.loads(said)


def wait_for_end(process, seconds=60):
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Ours:
    name = "standings"
    can_pipeline = True

    def __init__(self, count, args=()):
        self.count = count
        self.server = Server(args=args)
        self.server.start()
        self._boards = 0

    @property
    def pid(self):
        return self.server.pid

    def close(self):
        self.server.close()

    def fill(self, lines_of=players.ndjson):
        api = self.server.new_client(KEY, timeout=600)
        answer = api.post("/v1/boards", {"id": "b"})
        assert answer.status == 201, answer
        for numbers in players.chunks(self.count):
            answer = api.stream("/v1/boards/b/submissions", lines_of(numbers))
            assert answer.status == 200 and answer.json["summary"]["accepted"] == len(numbers), answer

    def bulk(self, count):
        """One stream of new players over one connection, a board of its own; lines a second."""
        self._boards += 1
        board = f"bulk-{self._boards}"
        api = self.server.new_client(KEY, timeout=600)
        assert api.post("/v1/boards", {"id": board}).status == 201
        lines = b"".join(players.ndjson(numbers) for numbers in players.chunks(count))
        began = time.monotonic()
        answer = api.stream(f"/v1/boards/{board}/submissions", lines)
        seconds = time.monotonic() - began
        assert answer.status == 200 and answer.json["summary"]["accepted"] == count, answer
        total = api.get(f"/v1/boards/{board}").json["total"]
        assert total == count, f"{total} players of {count}"
        return count / seconds

    def fill_boards(self, count, at_once=64):
        """Boards of ten players; `at_once` of them are made together, so that they share their fsync."""
        body = '{"id":"board-%d"}'
        head = f"POST /v1/boards HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {KEY}\r\nContent-Type: application/json\r\nContent-Length: "
        with contextlib.ExitStack() as stack:
            connections = [stack.enter_context(self.server.raw(600)) for _ in range(at_once)]
            for first in range(0, count, at_once):
                used = connections[:count - first]
                for board, connection in enumerate(used, first):
                    text = body % board
                    connection.send(f"{head}{len(text)}\r\n\r\n{text}".encode())
                for connection in used:
                    answer = connection.answer()
                    assert answer.status == 201, answer
        api = self.server.new_client(KEY, timeout=600)
        for first in range(0, count, 10_000):
            boards = range(first, min(first + 10_000, count))
            lines = "".join(f'{{"board":"board-{board}","player":"{players.player_id(number)}","score":{number}}}\n'
                            for board in boards for number in range(10))
            answer = api.stream("/v1/submissions", lines.encode())
            assert answer.status == 200 and answer.json["summary"]["accepted"] == 10 * len(boards), answer

    def fill_with_names(self):
        """Reads of such a board are not known to the load program."""
        self.fill(players.ndjson_with_names)

    def ask(self, mode, with_key=False, **more):
        """An answer to a request with a key is never taken from the pages that the server keeps."""
        return generate(self.server.port, self.pid, mode=mode, count=self.count, more=("--key", KEY) if with_key else (), **more)

    def writer(self, rate, cores):
        return SteadyWriter(rate, self.count, players.tenth_score(self.count), cores, connect=lambda: self.server.raw(60),
                            request=self._submission, is_right=lambda answer: answer and answer.status == 200)

    @staticmethod
    def _submission(number, score, key):
        body = f'{{"player":"{players.player_id(number)}","score":{score}}}'
        return (f"POST /v1/boards/b/submissions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {KEY}\r\nIdempotency-Key: {key}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}").encode()

    def submit(self, **more):
        """Whether what was taken in is in the database too, and not in memory only, is for check()."""
        before = self._submit_once()
        said = generate(self.server.port, self.pid, mode="submit", count=self.count, more=("--key", KEY, "--idempotency"), **more)
        taken_in = self._newest_seq() - before
        assert taken_in >= said["requests"], f"{said['requests']} submissions were acknowledged, {taken_in} are there"
        return said

    def _submit_once(self):
        """One that changes no score; its seq, to count from: all boards of a server share one numbering."""
        answer = self.server.new_client(KEY).post("/v1/boards/b/submissions", {"player": players.player_id(0), "score": 0})
        assert answer.status == 200 and answer.json["outcome"] == "unchanged", answer
        return answer.json["seq"]

    def _newest_seq(self):
        return self.server.new_client(KEY).get("/v1/boards/b").json["seq"]

    def restart(self, preload=None):
        """Ends in order and starts again; seconds to ready."""
        self.server.terminate(120)
        self.server.env = {"LD_PRELOAD": preload} if preload else {}
        return self._ready_seconds()

    def restart_after_kill(self, seconds):
        """Killed under full load, `seconds` of it; how long it took to be ready, and how many submissions it had answered."""
        before = self._newest_seq()
        load = start_load(self.server.port, self.pid, mode="submit", count=self.count, seconds=seconds + 60,
                          more=("--key", KEY, "--idempotency", "--until-lost"))
        while load.poll() is None and self._newest_seq() == before:
            time.sleep(0.01)
        with contextlib.suppress(subprocess.TimeoutExpired):
            load.wait(seconds)  # it ends before only when something is wrong
        self.server.kill()
        answered = result_of(load)["requests"]
        return self._ready_seconds(), answered

    def _ready_seconds(self):
        self.server.start()
        return self.server.ready_seconds

    def memory(self):
        return machine.rss_bytes(self.pid)

    def check(self):
        """`standings check` beside the running server, ranks included."""
        said = subprocess.run([str(program()), "check", "--data", str(self.server.data), "--server", self.server.url, "--key", KEY],
                              capture_output=True, text=True)
        assert said.returncode == 0, said.stdout + said.stderr
