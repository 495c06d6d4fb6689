"""Death at the n-th file call, and calls that fail: by strace, on the write-ahead log, the database and the mark."""

import shutil
import signal
import subprocess
import time
import unittest

from faults import strace
from faults.harness import FULL, FaultTest, scaled
from faults.oracle import Lost
from support.server import Server, wait_until

WHY_NOT = strace.why_not()
# Small, so that each kind of call comes soon: the log is moved into the database after few batches.
SMALL = ["--database-checkpoint-pages", "12", "--database-reserve", "64KiB"]
TARGETS = [("fdatasync", strace.FILES), ("pwrite64", ("standings.db-wal",)), ("pwrite64", ("standings.db",)),
           ("pwrite64", ("standings.mark",))]
# In full every one to 200; the short form takes a sample that moves with the seed.
CALLS = 200
SAMPLE = 3
START_CALLS = ("pwrite64", "fdatasync", "fsync", "unlink", "rename")
START_FILES = (*strace.FILES, "standings.db-journal", "lock", "secret-key.sha256.new", "secret-key.sha256", ".")
RECOVERS_IN = 5.0
# Seconds; a server whose disk is only full would have tried again twice.
PATIENCE = 2.5
MANY = 20_000


@unittest.skipIf(WHY_NOT, WHY_NOT)
class DeathAtTheNthCall(FaultTest):
    fault = "death at the n-th file call"

    def die_at(self, number, call, files):
        """Under load; then starts it again."""
        meddler = strace.Attached(self.server, call, "signal=KILL", number, files)
        try:
            self.start_load(connections=4)
            self.server.process.wait(60)
        finally:
            meddler.end()
        self.assertEqual(self.server.wait(), -signal.SIGKILL, f"not the death that was sent: {self.server.log_tail()}")
        self.take_load()
        self.server.start()

    def test_loses_nothing_wherever_it_dies(self):
        self.start(args=SMALL)
        deaths = 0
        for call, files in TARGETS:
            numbers = range(1, CALLS + 1) if FULL else sorted(self.chance.sample(range(1, CALLS + 1), SAMPLE))
            for number in numbers:
                self.die_at(number, call, files)
                deaths += 1
                name = f"{call} {number} of {files[0] if len(files) == 1 else 'all'}"
                self.verify(f"after death at {name}", thorough=number % 50 == 0)
                self.ask_again()
            self.verify(f"after all deaths at {call} of {files}")
            print(f"{len(numbers)} deaths at {call} of {', '.join(files)}", flush=True)
        self.count(deaths)
        print(f"{deaths} deaths under load, {self.oracle.count} acknowledged: none lost, none twice", flush=True)

    def start_and_die(self, server, call, number):
        """Whether it died before it was ready: it has no more than `number - 1` such calls otherwise."""
        server.wrapper = strace.words(call, "signal=KILL", number, [server.data / name for name in START_FILES])
        server.spawn()
        # Once it has named its address, the start is over.
        wait_until(lambda: server.process.poll() is not None or server.announced_port(), "a death or a start")
        died = server.process.poll() is not None
        if not died:
            try:
                server.signal(signal.SIGKILL)
            except (OSError, IndexError):
                died = True  # just now, and strace has not ended yet
        # strace ends as the program under it did.
        self.assertEqual(server.wait(), -signal.SIGKILL, f"not the death that was sent: {server.log_tail()}")
        server.wrapper = []
        return died

    def test_a_start_that_dies_anywhere_can_be_repeated(self):
        # The old folder has acknowledged events in its log, and none of them in the database yet.
        self.start(args=SMALL)
        self.start_load(seconds=0.3, more=())
        self.take_load()
        self.server.kill()
        old = self.server.home / "old"
        shutil.copytree(self.server.data, old)
        deaths = 0
        for call in START_CALLS:
            for is_new in (True, False):
                for number in range(1, 400):
                    if not FULL and number > 3 and self.chance.random() > 0.04:
                        continue
                    shutil.rmtree(self.server.data)
                    if not is_new:
                        shutil.copytree(old, self.server.data)
                    if not self.start_and_die(self.server, call, number):
                        break
                    deaths += 1
                    self.server.start()
                    if is_new:
                        self.assertEqual(self.server.public.get("/v1/boards").json["items"], [])
                        self.make_board()
                    else:
                        self.oracle.look_again()
                        self.verify(f"after a start that died at {call} {number}")
                    self.server.kill()
        self.count(deaths)
        print(f"{deaths} deaths while starting: each next start was whole", flush=True)

    def test_control_answering_before_the_commit_is_found_out(self):
        self.start(args=SMALL, env={"STANDINGS_TEST_ANSWER_BEFORE_COMMIT": "1"})
        for number in range(20, 40):
            try:
                self.die_at(number, "pwrite64", ("standings.db-wal",))
                self.verify(f"after death at write {number}")
            except Lost as lost:
                return self.control_failed(lost)
        self.fail("20 deaths before the write lost nothing although the answers had left: this test proves nothing")


