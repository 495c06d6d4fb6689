"""Loads a server with players, then prints what reads cost and how fast durable submissions come.

Reads: the server is pinned to one core and the generator to another; CPU per request is the
server's own, from /proc/PID/task/*/schedstat. Submissions: both use all cores, each answer comes
after its fsync. The figures mean something only with the fsync latency printed first.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))

from machine import fsync_milliseconds  # noqa: E402
from support.server import KEY, Server, load_program  # noqa: E402

CHUNK = 100_000


def pin(pid, cores):
    for task in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(task), cores)


def fill(server, players):
    for first in range(0, players, CHUNK):
        lines = "".join(f'{{"player":"player-{number:07d}","score":{number * 7919 % 10_000_000}}}\n'
                        for number in range(first, min(first + CHUNK, players)))
        answer = server.api.stream("/v1/boards/b/submissions", lines.encode())
        assert answer.status == 200, answer


def load(server, mode, options, *, cores=None, **more):
    words = [str(load_program()), "--port", str(server.port), "--board", "b", "--players", str(options.players), "--mode", mode,
             "--seconds", str(options.seconds), "--connections", str(more.pop("connections", 64)), "--server-pid", str(server.pid)]
    for name, value in more.items():
        words += [f"--{name}"] if value is True else [f"--{name}", str(value)]
    subprocess.run(words, check=True, preexec_fn=(lambda: os.sched_setaffinity(0, cores)) if cores else None)
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--players", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    with Server() as server:
        print(f"{len(cores)} cores, fdatasync of 4 KB {fsync_milliseconds(server.home):.3f} ms (median)", flush=True)
        assert server.api.post("/v1/boards", {"id": "b"}).status == 201
        began = time.monotonic()
        fill(server, options.players)
        print(f"{options.players} players by NDJSON in {time.monotonic() - began:.1f} s, {server.rss_bytes() / 2**20:.0f} MiB", flush=True)

        print("\nreads, server on one core", flush=True)
        pin(server.pid, {cores[0]})
        away = {cores[1]} if len(cores) > 1 else None
        for mode in ("version", "standing", "top", "around"):
            load(server, mode, options, cores=away)
        for mode in ("standing", "top"):
            load(server, mode, options, cores=away, pipeline=16)
        pin(server.pid, set(cores))

        print("\ndurable submissions with Idempotency-Key, all cores", flush=True)
        for connections in (64, 512):
            load(server, "submit", options, connections=connections, key=KEY, idempotency=True)


if __name__ == "__main__":
    main()
