"""Memory, start and growth with few and many players, many small boards, and a server that nobody asks anything."""

import contextlib
import time

import machine
import rows_reads
from contender import Ours
from peer_postgres import Postgres
from peer_redis import Redis


@contextlib.contextmanager
def filled(bench, makers, fill=lambda contender: contender.fill()):
    """Contenders of their own, gone at the end."""
    with contextlib.ExitStack() as stack:
        contenders = []
        for make in makers:
            contender = make()
            stack.callback(contender.close)
            bench.say(f"  filling {contender.name}")
            fill(contender)
            contenders.append(contender)
        yield contenders


class Start:
    """Two rows: ended in order and started again; killed while it takes submissions."""

    def __init__(self, bench, key, work, must, aim):
        self.bench = bench
        self.in_order = bench.report.row(key, f"start with {work}", "s", must, aim)
        self.after_kill = bench.report.row(f"{key}_after_kill", f"start with {work} after kill -9", "s", must, aim)

    def measure(self, contenders):
        """Redis reads an RDB file, which it was told to write before."""
        options = self.bench.options
        for contender in contenders:
            if isinstance(contender, Redis):
                contender.save()
        for _ in range(options.rounds):
            for contender in contenders:
                self.in_order.add(contender.name, contender.restart())
        # Afterwards: what these submit would be read by the starts above too.
        answered = []
        for _ in range(options.rounds):
            for contender in contenders:
                if isinstance(contender, Ours):
                    seconds, submissions = contender.restart_after_kill(options.seconds)
                    self.after_kill.add(contender.name, seconds)
                    answered.append(submissions)
        self.after_kill.note = f"killed under load, which had got {', '.join(f'{submissions:,}' for submissions in answered)} answers"


def measure_start(bench):
    count = bench.options.players
    start = Start(bench, "start_players", f"{count:,} players", 1.5, 0.7)
    yield

    bench.say(f"start with {count} players")
    with filled(bench, (lambda: Ours(count), lambda: Redis(count, durable=False), lambda: Postgres(count))) as contenders:
        start.measure(contenders)


def measure_large(bench, wants_memory, wants_start):
    """PostgreSQL is left out: it holds nothing in memory that grows, and its count(*) grows by itself."""
    count = bench.options.large
    size = Memory(bench, count) if wants_memory else None
    growth = Growth(bench, count) if wants_memory else None
    start = Start(bench, "start_large", f"{count:,} players", 15, 6) if wants_start else None
    yield

    bench.say(f"{count} players")
    if size:
        size.measure()
    with filled(bench, (lambda: Ours(count), lambda: Redis(count, durable=False))) as large:
        if growth:
            growth.measure(large)
        if start:  # last: it submits, and the reads above know the board as it was filled
            start.measure(large)


class Memory:
    """Two rows. Our players have names, and keep them on disk; a sorted set has none."""

    def __init__(self, bench, count):
        self.bench = bench
        self.count = count
        self.loaded = bench.report.row("memory", f"memory a player at {count:,}, loaded", "B", 100, 85)
        self.started = bench.report.row("memory_started", f"memory a player at {count:,}, started again", "B", 100, 85)

    def measure(self):
        for make in (lambda: Ours(self.count), lambda: Redis(self.count, durable=False)):
            with filled(self.bench, (make,), lambda contender: contender.fill_with_names()) as (contender,):
                self.loaded.add(contender.name, contender.memory() / self.count)
                if isinstance(contender, Redis):
                    contender.save()
                for _ in range(self.bench.options.rounds):
                    contender.restart()
                    self.started.add(contender.name, contender.memory() / self.count)


class Growth:
    """A row for each read: what it costs with many players, over what it costs with few."""

    # A kept page costs the same on a board of any size.
    WORK = {"standing": "standing", "top": "top, with a key", "around": "around"}

    def __init__(self, bench, many):
        self.bench = bench
        self.few = max(1000, many // 100)
        self.rows = {mode: bench.report.row(f"growth_{mode}", f"growth {self.few:,} -> {many:,} players: {work}", "x CPU", 1.5, 1.3,
                                            connections=rows_reads.CONNECTIONS) for mode, work in self.WORK.items()}

    def measure(self, large):
        with filled(self.bench, (lambda: Ours(self.few), lambda: Redis(self.few, durable=False))) as small:
            for contender in (*small, *large):
                machine.pin(contender.pid, self.bench.server_cores)
            for _ in range(self.bench.options.rounds):
                for mode, row in self.rows.items():
                    for few, many in zip(small, large):
                        cost = [rows_reads.ask(self.bench, contender, mode, with_key=mode == "top")["cpu_us"] for contender in (few, many)]
                        row.add(few.name, cost[1] / cost[0])


# --- many small boards ----------------------------------------------------------------------------

def measure_boards(bench, wants_memory, wants_start):
    count = bench.options.boards
    each = bench.report.row("board_memory", f"{count:,} boards of 10 players: memory a board", "KB", 6, 4) if wants_memory else None
    start = bench.report.row("board_start", f"{count:,} boards of 10 players: start", "s", 3, 1.5) if wants_start else None
    yield

    bench.say(f"{count} boards of 10 players")
    with filled(bench, (lambda: Ours(0), lambda: Redis(0, durable=False)), lambda contender: None) as contenders:
        for contender in contenders:
            before = contender.memory()
            contender.fill_boards(count)
            if each:
                each.add(contender.name, (contender.memory() - before) / count / 1000)
            if isinstance(contender, Redis):
                contender.save()
        if start:
            for _ in range(bench.options.rounds):
                for contender in contenders:
                    start.add(contender.name, contender.restart())


# --- nobody asks ----------------------------------------------------------------------------------

def measure_idle(bench):
    seconds = bench.options.idle_seconds
    size = bench.report.row("idle_memory", "idle server: memory", "MB", 25, 12)
    wakes = bench.report.row("idle_wakes", "idle server: wake-ups a second", "/s", 5, 1)
    yield

    bench.say(f"idle for {seconds:g} s")
    with filled(bench, (lambda: Ours(0), lambda: Redis(0), lambda: Postgres(0)), lambda contender: None) as contenders:
        time.sleep(min(2, seconds))  # what a start leaves to be done
        for _ in range(bench.options.rounds):
            before = [machine.wake_ups(contender.pid) for contender in contenders]
            began = time.monotonic()
            time.sleep(seconds)
            for contender, count in zip(contenders, before):
                wakes.add(contender.name, (machine.wake_ups(contender.pid) - count) / (time.monotonic() - began))
                size.add(contender.name, contender.memory() / 1e6)