class AcknowledgedAgain(AssertionError):
    """A 200 after a call that failed, before any restart."""


@unittest.skipIf(WHY_NOT, WHY_NOT)
class FailingCalls(FaultTest):
    fault = "EIO from fsync or write"
    effect = "error=EIO"

    def submit_until_refused(self):
        """Single submissions; the first answer that is not 200."""
        for _ in range(MANY):
            answer = self.send(f"p{self.chance.randrange(50):07}", self.new_key())
            if answer.status != 200:
                return answer
        self.fail(f"{MANY} submissions, and no call has failed")

    def reads_go_on(self):
        for path in ("/v1/boards/b/standings?limit=10", "/v1/boards/b", "/healthz"):
            answer = self.server.public.get(path)
            self.assertEqual(answer.status, 200, (path, answer))

    def nothing_is_acknowledged(self, seconds):
        """Each submission is refused, for so long."""
        until = time.monotonic() + seconds
        while True:
            answer = self.send("p0000001", self.new_key())
            if answer.status == 200:
                raise AcknowledgedAgain(f"{answer}")
            self.assertEqual(answer.status, 503, answer)
            if time.monotonic() > until:
                return
            time.sleep(0.05)

    def fail_once(self, call, files, number, patience=0):
        """One call fails, and all later ones would succeed: still nothing is acknowledged any more."""
        meddler = strace.Attached(self.server, call, self.effect, number, files)
        try:
            refused = self.submit_until_refused()
            self.assertEqual(refused.status, 503, refused)
            self.assertIn(refused.json["code"], ("outcome_unknown", "read_only"), refused)
            for _ in range(20):
                self.nothing_is_acknowledged(0)
                self.reads_go_on()
            self.assertEqual(meddler.injected(), 1)
        finally:
            meddler.end()
        # Nor when nobody meddles any more.
        self.nothing_is_acknowledged(patience)
        self.server.restart(kill=self.chance.random() < 0.5)
        self.verify(f"after EIO from {call} {number} of {files}")
        self.ask_again()
        self.verify(f"after EIO from {call} {number} of {files}, asked again")

    def test_nothing_is_acknowledged_until_a_restart(self):
        self.start(args=SMALL)
        runs = 0
        for call, files in (("fdatasync", ("standings.db-wal",)), ("pwrite64", ("standings.db-wal",)),
                            ("fdatasync", ("standings.db",)), ("pwrite64", ("standings.db",)),
                            ("pwrite64", ("standings.mark",))):
            most = 40 if "wal" in files[0] else 12
            for turn, number in enumerate(range(1, most + 1) if FULL else self.chance.sample(range(1, most + 1), 2)):
                self.fail_once(call, files, number, patience=PATIENCE if turn == 0 else 0)
                runs += 1
        self.count(runs)
        print(f"{runs} failed calls, {self.oracle.count} acknowledged: none lost, none twice, none acknowledged after the failure")

    def test_control_answering_before_the_commit_is_found_out(self):
        self.start(args=SMALL, env={"STANDINGS_TEST_ANSWER_BEFORE_COMMIT": "1"})
        # An answer has a moment to leave in before the batch fails; not each time it does.
        for number in range(9, 29):
            meddler = strace.Attached(self.server, "pwrite64", self.effect, f"{number}+", ("standings.db-wal",))
            try:
                self.start_load(connections=4)
                self.take_load()
            finally:
                meddler.end()
            self.server.process.wait(30)
            self.server.wait()
            self.server.start()
            try:
                self.verify(f"after {self.effect} with answers that had left")
            except Lost as lost:
                return self.control_failed(lost)
        self.fail("twenty times nothing was lost although the answers had left: this test proves nothing")

    def test_control_a_disk_that_is_taken_up_again_is_found_out(self):
        # With no space for one write, the server is right to go on by itself: just that must be seen.
        self.start(args=SMALL)
        self.effect = "error=ENOSPC"
        with self.assertRaises(AcknowledgedAgain) as again:
            self.fail_once("pwrite64", ("standings.db-wal",), 5, patience=60)
        self.control_failed(f"acknowledged after a failure: {str(again.exception)[:60]}")


