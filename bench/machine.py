"""Facts about this machine, and about processes that run on it, read from /proc."""

import contextlib
import os
import pathlib
import platform
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))

from support import cgroup  # noqa: E402


def fsync_milliseconds(folder, count=200):
    """The median of appending 4 KB and fdatasync."""
    times = []
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        for _ in range(count):
            began = time.perf_counter()
            file.write(b"x" * 4096)
            file.flush()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - began)
    return sorted(times)[count // 2] * 1000


def cpu_model():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "Model", "Hardware"):
            return value.strip()
    return platform.machine()


def facts(folder):
    """What a figure means nothing without."""
    return {
        "cpu": cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "memory_gb": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
        "fdatasync_ms": round(fsync_milliseconds(folder), 3),
        "load": os.getloadavg()[0],
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }


def sentence(machine):
    return (f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']:g} GB, Linux {machine['kernel']}; "
            f"fdatasync of 4 KB {machine['fdatasync_ms']:.3f} ms (median); load {machine['load']:.1f} before the start; {machine['date']}")


class Steal:
    """How much of the time that this machine's processors had work its hypervisor gave to others, from here on."""

    def __init__(self):
        self.begin = self._times()

    @staticmethod
    def _times():
        user, nice, system, _idle, _wait, irq, softirq, steal = map(int, pathlib.Path("/proc/stat").read_text().split()[1:9])
        return steal, user + nice + system + irq + softirq + steal

    def share(self):
        stolen, busy = (now - then for now, then in zip(self._times(), self.begin))
        return stolen / busy if busy else 0

    def note(self, machine):
        """Keeps the share among the machine's facts, and says it."""
        machine["steal"] = round(self.share(), 4)
        return f"Of its busy time the machine lost {machine['steal']:.1%} to its neighbours (steal)."


def size_of(path):
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


# --- processes ----------------------------------------------------------------------------------

def status_of(pid):
    """/proc/PID/status as a dict of texts."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def rss_bytes(pid):
    return int(status_of(pid)["VmRSS"].split()[0]) * 1024


def thread_count(pid):
    return int(status_of(pid)["Threads"])


def descriptor_count(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def tree(pid):
    """The process and all its descendants that are there now."""
    found = [pid]
    for at in found:
        try:
            for task in os.listdir(f"/proc/{at}/task"):
                found += map(int, pathlib.Path(f"/proc/{at}/task/{task}/children").read_text().split())
        except OSError:
            continue
    return found


def pin(pid, cores):
    """All threads of the process and of its descendants; those they make later inherit it."""
    for process in tree(pid):
        try:
            for task in os.listdir(f"/proc/{process}/task"):
                os.sched_setaffinity(int(task), cores)
        except OSError:
            continue  # it has just ended


def tasks(pid):
    """Names of its threads; empty when it has just ended."""
    try:
        return os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []


def cpu_nanoseconds(pid):
    """What the threads of the tree's processes have used that are there now."""
    total = 0
    for process in tree(pid):
        for task in tasks(process):
            with contextlib.suppress(OSError):  # it has just ended
                total += int(pathlib.Path(f"/proc/{process}/task/{task}/schedstat").read_text().split()[0])
    return total


def wake_ups(pid):
    """How often threads of the process and its descendants have gone to sleep of their own will."""
    total = 0
    for process in tree(pid):
        for task in tasks(process):
            with contextlib.suppress(OSError):  # it has just ended
                status = pathlib.Path(f"/proc/{process}/task/{task}/status").read_text()
                total += int(status.split("voluntary_ctxt_switches:")[1].split()[0])
    return total


def proportional_memory(pid):
    """Memory of a process and its descendants, pages that n of them share counted 1/n each."""
    total = 0
    for process in tree(pid):
        with contextlib.suppress(OSError):  # it has just ended
            for line in pathlib.Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
    return total


class NoControlGroup(Exception):
    """None can be made here."""


class HalfAProcessor:
    """Holds processes to 50 % of one processor between `with` and its end, or says NoControlGroup."""

    def __init__(self, pid):
        self.pid = pid

    def __enter__(self):
        try:
            self.group = cgroup.Cgroup(processor=0.5)
            self.before = self._group_of(self.pid)
            self._move_to(self.group.path)
        except OSError as error:
            raise NoControlGroup(f"no control group can be made here: {error}") from error
        return self

    def __exit__(self, *_):
        self._move_to(self.before)
        self.group.remove()

    def _group_of(self, pid):
        for line in pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines():
            number, controllers, path = line.split(":", 2)
            if (number == "0") if self.group.is_v2 else ("cpu" in controllers.split(",")):
                return self.group.path.parent / path.lstrip("/")
        return self.group.path.parent

    def _move_to(self, group):
        for process in tree(self.pid):
            try:
                (group / "cgroup.procs").write_text(str(process))
            except ProcessLookupError:
                continue
