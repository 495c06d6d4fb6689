"""Many who watch one board: what a frame costs for each of them, how late it is, and what disturbs them.

The server is on one core, everybody else on another. bench/load/watchers.cc holds the sockets, replays each
stream, and ends the run when one is wrong. docs/performance.md says what the rows mean.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))

import compare  # noqa: E402
import machine  # noqa: E402
import players  # noqa: E402
from contender import result_of  # noqa: E402
from report import OURS, Report  # noqa: E402
from support.server import KEY, Server, die_with_parent, load_program, watchers_program  # noqa: E402

PARTS = ("frames", "hot", "idle", "deaf", "restart")
# The full run, and the quick one that only shows that everything works.
FULL = {"watchers": 10_000, "players": 100_000, "rounds": 3, "seconds": 10.0, "idle_minutes": 10.0, "deaf": 100, "deaf_seconds": 40.0}
QUICK = {"watchers": 300, "players": 2_000, "rounds": 1, "seconds": 2.0, "idle_minutes": 0.1, "deaf": 10, "deaf_seconds": 40.0}

# What all who send to sockets one by one pay.
PEERS = {"bare": "bare send()"}

BOARD = "hot"
STEADY, HOT = 100, 5_000  # submissions a second
CONNECTIONS = {STEADY: 16, HOT: 256}  # as many as are under way when each takes 50 ms
OTHERS = 200  # requests a second of other clients
# Twelve contend for the nine places behind a leader who stays: a frame has rows that change, enter and leave.
CONTENDERS = ("--board", BOARD, "--prefix", "hot-", "--players", "12")
BEHIND_THE_LEADER, LEADER, FOR_THE_LEAD = players.MOST, 100 * players.MOST, 200 * players.MOST
KIB, MIB = 2**10, 2**20
SAMPLE_SECONDS = 0.2
DELAY = "standings_live_publish_delay_seconds_bucket"


class Bench(compare.Bench):
    def run(self, parts):
        work = {"frames": frames, "hot": hot, "idle": idle, "deaf": deaf, "restart": restart}
        compare.in_turns([work[part](self) for part in PARTS if part in parts])

    @contextlib.contextmanager
    def board(self):
        """A server of its own with the board, pinned."""
        with Server() as server:
            api = server.new_client(KEY, timeout=600)
            assert api.post("/v1/boards", {"id": BOARD, "rule": "last"}).status == 201
            for numbers in players.chunks(self.options.players):
                answer = api.stream(f"/v1/boards/{BOARD}/submissions", players.ndjson(numbers))
                assert answer.status == 200 and answer.json["summary"]["accepted"] == len(numbers), answer
            first = [{"player": "leader", "score": LEADER}]
            first += [{"player": f"hot-{number:07d}", "score": BEHIND_THE_LEADER + number} for number in range(12)]
            assert api.post(f"/v1/boards/{BOARD}/submissions", first).status == 200
            machine.pin(server.pid, self.server_cores)
            yield server

    def bare_send(self, size):
        """Microseconds that the kernel takes to send so many bytes to as many sockets, on the same cores."""
        cores = [f"--{name}={cores[0]}" for name, cores in (("send-on", self.server_cores), ("receive-on", self.client_cores)) if cores]
        said = subprocess.run([str(load_program().with_name("standings_bare_send")), "--sockets", str(self.options.watchers), "--bytes", str(size),
                               "--seconds", str(self.options.seconds), *cores], capture_output=True, text=True, preexec_fn=die_with_parent)
        assert said.returncode == 0, said.stderr
        return json.loads(said.stdout)["cpu_us"]

    def watch(self, server, *, watchers=None, seconds=None, submissions=None, scores=BEHIND_THE_LEADER, more=()):
        watchers = self.options.watchers if watchers is None else watchers
        words = ["--watchers", str(watchers), "--seconds", str(seconds or self.options.seconds), "--score-from", str(scores), *more]
        if submissions:
            words += ["--submissions", str(submissions), "--connections", str(CONNECTIONS[submissions]), "--key", KEY]
        return Watchers(server, words, self.client_cores)


class Watchers:
    """One run of the program with the sockets. Use as a context manager."""

    def __init__(self, server, words, cores):
        self.process = subprocess.Popen(
            [str(watchers_program()), "--json", "--port", str(server.port), "--server-pid", str(server.pid), *CONTENDERS, *words],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=lambda: (die_with_parent(), cores and os.sched_setaffinity(0, cores)))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def until(self, event):
        """What it says of the event; fails when it ends before, or with a stream that was wrong."""
        for line in self.process.stdout:
            said = json.loads(line)
            if said["event"] != event:
                continue
            if event == "done" and self.process.wait() != 0:
                break
            return said
        self.process.wait()
        raise AssertionError(f"the watchers ended with {self.process.returncode}: {self.process.stderr.read().strip()}")


# --- what the server says of itself ---------------------------------------------------------------

def metrics(server):
    return server.new_client().get("/metrics").body.decode()


def metric(text, name):
    return float(re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)[1])


def delays(text):
    """[(upper bound in seconds, how many up to it)]"""
    return [(float(bound.replace("+Inf", "inf")), int(count))
            for bound, count in re.findall(rf'^{DELAY}{{le="([^"]+)"}} (\d+)$', text, re.MULTILINE)]


def quantile_ms(before, after, share):
    """Of what came between two looks at a histogram; evenly spread within a bucket, as nobody knows better."""
    buckets = [(bound, then - now) for (bound, now), (_, then) in zip(before, after)]
    wanted = share * buckets[-1][1]
    lower, below = 0.0, 0
    for bound, count in buckets:
        if count >= wanted and count > below:
            upper = lower * 2 if bound == float("inf") else bound
            return 1000 * (lower + (upper - lower) * (wanted - below) / (count - below))
        lower, below = bound, count
    return 0.0


class Samples:
    """Looks at a server between `with` and its end: [(seconds, resident bytes, watchers, frames that were skipped)]."""

    def __init__(self, server):
        self.server = server
        self.all = []
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ending.set()
        self._thread.join()

    def _run(self):
        while not self._ending.wait(SAMPLE_SECONDS):
            text = metrics(self.server)
            self.all.append((time.monotonic(), machine.rss_bytes(self.server.pid), metric(text, "standings_live_watchers"),
                             metric(text, "standings_live_skipped_total")))

    def most_memory(self):
        return max(rss for _, rss, *_ in self.all)

    def closed_within(self, remaining):
        """Seconds from the first frame that somebody had no room for until no more than `remaining` watch."""
        first = next((at for at in range(1, len(self.all)) if self.all[at][3] > self.all[0][3]), None)
        assert first is not None, "nobody fell behind"
        gone = next((sample[0] for sample in self.all[first:] if sample[2] <= remaining), None)
        assert gone is not None, f"{self.all[-1][2] - remaining:.0f} were not closed"
        return gone - self.all[first][0]


# --- what is measured -------------------------------------------------------------------------------

class Delivery:
    """Rows of watchers beside submissions; each round is measured with watchers and without."""

    def __init__(self, bench, key, work, submissions, cpu=(None, None), p99=(None, None)):
        row = bench.report.row
        self.bench = bench
        self.submissions = submissions
        self.cpu = row(f"{key}_cpu", f"{work}: a delivery", "us CPU", *cpu)
        self.rate = row(f"{key}_messages", f"{work}: messages to a watcher", "/s", more_is_better=True)
        self.publish = {share: row(f"{key}_publish_{name}", f"{work}: commit to frame written, {name}", "ms", *bars)
                        for share, name, bars in ((0.5, "p50", ()), (0.99, "p99", p99))}
        self.screen = {name: row(f"{key}_screen_{name}", f"{work}: submission sent to frame received, {name}", "ms") for name in ("p50", "p99")}
        self.generator = []

    def measure(self, server):
        with self.bench.watch(server, watchers=0, submissions=self.submissions) as nobody:
            alone = nobody.until("done")
        with self.bench.watch(server, submissions=self.submissions) as crowd:
            crowd.until("measuring")
            before = delays(metrics(server))
            said = crowd.until("done")
            after = delays(metrics(server))
        for share, row in self.publish.items():
            row.add(OURS, quantile_ms(before, after, share))
        self.cpu.add(OURS, microseconds_a_delivery(alone, said))
        self.rate.add(OURS, said["messages"] / said["seconds"] / said["watchers"])
        for name, row in self.screen.items():
            row.add(OURS, said["screen"][f"{name}_ms"])
        self.generator.append(said["own_cpu_seconds"] / said["seconds"])
        self.cpu.note = (f"the server used {said['cpu_seconds'] / said['seconds']:.0%} of its core, {alone['cpu_seconds'] / alone['seconds']:.0%} without watchers; "
                         f"the watchers used {statistics.median(self.generator):.0%} of theirs; {said['bytes'] / said['messages']:.0f} bytes a message; "
                         f"{said['submissions']['count'] / said['seconds']:,.0f} submissions a second")
        return alone, said


def microseconds_a_delivery(alone, beside):
    """What the same submissions cost without watchers is taken off."""
    a_submission = alone["cpu_seconds"] / alone["submissions"]["count"]
    return 1e6 * (beside["cpu_seconds"] - a_submission * beside["submissions"]["count"]) / beside["messages"]


def frames(bench):
    """Few submissions, so that hardly anything but the frames is in the figure."""
    delivery = Delivery(bench, "frames", f"{bench.options.watchers:,} watchers, {STEADY}/s", STEADY, (6.5, 4.5), (250, 100))
    yield

    bench.say(f"frames to {bench.options.watchers} watchers")
    with bench.board() as server:
        for _ in range(bench.options.rounds):
            _, said = delivery.measure(server)
            delivery.cpu.add("bare", bench.bare_send(round(said["bytes"] / said["messages"])))


def hot(bench):
    work = f"{bench.options.watchers:,} watchers, {HOT:,}/s"
    delivery = Delivery(bench, "hot", work, HOT, p99=(250, 100))
    row = bench.report.row
    submitted = {name: row(f"hot_submission_{name}", f"{HOT:,}/s, {name}: a submission, p99", "ms") for name in ("no watchers", "watchers")}
    others = {name: row(f"hot_others_{name}", f"{HOT:,}/s, {name}: one player's standing, p99", "ms") for name in ("no watchers", "watchers")}
    memory = row("hot_memory", f"{work}: memory a watcher", "KiB")
    lead = row("hot_lead", f"{work}, the lead changes all the time: frames to a watcher", "/s", more_is_better=True)
    yield

    bench.say(f"{HOT} submissions a second")
    for _ in range(bench.options.rounds):
        with bench.board() as server:
            before = machine.rss_bytes(server.pid)
            with Samples(server) as samples:
                for name, said in zip(submitted, delivery.measure(server)):
                    submitted[name].add(OURS, said["submissions"]["p99_ms"])
            memory.add(OURS, (samples.most_memory() - before) / KIB / bench.options.watchers)
            for name, watchers in (("no watchers", 0), ("watchers", None)):
                others[name].add(OURS, p99_of_others(bench, server, watchers))
            with bench.watch(server, submissions=HOT, scores=FOR_THE_LEAD) as crowd:
                said = crowd.until("done")
            lead.add(OURS, said["deltas"] / said["seconds"] / said["watchers"])
            lead.note = (f"beside them {said['events'] / said['seconds'] / said['watchers']:.1f} events a second to each, "
                         f"{said['submissions']['count'] / said['seconds']:,.0f} submissions a second")


def p99_of_others(bench, server, watchers):
    """Of clients who ask for standings at a steady rate meanwhile."""
    seconds = bench.options.seconds
    with bench.watch(server, watchers=watchers, submissions=HOT, seconds=seconds + 2) as crowd:
        crowd.until("measuring")
        load = subprocess.Popen(
            [str(load_program()), "--json", "--mode", "standing", "--port", str(server.port), "--board", BOARD, "--prefix", players.PREFIX,
             "--players", str(bench.options.players), "--rate", str(OTHERS), "--connections", "16", "--seconds", str(seconds)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=lambda: (die_with_parent(), bench.client_cores and os.sched_setaffinity(0, bench.client_cores)))
        figures = result_of(load)
        crowd.until("done")
    return figures["p99_ms"]


def idle(bench):
    count, minutes = bench.options.watchers, bench.options.idle_minutes
    each = bench.report.row("idle_memory", f"{count:,} idle watchers: memory of each", "KiB", 12, 6)
    whole = bench.report.row("idle_server", f"{count:,} idle watchers: memory of the server", "MiB")
    cpu = bench.report.row("idle_cpu", f"{count:,} idle watchers: CPU a second", "ms")
    wakes = bench.report.row("idle_wakes", f"{count:,} idle watchers: wake-ups a second", "/s")
    yield

    bench.say(f"{count} idle watchers for {minutes:g} minutes")
    with bench.board() as server:
        before = machine.rss_bytes(server.pid)
        with bench.watch(server, seconds=60 * minutes) as crowd:
            crowd.until("measuring")
            woken, began = machine.wake_ups(server.pid), time.monotonic()
            said = crowd.until("done")
            seconds = time.monotonic() - began
            wakes.add(OURS, (machine.wake_ups(server.pid) - woken) / seconds)
            after = machine.rss_bytes(server.pid)
        each.add(OURS, (after - before) / KIB / count)
        whole.add(OURS, after / MIB)
        cpu.add(OURS, 1000 * said["cpu_seconds"] / said["seconds"])
        each.note = f"resident memory of the process; buffers of the kernel are not in it. {said['pings']:,} pings in {minutes:g} minutes"


def deaf(bench):
    count, seconds = bench.options.deaf, bench.options.deaf_seconds
    row = bench.report.row
    late = row("deaf_p99", f"{count} sockets that never read: p99 of the others' frames", "x", 1.2)
    closed = row("deaf_closed", f"{count} sockets that never read: closed after falling behind", "s")
    memory = row("deaf_memory", f"{count} sockets that never read: memory of each", "KiB", 256)
    yield

    bench.say(f"{count} sockets that never read")
    ratios = []
    for _ in range(bench.options.rounds):
        # A server each: memory that the one has grown by would be there for the other.
        without, grown = deaf_run(bench, seconds, 0)[:2]
        beside, grown_beside, after = deaf_run(bench, seconds, count)
        late.add(OURS, beside / without)
        closed.add(OURS, after)
        memory.add(OURS, max(0, grown_beside - grown) / KIB / count)
        ratios.append(f"{beside:.0f} / {without:.0f} ms")
    late.note = ", ".join(ratios)


def deaf_run(bench, seconds, count):
    """p99 of submission to frame, growth of memory in bytes, and after how many seconds all of `count` were closed."""
    with bench.board() as server:
        with bench.watch(server, submissions=STEADY, seconds=seconds, more=("--deaf", str(count))) as crowd:
            crowd.until("watching")
            before = machine.rss_bytes(server.pid)
            with Samples(server) as samples:
                said = crowd.until("done")
    assert not count or said["deaf"]["closed"] == count, f"not all were closed: {said['deaf']}"
    p99, grown = said["screen"]["p99_ms"], samples.most_memory() - before
    return p99, grown, samples.closed_within(bench.options.watchers) if count else None


def restart(bench):
    count = bench.options.watchers
    rows = {kind: bench.report.row(f"restart_{kind}", f"{count:,} watchers: all have rows again after {name}", "s", 10, 5)
            for kind, name in (("end", "a restart"), ("kill", "kill -9"))}
    storm = {kind: bench.report.row(f"restart_{kind}_storm", f"{row.work}, from the first that is back", "s") for kind, row in rows.items()}
    yield

    bench.say("restarts")
    for kind, row in rows.items():
        notes = []
        for _ in range(bench.options.rounds):
            with bench.board() as server:
                said = restart_run(bench, server, kill=kind == "kill")
            row.add(OURS, said["outage_seconds"])
            storm[kind].add(OURS, said["storm_seconds"])
            notes.append(f"{said['recovered']:,} went on where they were, {said['unrecovered']:,} got a snapshot, {said['refused']:,} came before the server was there")
        row.note = "; ".join(notes)


def restart_run(bench, server, kill):
    with bench.watch(server, seconds=3, more=("--restart",)) as crowd:
        crowd.until("watching")
        port = server.port
        server.kill() if kill else server.terminate(60)
        server.start(f"127.0.0.1:{port}")
        machine.pin(server.pid, bench.server_cores)
        back = crowd.until("back")
        # What they go on from is right when they can apply what follows.
        answer = server.api.post(f"/v1/boards/{BOARD}/submissions", {"player": "hot-0000000", "score": 2 * players.MOST})
        said = crowd.until("done")
        assert said["least_seq"] >= answer.json["seq"], f"somebody stayed at {said['least_seq']}, the board is at {answer.json['seq']}"
    return back


# --- the run -----------------------------------------------------------------------------------------

def options_from(words):
    parser = argparse.ArgumentParser(prog="./dev bench watchers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="3 minutes: does it all work? Its figures say little")
    parser.add_argument("--only", action="append", choices=PARTS, help="may be given several times")
    parser.add_argument("--json", metavar="FILE", help="every figure, with the machine")
    for name, value in FULL.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), help=f"default {value:,g}, {QUICK[name]:,g} with --quick")
    options = parser.parse_args(words)
    for name, value in (QUICK if options.quick else FULL).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    return options


def raise_file_limit(needed):
    """The server inherits it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= needed:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, max(needed, hard)))
    except (ValueError, OSError):
        sys.exit(f"{needed:,} descriptors are needed, the limit is {hard:,} (ulimit -n)")


def main():
    options = options_from(sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything is ended and removed
    raise_file_limit(options.watchers + options.deaf + 1024)
    here = machine.facts(tempfile.gettempdir())
    report = Report(here, PEERS, vars(options))
    print(machine.sentence(here), flush=True)
    bench = Bench(options, report)
    with contextlib.ExitStack() as stack:
        # Whatever stops the run, what was measured is shown.
        stack.callback(finish, report, options, machine.Steal())
        bench.run(set(options.only or PARTS))
    bench.say("done")


def finish(report, options, steal):
    print(f"\n{report.table()}\n")
    print(steal.note(report.machine))
    bars, met, missing = report.count()
    print(f"{met} of {bars} bars met{f', {missing} not measured' if missing else ''}. Medians of {options.rounds} rounds of {options.seconds:g} s, smallest and largest in parentheses; "
          f"{options.watchers:,} watchers of a board of {options.players:,} players.")
    if options.watchers != FULL["watchers"]:
        print(f"The bars are for {FULL['watchers']:,} watchers: this run had others.")
    if options.json:
        pathlib.Path(options.json).write_text(report.json())


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
