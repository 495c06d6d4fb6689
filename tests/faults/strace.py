"""strace that meddles with the file calls of a server: kills it, or lets calls fail."""

import pathlib
import shutil
import signal
import subprocess
import time

from support.server import wait_until

FILES = ("standings.db", "standings.db-wal", "standings.mark")
# More than twice what an idle committer waits before it writes rows back.
QUIET_FOR = 0.05


def why_not():
    """Why strace cannot be used here; None when it can, also on a process that runs already."""
    if not shutil.which("strace"):
        return "strace is not here"
    sleeper = subprocess.Popen(["sleep", "60"])
    try:
        tracer = subprocess.run(["timeout", "-s", "INT", "0.2", "strace", "-o", "/dev/null", "-p", str(sleeper.pid)],
                                capture_output=True, text=True)
        return None if "attached" in tracer.stderr or tracer.returncode in (0, 124, 130) else tracer.stderr.strip()
    finally:
        sleeper.kill()
        sleeper.wait()


def words(call, effect, when, paths, output="/dev/null"):
    """`effect` is "signal=KILL" or "error=EIO"; `when` counts the calls on `paths` of each thread by itself."""
    chosen = [word for path in paths for word in ("-P", str(path))]
    return ["strace", "-f", "-qq", "-e", "signal=none", "-e", f"trace={call}", "-e", f"inject={call}:{effect}:when={when}",
            "-o", str(output), *chosen]


class Attached:
    """Meddles with a server that runs, until `detach`. The committer's thread begins to count at 1."""

    def __init__(self, server, call, effect, when, files):
        self.pid = server.pid
        paths = [server.data / name for name in files]
        self.trace = server.home / "trace"
        self.process = subprocess.Popen([*words(call, effect, when, paths, self.trace), "-p", str(self.pid)],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        # Work that was left over may bring the n-th call, and a death, before the last thread is held.
        wait_until(lambda: self._tracers() == {str(self.process.pid)} or server.process.poll() is not None,
                   "strace to hold every thread")

    def _tracers(self):
        found = set()
        for task in pathlib.Path(f"/proc/{self.pid}/task").iterdir():
            try:
                status = (task / "status").read_text()
            except OSError:
                continue  # a thread that has just ended
            found.add(status.split("TracerPid:")[1].split()[0])
        return found

    def detach(self):
        """The server goes on alone. Between two calls: strace makes a call fail by sending the kernel
        one that does not exist, and whoever detaches in the middle leaves ENOSYS behind, a broken disk."""
        wait_until(self._is_quiet, "a moment without file calls")
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)

    def _is_quiet(self):
        before = self.trace.stat().st_size
        time.sleep(QUIET_FOR)
        return self.trace.stat().st_size == before

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(30)
        self.process.stderr.close()

    def injected(self):
        return self.trace.read_text(errors="replace").count("(INJECTED)")
