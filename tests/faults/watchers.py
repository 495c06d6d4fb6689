"""A hundred sockets that never read, beside watchers who do: they are closed, and cost nobody else anything."""

import array
import bisect
import contextlib
import fcntl
import os
import select
import signal
import socket
import statistics
import termios
import threading
import time
import typing
import unittest

from faults.harness import FULL, FaultTest, scaled
from faults.oracle import BOARD, Oracle
from support.client import to_json
from support.live import TEXT, EventStream, Watcher, frame
from support.server import wait_until

KIB = 1024
DEAF = 100  # half of them over WebSocket, half over server-sent events
MEMORY_EACH = 256 * KIB
SMALLEST_BUFFER = 4096
# More than any refusal has.
HEARD = 1000
READERS = 4
PLAYERS = [f"p{number:07}" for number in range(100)]
# With it a frame is large: who does not read is behind at once.
LONG_NAME = "x" * 60
PAUSE = 0.005  # between submissions
RATE = 20  # frames a second
# Of http.write_timeout; in full its default.
WRITE_TIMEOUT = scaled(2, 10)
NEVER = 3600
# From the first frame that somebody had no room for until all are closed: the time-out, and what the kernel takes
# of the frames before. The short form is content when it comes at all.
CLOSED_IN = scaled(60, WRITE_TIMEOUT + 5)
# And until no frames are made for the WebSockets any more.
GIVEN_UP_IN = scaled(60, 5 + 5)
# The p99 of a round tells more of what else the machine did: of each with the one next to it the ratio is taken, and
# of the ratios the median.
ROUNDS = scaled(1, 11)
WITHOUT_SECONDS = scaled(1.5, 12)
P99_BAR = 1.2

STREAM_REQUEST = f"GET /v1/boards/{BOARD}/live?top=100&rate={RATE} HTTP/1.1\r\nHost: h\r\n\r\n".encode()
UPGRADE = (b"GET /v1/live HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
           b"Sec-WebSocket-Protocol: standings.v1\r\n\r\n")
WATCH_TOP = {"id": 1, "op": "watch", "board": BOARD, "view": {"top": 100}, "rate": RATE}
SOCKET_REQUEST = UPGRADE + frame(TEXT, to_json(WATCH_TOP))
WATCH = [STREAM_REQUEST, SOCKET_REQUEST] * (DEAF // 2)
# Of answers the server holds more than of frames: http.max_unsent for each connection.
ASK_FOR_MUCH = [f"GET /v1/boards/{BOARD}/standings?limit=100 HTTP/1.1\r\nHost: h\r\n\r\n".encode() * 64] * DEAF


class Kept(AssertionError):
    """Sockets that never read are still there."""


class TooMuch(AssertionError):
    """They cost more memory, or more of the others' time, than they may."""


class Seen(typing.NamedTuple):
    grown: int  # bytes of the server's memory, at most
    p99: float  # milliseconds from submission to frame, at the watchers that read
    # Seconds from the first frame that somebody had no room for; none where nobody was deaf.
    given_up: float | None  # until no more than half of the deaf ones were watchers
    closed: float | None  # until all of them were closed


class Deaf:
    """Sockets that say something and never read. Use as a context manager."""

    def __init__(self, port, requests):
        self.kept = {}  # by descriptor
        self._poll = select.poll()
        self._stack = contextlib.ExitStack()
        for request in requests:
            one = self._stack.enter_context(socket.socket())
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALLEST_BUFFER)
            one.connect(("127.0.0.1", port))
            one.sendall(request)
            self.kept[one.fileno()] = one
            self._poll.register(one, select.POLLRDHUP)  # nothing but its end

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stack.close()

    def look(self, seconds):
        """Waits so long for the next that the server closes; one that was never let in is none of them."""
        for descriptor, _ in self._poll.poll(1000 * seconds):
            self._poll.unregister(descriptor)
            unread = self.unread(self.kept.pop(descriptor))
            assert unread > HEARD, f"closed with {unread} bytes unread"

    def are_let_in(self):
        return all(self.unread(one) > HEARD for one in self.kept.values())

    @staticmethod
    def unread(one):
        """Bytes that wait in the kernel."""
        count = array.array("i", [0])
        fcntl.ioctl(one, termios.FIONREAD, count)
        return count[0]


