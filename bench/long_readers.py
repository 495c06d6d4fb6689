"""Durable submissions beside long readers of a large database: what they cost, and how the WAL grows.

Fills a database to --gb, then runs 64 writers alone and beside each reader in turn: a slow export (where
the server has one), a shell in one transaction whose output is read as slowly, one that scans everything as fast as it can, a busy loop
that touches no file, a backup. --compare adds two other ways to make a backup, which docs/decisions/0005-backup-copy.md weighs. Each line has the latencies that the clients
saw, the size of the WAL at each fifth of the time, and for a long reader whether it holds the bar: a p99 of
at most 1.5 times that of the writers alone, beside a file of 10 GB. A reader that ends early begins again, so
that it is there all the time. Needs about three times --gb of disk in TMPDIR, and gives it back.
"""

import argparse
import os
import pathlib
import re
import shutil
import socket
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
    return f", bar {BAR:g}: {'met' if times <= BAR else 'not met'}"


class Bench:
    def __init__(self, server, options):
        self.server = server
        self.options = options
        self.database = server.data / "standings.db"
        self.wal = server.data / "standings.db-wal"
        self.baseline = None
        self.verdicts = []

    def measure(self, name, once=None, is_control=False):
        """`is_control`: runs beside the writers, but is no long reader and has no bar."""
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
        rate, p50, p99, most = re.search(r"(\d+)/s\s+p50 ([\d.]+) ms\s+p99 ([\d.]+) ms\s+max ([\d.]+) ms", said).groups()
        if self.baseline is None:
            self.baseline = float(p99)
        fifths = [sizes[len(sizes) * i // 5 - 1] // 2**20 for i in range(1, 6)]
        took = f"  took {sum(reader.seconds) / len(reader.seconds):.1f} s x {len(reader.seconds)}" if reader and reader.seconds else ""
        times = float(p99) / self.baseline
        judged = once is not None and not is_control
        if judged:
            self.verdicts.append(times <= BAR)
        print(f"{name:<38} {rate:>6}/s  p50 {float(p50):7.3f}  p99 {float(p99):7.3f} {f'(x {times:.2f}{verdict(times) if judged else str()})':<27}  "
              f"max {float(most):8.1f} ms   WAL MB {' '.join(f'{size:4d}' for size in fifths)}{took}", flush=True)

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
        process.kill()
        process.wait()
        process.stdout.close()
        return whole

    def fast_shell(self, ending):
        process = subprocess.Popen(["sqlite3", "-readonly", str(self.database)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        process.stdin.write(SHELL_SQL + "\n")
        process.stdin.flush()
        ending.wait()
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
            connection.settimeout(10)
            while not ending.is_set():
                if not connection.recv(PACED_BYTES):
                    return True
                time.sleep(PACE_SECONDS)
        return False

    def has_export(self):
        answer = self.server.api.get("/v1/boards/none/export?format=ndjson")
        return answer.status == 404 and answer.json["code"] == "board_not_found"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gb", type=float, default=1, help="size of the database")
    parser.add_argument("--seconds", type=float, default=10, help="of each line")
    parser.add_argument("--players", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--backup-rate", default="16MB", help="of the server's backup, like 32MB")
    parser.add_argument("--cold", action="store_true", help="drop the page cache before the backup; needs root")
    parser.add_argument("--compare", action="store_true", help="other ways to make a backup, too")
    options = parser.parse_args()
    with Server(args=["--backup-rate", options.backup_rate]) as server:
        free = shutil.disk_usage(server.home).free
        if free < options.gb * 3.2e9:
            sys.exit(f"{options.gb:g} GB need {options.gb * 3.2:.0f} GB of disk, {server.home} has {free / 1e9:.0f}")
        print(f"{os.cpu_count()} cores, fdatasync of 4 KB {fsync_milliseconds(server.home):.3f} ms (median)", flush=True)
        assert server.api.post("/v1/boards", {"id": "b"}).status == 201
        bench = Bench(server, options)
        began = time.monotonic()
        events = fill(server, bench.database, options.gb * 1e9, options.players)
        gb = size_of(bench.database) / 1e9
        other = "" if gb >= 0.95 * BAR_GB else f"; the bar is for {BAR_GB} GB, this says little of it"
        print(f"Long readers of a file of {gb:.2f} GB{other}")
        print(f"{events} events of {options.players} players in {time.monotonic() - began:.0f} s; "
              f"64 writers, {options.seconds:g} s a line", flush=True)
        for _ in range(options.rounds):
            bench.measure("alone")
            if bench.has_export():
                bench.measure("beside a slow export", bench.export)
            bench.measure("beside a slow shell in one transaction", bench.slow_shell)
            bench.measure("beside a shell that scans it all", bench.fast_shell)
            bench.measure("alone, the shell gone")
            bench.measure("beside a busy loop", bench.busy_loop, is_control=True)
            if options.cold:
                os.sync()
                pathlib.Path("/proc/sys/vm/drop_caches").write_text("3")
            bench.measure(f"beside a backup, {options.backup_rate}/s", bench.backup)
            if options.compare:
                bench.measure("alone")
                bench.measure("beside VACUUM INTO", bench.script(VACUUM_INTO))
                bench.measure("alone")
                bench.measure("beside a copy of a snapshot", bench.script(SNAPSHOT_COPY))
        print(f"{sum(bench.verdicts)} of {len(bench.verdicts)} lines beside a long reader meet the bar: p99 at most {BAR:g} times that alone")


if __name__ == "__main__":
    main()
