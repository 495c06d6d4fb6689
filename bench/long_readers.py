"""Durable submissions beside long readers of a large database: what they cost, and how the WAL grows.

Fills a database to --gb, then runs 64 writers beside each reader in turn, and alone just before: a slow export, a shell
in one transaction whose output is read as slowly, one that scans everything as fast as it can, a busy loop that touches
no file, a backup. --compare adds two other ways to make a backup, which docs/decisions/0005-backup-copy.md weighs. Each
line has the latencies that the clients saw and the size of the WAL at each fifth of the time. At the end stands for each
reader whether it holds the bar: the median, over the rounds, of its p99 to that alone just before, at most 1.5 beside a
file of 10 GB. A reader that ends early begins again, so that it is there all the time. Needs about three times --gb of
disk in TMPDIR, or where --data is, and gives it back unless that was named.
"""

import argparse
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))

from machine import fsync_milliseconds, size_of  # noqa: E402
from support.server import KEY, Server, load_program  # noqa: E402

CHUNK = 200_000
BAR = 1.5  # times the p99 alone
BAR_GB = 10
PACED_BYTES, PACE_SECONDS = 40_000, 0.01  # how a slow reader takes what it asked for: at most 4 MB/s
SHELL_SQL = "BEGIN; SELECT count(*) FROM event; SELECT sum(score_1) FROM entry; SELECT 'held'; "
SNAPSHOT_COPY = """
import os, sqlite3, sys
source = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True, isolation_level=None)
source.execute("BEGIN")
source.execute("SELECT * FROM state").fetchone()
copy = sqlite3.connect(sys.argv[2], isolation_level=None)
copy.execute("PRAGMA journal_mode=OFF")
copy.execute("PRAGMA synchronous=OFF")
source.backup(copy, pages=1024)
copy.close()
file = os.open(sys.argv[2], os.O_RDONLY)
os.fsync(file)
"""
VACUUM_INTO = """
import os, sqlite3, sys
source = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True, isolation_level=None)
source.execute("VACUUM INTO ?", (sys.argv[2],))
file = os.open(sys.argv[2], os.O_RDONLY)
os.fsync(file)
"""


def fill(server, database, wanted, players):
    number = 0
    while size_of(database) < wanted:
        lines = "".join(f'{{"player":"player-{at % players:07d}","score":{at * 7919 % 10_000_000}}}\n'
                        for at in range(number, number + CHUNK))
        answer = server.api.stream("/v1/boards/b/submissions", lines.encode())
        assert answer.status == 200, answer
        number += CHUNK
    return number


class Reader(threading.Thread):
    """Runs `once` again and again until it is told to end; counts how often it was whole, and how long it took."""

    def __init__(self, once):
        super().__init__(daemon=True)
        self.once = once
        self.ending = threading.Event()
        self.seconds = []
        self.failure = None

    def run(self):
        try:
            while not self.ending.is_set():
                began = time.monotonic()
                if self.once(self.ending):
                    self.seconds.append(time.monotonic() - began)
        except BaseException as failure:
            self.failure = failure

    def end(self):
        self.ending.set()
        self.join()
        if self.failure:
            raise self.failure


def verdict(times):
    return f"bar {BAR:g}: {'met' if times <= BAR else 'not met'}"


