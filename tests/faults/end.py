"""SIGTERM under load: exit 0 in time, each request that was sent before it is answered, and every
acknowledged submission is there."""

import json
import socket
import threading
import time

from faults.harness import FaultTest, scaled
from faults.oracle import BOARD
from support.server import KEY, wait_until

ENDS_IN = 5.0
PATIENCE = 30  # seconds for one answer


class CutAnswer(AssertionError):
    """The connection ended inside an answer."""


class LostAnswer(AssertionError):
    """A request that was sent before the signal has no answer."""


class Watcher(threading.Thread):
    """One connection that submits and reads in turns and looks at every byte until the server ends it."""

    def __init__(self, port, number, run):
        super().__init__()
        self.port, self.number, self.run_name = port, number, run
        self.acknowledged, self.open, self.failure = [], None, None
        self.answered = []   # of each request: when it had been sent, and when its answer was there
        self.sent_at = None  # of a request without an answer: when all of it had been sent
        self.ended_at = None

    def run(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                turn = 0
                while self.ask(connection, turn):
                    turn += 1
        except BaseException as failure:
            self.failure = failure
        self.ended_at = time.monotonic()

    def judge(self, signal_at):
        """How many requests were under way at the signal, which was sent no sooner than at `signal_at`.
        All that had been sent by then must have been answered, on a connection that was still there."""
        if self.failure:
            raise self.failure
        if self.ended_at < signal_at:
            raise LostAnswer(f"the connection ended {signal_at - self.ended_at:.3f} s before the signal")
        if self.sent_at is not None and self.sent_at < signal_at:
            raise LostAnswer(f"a request that was sent {signal_at - self.sent_at:.6f} s before the signal has no answer")
        return sum(sent < signal_at < came for sent, came in self.answered)

    def ask(self, connection, turn):
        key = player = None
        if turn % 4 == 3:
            request = f"GET /v1/boards/{BOARD}/standings?limit=200 HTTP/1.1\r\nHost: h\r\n\r\n"
        else:
            key, player = f"{self.run_name}-{self.number}-{turn}", f"p{(self.number * 31 + turn) % 500:07}"
            body = f'{{"player":"{player}","score":1}}'
            request = (f"POST /v1/boards/{BOARD}/submissions HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {KEY}\r\n"
                       f"Idempotency-Key: {key}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}")
            self.open = (key, player)
        try:
            connection.sendall(request.encode())
        except ConnectionError:
            return False
        self.sent_at = time.monotonic()
        answer = self.read_answer(connection)
        if answer is None:
            return False
        self.answered.append((self.sent_at, time.monotonic()))
        self.sent_at = None
        status, body = answer
        document = json.loads(body)  # a body that is short or torn is no JSON
        if status == 200 and key:
            self.acknowledged.append((key, player, document["seq"]))
            self.open = None
        elif status == 503:
            return False
        elif status != 200:
            raise AssertionError(f"{status}: {body[:300]}")
        return True

    @staticmethod
    def read_answer(connection):
        """Status and body; None when the connection ended before the first byte of an answer. One that
        neither answers nor ends is a TimeoutError."""
        buffer = b""
        length = None
        while length is None or len(buffer) < length:
            try:
                piece = connection.recv(65536)
            except ConnectionResetError:
                piece = b""
            if not piece:
                if buffer:
                    raise CutAnswer(f"{len(buffer)} bytes of {length or 'a head'}: {buffer[-200:]!r}")
                return None
            buffer += piece
            head, end, _ = buffer.partition(b"\r\n\r\n")
            if length is None and end:
                fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:])
                length = len(head) + 4 + int(fields[b"content-length"])
        head, _, body = buffer.partition(b"\r\n\r\n")
        return int(head[9:12]), body


class SigtermUnderLoad(FaultTest):
    fault = "SIGTERM under load"

    def end_under_load(self, number):
        watchers = [Watcher(self.server.port, each, f"t{number}") for each in range(8)]
        self.start_load(connections=8)
        for watcher in watchers:
            watcher.start()
        wait_until(lambda: all(watcher.answered or watcher.ended_at for watcher in watchers), "all watchers to be under way")
        time.sleep(self.chance.uniform(0.05, 0.6))
        began = time.monotonic()
        status = self.server.terminate()
        took = time.monotonic() - began
        for watcher in watchers:
            watcher.join()
        self.assertEqual(status, 0, self.server.log_tail())
        self.assertLess(took, ENDS_IN)
        floor = self.oracle.newest
        self.take_load()
        for watcher in watchers:
            self.under_way += watcher.judge(began)
            for key, player, seq in watcher.acknowledged:
                self.assertGreater(seq, floor)
                self.oracle.acknowledge(key, player, seq)
            if watcher.open:
                self.oracle.open[watcher.open[0]] = watcher.open[1]
        return took

    def test_ends_in_order(self):
        self.start()
        rounds = scaled(10, 200)
        longest = 0
        self.under_way = 0
        for number in range(rounds):
            longest = max(longest, self.end_under_load(number))
            self.server.start()
            self.verify(f"after SIGTERM {number}", thorough=number % 20 == 0 or number == rounds - 1)
            self.ask_again()
            self.verify(f"after SIGTERM {number}, asked again", thorough=False)
            self.count()
        self.assertGreater(self.under_way, 0, "no request was under way at any signal: this test proves nothing")
        self.row.notes.append(f"slowest end {longest:.2f} s; {self.under_way} requests were under way at the signal, each was answered")
        print(f"{rounds} ends, {self.oracle.count} acknowledged: none lost, none twice; {self.row.notes[-1]}", flush=True)

    def test_control_a_kill_amid_answers_before_the_commit_is_found_out(self):
        self.start(env={"STANDINGS_TEST_ANSWER_BEFORE_COMMIT": "1"})
        self.lose_by_kills()

    def test_control_an_answer_that_never_comes_is_found_out(self):
        # Without any time to finish, the server ends connections whose requests are under way.
        self.start(args=["--drain-deadline", "0s"])
        self.under_way = 0
        for number in range(20):
            try:
                self.end_under_load(number)
            except (LostAnswer, CutAnswer) as lost:
                return self.control_failed(lost)
            self.server.start()
        self.fail("20 ends without any time to finish lost no answer: this test proves nothing")

    def test_control_a_connection_that_stays_silent_is_found_out(self):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.settimeout(0.1)
            with self.assertRaises(TimeoutError):
                Watcher.read_answer(ours)

    def test_control_a_cut_answer_is_found_out(self):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            theirs.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{\"a\"")
            theirs.shutdown(socket.SHUT_WR)
            with self.assertRaises(CutAnswer) as cut:
                Watcher.read_answer(ours)
        self.control_failed(cut.exception)