class Reader(threading.Thread):
    """A watcher that reads all, replays it, and remembers when it had what."""

    def __init__(self, port, over_websocket):
        super().__init__(daemon=True)
        self.arrivals = []  # (seq, when)
        self.snapshots = 0
        self.failure = None
        if over_websocket:
            self.stream = Watcher(port, timeout=60)
            self.rows = self.stream.views[self.stream.watch(BOARD, {"top": 100}, rate=RATE)]
            self._take = self.stream.take
        else:
            self.stream = self.rows = EventStream(port, f"/v1/boards/{BOARD}/live?top=100&rate={RATE}", timeout=60)
            self._take = lambda: self.stream.next()[1]
        self._ending = False

    def run(self):
        try:
            while True:
                message = self._take()
                self.snapshots += bool(message) and message.get("type") == "snapshot"
                if self.rows.seq is not None:
                    self.arrivals.append((self.rows.seq, time.monotonic()))
        except BaseException as failure:
            if not self._ending:
                self.failure = failure

    def end(self):
        self._ending = True
        with contextlib.suppress(OSError):
            self.stream.socket.shutdown(socket.SHUT_RDWR)
        self.join()
        self.stream.close()

    def has(self, seq):
        if self.failure:
            raise self.failure
        return bool(self.arrivals) and self.arrivals[-1][0] >= seq

    def leave_out_one(self):
        """As if a delta had been lost on the way."""
        rows, apply = self.rows, self.rows.apply

        def once(message):
            if message["type"] == "delta":
                rows.apply = apply
            else:
                apply(message)

        rows.apply = once

    def delays(self, sent):
        """Milliseconds from each of the (seq, when) to the first frame that holds it."""
        seqs = [seq for seq, _ in self.arrivals]
        return [1000 * (self.arrivals[bisect.bisect_left(seqs, seq)][1] - when) for seq, when in sent]


