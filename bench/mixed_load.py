"""Everything at once for a long time, at full speed: does anything grow, leak or slow down?

64 connections submit with idempotency keys; two each read standings, the top and around players; four views are
watched, and each frame is applied to the rows before it; a WebSocket follows a fifth and the feed, and submits; a
long NDJSON stream comes every two minutes; a board is made, filled, read and deleted every five seconds; an export
and a backup run every ten minutes. The players are a fixed set, filled before the clock starts, so that memory has no reason to grow.

Every ten seconds the server's memory, descriptors, threads and files are looked at; every minute the
latencies that the writers saw. Each answer is checked for what holds while the board moves: status, player,
a rank, the number of rows; the first wrong one ends the run with status 1, as does a part that has stopped.
At the end the rows of each watcher are compared with the board's, and `standings check` compares the database with
the ranks in memory. A run of ten minutes or more also ends with status 1 when memory, descriptors or the write-ahead
log have passed a limit.
"""

import argparse
import json
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))

import machine  # noqa: E402
from support.live import EventStream, Items, Rows, Watcher, settled  # noqa: E402
from support.server import KEY, Server, die_with_parent, load_program, program  # noqa: E402

BOARD = "main"
CHUNK = 100_000
MOST_STREAM_LINES = 200_000
SAMPLE_SECONDS = 10
# Limits, for runs that are long enough to tell growth from warming up. All are far above what a healthy server was
# seen to do; growth is from the middle third of the run to the last.
LIMITS_FROM_MINUTES = 10
MOST_KEPT_MB = 32  # from the third minute to the last third: what a large piece of work has taken and not given back, say
MOST_GROWTH_MB = 16  # as large as the database's cache, should that fill late; a leak of 16 bytes a submission is more
KEY_BYTES, MOST_KEYS = 48, 1_000_000  # idempotency keys are remembered up to this number, and may still be filling up
MOST_MORE_DESCRIPTORS = 16  # readers come and go by six; one leaked with each short board would be 40 in ten minutes
MOST_WAL_MB = 256  # where the server itself begins to warn (database.wal_warning)
# What is watched, and how the API reads the same.
VIEWS = {"top=10": "limit=10", "top=100&rate=20": "limit=100", "around=player-0000007": "around=player-0000007&limit=11",
         "player=player-0000009": "around=player-0000009&limit=1"}
# Seconds in which a part does something, however slow the server is: a run of the load program, a stream, a board, an
# export and a backup (which begin every ten minutes), a frame that is not a beat.
PATIENCE = {"write": 150, "read": 100, "stream": 300, "churn": 65, "copy": 900, "watch": 60, "follow": 60}
RATE = re.compile(r"\w+: (\d+) requests .*?(\d+)/s\s+p50 ([\d.]+) ms\s+p99 ([\d.]+) ms\s+max ([\d.]+) ms")


def lines_of(first, last, multiplier):
    return "".join(f'{{"player":"player-{number:07d}","score":{number * multiplier % 10_000_000}}}\n'
                   for number in range(first, last)).encode()


class Ended(Exception):
    """The time is over; what was under way is given up."""


