"""Out of files, out of memory, half a processor: what does not fit is refused, commits go on, nothing spins."""

import collections
import contextlib
import http.client
import os
import pathlib
import signal
import socket
import threading
import time
import unittest

from faults.harness import FULL, FaultTest, cpu_seconds, scaled
from faults.oracle import BOARD, Oracle
from support import cgroup
from support.server import KEY, Server, wait_until

def shell_wrapper(*limits):
    """Runs the server under limits of the shell; it replaces the shell, so that signals reach it."""
    return ["/bin/sh", "-c", f"{' && '.join(limits)} && exec \"$@\"", "sh"]


class Limited(Server):
    """Its wrapper is a shell that becomes the server."""

    @property
    def pid(self):
        return self.process.pid


class LimitTest(FaultTest):
    def start_limited(self, *limits, **more):
        self.start_with_wrapper(shell_wrapper(*limits), **more)

    def start_with_wrapper(self, wrapper, **more):
        self.server = Limited(wrapper=wrapper, **more)
        self.addCleanup(self.server.close)
        self.server.start()
        self.make_board()

    def idle_cpu(self, seconds=1.0):
        """Share of a processor that the server uses while nobody asks anything."""
        before = cpu_seconds(self.server.pid)
        time.sleep(seconds)
        return (cpu_seconds(self.server.pid) - before) / seconds


class OutOfFiles(LimitTest):
    fault = "ulimit -n 128"

    def early_client(self):
        """One that is connected before the crowd comes."""
        client = self.server.new_client(KEY)
        self.assertEqual(client.get("/healthz").status, 200)
        return client

    @staticmethod
    def seq(client):
        return client.get(f"/v1/boards/{BOARD}/standings?limit=1").json["seq"]

    def crowd(self, most=400):
        """Opens connections until the server takes no more; whoever gets in stays. The others, by how they
        were refused: with an answer, or by a connection that was none or ended. Silence is a TimeoutError."""
        taken, refused = [], collections.Counter()
        for _ in range(most):
            connection = socket.socket()
            connection.settimeout(30)
            self.crowded.enter_context(connection)
            try:
                connection.connect(("127.0.0.1", self.server.port))
                connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
                answer = connection.recv(4096)
            except ConnectionError:
                answer = b""
            if answer.startswith(b"HTTP/1.1 200"):
                taken.append(connection)
            else:
                self.assertRegex(answer, rb"\AHTTP/1\.1 (503|429) |\A\Z")
                refused["with an answer" if answer else "by the connection"] += 1
            if refused.total() >= 50:
                break
        return taken, refused

    def test_sheds_and_goes_on(self):
        self.start_limited("ulimit -n 128")
        inside = self.early_client()
        for turn in range(scaled(2, 20)):
            before = self.seq(inside)
            self.start_load(connections=8, seconds=2, more=())
            # The load is there before the crowd, too.
            wait_until(lambda: self.seq(inside) > before + 100, "the load to run")
            with contextlib.ExitStack() as self.crowded:
                taken, refused = self.crowd()
                self.assertGreater(len(taken), 20)
                self.assertGreater(refused.total(), 20, f"{len(taken)} connections were taken under a limit of 128 files")
                self.assertGreater(refused["with an answer"], 0, refused)
                for _ in range(20):
                    answer = self.send(f"p{turn:07}", self.new_key(), inside)
                    self.assertEqual(answer.status, 200, answer)
                self.take_load()
                busy = self.idle_cpu()
                self.assertLess(busy, 0.1, "the server spins while it has no files left")
                # Not one of those who were taken was dropped for the others.
                for connection in taken:
                    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
                    self.assertTrue(connection.recv(4096).startswith(b"HTTP/1.1 200"))
            wait_until(self.server._is_ready, "a free place after the crowd has left")
            self.ask_again()
            self.verify(f"after crowd {turn}")
            self.server.restart(kill=True)
            inside = self.early_client()
            self.verify(f"after crowd {turn}, kill -9")
        self.count(scaled(2, 20))
        how = " and ".join(f"{count} refused {how}" for how, count in sorted(refused.items()))
        self.row.notes.append(f"{len(taken)} taken, then {how}; {busy:.0%} of a processor while saturated and idle")
        print(self.row.notes[-1], flush=True)

    def test_control_without_the_limit_all_are_taken(self):
        self.start()
        with contextlib.ExitStack() as self.crowded:
            _, refused = self.crowd(200)
        self.assertEqual(refused.total(), 0)
        self.control_failed("without the limit nobody is refused")


# Of unfinished bodies, in MB; more than any server lets them hold together by itself.
CROWD = 600
# Of a crowd of 300 MB: that many bodies at least, also where a busy machine has not read all when it leaves.
REFUSED = 50
# MB at most, with 24 MiB for bodies and as much for the load itself; without the bound, more.
GROWS_BY = 48
ONE_ARENA = {"MALLOC_ARENA_MAX": "1"}


