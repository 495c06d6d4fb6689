"""redis-server from Debian, with a sorted set for each board. docs/performance.md says what it runs."""

import signal
import socket
import time

import machine
import players
from contender import generate
from peer import Peer
from support.server import wait_until
from writer import SteadyWriter

AROUND = """
local rank = redis.call('ZREVRANK', KEYS[1], ARGV[1])
local first = math.max(rank - 5, 0)
return {first, redis.call('ZREVRANGE', KEYS[1], first, rank + 5, 'WITHSCORES')}
"""
SUBMIT = """
if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'EX', 86400) then
    redis.call('ZADD', KEYS[1], 'GT', ARGV[2], ARGV[1])
    return 1
end
return 0
"""


def command(*words):
    parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


class RedisClient:
    """Just enough of the protocol to fill a server."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 600)
        self.replies = self.socket.makefile("rb")

    def close(self):
        self.replies.close()
        self.socket.close()

    def ask(self, *words):
        self.send(command(*words))
        return self.answer()

    def ask_list(self, *words):
        self.send(command(*words))
        return [self.answer() for _ in range(int(self.answer()))]

    def send(self, data):
        self.socket.sendall(data)

    def answer(self):
        line = self.replies.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("Redis has closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise AssertionError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$" and rest != b"-1":
            return self.replies.read(int(rest) + 2)[:-2]
        return rest


class Redis(Peer):
    """`durable`: the append-only file is synced before each answer."""

    name = "redis"
    can_pipeline = True
    stop_signal = signal.SIGTERM

    def __init__(self, count, durable=True):
        super().__init__(count)
        self.durable = durable
        self._boards = 0
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.start()

    def start(self, preload=None):
        # A rewrite of the file in the middle of a row, from 64 MB on, would be in its figures.
        persist = ["--appendonly", "yes", "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0"] if self.durable else ["--appendonly", "no"]
        began = time.monotonic()
        self.spawn(["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.home), "--save", "", *persist], preload)
        wait_until(self._is_ready, "Redis to be ready", 120)
        seconds = time.monotonic() - began
        client = RedisClient(self.port)
        self.scripts = {mode: client.ask("SCRIPT", "LOAD", text).decode() for mode, text in (("around", AROUND), ("submit", SUBMIT))}
        client.close()
        return seconds

    def _is_ready(self):
        self.must_run()
        try:
            client = RedisClient(self.port)
        except OSError:
            return False
        try:
            return client.ask("PING") == b"PONG"
        except (AssertionError, OSError):  # it is loading
            return False
        finally:
            client.close()

    def fill(self):
        client = RedisClient(self.port)
        for numbers in players.chunks(self.count):
            for first in range(numbers.start, numbers.stop, 1000):
                words = []
                for number in range(first, min(first + 1000, numbers.stop)):
                    words += [players.score_of(number), players.player_id(number)]
                assert client.ask("ZADD", "b", *words) == len(words) // 2
        client.close()

    def fill_with_names(self):
        """A sorted set has no place for them."""
        self.fill()

    def fill_boards(self, count):
        client = RedisClient(self.port)
        for board in range(count):
            words = []
            for number in range(10):
                words += [number, players.player_id(number)]
            assert client.ask("ZADD", f"board-{board}", *words) == 10
        client.close()

    def bulk(self, count, pipeline=128):
        self._boards += 1
        board = f"bulk-{self._boards}"
        pieces = []
        for first in range(0, count, pipeline):
            numbers = range(first, min(first + pipeline, count))
            pieces.append((len(numbers), b"".join(command("ZADD", board, players.score_of(number), players.player_id(number)) for number in numbers)))
        client = RedisClient(self.port)
        began = time.monotonic()
        for size, piece in pieces:
            client.send(piece)
            got = client.replies.read(4 * size)
            assert got == b":1\r\n" * size, got[:200]
        seconds = time.monotonic() - began
        assert client.ask("ZCARD", board) == count
        client.close()
        return count / seconds

    def ask(self, mode, with_key=False, **more):
        """It keeps no answers, so that `with_key` is the same question."""
        script = ("--script", self.scripts[mode]) if mode in self.scripts else ()
        return generate(self.port, self.pid, mode=mode, count=self.count, more=("--protocol", "redis", *script), **more)

    def submit(self, **more):
        return self.ask("submit", **more)

    def writer(self, rate, cores):
        return SteadyWriter(rate, self.count, players.tenth_score(self.count), cores, connect=lambda: RedisClient(self.port),
                            request=self._submission, is_right=lambda answer: answer == 1)

    def _submission(self, number, score, key):
        return command("EVALSHA", self.scripts["submit"], 2, "b", f"key:{key}", players.player_id(number), score)

    def save(self):
        """Writes the RDB file that a start without the append-only file reads."""
        client = RedisClient(self.port)
        client.ask("SAVE")
        client.close()

    def memory(self):
        return machine.rss_bytes(self.pid)

    def check(self):
        """Every player is there."""
        client = RedisClient(self.port)
        assert client.ask("ZCARD", "b") == self.count
        client.close()
