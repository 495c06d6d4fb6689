"""What the peers have in common: a process in a folder of its own, that ends with ours, whatever ends that."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import machine
from contender import wait_for_end
from support.server import die_with_parent


class Peer:
    """One process in a folder of its own."""

    def __init__(self, count):
        self.count = count
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="standings-peer-"))
        self.process = None

    def spawn(self, words, preload=None, **more):
        environment = {**os.environ, "LD_PRELOAD": preload} if preload else None
        with open(self.home / "log", "ab") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.home, env=environment,
                                            preexec_fn=die_with_parent, **more)

    @property
    def pid(self):
        return self.process.pid

    def must_run(self):
        assert self.process.poll() is None, f"{self.name} ended:\n{(self.home / 'log').read_text(errors='replace')[-2000:]}"

    def restart(self, preload=None):
        self.stop()
        return self.start(preload)

    def stop(self):
        if self.process and self.process.poll() is None:
            os.kill(self.pid, self.stop_signal)
            wait_for_end(self.process)

    def close(self):
        if self.process:
            for process in machine.tree(self.process.pid):
                with contextlib.suppress(ProcessLookupError):  # one that has just ended by itself
                    os.kill(process, signal.SIGKILL)
            self.process.wait()
        shutil.rmtree(self.home, ignore_errors=True)