class OutOfMemory(LimitTest):
    fault = "memory limit"

    def crowd(self, stop, megabytes):
        """Large bodies that are never finished, each holding what it has sent."""
        piece = b'{"player":"heavy","score":1},' * 2000
        head = (f"POST /v1/boards/{BOARD}/submissions HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {KEY}\r\n"
                "Content-Type: application/json\r\nContent-Length: 1000000\r\n\r\n[").encode()
        with contextlib.ExitStack() as stack:
            with contextlib.suppress(OSError):
                for _ in range(megabytes):
                    connection = stack.enter_context(socket.create_connection(("127.0.0.1", self.server.port), 5))
                    with contextlib.suppress(ConnectionError):
                        connection.sendall(head + piece * 16)
            stop.wait(60)

    def commit_beside_crowd(self, megabytes, seconds):
        stop = threading.Event()
        crowd = threading.Thread(target=self.crowd, args=(stop, megabytes))
        crowd.start()
        try:
            self.start_load(connections=8, seconds=seconds)
            acknowledged = self.take_load()
        finally:
            stop.set()
            crowd.join()
        return acknowledged

    def address_space(self):
        """In KiB: what the server has under load without a crowd, and room for what it lets unfinished
        bodies hold, a quarter of the sum. One arena, or the allocator reserves what nobody uses."""
        self.start(env=ONE_ARENA)
        self.start_load(connections=8, seconds=0.5, more=())
        self.take_load()
        status = pathlib.Path(f"/proc/{self.server.pid}/status").read_text()
        self.server.close()
        self.oracle = Oracle()
        return int(status.partition("VmPeak:")[2].split()[0]) * 4 // 3 + (32 << 10)

    def test_commits_go_on_within_the_limit(self):
        limit = f"ulimit -v {self.address_space()}"
        refused = 0
        for turn in range(scaled(1, 10)):
            # A new one each time: it grows by the keys of what was submitted, and by the database's cache.
            self.start_limited(limit, env=ONE_ARENA)
            self.assertGreater(self.commit_beside_crowd(CROWD, 2), 0)
            self.assertIsNone(self.server.process.poll(), self.server.log_tail())
            self.assertEqual(self.oracle.open, {})
            self.assertLess(self.idle_cpu(), 0.1, "the server spins")
            self.verify(f"beside {CROWD} MB of bodies, turn {turn}")
            refused += self.refused()
            self.server.close()
            self.row.add(self.oracle)
            self.oracle = Oracle()
        self.assertGreater(refused, 0, "the limit was never near: this test proves nothing")
        self.row.notes.append(f"with a small address space and a crowd of {CROWD} MB: {refused} refused")
        self.row.runs += scaled(1, 10)

    def has_died(self):
        """Death takes a moment; one that holds out still answers."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            if self.server.new_client().get("/healthz").status == 200:
                return False
        wait_until(lambda: self.server.process.poll() is not None, "the server that answers no more to end")
        return True

    def test_control_without_the_bound_the_limit_is_met(self):
        self.start_limited(f"ulimit -v {self.address_space()}", env=ONE_ARENA, args=["--http-input-memory", "1TiB"])
        for _ in range(10):
            # The first crowd does it, unless it stalls for long and gives up.
            self.commit_beside_crowd(CROWD, 2)
            if self.has_died():
                break
        # Two threads that meet it at the same moment do not get to name it.
        self.assertRegex(self.server.log_tail(), "bad_alloc|terminate called recursively")
        self.assertEqual(self.server.wait(), -signal.SIGABRT)
        self.control_failed("without the bound on bodies, the same limit ends the server")
        # Which loses nothing by it.
        self.server.wrapper = []
        self.server.start()
        self.verify("after an end by too little address space")
        self.ask_again()
        self.verify("after an end by too little address space, asked again")

    def refused(self):
        """Requests that the server had no memory for, since its start."""
        text = self.server.public.get("/metrics").body.decode()
        return int(text.partition("\nstandings_input_memory_refused_total ")[2].split()[0])

    def peak_megabytes(self):
        status = pathlib.Path(f"/proc/{self.server.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024

    def grow_beside_crowd(self, *args):
        """How many MB the server grows by beside 300 MB of unfinished bodies, and how many of them it refuses."""
        self.start(args=args)
        before = self.peak_megabytes()
        self.commit_beside_crowd(300, 1.5)
        self.verify("beside 300 MB of bodies")
        return self.peak_megabytes() - before, self.refused()

    def test_unfinished_bodies_share_a_bounded_memory(self):
        grown, refused = self.grow_beside_crowd("--http-input-memory", "24MiB")
        self.row.runs += 1
        self.assertGreater(refused, REFUSED)
        self.assertLess(grown, GROWS_BY, "MB")

    def test_control_without_the_bound_all_of_it_is_held(self):
        grown, refused = self.grow_beside_crowd("--http-input-memory", "1TiB")
        self.assertEqual(refused, 0)
        self.assertGreater(grown, GROWS_BY)
        self.control_failed(f"without the bound the server grows by {grown:.0f} MB")

    def start_in_96_megabytes(self, *args):
        group = cgroup.Cgroup(memory=96 << 20)
        self.addCleanup(group.remove)
        # The keys of a million submissions alone are 40 MB; that many come on a quick machine.
        self.start_with_wrapper(group.wrapper(), args=["--idempotency-keys", "50000", *args])

    @unittest.skipIf(cgroup.why_not(), cgroup.why_not())
    def test_outlives_a_crowd_of_three_times_its_memory(self):
        self.start_in_96_megabytes()
        rounds = scaled(2, 20)
        for turn in range(rounds):
            self.assertGreater(self.commit_beside_crowd(300, 1.5), 0)
            self.assertIsNone(self.server.process.poll(), self.server.log_tail())
            self.assertGreater(self.refused(), REFUSED * (turn + 1))
            self.assertEqual(self.oracle.open, {})
            self.verify(f"with 96 MB, turn {turn}")
        self.count(rounds)
        self.row.notes.append(f"with 96 MB and a crowd of 300 MB: not killed in {rounds} rounds, {self.refused() / rounds:.0f} refused in each")

    @unittest.skipIf(cgroup.why_not(), cgroup.why_not())
    def test_dies_of_too_little_memory_without_a_loss(self):
        # Without the bound on bodies in flight: the control of the test above.
        self.start_in_96_megabytes("--http-input-memory", "1TiB")
        deaths = rounds = 0
        # A crowd that stalls for long gives up before it has killed; the short form waits for one that has.
        while rounds < 20 and (FULL or deaths == 0):
            rounds += 1
            self.commit_beside_crowd(300, 1.5)
            if self.server.process.poll() is None:
                # It has held out; the crowd that has left gives its memory back.
                self.server.restart(kill=True)
            else:
                deaths += 1
                self.assertEqual(self.server.wait(), -signal.SIGKILL)
                self.server.start()
            self.verify(f"with 96 MB, round {rounds}")
            self.ask_again()
            self.verify(f"with 96 MB, round {rounds}, asked again")
        self.count(rounds)
        self.row.notes.append(f"the same without a bound on bodies: killed {deaths} times of {rounds}, started again")
        self.assertGreater(deaths, 0, "96 MB hold 300 MB of bodies: the test above proves nothing")

    def test_control_answering_before_the_commit_is_found_out(self):
        self.start(env={"STANDINGS_TEST_ANSWER_BEFORE_COMMIT": "1"})
        self.lose_by_kills()


class HalfAProcessor(LimitTest):
    fault = "half a processor"

    def start_on_half(self, **more):
        """In a control group, or else (named so in the table) stopped and continued in turns of 10 ms."""
        self.group = None
        if cgroup.why_not() is None:
            self.group = cgroup.Cgroup(processor=0.5)
            self.addCleanup(self.group.remove)
            self.start_with_wrapper(self.group.wrapper(), **more)
            return "cgroup quota of 50 %"
        self.start(**more)
        return "SIGSTOP and SIGCONT in turns of 10 ms"

    @contextlib.contextmanager
    def stuttering(self):
        if self.group:
            yield
            return
        stop, pid = threading.Event(), self.server.pid

        def stutter():
            with contextlib.suppress(OSError):
                while not stop.wait(0.01):
                    os.kill(pid, signal.SIGSTOP)
                    time.sleep(0.01)
                    os.kill(pid, signal.SIGCONT)

        thread = threading.Thread(target=stutter)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGCONT)

    def test_nothing_is_lost(self):
        how = self.start_on_half()
        rounds = scaled(2, 40)
        for turn in range(rounds):
            with self.stuttering():
                self.start_load(connections=self.chance.choice((8, 64)), seconds=10)
                time.sleep(self.chance.uniform(0.3, 1.5))
                self.server.kill()
                self.take_load()
            self.server.start()
            self.verify(f"kill {turn} on half a processor", thorough=turn == rounds - 1)
            self.ask_again()
        with self.stuttering():
            self.start_load(connections=64, seconds=scaled(2, 20), more=())
            self.take_load()
        self.verify("after a run on half a processor")
        self.count(rounds)
        held_up = f", held up {self.group.throttled()} times" if self.group else ""
        self.row.notes.append(f"{how}{held_up}; {self.load_said.strip()}")
        print(self.row.notes[-1], flush=True)
        if self.group and self.group.throttled() == 0:
            self.skipTest("nothing was lost, but other work on the machine left so little that the quota was never reached")

    def test_control_answering_before_the_commit_is_found_out(self):
        self.start_on_half(env={"STANDINGS_TEST_ANSWER_BEFORE_COMMIT": "1"})
        self.lose_by_kills()