class Line:
    """One stretch of the writers: their rate and latencies in ms, the size of the WAL at each fifth, and how long the reader took."""

    def __init__(self, said, wal_sizes, reader_seconds):
        rate, p50, p99, most = re.search(r"(\d+)/s\s+p50 ([\d.]+) ms\s+p99 ([\d.]+) ms\s+max ([\d.]+) ms", said).groups()
        self.rate, self.p50, self.p99, self.most = int(rate), float(p50), float(p99), float(most)
        self.wal = [wal_sizes[len(wal_sizes) * i // 5 - 1] // 2**20 for i in range(1, 6)]
        self.reader_seconds = reader_seconds

    def show(self, name, times=None):
        took = f"  took {statistics.mean(self.reader_seconds):.1f} s x {len(self.reader_seconds)}" if self.reader_seconds else ""
        beside = f"(x {times:.2f})" if times else ""
        print(f"  {name:<38} {self.rate:>6}/s  p50 {self.p50:7.3f}  p99 {self.p99:7.3f} {beside:<9}  max {self.most:8.1f} ms"
              f"   WAL MB {' '.join(f'{size:4d}' for size in self.wal)}{took}", flush=True)


class Bench:
    def __init__(self, server, options):
        self.server = server
        self.options = options
        self.database = server.data / "standings.db"
        self.wal = server.data / "standings.db-wal"
        self.times = {}  # by reader: p99 beside it to that alone just before, a round each
        self.controls = set()

    def write(self, once=None):
        """Lets the writers write, beside the reader where there is one."""
        sizes = []
        ended = threading.Event()

        def watch():
            while not ended.wait(0.05):
                sizes.append(size_of(self.wal))

        reader = Reader(once) if once else None
        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        if reader:
            reader.start()
        said = subprocess.run(
            [str(load_program()), "--port", str(self.server.port), "--board", "b", "--players", str(self.options.players), "--seconds",
             str(self.options.seconds), "--connections", "64", "--key", KEY, "--idempotency", "--seed", str(time.monotonic_ns() % 2**32)],
            check=True, capture_output=True, text=True).stdout
        ended.set()
        watcher.join()
        if reader:
            reader.end()
        return Line(said, sizes, reader.seconds if reader else [])

    def measure(self, name, once, *, is_control=False, is_cold=False):
        """`is_control`: runs beside the writers, but is no long reader and has no bar."""
        alone = self.write()
        alone.show("alone")
        if is_cold:
            os.sync()
            pathlib.Path("/proc/sys/vm/drop_caches").write_text("3")
        beside = self.write(once)
        times = beside.p99 / alone.p99
        beside.show(name, times)
        self.times.setdefault(name, []).append(times)
        if is_control:
            self.controls.add(name)

    def show_verdicts(self):
        print(f"p99 beside to that alone just before, of {self.options.rounds} rounds")
        for name, times in self.times.items():
            middle = statistics.median(times)
            judged = "a control" if name in self.controls else verdict(middle)
            print(f"  {name:<38} x {middle:.2f} ({min(times):.2f} to {max(times):.2f}), {judged}")

    # --- readers: one round each; True when it was whole -------------------------------------------

    def backup(self, ending):
        api = self.server.new_client(KEY)
        answer = api.post("/v1/backups")
        assert answer.status == 202, answer
        job = answer.json["id"]
        while True:
            state = api.get(f"/v1/jobs/{job}").json
            if state["state"] != "running":
                break
            if ending.is_set():
                api.delete(f"/v1/jobs/{job}")
            time.sleep(0.05)
        for item in api.get("/v1/backups").json["items"]:
            api.delete(f"/v1/backups/{item['name']}")
        assert state["state"] in ("done", "cancelled"), state
        return state["state"] == "done"

    def script(self, text):
        def once(ending):
            to = self.server.home / "copy.db"
            process = subprocess.Popen([sys.executable, "-c", text, str(self.database), str(to)])
            while process.poll() is None and not ending.is_set():
                time.sleep(0.02)
            process.kill()
            whole = process.wait() == 0
            for path in self.server.home.glob("copy.db*"):
                path.unlink()
            return whole
        return once

    def slow_shell(self, ending):
        """Holds one transaction, and reads at the pace of the slow export: a full pipe stops it."""
        process = subprocess.Popen(["sqlite3", "-readonly", str(self.database), "BEGIN; SELECT * FROM event"], stdout=subprocess.PIPE)
        while not ending.is_set() and process.stdout.read1(PACED_BYTES):
            time.sleep(PACE_SECONDS)
        whole = not ending.is_set()
        if not whole:
            process.kill()
        status = process.wait()
        process.stdout.close()
        assert not whole or status == 0, f"sqlite3 ended with {status}"
        return whole

    def fast_shell(self, ending):
        process = subprocess.Popen(["sqlite3", "-readonly", "-bail", str(self.database)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        process.stdin.write(SHELL_SQL + "\n")
        process.stdin.flush()
        ending.wait()
        assert process.poll() is None, f"sqlite3 ended with {process.returncode}"
        process.kill()
        process.wait()
        return False

    def busy_loop(self, ending):
        """The control: a process that takes a core and touches no file."""
        process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        ending.wait()
        process.kill()
        process.wait()
        return False

    def export(self, ending):
        """Reads at the pace."""
        with socket.create_connection(("127.0.0.1", self.server.port)) as connection:
            connection.sendall(f"GET /v1/boards/b/export?format=ndjson HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {KEY}\r\nConnection: close\r\n\r\n".encode())
            connection.settimeout(60)
            head = connection.recv(PACED_BYTES)
            assert head.startswith(b"HTTP/1.1 200 "), head[:300]
            tail = b""
            while not ending.is_set():
                piece = connection.recv(PACED_BYTES)
                if not piece:
                    assert tail == b"0\r\n\r\n", "the export broke off"
                    return True
                tail = (tail + piece)[-5:]
                time.sleep(PACE_SECONDS)
        return False


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gb", type=float, default=1, help="size of the database")
    parser.add_argument("--seconds", type=float, default=10, help="of each line")
    parser.add_argument("--players", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--backup-rate", default="16MB", help="of the server's backup, like 32MB")
    parser.add_argument("--data", help="a data folder that is kept: a second run need not fill it")
    parser.add_argument("--cold", action="store_true", help="drop the page cache before the backup; needs root")
    parser.add_argument("--compare", action="store_true", help="other ways to make a backup, too")
    options = parser.parse_args()
    data = options.data and pathlib.Path(options.data).resolve()
    with Server(data=data, args=["--backup-rate", options.backup_rate]) as server:
        free = shutil.disk_usage(server.data).free
        if free < options.gb * 3.2e9:
            sys.exit(f"{options.gb:g} GB need {options.gb * 3.2:.0f} GB of disk, {server.data} has {free / 1e9:.0f}")
        print(f"{os.cpu_count()} cores, fdatasync of 4 KB {fsync_milliseconds(server.data):.3f} ms (median)", flush=True)
        if server.api.get("/v1/boards/b").status == 404:
            assert server.api.post("/v1/boards", {"id": "b"}).status == 201
        bench = Bench(server, options)
        fill(server, bench.database, options.gb * 1e9, options.players)
        gb = size_of(bench.database) / 1e9
        other = "" if gb >= 0.95 * BAR_GB else f"; the bar is for {BAR_GB} GB, this says little of it"
        print(f"Long readers of a file of {gb:.2f} GB{other}; {options.players} players, 64 writers, {options.seconds:g} s a line", flush=True)
        for _ in range(options.rounds):
            bench.measure("beside a slow export", bench.export)
            bench.measure("beside a slow shell in one transaction", bench.slow_shell)
            bench.measure("beside a shell that scans it all", bench.fast_shell)
            bench.measure("beside a busy loop", bench.busy_loop, is_control=True)
            bench.measure(f"beside a backup, {options.backup_rate}/s", bench.backup, is_cold=options.cold)
            if options.compare:
                bench.measure("beside VACUUM INTO", bench.script(VACUUM_INTO))
                bench.measure("beside a copy of a snapshot", bench.script(SNAPSHOT_COPY))
        bench.show_verdicts()


if __name__ == "__main__":
    main()