class Mix:
    """One server and the threads that load it. `end` ends them all; the first failure is kept."""

    def __init__(self, server, options):
        self.server = server
        self.options = options
        self.ending = threading.Event()
        self.failure = None
        self.threads = []
        self.generators = set()
        self.counts = {"submissions": 0, "reads": 0, "stream_lines": 0, "boards": 0, "exports": 0, "backups": 0, "frames": 0,
                       "socket_submissions": 0}
        self.minutes = []
        self.backup_seconds = []
        self.did_at = {}  # part: when it did something last
        self.views = {}   # query: its stream
        self.followed = Rows()  # what the WebSocket has

    def fill(self):
        api = self.server.api
        answer = api.post("/v1/boards", {"id": BOARD, "rule": "last"})  # each submission moves its player
        assert answer.status == 201, answer
        for first in range(0, self.options.players, CHUNK):
            last = min(first + CHUNK, self.options.players)
            answer = api.stream(f"/v1/boards/{BOARD}/submissions", lines_of(first, last, 7919))
            assert answer.status == 200 and answer.json["summary"]["accepted"] == last - first, answer

    def begin(self):
        for part, *arguments in ((self.write,), *((self.read, mode) for mode in ("standing", "top", "around")), (self.stream,), (self.churn,),
                                 (self.copy,), (self.follow,), *((self.watch, query) for query in VIEWS)):
            name = " ".join((part.__name__, *arguments))
            self.did_at[name] = time.monotonic()
            thread = threading.Thread(target=self._guarded, args=(part, *arguments), name=name, daemon=True)
            self.threads.append(thread)
            thread.start()

    def _did(self, what, count=1):
        self.counts[what] += count
        self.did_at[threading.current_thread().name] = time.monotonic()

    def stalled(self):
        """A sentence for each part that has done nothing for longer than it may."""
        now = time.monotonic()
        return [f"{name}: nothing done for {now - at:.0f} s" for name, at in self.did_at.items() if now - at > PATIENCE[name.split()[0]]]

    def end(self):
        self.ending.set()
        for process in list(self.generators):
            process.terminate()
        for thread in self.threads:
            thread.join(60)
            if thread.is_alive():
                self.fail(f"{thread.name} did not end")

    def fail(self, why):
        self.failure = self.failure or why
        self.ending.set()

    def _guarded(self, part, *arguments):
        try:
            part(*arguments)
        except Ended:
            pass
        except BaseException:
            if not self.ending.is_set():
                self.fail(f"at {time.strftime('%H:%M:%S', time.gmtime())} UTC\n{traceback.format_exc()}")

    def _pause(self, seconds):
        if self.ending.wait(seconds):
            raise Ended

    # --- parts ----------------------------------------------------------------------------------

    def _generate(self, mode, connections, seconds, *more):
        """One run of the load program: (requests, per second, p50, p99, max)."""
        process = subprocess.Popen(
            [str(load_program()), "--port", str(self.server.port), "--board", BOARD, "--players", str(self.options.players),
             "--mode", mode, "--connections", str(connections), "--seconds", str(seconds),
             "--seed", str(time.monotonic_ns() % 2**32), *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=die_with_parent)
        self.generators.add(process)
        said, complaint = process.communicate()
        self.generators.discard(process)
        if self.ending.is_set():
            raise Ended
        assert process.returncode == 0, f"the load program ended with {process.returncode}: {complaint.strip()}"
        return [float(word) for word in RATE.search(said).groups()]

    def write(self):
        seconds = min(60.0, self.options.minutes * 60)
        while True:
            requests, rate, p50, p99, most = self._generate("submit", 64, seconds, "--key", KEY, "--idempotency")
            self._did("submissions", int(requests))
            self.minutes.append({"rate": rate, "p50": p50, "p99": p99, "max": most})

    def read(self, mode):
        while True:
            self._did("reads", int(self._generate(mode, 2, min(10.0, self.options.minutes * 30))[0]))

    def watch(self, query):
        """Comes back every 30 s, and goes on where it was."""
        view = self.views[query] = EventStream(self.server.port, f"/v1/boards/{BOARD}/live?{query}")
        comes_back = time.monotonic() + 30
        while not self.ending.is_set():
            said = view.next()
            assert said is not None, "the stream has ended"
            if said[0] == "beat":  # says that nothing has changed
                continue
            self._did("frames")
            positions = [row["position"] for row in view.rows]
            assert positions == list(range(positions[0], positions[0] + len(positions))), f"{query}: rows are missing: {positions}"
            if time.monotonic() > comes_back:
                comes_back += 30
                view.reconnect()

    def follow(self):
        """Over a WebSocket: rows, the feed, and submissions. Comes back every 30 s, and goes on where it was."""
        feed = Items()
        number = 0
        while True:
            comes_back = time.monotonic() + 30
            with self._goes_on(({"top": 25}, self.followed), ({"feed": 100}, feed)) as watcher:
                rows_at, feed_at = self.followed.seq, feed.seq
                while time.monotonic() < comes_back:
                    number += 1
                    score = number * 104_729 % 20_000_000
                    answer = watcher.ask(op="submit", board=BOARD, submission={"player": "player-0000011", "score": score})
                    assert answer["ok"] and answer["receipt"]["standing"]["player"] == "player-0000011", answer
                    self._did("socket_submissions")
                    assert [row["position"] for row in self.followed.rows] == list(range(1, len(self.followed.rows) + 1)), self.followed.rows
                    feed.items = feed.items[-100:]
                    self._pause(0.05)
                assert self.followed.seq != rows_at and feed.seq != feed_at, "nothing was told of a board that moves"

    def _goes_on(self, *views):
        """A WebSocket with these views, from where they were."""
        watcher = Watcher(self.server.port, headers=[f"Authorization: Bearer {KEY}"])
        for view, state in views:
            since = {} if state.seq is None else {"since": {"epoch": state.epoch, "seq": state.seq}}
            watcher.watch(BOARD, view, rows=state, rate=20, **since)
        return watcher

    def compare_views(self):
        """When nothing moves any more: what the watchers have is what the board shows."""
        if self.failure:
            return
        comparing = threading.Thread(target=self._compare_views, daemon=True)
        comparing.start()
        comparing.join(60)
        if comparing.is_alive():
            self.fail("a watcher did not get the last rows within a minute")

    def _compare_views(self):
        try:
            api = self.server.new_client(KEY)
            newest = lambda: api.get(f"/v1/boards/{BOARD}").json["seq"]
            seq, wrong = None, None
            while seq != newest():  # what was under way when the load ended may still land
                seq = newest()
                wrong = self._differences(api, seq)
            assert not wrong, wrong
            for view in self.views.values():
                view.close()
        except Exception:
            self.fail(traceback.format_exc())

    def _differences(self, api, seq):
        """What a watcher does not have as the board shows it; none: there is nothing."""
        for query, view in self.views.items():
            view.reconnect()
            settled(view, seq)
            page = api.get(f"/v1/boards/{BOARD}/standings?{VIEWS[query]}").json
            # At an end of the board the API shows as many rows as it was asked for, and such a view less.
            comparable = not query.startswith("around") or len(view.rows) == len(page["rows"])
            if comparable and view.rows != page["rows"]:
                return f"{query}: a watcher has {view.rows}, and the board shows {page['rows']}"
        with self._goes_on(({"top": 25}, self.followed)) as watcher:
            watcher.until(lambda _: (self.followed.seq or 0) >= seq)
        page = api.get(f"/v1/boards/{BOARD}/standings?limit=25").json
        return None if self.followed.rows == page["rows"] else f"a WebSocket has {self.followed.rows}, and the board shows {page['rows']}"

    def stream(self):
        lines = min(MOST_STREAM_LINES, self.options.players)
        bodies = [lines_of(0, lines, multiplier) for multiplier in (104729, 7919)]
        while True:
            # The server ends a connection that was idle for as long as the pause is.
            api = self.server.new_client(KEY)
            answer = api.stream(f"/v1/boards/{BOARD}/submissions", bodies[0], idempotency_key=f"stream-{time.monotonic_ns()}")
            assert answer.status == 200 and answer.json["summary"]["accepted"] == lines, answer
            self._did("stream_lines", lines)
            bodies.reverse()
            self._pause(120)

    def churn(self):
        api = self.server.new_client(KEY)
        while True:
            number = self.counts["boards"]
            path = f"/v1/boards/short-{number}"
            answer = api.post("/v1/boards", {"id": f"short-{number}"})
            assert answer.status == 201, answer
            answer = api.post(f"{path}/submissions", [{"player": f"p{at}", "name": f"Player {at}", "score": at} for at in range(100)])
            assert answer.status == 200, answer
            answer = api.get(f"{path}/standings?limit=100")
            assert [row["player"] for row in answer.json["rows"]] == [f"p{at}" for at in reversed(range(100))], answer
            answer = api.delete(path)
            assert answer.status == 204, answer
            self._did("boards")
            self._pause(5)

    def copy(self):
        """An export and a backup now and every ten minutes."""
        while True:
            began = time.monotonic()
            api = self.server.new_client(KEY)
            answer = api.get(f"/v1/boards/{BOARD}/export?format=ndjson")
            assert answer.status == 200, answer
            rows = answer.body.count(b"\n")
            assert rows == self.options.players, f"an export of {rows} rows, there are {self.options.players} players"
            self._did("exports")
            self._backup(api)
            self._pause(max(0.0, 600 - (time.monotonic() - began)))

    def _backup(self, api):
        began = time.monotonic()
        answer = api.post("/v1/backups")
        assert answer.status == 202, answer
        job = answer.json["id"]
        while (state := api.get(f"/v1/jobs/{job}").json)["state"] == "running":
            self._pause(0.2)
        assert state["state"] == "done", state
        self.backup_seconds.append(time.monotonic() - began)
        self._did("backups")
        for item in api.get("/v1/backups").json["items"]:  # the disk is wanted for the next one
            api.delete(f"/v1/backups/{item['name']}")


def sample(server, began):
    return {"seconds": round(time.monotonic() - began, 1), "rss": machine.rss_bytes(server.pid),
            "descriptors": machine.descriptor_count(server.pid), "threads": machine.thread_count(server.pid),
            "wal": machine.size_of(server.data / "standings.db-wal"), "database": machine.size_of(server.data / "standings.db")}


def growth(samples, what):
    """The median of the last third less that of the middle third."""
    third = len(samples) // 3
    if third < 1:
        return None
    middle, last = samples[third:2 * third], samples[2 * third:3 * third]
    return statistics.median(at[what] for at in last) - statistics.median(at[what] for at in middle)


def kept(samples, what):
    """The median of the last third less that of the third minute, when all is there that every run has."""
    early = [at[what] for at in samples if 120 <= at["seconds"] < 180]
    last = [at[what] for at in samples[2 * (len(samples) // 3):]]
    return statistics.median(last) - statistics.median(early) if early and last else None


def slope_kb_per_minute(samples):
    """Growth of memory, over the time between the middles of the thirds."""
    grown = growth(samples, "rss")
    return None if grown is None else grown / 1024 / (growth(samples, "seconds") / 60)


def past_limits(summary, minutes):
    """A sentence for each limit that was passed; none are held in a short run."""
    if minutes < LIMITS_FROM_MINUTES or summary["memory_growth_mb"] is None:
        return []
    # Keys that were not yet there when the middle third began.
    keys_to_come = max(0, MOST_KEYS - summary["counts"]["submissions"] // 3)
    most_growth = MOST_GROWTH_MB + keys_to_come * KEY_BYTES / 2**20
    # And before the third minute.
    keys_later = max(0, MOST_KEYS - round(summary["counts"]["submissions"] * 2 / minutes))
    most_kept = MOST_KEPT_MB + keys_later * KEY_BYTES / 2**20
    complaints = []
    if summary["memory_kept_mb"] > most_kept:
        complaints.append(f"memory is {summary['memory_kept_mb']:.1f} MiB above that of the third minute, {most_kept:.0f} may be")
    if summary["memory_growth_mb"] > most_growth:
        complaints.append(f"memory has grown by {summary['memory_growth_mb']:.1f} MiB between two thirds of the run, {most_growth:.0f} may be")
    if summary["descriptor_growth"] > MOST_MORE_DESCRIPTORS:
        complaints.append(f"{summary['descriptor_growth']:.0f} more descriptors in the last third, {MOST_MORE_DESCRIPTORS} may be")
    if summary["wal_max_mb"] > MOST_WAL_MB:
        complaints.append(f"the write-ahead log had {summary['wal_max_mb']:.0f} MiB, {MOST_WAL_MB} may be")
    return complaints


def worst_and_median(minutes):
    p99 = [minute["p99"] for minute in minutes]
    return {"median_p99_ms": statistics.median(p99), "worst_p99_ms": max(p99)} if p99 else None


def summary_of(mix, samples):
    span = max(1, min(10, len(mix.minutes) // 2))
    quiet = [at for at in samples if at["seconds"] >= 60] or samples
    return {
        "counts": mix.counts, "memory_slope_kb_per_minute": slope_kb_per_minute(samples),
        "memory_growth_mb": None if (grown := growth(samples, "rss")) is None else grown / 2**20,
        "memory_kept_mb": None if (more := kept(samples, "rss")) is None else more / 2**20,
        "descriptor_growth": growth(samples, "descriptors"),
        "rss_mb": {"first": samples[0]["rss"] / 2**20, "last": samples[-1]["rss"] / 2**20, "max": max(at["rss"] for at in samples) / 2**20},
        "descriptors": {"first": quiet[0]["descriptors"], "last": quiet[-1]["descriptors"], "max": max(at["descriptors"] for at in samples)},
        "threads": {"first": quiet[0]["threads"], "last": quiet[-1]["threads"]},
        "wal_max_mb": max(at["wal"] for at in samples) / 2**20,
        "database_mb": {"first": samples[0]["database"] / 2**20, "last": samples[-1]["database"] / 2**20},
        "first_minutes": worst_and_median(mix.minutes[:span]), "last_minutes": worst_and_median(mix.minutes[-span:]),
        "minutes_compared": span, "backup_seconds": [round(seconds, 1) for seconds in mix.backup_seconds],
    }


def print_summary(summary):
    counts, rss, files = summary["counts"], summary["rss_mb"], summary["descriptors"]
    print("\n" + ", ".join(f"{count} {what.replace('_', ' ')}" for what, count in counts.items()))
    slope = summary["memory_slope_kb_per_minute"]
    if slope is not None:
        print(f"memory slope          {slope:+.1f} KB/min (last third against middle third); {rss['first']:.0f} MiB first, {rss['last']:.0f} last, {rss['max']:.0f} most")
    if summary["memory_kept_mb"] is not None:
        print(f"memory kept           {summary['memory_kept_mb']:+.1f} MiB in the last third against the third minute")
    print(f"descriptors           {files['first']} after the first minute, {files['last']} last, {files['max']} most; "
          f"threads {summary['threads']['first']}, {summary['threads']['last']}")
    print(f"write-ahead log       {summary['wal_max_mb']:.0f} MiB most, looked at every {SAMPLE_SECONDS} s; database {summary['database_mb']['first']:.0f} MiB first, {summary['database_mb']['last']:.0f} last")
    first, last = summary["first_minutes"], summary["last_minutes"]
    if first:
        print(f"p99 of a submission   of one minute each; first {summary['minutes_compared']} minutes: median {first['median_p99_ms']:.2f}, worst {first['worst_p99_ms']:.2f} ms; "
              f"last {summary['minutes_compared']}: median {last['median_p99_ms']:.2f}, worst {last['worst_p99_ms']:.2f} ms")
    print(f"backups took          {', '.join(f'{seconds:g} s' for seconds in summary['backup_seconds']) or 'none ended'}")


def watch(mix, samples):
    """Until the time is over or something failed; prints a line for each minute of the writers."""
    began = time.monotonic()
    shown = 0
    # The last minute of the writers ends a moment after the time.
    while time.monotonic() - began < mix.options.minutes * 60 + 3 and not mix.ending.wait(
            max(0.0, began + len(samples) * SAMPLE_SECONDS - time.monotonic())):
        for complaint in mix.stalled():
            mix.fail(complaint)
        samples.append(now := sample(mix.server, began))
        if len(mix.minutes) > shown:
            minute = mix.minutes[shown]
            shown += 1
            print(f"{shown:4d} min {minute['rate']:7.0f}/s  p50 {minute['p50']:7.3f}  p99 {minute['p99']:7.3f}  max {minute['max']:8.1f} ms   "
                  f"{now['rss'] / 2**20:6.1f} MiB  {now['descriptors']:4d} files  {now['threads']:3d} threads  "
                  f"WAL {now['wal'] / 2**20:5.0f} MiB  database {now['database'] / 2**20:6.0f} MiB", flush=True)


def check(server):
    said = subprocess.run([str(program()), "check", "--data", str(server.data), "--server", f"http://127.0.0.1:{server.port}", "--key", KEY],
                          capture_output=True, text=True)
    print(f"\nstandings check: {'well' if said.returncode == 0 else f'ended with {said.returncode}'}\n{said.stdout.strip()}{said.stderr.strip()}")
    return said.returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--players", type=int, default=200_000)
    parser.add_argument("--retention-size", default="2GB", help="of the database; the oldest submissions go")
    parser.add_argument("--json", metavar="FILE", help="all samples and the summary")
    options = parser.parse_args()
    here = machine.facts(tempfile.gettempdir())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything is ended and removed
    print(machine.sentence(here), flush=True)
    steal = machine.Steal()
    needed_gb = 1 if options.minutes <= 2 else round(2 + min(8, options.minutes))
    if shutil.disk_usage(tempfile.gettempdir()).free < needed_gb * 1e9:
        sys.exit(f"{needed_gb} GB of disk are needed in TMPDIR")
    with Server(args=["--retention-size", options.retention_size]) as server:
        mix = Mix(server, options)
        mix.fill()
        print(f"{options.players} players, {options.minutes:g} minutes, database kept under {options.retention_size}", flush=True)
        samples = []
        mix.begin()
        try:
            watch(mix, samples)
        finally:
            mix.end()
        mix.compare_views()
        summary = summary_of(mix, samples)
        print_summary(summary)
        print(steal.note(here))
        passed = past_limits(summary, options.minutes) + [f"no {what.replace('_', ' ')}" for what, count in mix.counts.items() if not count]
        is_well = check(server) and not passed
        status = server.terminate()
        if status != 0:
            is_well = False
            print(f"the server ended with {status}:\n{server.log_tail()}")
        for complaint in passed:
            print(f"FAILED: {complaint}")
        if mix.failure:
            print(f"FAILED: {mix.failure}\n{server.log_tail(20)}")
        if options.json:
            pathlib.Path(options.json).write_text(json.dumps({"machine": here, "summary": summary, "minutes": mix.minutes, "samples": samples,
                                                              "past_limits": passed, "well": is_well and mix.failure is None}, indent=1))
    sys.exit(0 if is_well and not mix.failure else 1)


if __name__ == "__main__":
    main()
