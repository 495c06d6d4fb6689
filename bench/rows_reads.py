"""What a read costs the server: its processor time for each request, on one core, the generator on another."""

import machine

# mode, key, what it is, must, aim over F
READS = (("version", "F", "F: the cheapest answer", 5.0, 4.4), ("standing", "standing", "one player's standing", 2, 1.5),
         ("top", "top", "top 10", 1.5, 0.5), ("around", "around", "around a player, +-5", 3.5, 2))
PIPELINED = (("standing", "pipelined x16: standing", 3.5, 2.5), ("top", "pipelined x16: top 10", 2.5, 1.2))


def measure(bench):
    bench.say("reads")
    reads = [(mode, bench.report.row(key, f"{work}", "us CPU", must, aim, over_base=key != "F"), {}) for mode, key, work, must, aim in READS]
    reads += [(mode, bench.report.row(f"pipelined_{mode}", work, "us CPU", must, aim), {"pipeline": 16}) for mode, work, must, aim in PIPELINED]
    for contender in bench.contenders:
        machine.pin(contender.pid, bench.server_cores)
    for _ in range(bench.options.rounds):
        for mode, row, more in reads:
            for contender in bench.contenders:
                if not more or contender.can_pipeline:
                    row.add(contender.name, contender.ask(mode, seconds=bench.options.seconds, cores=bench.client_cores, **more)["cpu_us"])
    for contender in bench.contenders:
        machine.pin(contender.pid, bench.all_cores)
        contender.check()
