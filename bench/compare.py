"""Our server beside redis-server and PostgreSQL, pair by pair in one run: "Speed and size" as a table.

All three hold the same players and are asked the same, in turns, several rounds. Reads: the server on
one core, the generator on another, and the server's own processor time for each request. Writes: all
cores, each answer after its fsync. docs/performance.md says what each of the three runs, what of its
answers is checked, and what the rows mean.
"""

import argparse
import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))

import machine  # noqa: E402
import players  # noqa: E402
import rows_reads  # noqa: E402
import rows_size  # noqa: E402
import rows_writes  # noqa: E402
from contender import Ours  # noqa: E402
from peer_postgres import Postgres, postgres_tools  # noqa: E402
from peer_redis import Redis  # noqa: E402
from report import Report  # noqa: E402

PARTS = ("reads", "writes", "memory", "start")
# The full run, and the quick one that only shows that everything works, about 3 minutes.
FULL = {"players": 1_000_000, "large": 10_000_000, "bulk": 1_000_000, "boards": 100_000, "rounds": 3, "seconds": 5.0, "idle_seconds": 20.0}
QUICK = {"players": 50_000, "large": 200_000, "bulk": 50_000, "boards": 1_000, "rounds": 1, "seconds": 1.0, "idle_seconds": 5.0}


class Bench:
    def __init__(self, options, report):
        self.options = options
        self.report = report
        self.contenders = []
        self.began = time.monotonic()
        self.all_cores = sorted(os.sched_getaffinity(0))
        self.server_cores = self.all_cores[:1]
        self.client_cores = self.all_cores[1:2] or None

    def say(self, what):
        print(f"{time.monotonic() - self.began:6.0f} s  {what}", file=sys.stderr, flush=True)

    def rounds(self):
        """The contenders of each round; another one goes first, so that what one leaves behind does not always meet the same."""
        for first in range(self.options.rounds):
            first %= len(self.contenders)
            yield [*self.contenders[first:], *self.contenders[:first]]

    def run(self, parts):
        """Each piece of work first names all its rows, up to its `yield`: one that a broken run did not reach is not forgotten."""
        work = []
        if {"reads", "writes"} & parts:
            work.append(self.compare_requests(parts))
        if "start" in parts:
            work.append(rows_size.measure_start(self))
        if "memory" in parts:
            work.append(rows_size.measure_idle(self))
        if {"memory", "start"} & parts:
            work.append(rows_size.measure_large(self, "memory" in parts, "start" in parts))
            work.append(rows_size.measure_boards(self, "memory" in parts, "start" in parts))
        in_turns(work)

    def compare_requests(self, parts):
        """Writes come last: reads are checked against the board as it was filled."""
        work = [module.measure(self) for part, module in (("reads", rows_reads), ("writes", rows_writes)) if part in parts]
        for piece in work:
            next(piece)
        yield

        with rows_size.filled(self, (lambda: Ours(self.options.players), lambda: Redis(self.options.players),
                                     lambda: Postgres(self.options.players))) as self.contenders:
            for piece in work:
                next(piece, None)


def in_turns(work):
    """All pieces up to their `yield`, then each to its end."""
    for piece in work:
        next(piece)
    for piece in work:
        next(piece, None)


def versions():
    redis = subprocess.run(["redis-server", "--version"], capture_output=True, text=True, check=True).stdout
    postgres = subprocess.run([str(postgres_tools() / "postgres"), "--version"], capture_output=True, text=True, check=True).stdout
    return {"redis": f"Redis {re.search(r'v=([0-9.]+)', redis)[1]}", "postgres": f"PostgreSQL {re.search(r'([0-9.]+)', postgres)[1]}"}


def options_from(words):
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="3 minutes: does it all work? Its figures say little")
    parser.add_argument("--only", action="append", choices=PARTS, help="may be given several times")
    parser.add_argument("--json", metavar="FILE", help="every figure, with the machine")
    for name, value in FULL.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), help=f"default {value:,g}, {QUICK[name]:,g} with --quick")
    options = parser.parse_args(words)
    for name, value in (QUICK if options.quick else FULL).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    if max(options.players, options.large, options.bulk) > players.MOST:
        parser.error(f"at most {players.MOST:,} players have scores of their own")
    return options


def main():
    options = options_from(sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything is ended and removed
    folder = tempfile.gettempdir()
    needed = 3 + options.large * 0.5e-6
    if shutil.disk_usage(folder).free < needed * 1e9:
        sys.exit(f"{needed:.0f} GB of disk are needed in {folder} (TMPDIR)")
    here = machine.facts(folder)
    report = Report(here, versions(), vars(options))
    print(machine.sentence(here), flush=True)
    bench = Bench(options, report)
    with contextlib.ExitStack() as stack:
        # Whatever stops the run, what was measured is shown.
        stack.callback(finish, report, options, machine.Steal())
        bench.run(set(options.only or PARTS))
    bench.say("done")


def finish(report, options, steal):
    print(f"\n{report.table()}\n")
    bars, met, missing = report.count()
    print(f"fdatasync of 4 KB after the run: {machine.fsync_milliseconds(tempfile.gettempdir()):.2f} ms. {steal.note(report.machine)}")
    print(f"{met} of {bars} bars met{f', {missing} not measured' if missing else ''}. Medians of {options.rounds} rounds of {options.seconds:g} s, smallest and largest in parentheses, or that there was one; "
          f"{options.players:,} players. Reads over {rows_reads.CONNECTIONS} connections. x: how many times better ours is.")
    sizes = ("players", "large", "bulk", "boards")
    if any(getattr(options, name) != FULL[name] for name in sizes):
        print("The bars are for " + ", ".join(f"{FULL[name]:,} {'in bulk' if name == 'bulk' else name}" for name in sizes) + ": this run had others.")
    if options.json:
        pathlib.Path(options.json).write_text(report.json())


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
