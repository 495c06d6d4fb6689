"""PostgreSQL from Debian, with the SQL that a careful developer would write. docs/performance.md says what it runs."""

import contextlib
import math
import os
import pathlib
import pwd
import random
import shutil
import signal
import subprocess
import tempfile
import time
import types

import machine
import players
from peer import Peer
from support.server import die_with_parent, wait_until
from writer import SteadyWriter

PLAYER = f"'{players.PREFIX}' || lpad(:n::text, 7, '0')"
SCHEMA = """
CREATE TABLE standing (
    board integer NOT NULL, player text COLLATE "C" NOT NULL, score bigint NOT NULL,
    reached_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (board, player));
CREATE INDEX standing_by_score ON standing (board, score DESC, reached_at);
CREATE TABLE submitted (key text COLLATE "C" PRIMARY KEY, at timestamptz NOT NULL DEFAULT now());
"""
QUERIES = {
    "version": "SELECT 1;",
    "standing": f"""SELECT score, (SELECT count(*) FROM standing ahead WHERE ahead.board = me.board AND ahead.score > me.score) + 1 AS rank
                    FROM standing me WHERE board = 1 AND player = {PLAYER};""",
    "top": "SELECT player, score FROM standing WHERE board = 1 ORDER BY score DESC, reached_at LIMIT 10;",
    "around": f"""WITH me AS (SELECT score FROM standing WHERE board = 1 AND player = {PLAYER})
                  (SELECT player, score FROM standing WHERE board = 1 AND score > (SELECT score FROM me) ORDER BY score LIMIT 5)
                  UNION ALL
                  (SELECT player, score FROM standing WHERE board = 1 AND score <= (SELECT score FROM me) ORDER BY score DESC, reached_at LIMIT 6);""",
}
# One statement is one transaction. The key of a retry finds itself there, and changes nothing.
SUBMISSION = f"""WITH fresh AS (
    INSERT INTO submitted (key) VALUES (:client_id::text || '-' || :key::text) ON CONFLICT DO NOTHING RETURNING key)
INSERT INTO standing AS s (board, player, score) SELECT 1, {PLAYER}, :score::bigint FROM fresh
ON CONFLICT (board, player) DO UPDATE SET score = excluded.score, reached_at = excluded.reached_at WHERE s.score < excluded.score;"""


def transactions(folder):
    """From pgbench's logs: when each transaction ended (seconds of the epoch) and how many milliseconds it took, by its end."""
    done = []
    for path in folder.glob("pgbench_log.*"):
        for line in path.read_text().splitlines():
            _, _, microseconds, _, second, fraction = line.split()[:6]
            done.append((int(second) + int(fraction) / 1e6, int(microseconds) / 1000))
    return sorted(done)


def postgres_tools():
    """The folder of the newest that is installed; Debian keeps them out of PATH."""
    return max(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))


