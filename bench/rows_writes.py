"""Durable submissions: each is answered after its fsync. All cores for everybody."""

import contextlib
import os
import pathlib
import tempfile

import machine
from support.server import load_program


class Submissions:
    """Three rows of one kind of run: how many a second, and the latencies that the clients saw."""

    def __init__(self, bench, key, work, connections, rate=(None, None), p50=None, p99=None):
        row = bench.report.row
        self.connections = connections
        self.rows = {"per_second": row(f"{key}_rate", work, "/s", *rate, more_is_better=True, connections=connections),
                     "p50_ms": row(f"{key}_p50", f"{work}: p50", "ms", p50, connections=connections),
                     "p99_ms": row(f"{key}_p99", f"{work}: p99", "ms", p99, connections=connections)}

    def run(self, contender, seconds):
        figures = contender.submit(seconds=seconds, connections=self.connections)
        for name, row in self.rows.items():
            row.add(contender.name, figures[name])

    def note(self, text):
        self.rows["per_second"].note = text


def measure(bench):
    work = [submissions(bench), slow_disk(bench), bulk(bench), half_a_processor(bench)]
    for piece in work:
        next(piece)
    yield

    for piece in work:
        next(piece, None)
    for contender in bench.contenders:
        contender.check()


def submissions(bench):
    kinds = [Submissions(bench, "submit_64", "durable submission, 64 connections", 64, (50_000, 65_000), 1.2, 5),
             Submissions(bench, "submit_512", "the same, 512 connections", 512, (60_000, 80_000))]
    yield

    bench.say("durable submissions with an idempotency key")
    for contenders in bench.rounds():
        for kind in kinds:
            for contender in contenders:
                kind.run(contender, bench.options.seconds)


def slow_disk(bench):
    kind = Submissions(bench, "submit_slow_disk", "64 connections, 1 ms added to each fsync", 64, (28_000, 36_000))
    yield

    bench.say("with 1 ms added to each fsync")
    with on_slow_disks(bench):
        for contenders in bench.rounds():
            for contender in contenders:
                kind.run(contender, bench.options.seconds)


@contextlib.contextmanager
def on_slow_disks(bench):
    with tempfile.NamedTemporaryFile(prefix="standings_slow_fsync-", suffix=".so") as copy:
        copy.write(load_program().with_name("standings_slow_fsync.so").read_bytes())
        copy.flush()
        os.chmod(copy.name, 0o755)  # PostgreSQL has a user of its own
        for contender in bench.contenders:
            contender.restart(copy.name)
            # A library that cannot be loaded is passed over.
            maps = pathlib.Path(f"/proc/{contender.pid}/maps").read_text()
            assert copy.name in maps, f"{contender.name} runs without {copy.name}"
    yield
    for contender in bench.contenders:
        contender.restart()


def bulk(bench):
    row = bench.report.row("bulk", f"bulk, one connection: {bench.options.bulk:,} new players", "/s", 200_000, 300_000, more_is_better=True,
                           connections=1)
    yield

    bench.say(f"bulk: {bench.options.bulk} new players over one connection")
    for contenders in bench.rounds():
        for contender in contenders:
            row.add(contender.name, contender.bulk(bench.options.bulk))


def half_a_processor(bench):
    """A fifth of the lines in bulk: with half a processor that takes as long."""
    kinds = [Submissions(bench, f"submit_{connections}_half", f"{connections} connections, half a processor", connections)
             for connections in (64, 512)]
    lines = max(1000, bench.options.bulk // 5)
    bulk_row = bench.report.row("bulk_half", f"bulk, half a processor: {lines:,} new players", "/s", more_is_better=True, connections=1)
    slow = Submissions(bench, "submit_slow_disk_half", "64 connections, half a processor, 1 ms added to each fsync", 64)
    yield

    bench.say("on half a processor")
    try:
        for contenders in bench.rounds():
            for contender in contenders:
                with machine.HalfAProcessor(contender.pid):
                    for kind in kinds:
                        kind.run(contender, bench.options.seconds)
                    bulk_row.add(contender.name, contender.bulk(lines))
        with on_slow_disks(bench):
            for contenders in bench.rounds():
                for contender in contenders:
                    with machine.HalfAProcessor(contender.pid):
                        slow.run(contender, bench.options.seconds)
    except machine.NoControlGroup as error:
        kinds[0].note(f"not measured: {error}")