class SlowWatchers(FaultTest):
    fault = "100 watchers that never read"

    # --- a server under load, with watchers that read ---------------------------------------------

    @contextlib.contextmanager
    def watched(self, write_timeout=WRITE_TIMEOUT):
        """A server of its own, whose memory nobody has used before. Ends with nothing lost, or fails."""
        self.start(args=["--http-write-timeout", f"{write_timeout}s"])
        answer = self.server.api.stream(f"/v1/boards/{BOARD}/submissions",
                                        [{"player": player, "score": 1, "name": LONG_NAME} for player in PLAYERS])
        self.assertEqual(answer.json["summary"]["accepted"], len(PLAYERS), answer)
        self.oracle.grant(PLAYERS)
        self.sent = []  # (seq, when)
        self.failure = None
        ending = threading.Event()
        submitter = threading.Thread(target=self.submit, args=(ending,), daemon=True)
        with contextlib.ExitStack() as stack:
            self.readers = [Reader(self.server.port, number % 2 == 0) for number in range(READERS)]
            for reader in self.readers:
                reader.start()
                stack.callback(reader.end)
            stack.callback(lambda: (ending.set(), submitter.join()))
            submitter.start()
            wait_until(lambda: self.sent and self.all_have(self.sent[0][0]), "all to see a submission")
            self.resting = self.server.rss_bytes()
            yield
            ending.set()
            submitter.join()
            if self.failure:
                raise self.failure
            self.verify_readers()
        self.verify("beside sockets that never read")
        self.ask_again()
        self.verify("beside sockets that never read, asked again")
        self.server.close()
        self.row.add(self.oracle)
        self.oracle = Oracle()

    def submit(self, ending):
        try:
            while not ending.wait(PAUSE):
                began = time.monotonic()
                answer = self.send(self.chance.choice(PLAYERS), self.new_key())
                assert answer.status == 200, answer
                self.sent.append((answer.json["seq"], began))
        except BaseException as failure:
            self.failure = failure

    def all_have(self, seq):
        return all(reader.has(seq) for reader in self.readers)

    def verify_readers(self):
        """Each has seen every step, and has now what a read gives."""
        page = self.server.public.get(f"/v1/boards/{BOARD}/standings?limit=100").json
        self.assertGreaterEqual(page["seq"], self.oracle.newest)
        for reader in self.readers:
            wait_until(lambda: reader.has(page["seq"]), f"seq {page['seq']} at a watcher that reads", 60)
            self.assertEqual((reader.rows.seq, reader.rows.rows), (page["seq"], page["rows"]))
            self.assertEqual(reader.snapshots, 1, "it was sent the present rows instead of the steps")

    def metric(self, name):
        text = self.server.public.get("/metrics").body.decode()
        return int(text.partition(f"\n{name} ")[2].split()[0])

    def are_sockets_given_up(self):
        return self.metric("standings_live_watchers") <= READERS + DEAF // 2

    def observe(self, deaf, seconds=WITHOUT_SECONDS, patience=CLOSED_IN):
        """Until the server has closed all of `deaf`; with nobody deaf for `seconds`."""
        before, began = len(self.sent), time.monotonic()
        behind_at, given_up_at, grown = None, None, 0
        while deaf.kept if deaf else time.monotonic() < began + seconds:
            deaf.look(0.05) if deaf else time.sleep(0.05)
            grown = max(grown, self.server.rss_bytes() - self.resting)
            if behind_at is None and self.metric("standings_live_skipped_total"):
                behind_at = time.monotonic()
            elif behind_at and given_up_at is None and self.are_sockets_given_up():
                given_up_at = time.monotonic()
            if deaf and time.monotonic() > (behind_at or began + 60) + patience:
                raise Kept(f"{len(deaf.kept)} of {DEAF} sockets that never read are still there")
        ended = time.monotonic()
        self.assertEqual(behind_at is not None, deaf is not None, "somebody fell behind, or nobody")
        sent = self.sent[before:]
        self.assertTrue(sent)
        wait_until(lambda: self.all_have(sent[-1][0]), "the readers to have what was sent")
        p99 = statistics.quantiles([delay for reader in self.readers for delay in reader.delays(sent)], n=100)[98]
        return Seen(grown, p99, deaf and (given_up_at or ended) - behind_at, deaf and ended - behind_at)

    @staticmethod
    def judge_memory(without, beside):
        """Bytes that each socket costs."""
        each = max(0, beside - without) / DEAF
        if each > MEMORY_EACH:
            raise TooMuch(f"{each / KIB:.0f} KiB for each")
        return each

    @staticmethod
    def judge_delays(ratios):
        """How much later frames are beside them."""
        ratio = statistics.median(ratios)
        if ratio > P99_BAR:
            raise TooMuch(f"the p99 of the others' delay is x {ratio:.2f}")
        return ratio

    # --- tests ------------------------------------------------------------------------------------

    def observe_without(self):
        with self.watched():
            return self.observe(None)

    def observe_beside(self):
        with self.watched(), Deaf(self.server.port, WATCH) as deaf:
            return self.observe(deaf)

    def test_they_are_closed_and_the_others_go_on(self):
        rounds, ratios, memory = [], [], []
        for number in range(ROUNDS):
            # Each is first in turn: the machine may be slower for a while.
            if number % 2 == 0:
                without, beside = self.observe_without(), self.observe_beside()
            else:
                beside, without = self.observe_beside(), self.observe_without()
            self.assertLess(beside.given_up, GIVEN_UP_IN)
            rounds.append(beside)
            ratios.append(beside.p99 / without.p99)
            memory.append(self.judge_memory(without.grown, beside.grown) / KIB)
            self.row.runs += DEAF
            print(f"round {number + 1}: WebSockets given up after {beside.given_up:.1f} s, all closed after "
                  f"{beside.closed:.1f} s, {memory[-1]:.0f} KiB for each; p99 of the others {beside.p99:.0f} ms, "
                  f"without {without.p99:.0f} ms", flush=True)
        given_up, closed = max(seen.given_up for seen in rounds), max(seen.closed for seen in rounds)
        self.row.notes.append(f"at most: WebSockets given up {given_up:.1f} s after falling behind, all closed after "
                              f"{closed:.1f} s (time-out {WRITE_TIMEOUT} s), {max(memory):.0f} KiB for each")
        if FULL:
            ratio = self.judge_delays(ratios)
            self.row.notes.append(f"p99 of the others from submission to frame x {ratio:.2f} of that without, the "
                                  f"median of {ROUNDS} rounds by turns ({min(ratios):.2f} to {max(ratios):.2f})")

    def test_control_without_the_time_out_they_stay(self):
        # And one of the watchers that read is not given a frame, which has to be noticed.
        with self.assertRaisesRegex(AssertionError, r"a delta from \d+ after \d+") as missed:
            with self.watched(write_timeout=NEVER), Deaf(self.server.port, WATCH) as deaf:
                self.readers[0].leave_out_one()
                wait_until(deaf.are_let_in, "all to be let in")
                # A WebSocket is given up all the same, and would be closed if it read that.
                wait_until(self.are_sockets_given_up, "the WebSockets to be given up")
                with self.assertRaises(Kept) as kept:
                    self.observe(deaf, patience=WRITE_TIMEOUT)
        self.control_failed(f"with a time-out of an hour, {kept.exception}")
        self.control_failed(f"a watcher that was not given a frame: {missed.exception}")

    def test_control_unread_answers_are_too_much_memory(self):
        with self.watched(write_timeout=NEVER), Deaf(self.server.port, ASK_FOR_MUCH):
            deadline = time.monotonic() + 60
            with self.assertRaises(TooMuch) as much:
                while time.monotonic() < deadline:
                    self.judge_memory(0, self.server.rss_bytes() - self.resting)
                    time.sleep(0.02)
        self.control_failed(f"sockets that leave answers unread instead of frames: {much.exception}")

    @contextlib.contextmanager
    def pausing(self, seconds):
        """The server stands still for so long, again and again."""
        ending, pid = threading.Event(), self.server.pid

        def pause():
            while not ending.wait(0.1):
                os.kill(pid, signal.SIGSTOP)
                time.sleep(seconds)
                os.kill(pid, signal.SIGCONT)

        thread = threading.Thread(target=pause)
        thread.start()
        try:
            yield
        finally:
            ending.set()
            thread.join()

    @unittest.skipUnless(FULL, "only ./dev faults compares times")
    def test_control_a_server_that_pauses_is_too_late(self):
        with self.watched():
            without = self.observe(None).p99
            with self.pausing(2 * without / 1000):
                beside = self.observe(None).p99
        with self.assertRaises(TooMuch) as late:
            self.judge_delays([beside / without])
        self.control_failed(f"with a server that pauses {late.exception}")
