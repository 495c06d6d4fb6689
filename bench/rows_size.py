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


def start_times(bench, contenders, key, work, must, aim):
    """Ended in order, started again; then killed while it takes submissions. Redis reads an RDB file, which it was told to write before."""
    row = bench.report.row(key, f"start with {work}", "s", must, aim)
    after_kill = bench.report.row(f"{key}_after_kill", f"start with {work} after kill -9", "s", must, aim)
    for contender in contenders:
        if isinstance(contender, Redis):
            contender.save()
    for _ in range(bench.options.rounds):
        for contender in contenders:
            row.add(contender.name, contender.restart())
    # Afterwards: what these submit would be read by the starts above too.
    answered = []
    for _ in range(bench.options.rounds):
        for contender in contenders:
            if isinstance(contender, Ours):
                seconds, submissions = contender.restart_after_kill(bench.options.seconds)
                after_kill.add(contender.name, seconds)
                answered.append(submissions)
    after_kill.note = f"killed under load, which had got {', '.join(f'{submissions:,}' for submissions in answered)} answers"


def measure_start(bench):
    count = bench.options.players
    bench.say(f"start with {count} players")
    with filled(bench, (lambda: Ours(count), lambda: Redis(count, durable=False), lambda: Postgres(count))) as contenders:
        start_times(bench, contenders, "start_players", f"{count:,} players", 1.5, 0.7)


def measure_large(bench, wants_memory, wants_start):
    """PostgreSQL is left out: it holds nothing in memory that grows, and its count(*) grows by itself."""
    count = bench.options.large
    bench.say(f"{count} players")
    if wants_memory:
        memory(bench, count)
    with filled(bench, (lambda: Ours(count), lambda: Redis(count, durable=False))) as large:
        if wants_memory:
            growth(bench, large)
        if wants_start:  # last: it submits, and the reads above know the board as it was filled
            start_times(bench, large, "start_large", f"{count:,} players", 15, 6)


def memory(bench, count):
    """Our players have names, and keep them on disk; a sorted set has none."""
    loaded = bench.report.row("memory", f"memory a player at {count:,}, loaded", "B", 100, 85)
    started = bench.report.row("memory_started", f"memory a player at {count:,}, started again", "B", 100, 85)
    for make in (lambda: Ours(count), lambda: Redis(count, durable=False)):
        with filled(bench, (make,), lambda contender: contender.fill_with_names()) as (contender,):
            loaded.add(contender.name, contender.memory() / count)
            if isinstance(contender, Redis):
                contender.save()
            for _ in range(bench.options.rounds):
                contender.restart()
                started.add(contender.name, contender.memory() / count)


def growth(bench, large):
    small_count = max(1000, large[0].count // 100)
    # A kept page costs the same on a board of any size.
    work = {"standing": "standing", "top": "top, with a key", "around": "around"}
    rows = {mode: bench.report.row(f"growth_{mode}", f"growth {small_count:,} -> {large[0].count:,} players: {work[mode]}", "x CPU", 1.5, 1.3,
                                   connections=rows_reads.CONNECTIONS) for mode in work}
    with filled(bench, (lambda: Ours(small_count), lambda: Redis(small_count, durable=False))) as small:
        for contender in (*small, *large):
            machine.pin(contender.pid, bench.server_cores)
        for _ in range(bench.options.rounds):
            for mode, row in rows.items():
                for few, many in zip(small, large):
                    cost = [rows_reads.ask(bench, contender, mode, with_key=mode == "top")["cpu_us"] for contender in (few, many)]
                    row.add(few.name, cost[1] / cost[0])


# --- many small boards ----------------------------------------------------------------------------

def measure_boards(bench, wants_memory, wants_start):
    count = bench.options.boards
    bench.say(f"{count} boards of 10 players")
    each = bench.report.row("board_memory", f"{count:,} boards of 10 players: memory a board", "KB", 6, 4)
    start = bench.report.row("board_start", f"{count:,} boards of 10 players: start", "s", 3, 1.5)
    with filled(bench, (lambda: Ours(0), lambda: Redis(0, durable=False)), lambda contender: None) as contenders:
        for contender in contenders:
            before = contender.memory()
            contender.fill_boards(count)
            if wants_memory:
                each.add(contender.name, (contender.memory() - before) / count / 1024)
            if isinstance(contender, Redis):
                contender.save()
        if wants_start:
            for _ in range(bench.options.rounds):
                for contender in contenders:
                    start.add(contender.name, contender.restart())


# --- nobody asks ----------------------------------------------------------------------------------

def measure_idle(bench):
    seconds = bench.options.idle_seconds
    bench.say(f"idle for {seconds:g} s")
    size = bench.report.row("idle_memory", "idle server: memory", "MB", 25, 12)
    wakes = bench.report.row("idle_wakes", "idle server: wake-ups a second", "/s", 5, 1)
    with filled(bench, (lambda: Ours(0), lambda: Redis(0), lambda: Postgres(0)), lambda contender: None) as contenders:
        time.sleep(min(2, seconds))  # what a start leaves to be done
        for _ in range(bench.options.rounds):
            before = [machine.wake_ups(contender.pid) for contender in contenders]
            began = time.monotonic()
            time.sleep(seconds)
            for contender, count in zip(contenders, before):
                wakes.add(contender.name, (machine.wake_ups(contender.pid) - count) / (time.monotonic() - began))
                size.add(contender.name, contender.memory() / 2**20)
