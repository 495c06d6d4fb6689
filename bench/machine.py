"""Facts about this machine, and about processes that run on it, read from /proc."""

import os
import pathlib
import platform
import tempfile
import time


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
