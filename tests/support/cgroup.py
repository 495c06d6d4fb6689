"""A control group of our own for the server under test or measured, version 2 or 1, where this process may make one."""

import os
import pathlib

ROOT = pathlib.Path("/sys/fs/cgroup")


class Cgroup:
    """Limits memory (bytes) or processor time (share of one). Remove it once its processes have ended."""

    def __init__(self, *, memory=None, processor=None):
        self.kind = "memory" if memory else "cpu"
        name = f"standings-test-{os.getpid()}-{self.kind}"
        self.is_v2 = (ROOT / "cgroup.controllers").exists()
        self.path = (ROOT if self.is_v2 else ROOT / self.kind) / name
        if self.is_v2:
            (ROOT / "cgroup.subtree_control").write_text(f"+{self.kind}")
        elif not self.path.parent.is_dir():
            raise OSError(f"no controller {self.kind} under {ROOT}")
        self.path.mkdir(exist_ok=True)
        try:
            self._limit(memory, processor)
        except OSError:
            self.remove()
            raise

    def _limit(self, memory, processor):
        if memory:
            (self.path / ("memory.max" if self.is_v2 else "memory.limit_in_bytes")).write_text(str(memory))
        elif self.is_v2:
            (self.path / "cpu.max").write_text(f"{int(processor * 100_000)} 100000")
        else:
            (self.path / "cpu.cfs_period_us").write_text("100000")
            (self.path / "cpu.cfs_quota_us").write_text(str(int(processor * 100_000)))

    def wrapper(self):
        """Goes before a command: the shell joins the group and becomes the command."""
        return ["/bin/sh", "-c", f'echo $$ > {self.path}/cgroup.procs && exec "$@"', "sh"]

    def throttled(self):
        """How often its processes had used up their time."""
        facts = dict(line.split() for line in (self.path / "cpu.stat").read_text().splitlines())
        return int(facts["nr_throttled"])

    def remove(self):
        try:
            self.path.rmdir()
        except OSError:
            pass


def why_not():
    """Why no group can be made here; None when one can."""
    try:
        Cgroup(processor=0.5).remove()
        Cgroup(memory=1 << 30).remove()
    except OSError as error:
        return f"no control group can be made here: {error}"
    return None