@unittest.skipIf(WHY_NOT, WHY_NOT)
class FullDisk(FailingCalls):
    fault = "ENOSPC from write"
    effect = "error=ENOSPC"

    # Only what is below: the tests of the other row are not this row's.
    test_nothing_is_acknowledged_until_a_restart = None
    test_control_a_disk_that_is_taken_up_again_is_found_out = None
    slowest = (0, "never")

    def until_written_again(self):
        """Seconds until a submission counts again."""
        began = time.monotonic()
        while True:
            answer = self.send("p0000001", self.new_key())
            if answer.status == 200:
                return time.monotonic() - began
            self.assertEqual(answer.status, 503, answer)
            self.assertLess(time.monotonic() - began, RECOVERS_IN, "space is there again, and nothing is written")
            time.sleep(0.02)

    def recover(self, when):
        seconds = self.until_written_again()
        self.slowest = max(self.slowest, (seconds, when))
        self.ask_again()
        self.verify(when)
        self.server.restart(kill=True)
        self.verify(f"{when}, after kill -9")

    def test_writes_that_find_no_space(self):
        self.start(args=SMALL)
        runs = 0
        for files in (("standings.db-wal",), ("standings.db",), ("standings.db-wal", "standings.db")):
            for number in range(1, 21) if FULL else self.chance.sample(range(1, 21), 1):
                meddler = strace.Attached(self.server, "pwrite64", self.effect, f"{number}+", files)
                try:
                    self.write_into_full_disk(200 if files == ("standings.db",) else None)
                finally:
                    meddler.detach()
                    meddler.end()
                self.recover(f"ENOSPC from write {number}+ of {files}")
                runs += 1
        self.note_slowest()
        self.count(runs)

    def note_slowest(self):
        seconds, when = self.slowest
        self.row.notes.append(f"slowest of all: written again {seconds:.2f} s after space was there ({when})")
        print(self.row.notes[-1], flush=True)

    def write_into_full_disk(self, most=None):
        """Until it is refused. A full database file alone need not refuse: the log still has space."""
        for _ in range(most or MANY):
            answer = self.send(f"p{self.chance.randrange(50):07}", self.new_key())
            if answer.status != 200:
                break
        if most is None:
            self.assertEqual(answer.status, 503, answer)
        for _ in range(10):
            self.reads_go_on()
            self.assertIn(self.send("p0000001", self.new_key()).status, (503, 200) if most else (503,))

    def test_a_small_filesystem(self):
        server = Server(args=[*SMALL[:2], "--database-reserve", "1MiB"])
        self.addCleanup(server.close)
        server.data.mkdir()
        # In a namespace of this process's own: nobody else sees the mount, and it ends with us.
        if not mount_small(server.data, "12m"):
            self.skipTest("mounting needs root and a mount namespace")
        self.addCleanup(subprocess.run, ["umount", "-l", str(server.data)], check=False)
        self.server = server.start()
        self.make_board()
        filler = server.data / "filler"
        for turn in range(scaled(2, 10)):
            fill(filler, self.chance.randrange(0, 50_000))
            refused = self.submit_until_refused()
            self.assertEqual((refused.status, refused.json["code"]), (503, "read_only"), refused)
            for _ in range(20):
                self.reads_go_on()
            filler.unlink()
            self.recover(f"small filesystem, turn {turn}")
        self.note_slowest()
        self.count(scaled(2, 10))


def mount_small(folder, size):
    import ctypes
    clone_newns = 0x00020000
    if ctypes.CDLL(None, use_errno=True).unshare(clone_newns) != 0:
        return False
    for command in (["mount", "--make-rprivate", "/"], ["mount", "-t", "tmpfs", "-o", f"size={size}", "small", str(folder)]):
        if subprocess.run(command, capture_output=True).returncode != 0:
            return False
    return True


def fill(path, leave):
    """All space but `leave` bytes goes to `path`."""
    with open(path, "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 65536)
        except OSError:
            pass
        file.truncate(max(0, file.tell() - leave))
