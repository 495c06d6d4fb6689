"""What a read costs the server: its processor time for each request, on one core, the generator on another."""

import statistics

import machine
from peer_postgres import Postgres

# mode, key, what it is, must, aim over F
READS = (("version", "F", "F: the cheapest answer", 5.0, 4.4), ("standing", "standing", "one player's standing", 2, 1.5),
         ("top", "top", "top 10", 1.5, 0.5), ("around", "around", "around a player, +-5", 3.5, 2))
PIPELINED = (("standing", "pipelined x16: standing", 3.5, 2.5), ("top", "pipelined x16: top 10", 2.5, 1.2))
CONNECTIONS = 64
MOVES = 1000  # submissions a second beside the reads of a board that moves


def measure(bench):
    def new_row(key, work, *bars, over_base=True):
        return bench.report.row(key, work, "us CPU", *bars, over_base=over_base, connections=CONNECTIONS)

    reads = [(mode, new_row(key, work, must, aim, over_base=key != "F"), {}) for mode, key, work, must, aim in READS]
    reads[1][1].note = f"PostgreSQL over {Postgres.STANDING_CONNECTIONS} connections"
    reads.append(("top", new_row("top_with_key", "top 10, with a key"), {"with_key": True}))
    moving = new_row("top_moving", f"top 10 of a board that moves, {MOVES:,}/s", 1.5, 0.5)
    reads += [(mode, new_row(f"pipelined_{mode}", work, must, aim, over_base=False), {"pipeline": 16}) for mode, work, must, aim in PIPELINED]
    yield

    bench.say("reads")
    for contender in bench.contenders:
        machine.pin(contender.pid, bench.server_cores)
    for contenders in bench.rounds():
        for mode, row, more in reads:
            for contender in contenders:
                if "pipeline" not in more or contender.can_pipeline:
                    row.add(contender.name, ask(bench, contender, mode, **more)["cpu_us"])
    # Other rows are checked against the board as it was filled, and this one moves it.
    for contender in bench.contenders:
        contender.check()
    of_a_moving_board(bench, moving)
    for contender in bench.contenders:
        machine.pin(contender.pid, bench.all_cores)
        contender.check()


def ask(bench, contender, mode, **more):
    return contender.ask(mode, seconds=bench.options.seconds, connections=CONNECTIONS, cores=bench.client_cores, **more)


def of_a_moving_board(bench, row):
    """What the submissions cost is measured beside the cheapest read, taken off, and noted."""
    bench.say(f"top 10 beside {MOVES} submissions a second")
    taken_off, rates = {}, {}
    for contenders in bench.rounds():
        for contender in contenders:
            still = ask(bench, contender, "version")
            with contender.writer(MOVES, bench.client_cores) as writer:
                beside, read = ask(bench, contender, "version"), ask(bench, contender, "top")
            cost = submissions_share(still, beside, read)
            row.add(contender.name, read["cpu_us"] - cost)
            taken_off.setdefault(contender.name, []).append(cost)
            rates.setdefault(contender.name, []).append(writer.rate)
    row.note = "; ".join(f"{name} {statistics.median(taken_off[name]):.2f} us a read are taken off for {statistics.median(rates[name]):,.0f} submissions a second"
                         for name in taken_off)


def submissions_share(still, beside, read):
    """Microseconds of `read` that belong to the submissions: a second of them costs what `beside` them is above `still`.

    Alone they would cost more, each with a commit and a wake-up of its own: the read would look too cheap.
    """
    a_second = (beside["cpu_us"] - still["cpu_us"]) * beside["per_second"]
    return max(0.0, a_second / read["per_second"])