class Postgres(Peer):
    name = "postgres"
    STANDING_CONNECTIONS = 8
    can_pipeline = False
    stop_signal = signal.SIGINT  # "fast": ends the sessions, writes a checkpoint

    def __init__(self, count):
        super().__init__(count)
        self.tools = postgres_tools()
        self.data = self.home / "data"
        self.user = None
        if os.geteuid() == 0:  # it refuses to run as root
            self.user = next(user for user in ("postgres", "nobody") if self._knows(user))
            shutil.chown(self.home, self.user)
        self._boards = 1
        self._run([str(self.tools / "initdb"), "--pgdata", str(self.data), "--auth", "trust", "--username", "bench", "--encoding", "UTF8",
                   "--locale", "C", "--no-instructions"])
        memory = min(1024, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20 // 4)
        with open(self.data / "postgresql.conf", "a") as file:
            file.write(f"listen_addresses = ''\nunix_socket_directories = '{self.home}'\nmax_connections = 600\nshared_buffers = {memory}MB\n"
                       "max_wal_size = 4GB\nfsync = on\nsynchronous_commit = on\n")
        self.start()
        self.sql(SCHEMA)

    @staticmethod
    def _knows(user):
        try:
            pwd.getpwnam(user)
        except KeyError:
            return False
        return True

    def _as_user(self):
        return {"user": self.user, "group": pwd.getpwnam(self.user).pw_gid, "extra_groups": []} if self.user else {}

    def _run(self, words, **more):
        said = subprocess.run(words, capture_output=True, cwd=self.home, **self._as_user(), **more)
        assert said.returncode == 0, said.stderr.decode(errors="replace")[-2000:]
        return said.stdout.decode()

    def _words(self, tool):
        return [str(self.tools / tool), "--host", str(self.home), "--username", "bench"]

    def start(self, preload=None):
        began = time.monotonic()
        self.spawn([str(self.tools / "postgres"), "-D", str(self.data)], preload, **self._as_user())
        wait_until(self._is_ready, "PostgreSQL to be ready", 120)
        return time.monotonic() - began

    def _is_ready(self):
        self.must_run()
        return subprocess.run([*self._words("pg_isready"), "--quiet"], cwd=self.home).returncode == 0

    def sql(self, text):
        return self._psql(text.encode())

    def _psql(self, script):
        return self._run([*self._words("psql"), "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1",
                          "--dbname", "postgres"], input=script).strip()

    def fill(self):
        for numbers in players.chunks(self.count):
            self._load(1, players.csv(numbers))
        self.sql("VACUUM (ANALYZE) standing; CHECKPOINT;")

    def _load(self, board, lines):
        """Scores of any players, new or not: a plain COPY into the table could not take one twice."""
        self._psql(b"BEGIN; CREATE TEMP TABLE loaded (player text, score bigint) ON COMMIT DROP;\nCOPY loaded FROM STDIN (FORMAT csv);\n"
                   + lines + b"\\.\n" + f"""INSERT INTO standing AS s (board, player, score) SELECT {board}, player, score FROM loaded
                   ON CONFLICT (board, player) DO UPDATE SET score = excluded.score, reached_at = excluded.reached_at
                   WHERE s.score < excluded.score; COMMIT;""".encode())

    def bulk(self, count):
        self._boards += 1
        lines = b"".join(players.csv(numbers) for numbers in players.chunks(count))
        began = time.monotonic()
        self._load(self._boards, lines)
        seconds = time.monotonic() - began
        assert int(self.sql(f"SELECT count(*) FROM standing WHERE board = {self._boards};")) == count
        return count / seconds

    def ask(self, mode, with_key=False, *, seconds, connections=64, cores=None, pipeline=1):
        """Counting a rank takes so long that few connections give more answers in the time, each at the same cost.

        It keeps no answers, so that `with_key` is the same question.
        """
        assert pipeline == 1
        if mode == "standing":
            connections = min(connections, self.STANDING_CONNECTIONS)
        return self._pgbench(QUERIES[mode], seconds, connections, cores, r"\set n random(0, :players - 1)")

    def submit(self, seconds, connections=64):
        before = int(self.sql("SELECT count(*) FROM submitted;"))
        said = self._pgbench(SUBMISSION, seconds, connections, None, r"\set n random(0, :players - 1)", r"\set score random(0, 9999999)",
                             r"\set key random(1, 9000000000000000000)")
        kept = int(self.sql("SELECT count(*) FROM submitted;")) - before
        assert kept == said["all_requests"], f"{kept} submissions were kept of {said['all_requests']}"
        return said

    @contextlib.contextmanager
    def writer(self, rate, cores):
        """pgbench with a rate; what it says of it is there afterwards, as of SteadyWriter."""
        writer = types.SimpleNamespace()
        with tempfile.TemporaryDirectory(dir=self.home) as folder:
            folder = pathlib.Path(folder)
            (folder / "script").write_text("\n".join([r"\set n random(0, :players - 1)", rf"\set score random(0, {players.tenth_score(self.count) - 1})",
                                                      r"\set key random(1, 9000000000000000000)", " ".join(SUBMISSION.split())]) + "\n")
            if self.user:
                shutil.chown(folder, self.user)
            before = int(self.sql("SELECT count(*) FROM submitted;"))
            began = time.monotonic()
            process = subprocess.Popen(
                [*self._words("pgbench"), "--no-vacuum", "--client", str(SteadyWriter.CONNECTIONS), "--protocol", "prepared", "--rate", str(rate),
                 "--time", "86400", "--define", f"players={self.count}", "--file", str(folder / "script"), "postgres"], cwd=folder,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                preexec_fn=lambda: (die_with_parent(), cores and os.sched_setaffinity(0, cores)), **self._as_user())
            try:
                yield writer
                assert process.poll() is None, f"pgbench ended with {process.returncode}"
            finally:
                process.kill()
                process.wait()
            writer.rate = (int(self.sql("SELECT count(*) FROM submitted;")) - before) / (time.monotonic() - began)

    def _pgbench(self, query, seconds, connections, cores, *settings):
        """Measures between two moments at which all sessions are there, so that what connecting costs does not count."""
        connecting = 1 + connections / 200
        requests = 0
        for _ in range(6):
            with tempfile.TemporaryDirectory(dir=self.home) as folder:
                folder = pathlib.Path(folder)
                (folder / "script").write_text("\n".join(settings) + "\n" + " ".join(query.split()) + "\n")
                if self.user:
                    shutil.chown(folder, self.user)
                begin, end = self._run_pgbench(folder, connecting, seconds, connections, cores)
                done = transactions(folder)
            requests += len(done)
            times = sorted(milliseconds for at, milliseconds in done if begin[0] <= at < end[0])
            if times and done[0][0] < begin[0]:
                return {"all_requests": requests, "per_second": len(times) / (end[0] - begin[0]), "p50_ms": times[len(times) // 2],
                        "p99_ms": times[len(times) * 99 // 100], "cpu_us": (end[1] - begin[1]) / len(times) / 1000}
            connecting *= 2
        raise AssertionError(f"{connections} sessions were not there after {connecting / 2:g} s")

    def _run_pgbench(self, folder, connecting, seconds, connections, cores):
        """(time, CPU so far) at the begin and the end of what counts."""
        process = subprocess.Popen(
            [*self._words("pgbench"), "--no-vacuum", "--client", str(connections), "--jobs", "1", "--protocol", "prepared",
             "--time", str(math.ceil(connecting + seconds)), "--define", f"players={self.count}", "--file", str(folder / "script"), "--log",
             "--log-prefix", str(folder / "pgbench_log"), "postgres"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, preexec_fn=lambda: (die_with_parent(), cores and os.sched_setaffinity(0, cores)), **self._as_user())
        try:
            time.sleep(connecting)
            begin = time.time(), machine.cpu_nanoseconds(self.pid)
            time.sleep(seconds * 0.9)
            end = time.time(), machine.cpu_nanoseconds(self.pid)
            said, _ = process.communicate(timeout=600)
        finally:
            process.kill()
        assert process.returncode == 0, said[-2000:]
        return begin, end

    def memory(self):
        return machine.proportional_memory(self.pid)

    def check(self):
        """The queries give the right rank, page and neighbours of some players; to be asked before anything is submitted."""
        if int(self.sql("SELECT count(*) FROM submitted;")):
            return
        ranks = players.ranks(self.count)
        order = sorted(range(self.count), key=ranks.__getitem__)
        assert self._rows("top", 0) == [self._row(number) for number in order[:10]]
        for number in random.sample(range(self.count), 5):
            assert self.sql(self._filled("standing", number)) == f"{players.score_of(number)}|{ranks[number]}"
            at = ranks[number] - 1
            assert sorted(self._rows("around", number)) == sorted(self._row(other) for other in order[max(0, at - 5):at + 6])

    @staticmethod
    def _filled(mode, number):
        return QUERIES[mode].replace(":n::text", f"'{number}'")

    def _rows(self, mode, number):
        return self.sql(self._filled(mode, number)).splitlines()

    @staticmethod
    def _row(number):
        return f"{players.player_id(number)}|{players.score_of(number)}"
