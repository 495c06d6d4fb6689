"""Backup, restore, check and jobs, from outside."""

import collections
import http.server
import itertools
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
import unittest

from support.server import KEY, Server, ServerTest, program, wait_until

SEED = int(os.environ.get("STANDINGS_SEED", str(random.randrange(2**32))))
SCALE = int(os.environ.get("STANDINGS_TEST_SCALE", "0"))
WRITERS = 8
PLAYERS = 300
MARK_SLOT_BYTES = 84


def run(*words, key=None, cwd=None, env=None):
    """The program with these words: exit code, output, errors."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("STANDINGS_")}
    if key:
        clean["STANDINGS_KEY"] = key
    done = subprocess.run([str(program()), *map(str, words)], env={**clean, "NO_COLOR": "1", **(env or {})}, cwd=cwd, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, errors="replace", timeout=120)
    return done.returncode, done.stdout, done.stderr


def begin(*words, key=None):
    """The program with these words, under way."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("STANDINGS_")}
    if key:
        env["STANDINGS_KEY"] = key
    return subprocess.Popen([str(program()), *map(str, words)], env=env, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run_with_signal(calls, when, *words):
    """The program, to which SIGINT is sent in the `when`-th of these system calls."""
    done = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject={calls}:signal=INT:when={when}",
                           str(program()), *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def job_ended(server, job):
    """The job once it runs no more."""
    def look():
        answer = server.api.get(f"/v1/jobs/{job}")
        return answer.json if answer.json.get("state") != "running" else None
    return wait_until(look, f"the job {job} to end", 60)


def make_backup(server):
    """A backup's manifest, by the API."""
    answer = server.api.post("/v1/backups")
    assert answer.status == 202, answer
    job = job_ended(server, answer.json["id"])
    assert job["state"] == "done", job
    items = server.api.get("/v1/backups").json["items"]
    return next(item for item in items if item["name"] == job["result"])


def fill(server, board, players=PLAYERS, **settings):
    answer = server.api.post("/v1/boards", {"id": board, **settings})
    assert answer.status == 201, answer
    answer = server.api.stream(f"/v1/boards/{board}/submissions",
                               [{"player": f"p{n}", "score": n, "name": f"Player {n}"} for n in range(players)])
    assert answer.status == 200, answer


def rows_of(server, board="b"):
    rows = []
    while True:
        answer = server.public.get(f"/v1/boards/{board}/standings?limit=1000&offset={len(rows)}")
        assert answer.status == 200, answer
        rows += answer.json["rows"]
        if len(answer.json["rows"]) < 1000:
            return rows


def state_of(folder):
    """What a folder's database holds, by its view."""
    database = sqlite3.connect(f"file:{folder}/standings.db?mode=ro", uri=True)
    try:
        return database.execute("SELECT board, position, player, score_1 FROM standings ORDER BY board, position").fetchall()
    finally:
        database.close()


class Submitter(threading.Thread):
    """Adds points on a `sum` board until it is told to stop, and remembers what was acknowledged."""

    def __init__(self, server, number, seed):
        super().__init__(daemon=True)
        self.server = server
        self.number = number
        self.chance = random.Random(seed)
        self.acknowledged = []  # (seq, player, points)
        self.ending = threading.Event()
        self.failure = None

    def run(self):
        client = self.server.new_client(KEY)
        try:
            while not self.ending.is_set():
                player, points = f"p{self.chance.randrange(PLAYERS)}", self.chance.randrange(1, 100)
                answer = client.post("/v1/boards/b/submissions", {"player": player, "score": points})
                assert answer.status == 200, answer
                self.acknowledged.append((answer.json["seq"], player, points))
        except BaseException as failure:
            self.failure = failure
        finally:
            client.close()


class Drill(unittest.TestCase):
    """Backup under load, restore elsewhere: exactly what was acknowledged up to the backup's seq."""

    def test_a_backup_under_load_holds_exactly_what_was_acknowledged_up_to_its_seq(self):
        print(f"\nSTANDINGS_SEED={SEED}", flush=True)
        chance = random.Random(SEED)
        server = Server()
        self.addCleanup(server.close)
        server.start()
        answer = server.api.post("/v1/boards", {"id": "b", "rule": "sum"})
        self.assertEqual(answer.status, 201, answer)
        # Bulk that makes the copy last a while, on another board.
        fill(server, "ballast", max(50_000, SCALE))

        submitters = [Submitter(server, n, chance.randrange(2**32)) for n in range(WRITERS)]
        for submitter in submitters:
            submitter.start()
        wait_until(lambda: all(len(s.acknowledged) > 20 or s.failure for s in submitters), "the writers to write")
        before = max(s.acknowledged[-1][0] for s in submitters)
        manifests = [make_backup(server), make_backup(server)]
        wanted = {s: len(s.acknowledged) + 20 for s in submitters}
        wait_until(lambda: all(len(s.acknowledged) > wanted[s] or s.failure for s in submitters), "the writers to go on")
        for submitter in submitters:
            submitter.ending.set()
        for submitter in submitters:
            submitter.join(30)
            if submitter.failure:
                raise submitter.failure
        old_epoch = server.public.get("/v1/boards/b/standings").json["epoch"]
        self.assertEqual(manifests[0]["epoch"], old_epoch)
        self.assertGreaterEqual(manifests[0]["seq"], before)
        self.assertGreater(manifests[1]["seq"], manifests[0]["seq"])

        acknowledged = sorted(entry for s in submitters for entry in s.acknowledged)
        for manifest in manifests:
            expected = collections.Counter()
            for seq, player, points in acknowledged:
                if seq <= manifest["seq"]:
                    expected[player] += points
            self.restore_and_compare(server, manifest, expected, old_epoch, acknowledged[-1][0])

    def restore_and_compare(self, server, manifest, expected, old_epoch, newest):
        elsewhere = Server()
        self.addCleanup(elsewhere.close)
        code, said, errors = run("restore", server.data / "backups" / manifest["name"], "--data", elsewhere.data)
        self.assertEqual(code, 0, said + errors)
        self.assertIn(f"up to seq {manifest['seq']}", said)
        elsewhere.start()
        self.assertEqual({row["player"]: row["score"] for row in rows_of(elsewhere)}, dict(expected))
        page = elsewhere.public.get("/v1/boards/b/standings").json
        self.assertNotEqual(page["epoch"], old_epoch)

        # The old epoch's positions count no more; the ledger goes on in the new one.
        answer = elsewhere.public.get(f"/v1/boards/b/standings?min_seq={old_epoch}:{newest}")
        self.assertEqual((answer.status, answer.json["code"]), (409, "epoch_changed"), answer)
        answer = elsewhere.api.post("/v1/boards/b/submissions", {"player": "newcomer", "score": 1})
        self.assertEqual((answer.status, answer.json["seq"]), (200, manifest["seq"] + 1), answer)
        answer = elsewhere.public.get(f"/v1/boards/b/players/newcomer?min_seq={page['epoch']}:{manifest['seq'] + 1}")
        self.assertEqual(answer.status, 200, answer)
        code, said, errors = run("check", "--data", elsewhere.data, "--server", elsewhere.url, "-o", "json")
        self.assertEqual(code, 0, said + errors)
        self.assertEqual(json.loads(said)["boards_compared"], 2, said)
        elsewhere.restart(kill=True)
        self.assertEqual(elsewhere.public.get("/v1/boards/b/players/newcomer").status, 200)


class Jobs(ServerTest):
    def test_a_backup_is_a_job_with_a_location_and_a_result(self):
        fill(self.server, "jobs-1")
        answer = self.server.api.post("/v1/backups")
        self.assertEqual(answer.status, 202, answer)
        self.assertEqual(answer.headers["location"], "/v1/jobs/" + answer.json["id"])
        job = job_ended(self.server, answer.json["id"])
        self.assertEqual((job["kind"], job["state"], job["unit"]), ("backup", "done", "bytes"))
        self.assertEqual(job["done"], job["total"])
        self.assertIn(job["id"], [item["id"] for item in self.server.api.get("/v1/jobs").json["items"]])
        item = self.server.api.get("/v1/backups").json["items"][0]
        self.assertEqual(item["name"], job["result"])
        for member in ("bytes", "created_at", "seq", "epoch", "chain", "database_id", "boards", "players", "version", "crc32c"):
            self.assertIn(member, item)
        folder = self.server.data / "backups"
        self.assertEqual(folder.stat().st_mode & 0o777, 0o700)
        self.assertEqual((folder / item["name"]).stat().st_size, item["bytes"])
        self.assertEqual([path.name for path in folder.iterdir() if path.name.startswith(item["name"][:-3] + ".db-")], [])
        metrics = self.server.public.get("/metrics").body.decode()
        for metric in ("standings_backup_age_seconds", "standings_backup_bytes", "standings_backup_duration_seconds"):
            self.assertRegex(metrics, rf"(?m)^{metric} \d")

    def test_a_backup_can_be_downloaded_and_deleted(self):
        fill(self.server, "jobs-2", 5000)
        manifest = make_backup(self.server)
        path = f"/v1/backups/{manifest['name']}"
        answer = self.server.api.get(path)
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.body, (self.server.data / "backups" / manifest["name"]).read_bytes())
        self.assertEqual(self.server.api.head(path).status, 200)
        self.assertEqual(self.server.api.delete(path).json, {"deleted": 1})
        self.assert_problem(self.server.api.get(path), 404, "backup_not_found")
        self.assert_problem(self.server.api.delete(path), 404, "backup_not_found")
        self.assert_problem(self.server.api.get("/v1/backups/..%2Fstandings.db"), 404)

    def test_a_slow_download_holds_nobody_up(self):
        fill(self.server, "jobs-3", 60_000)
        manifest = make_backup(self.server)
        with self.server.raw() as raw:
            raw.send(f"GET /v1/backups/{manifest['name']} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {KEY}\r\n\r\n".encode())
            self.assertIsNotNone(raw.read_until(b"\r\n\r\n"))
            # Nobody reads on; everybody else is served, and lists and names come from workers.
            for n in range(20):
                self.assertEqual(self.server.public.get(f"/v1/boards/jobs-3/standings?limit=50&offset={n * 50}").status, 200)
            self.assertLess(self.server.rss_bytes(), 500 * 2**20)

    def test_the_same_request_again_is_answered_with_its_job(self):
        def post(key, body=None):
            return self.server.api.post("/v1/backups", body, idempotency_key=key)
        first = post("again")
        self.assertEqual((first.status, first.headers.get("idempotency-replayed")), (202, None), first)
        for _ in range(2):
            again = post("again")
            self.assertEqual((again.status, again.json["id"], again.headers["location"]), (202, first.json["id"], first.headers["location"]))
            self.assertEqual(again.headers["idempotency-replayed"], "true")
            job_ended(self.server, first.json["id"])
        self.assert_problem(post("again", {"other": 1}), 422, "idempotency_mismatch")
        self.assert_problem(post(""), 400, "malformed")
        other = post("another")
        self.assertEqual((other.status, other.headers.get("idempotency-replayed")), (202, None), other)
        self.assertNotEqual(other.json["id"], first.json["id"])
        job_ended(self.server, other.json["id"])

    def test_needs_the_scope_admin(self):
        for method, path in (("GET", "/v1/jobs"), ("POST", "/v1/backups"), ("GET", "/v1/backups"), ("DELETE", "/v1/jobs/j1")):
            self.assert_problem(self.server.public.request(method, path), 401)

    def test_unknown_jobs(self):
        self.assert_problem(self.server.api.get("/v1/jobs/j999"), 404, "job_not_found")
        self.assert_problem(self.server.api.delete("/v1/jobs/j999"), 404, "job_not_found")
        for path in ("/v1/jobs", "/v1/jobs/j999", "/v1/backups", "/v1/backups/none.db"):
            self.assert_problem(self.server.api.get(path + "?limit=5"), 422, pointer="?limit")

    def test_the_command_asks_the_server_and_downloads(self):
        fill(self.server, "jobs-4")
        to = self.server.home / "mine.db"
        code, said, errors = run("backup", "--server", self.server.url, "--to", to, "-o", "json", key=KEY)
        self.assertEqual(code, 0, said + errors)
        manifest = json.loads(said)
        self.assertEqual(to.stat().st_size, manifest["bytes"])
        code, said, errors = run("restore", to, "--data", self.server.home / "fresh")
        self.assertEqual(code, 0, said + errors)
        code, said, errors = run("backup", "--server", self.server.url, key="x" * 40)
        self.assertEqual(code, 1, said + errors)
        made = self.server.api.get("/v1/backups").json["items"]
        code, said, errors = run("backup", "--server", self.server.url, "--to", self.server.home / "none" / "x.db", key=KEY)
        self.assertEqual(code, 1, said + errors)
        self.assertIn("No such file or directory", errors)
        self.assertEqual(self.server.api.get("/v1/backups").json["items"], made, "a backup that had nowhere to go")
        self.assertEqual(run("backup", "--server", self.server.url, "--data", self.server.data)[0], 2)

    def test_a_download_that_has_no_room_says_so_and_what_there_is(self):
        fill(self.server, "jobs-room")
        to = self.server.home / "large.db"
        words = " ".join(map(str, ("backup", "--server", self.server.url, "--key", KEY, "--to", to)))
        # The shell's ignored signal is the program's, too: the limit is then an error of a write.
        done = subprocess.run(["bash", "-c", f'trap "" XFSZ; ulimit -f 16; exec "{program()}" {words}'], capture_output=True, text=True, timeout=120)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        name = self.server.api.get("/v1/backups").json["items"][0]["name"]
        self.assertRegex(done.stderr, f"stays on the server as {name}: cannot write '.*large.*File too large")
        self.assertEqual(list(self.server.home.glob("large*")), [])

    def test_a_running_server_keeps_its_folder(self):
        code, said, errors = run("backup", "--data", self.server.data)
        self.assertEqual(code, 3, said + errors)
        self.assertIn(self.server.url, errors)
        self.assertIn("--server", errors)
        backup = self.server.data / "backups" / make_backup(self.server)["name"]
        code, said, errors = run("restore", backup, "--data", self.server.data)
        self.assertEqual(code, 3, said + errors)
        self.assertIn(self.server.url, errors)
        self.assertEqual(run("check", "--data", self.server.data)[0], 0)


class Retention(unittest.TestCase):
    def test_the_newest_seven_are_kept(self):
        with Server() as server:
            fill(server, "b")
            names = [make_backup(server)["name"]]
            for n in range(8):
                # Some at one seq, and some of these within a second.
                if n % 4 == 0:
                    server.api.post("/v1/boards/b/submissions", {"player": "p", "score": 1000 + n})
                names.append(make_backup(server)["name"])
            self.assertEqual(len(set(names)), len(names))
            kept = [item["name"] for item in server.api.get("/v1/backups").json["items"]]
            self.assertEqual(kept, list(reversed(names[-7:])))
            files = {path.name for path in (server.data / "backups").iterdir()}
            self.assertEqual(files, {name for kept_name in kept for name in (kept_name, kept_name[:-3] + ".json")})


    def test_a_backup_is_made_though_an_older_one_cannot_be_removed(self):
        with Server(args=["--backup-keep", "1"]) as server:
            fill(server, "b")
            old = make_backup(server)["name"]
            stays = server.data / "backups" / old
            stays.unlink()
            stays.mkdir()
            name = make_backup(server)["name"]
            self.assertNotEqual(name, old)
            wait_until(lambda: re.search(f'old backups stay.*{re.escape(old)}', server.log()), "the log to tell it")


class Interrupted(unittest.TestCase):
    """What ends a backup before it is whole leaves nothing that looks like one."""

    def start(self, **options):
        self.server = Server(**options)
        self.addCleanup(self.server.close)
        self.server.start()
        fill(self.server, "b", 60_000)

    def begin(self):
        answer = self.server.api.post("/v1/backups")
        self.assertEqual(answer.status, 202, answer)
        return answer.json["id"]

    def folder(self):
        return self.server.data / "backups"

    def begin_by_command(self):
        """The command, and its job once the command has heard of it."""
        jobs = len(self.server.api.get("/v1/jobs").json["items"])
        process = begin("backup", "--server", self.server.url, key=KEY)
        wait_until(lambda: len(self.server.api.get("/v1/jobs").json["items"]) > jobs, "the job to begin")
        requests = lambda: int(self.server.public.get("/metrics").body.partition(b"\nstandings_requests_total ")[2].split()[0])
        ours = itertools.count(requests() + 1)
        wait_until(lambda: requests() > next(ours), "the command to ask for its job")
        return process, self.server.api.get("/v1/jobs").json["items"][0]["id"]

    def test_a_cancelled_backup_leaves_nothing(self):
        self.start()
        for _ in range(20):
            job = self.begin()
            answer = self.server.api.delete(f"/v1/jobs/{job}")
            self.assertEqual(answer.status, 202, answer)
            if job_ended(self.server, job)["state"] == "cancelled":
                break
            for item in self.server.api.get("/v1/backups").json["items"]:
                self.server.api.delete(f"/v1/backups/{item['name']}")
        else:
            self.fail("20 backups were all whole before they could be cancelled")
        self.assertEqual(list(self.folder().iterdir()), [])
        self.assertEqual(self.server.api.get("/v1/backups").json["items"], [])
        make_backup(self.server)

    def test_two_at_once_are_refused(self):
        self.start()
        job = self.begin()
        answer = self.server.api.post("/v1/backups")
        if answer.status == 409:
            self.assertEqual(answer.json["code"], "job_running")
        else:  # The first one was quicker than the request.
            self.assertEqual(answer.status, 202, answer)
        job_ended(self.server, job)

    def test_a_kill_leaves_nothing_that_is_listed_and_the_next_start_cleans_up(self):
        self.start()
        cleaned = 0
        for _ in range(20):
            self.begin()
            wait_until(lambda: list(self.folder().iterdir()), "the copy to begin")
            self.server.kill()
            left = [path.name for path in self.folder().iterdir()]
            cleaned += any(name.endswith(".part") for name in left)
            self.server.start()
            for item in self.server.api.get("/v1/backups").json["items"]:
                self.assertEqual(run("restore", self.folder() / item["name"], "--data", self.server.home / "try")[0], 0)
                self.server.api.delete(f"/v1/backups/{item['name']}")
            self.assertEqual([path.name for path in self.folder().iterdir()], [])
            if cleaned:
                return
        self.fail("20 kills all came after the end of the backup")

    def test_a_server_that_is_told_to_stop_does_not_wait_for_its_backup(self):
        self.start()
        self.begin()
        self.assertEqual(self.server.terminate(), 0)
        self.server.start()
        self.assertEqual([path.name for path in self.folder().iterdir() if path.name.endswith(".part")], [])


    def test_a_signal_ends_the_command_and_cancels_the_servers_job(self):
        self.start(args=("--backup-rate", "1MiB"))
        kept = {path.name for path in self.folder().iterdir()}
        for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 1)):
            process, job = self.begin_by_command()
            process.send_signal(number)
            said, errors = process.communicate(timeout=30)
            self.assertEqual((process.returncode, said), (status, ""), errors)
            self.assertEqual(errors.count("standings:"), 1, errors)
            # On a slow machine it ends before the job has.
            self.assertRegex(errors, "was cancelled|was asked to cancel")
            self.assertEqual(job_ended(self.server, job)["state"], "cancelled")
            self.assertEqual({path.name for path in self.folder().iterdir()}, kept)

    def test_a_signal_that_cannot_cancel_says_how_to(self):
        self.start(args=("--backup-rate", "1MiB"))
        process, job = self.begin_by_command()
        self.server.signal(signal.SIGSTOP)
        process.send_signal(signal.SIGINT)
        said, errors = process.communicate(timeout=30)
        self.server.signal(signal.SIGCONT)
        self.assertEqual((process.returncode, said), (130, ""), errors)
        self.assertIn(f"curl -X DELETE -H 'Authorization: Bearer KEY' {self.server.url}/v1/jobs/{job}", errors)

    def ask_double(self, jobs, backups=None, words=()):
        """`backup --server` at a double of the server. `jobs(method)` is the job as it answers, `backups()` the list's items."""
        started = threading.Event()

        class Double(http.server.BaseHTTPRequestHandler):
            def answer(self):
                started.wait(20)
                answer = {"items": backups()} if self.path == "/v1/backups" and self.command == "GET" else {"id": "j1", **jobs(self.command)}
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())
            do_GET = do_POST = do_DELETE = answer

            def log_message(self, *_):
                pass
        double = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Double)
        double.handle_error = lambda *_: None  # of a client that is gone
        thread = threading.Thread(target=double.serve_forever)
        thread.start()
        try:
            self.process = begin("backup", "--server", f"http://127.0.0.1:{double.server_port}", *words, key=KEY)
            started.set()
            said, errors = self.process.communicate(timeout=30)
            return self.process.returncode, said, errors
        finally:
            double.shutdown()
            thread.join()
            double.server_close()

    def test_a_signal_to_a_command_whose_job_has_failed_says_so(self):
        def jobs(method):
            if method == "POST":
                return {"state": "running"}
            if method == "GET":
                self.process.send_signal(signal.SIGINT)
            return {"state": "failed", "detail": "the disk is full"}
        code, said, errors = self.ask_double(jobs)
        self.assertEqual((code, said), (130, ""), errors)
        # On a slow machine it ends before it has heard what became of the job.
        self.assertRegex(errors, "^\nstandings: interrupted. (The backup had failed: the disk is full|The server's job j1 may go on.*)\n")

    def test_a_signal_behind_the_jobs_end_says_that_the_backup_is_whole(self):
        to = os.path.join(tempfile.gettempdir(), f"never-written-{os.getpid()}.db")
        for words, last in (((), "The backup is whole: n.db (on the server)."),
                            (("--to", to), f"'{to}' was not written; the backup stays on the server as n.db.")):
            def backups():
                self.process.send_signal(signal.SIGINT)
                self.process.wait(20)
            code, said, errors = self.ask_double(lambda _: {"state": "done", "result": "n.db"}, backups, words)
            self.assertEqual((code, said), (130, ""), errors)
            self.assertEqual(errors, f"\nstandings: interrupted. {last}\n")
            self.assertFalse(os.path.exists(to))

    def test_a_backup_that_is_gone_before_it_is_listed_is_named(self):
        code, said, errors = self.ask_double(lambda _: {"state": "done", "result": "n.db"}, list)
        self.assertEqual((code, said), (1, ""), errors)
        self.assertIn("n.db was made, and is gone", errors)

    def test_a_signal_in_a_download_leaves_no_part_of_it(self):
        self.start()
        to = self.server.home / "mine.db"
        interrupted = 0
        for when in (1, 2, 5, 20, 80):
            code, said, errors = run_with_signal("write", when, "backup", "--server", self.server.url, "--key", KEY, "--to", to)
            self.assertEqual(code, 130, errors)
            self.assertEqual([path.name for path in self.server.home.iterdir() if path.name.startswith("mine")], [], errors)
            interrupted += "was not written; the backup stays" in errors
        self.assertGreater(interrupted, 0)


class Folder(unittest.TestCase):
    """Commands on the folder of a stopped server."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        cls.server.start()
        fill(cls.server, "b", rule="sum")
        fill(cls.server, "c", columns=[{"name": "score", "order": "asc", "decimals": 2}], ties="earliest")
        for n in range(50):
            cls.server.api.post("/v1/boards/b/submissions", {"player": f"p{n % 7}", "score": 5})
        cls.server.api.delete("/v1/boards/b/players/p9")
        cls.server.api.put("/v1/boards/b/players/p10", {"score": 77})
        cls.server.api.post("/v1/boards", {"id": "gone"})
        cls.server.api.delete("/v1/boards/gone")
        cls.backup = cls.server.home / "kept.db"
        manifest = make_backup(cls.server)
        for end in (".db", ".json"):
            shutil.copy(cls.server.data / "backups" / (manifest["name"][:-3] + end), cls.backup.with_suffix(end))
        assert cls.server.terminate() == 0
        cls.clean = cls.server.data

    def setUp(self):
        self.folder = self.server.home / self.id().rsplit(".", 1)[1]
        shutil.copytree(self.clean, self.folder)
        self.addCleanup(shutil.rmtree, self.folder, True)

    def check(self, *more):
        code, said, errors = run("check", "--data", self.folder, "-o", "json", *more)
        self.assertIn(code, (0, 5), said + errors)
        report = json.loads(said)
        self.assertEqual(code == 0, report["whole"])
        return report

    def tamper(self, sql):
        database = sqlite3.connect(self.folder / "standings.db")
        self.assertGreater(database.execute(sql).rowcount, 0)
        database.commit()
        database.close()

    def assert_found(self, table, row=""):
        report = self.check()
        self.assertFalse(report["whole"], "nothing was found")
        found = [(item["table"], item["row"]) for item in report["findings"]]
        self.assertTrue(any(t == table and row in r for t, r in found), report["findings"])

    def test_an_undamaged_folder_passes_and_nothing_in_it_changes(self):
        def contents():
            return {path.name: path.read_bytes() for path in self.folder.iterdir()
                    if path.is_file() and path.name != "standings.reserve"}
        before = contents()
        report = self.check("--deep")
        self.assertEqual(report["damages"], 0, report)
        self.assertGreater(report["entries_compared"], 2 * PLAYERS - 10)
        self.assertEqual(contents(), before)

    def test_a_folder_left_by_a_kill_passes(self):
        with Server(data=self.folder) as server:
            for n in range(500):
                server.api.post("/v1/boards/b/submissions", {"player": f"q{n % 50}", "score": 5})
            self.assertEqual(self.check()["damages"], 0)
            server.kill()
            self.assertEqual(self.check()["damages"], 0)
            code, said, errors = run("backup", "--data", self.folder, "-o", "json")
            self.assertEqual(code, 0, said + errors)
            self.assertEqual(state_of(self.folder), state_of_file(self.folder / "backups" / json.loads(said)["name"]))

    def test_a_changed_bit_in_an_entry_is_found(self):
        self.tamper("UPDATE entry SET score_1 = (score_1 | 1) - (score_1 & 1) WHERE ranking = 1 AND slot = 5")
        self.assert_found("entry", "slot 5")

    def test_a_changed_bit_in_an_event_is_found(self):
        self.tamper("UPDATE event SET at = at + 1 WHERE seq = 17")
        self.assert_found("event", "seq 17")

    def test_a_changed_event_with_a_fitting_checksum_breaks_the_chain(self):
        self.tamper("UPDATE event SET chain = chain + 1 WHERE seq = 17")
        self.assert_found("event", "seq 17")

    def test_a_changed_bit_in_a_player_is_found(self):
        self.tamper("UPDATE player SET name = 'Plazer 5' WHERE ranking = 1 AND slot = 5")
        self.assert_found("player", "slot 5")

    def test_a_changed_bit_in_a_board_is_found(self):
        self.tamper("UPDATE board SET title = 'x' WHERE slug = 'b'")
        self.assert_found("board")

    def test_a_changed_bit_in_the_mark_is_found(self):
        mark = self.folder / "standings.mark"
        data = bytearray(mark.read_bytes())
        used = [at for at in (0, 2048) if any(data[at:at + MARK_SLOT_BYTES])]
        for at in used:
            damaged = bytearray(data)
            damaged[at + 20] ^= 4
            mark.write_bytes(damaged)
            self.assert_found("mark")

    def test_a_mark_beyond_the_database_is_found(self):
        self.tamper("DELETE FROM event WHERE seq = (SELECT max(seq) FROM event)")
        self.assert_found("mark")

    def test_missing_rows_are_found(self):
        self.tamper("DELETE FROM event WHERE seq = 20")
        self.assert_found("event", "seq 20")

    def test_a_missing_entry_and_a_missing_player_are_found(self):
        self.tamper("DELETE FROM entry WHERE ranking = 1 AND slot = 3")
        self.tamper("DELETE FROM player WHERE ranking = 1 AND slot = 4")
        self.assert_found("entry", "slot 3")
        self.assert_found("player", "slot 4")

    def test_a_flipped_bit_anywhere_in_a_page_is_found_or_means_nothing(self):
        print(f"\nSTANDINGS_SEED={SEED}", flush=True)
        chance = random.Random(SEED)
        whole = (self.folder / "standings.db").read_bytes()
        before = state_of(self.folder)
        missed = 0
        for _ in range(40):
            at, bit = chance.randrange(4096, len(whole)), chance.randrange(8)
            damaged = bytearray(whole)
            damaged[at] ^= 1 << bit
            (self.folder / "standings.db").write_bytes(damaged)
            if self.check()["whole"]:
                # Free space inside a page, say: then every answer is as it was.
                missed += 1
                with self.subTest(byte=at, bit=bit):
                    self.assertEqual(state_of(self.folder), before)
        self.assertLess(missed, 40)

    def test_a_changed_bit_in_the_index_that_finds_a_board_is_found(self):
        path = self.folder / "standings.db"
        database = sqlite3.connect(path)
        page, = database.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_board_1'").fetchone()
        database.close()
        data = bytearray(path.read_bytes())
        # The first row, with the board's id at its end, is the last of the page.
        self.assertEqual(data[page * 4096 - 1], ord("b"))
        data[page * 4096 - 1] ^= 1
        path.write_bytes(data)
        self.assert_found("database")

    def test_a_text_that_has_become_bytes_is_found(self):
        self.tamper("UPDATE player SET id = CAST(id AS BLOB) WHERE ranking = 1 AND slot = 3")
        self.assert_found("player", "slot 3")

    def test_the_report_is_json_whatever_bytes_the_damage_holds(self):
        database = sqlite3.connect(self.folder / "standings.db")
        database.execute("PRAGMA writable_schema = ON")
        database.execute("UPDATE sqlite_schema SET name = CAST(X'62FF63' AS TEXT), sql = 'CREATE INDEX x' "
                         "WHERE name = 'event_undoing'")
        database.commit()
        database.close()
        done = subprocess.run([str(program()), "check", "--data", str(self.folder), "-o", "json"],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
        self.assertEqual(done.returncode, 5, done)
        report = json.loads(done.stdout.decode("utf-8", errors="strict"))
        self.assertIn("(b?c)", str(report["findings"]))

    def test_the_old_database_is_kept_aside_and_can_be_put_back(self):
        with Server(data=self.folder) as server:
            server.api.post("/v1/boards/b/submissions", {"player": "later", "score": 1})
            server.kill()  # its WAL belongs to what is kept
        before = state_of(self.folder)
        code, said, errors = run("restore", self.backup, "--data", self.folder)
        self.assertEqual(code, 0, said + errors)
        self.assertEqual(state_of(self.folder), state_of_file(self.backup))
        undo = next(line.strip() for line in said.splitlines() if line.strip().startswith("rm -f "))
        with Server(data=self.folder) as server:
            self.assertEqual(server.public.get("/v1/boards/b/players/later").status, 404)
            # The key is still the same one.
            self.assertEqual(server.api.get("/v1/jobs").status, 200)
            server.terminate()
        subprocess.run(["sh", "-c", undo], check=True)
        self.assertEqual(state_of(self.folder), before)
        with Server(data=self.folder) as server:
            self.assertEqual(server.public.get("/v1/boards/b/players/later").status, 200)

    def test_a_database_of_another_version_is_exit_4(self):
        to = self.server.home / "newer.db"
        self.assertEqual(run("backup", "--data", self.folder, "--to", to)[0], 0)
        for path in (to, self.folder / "standings.db"):
            database = sqlite3.connect(path)
            database.execute("PRAGMA user_version=999")
            database.close()
        to.with_suffix(".json").unlink()
        server = Server(data=self.folder)
        self.addCleanup(server.close)
        server.spawn()
        self.assertEqual(server.wait(), 4, server.log())
        for words in (("check", "--data", self.folder), ("backup", "--data", self.folder), ("restore", to, "--data", self.folder)):
            code, said, errors = run(*words)
            self.assertEqual(code, 4, (words, said, errors))
            self.assertIn("999", errors)

    def test_a_start_on_damage_says_what_to_do(self):
        path = self.folder / "standings.db"
        whole = path.read_bytes()
        path.write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))
        server = Server(data=self.folder)
        self.addCleanup(server.close)
        server.spawn()
        self.assertEqual(server.wait(), 5)
        self.assertIn(f"standings check --data '{self.folder}'", server.log())

    def test_backups_of_a_stopped_server_are_kept_as_it_keeps_them(self):
        elsewhere = self.server.home / "kept-elsewhere"
        self.addCleanup(shutil.rmtree, elsewhere, True)
        settings = self.server.home / "keep.toml"
        settings.write_text(f'data = "{self.folder}"\n[backup]\nkeep = 3\nfolder = "{elsewhere}"\n')
        link = self.server.home / "link-to-it"
        link.symlink_to(self.folder)
        self.addCleanup(link.unlink)
        for place, most, words, env in ((self.folder / "backups", 7, (), {}),
                                        (self.folder / "backups", 2, (), {"STANDINGS_BACKUP_KEEP": "2", "STANDINGS_DATA_DIR": str(link)}),
                                        (elsewhere, 3, ("--config", settings), {})):
            place.mkdir(exist_ok=True)
            # What an operator has put there by a name of their own counts for nothing, and stays.
            for own in ("apart.db", "standings-apart.db"):
                self.assertEqual(run("backup", "--data", self.folder, "--to", place / own)[0], 0)
            apart = {path.name for path in place.iterdir() if "apart" in path.name}
            self.assertEqual(apart, {"apart.db", "apart.json", "standings-apart.db", "standings-apart.json"})
            names = []
            for _ in range(most + 2):
                code, said, errors = run("backup", "--data", self.folder, "-o", "json", *words, env=env)
                self.assertEqual(code, 0, said + errors)
                names.append(json.loads(said)["name"])
            self.assertEqual(len(set(names)), len(names))
            files = {path.name for path in place.iterdir()}
            self.assertEqual(files, apart | {name for kept in names[-most:] for name in (kept, kept[:-3] + ".json")})
        self.assertEqual(run("backup", "--data", self.folder, env={"STANDINGS_BACKUP_KEEP": "x"})[0], 2)

    def test_a_file_that_is_not_named_is_not_replaced(self):
        mine = self.server.home / "mine"
        mine.mkdir()
        self.addCleanup(shutil.rmtree, mine)
        for name, text in (("players.json", "[1, 2]"), ("b.db.part", "b"), ("b.json.part", "b"), ("b.part", "b"), ("notes.db", "a text")):
            (mine / name).write_text(text)
        other = sqlite3.connect(mine / "other.db")
        other.execute("CREATE TABLE t (a)")
        other.close()
        before = {path.name: path.read_bytes() for path in mine.iterdir()}
        with Server() as server:
            server.api.post("/v1/boards", {"id": "b"})
            for words, folder in ((("--data", self.folder), self.folder), (("--server", server.url), server.data)):
                backups = list((server.data / "backups").iterdir())
                code, said, errors = run("backup", *words, "--to", mine / "players.db", key=KEY)
                self.assertEqual((code, said), (2, ""), errors)
                self.assertIn(f"'{mine}/players.json' would be replaced", errors)
                for name in ("notes.db", "other.db"):
                    code, said, errors = run("backup", *words, "--to", mine / name, key=KEY)
                    self.assertEqual((code, said), (2, ""), errors)
                    self.assertIn(f"'{mine}/{name}' would be replaced by the backup, and is none", errors)
                for name in ("standings.mark", "standings.db", "lock", "new.db"):
                    contents = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.name != "lock"}
                    code, said, errors = run("backup", *words, "--to", folder / name, key=KEY)
                    self.assertEqual((code, said), (2, ""), errors)
                    self.assertIn("name a file elsewhere", errors)
                    self.assertEqual({path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.name != "lock"}, contents)
                self.assertEqual(list((server.data / "backups").iterdir()), backups, "a backup that had nowhere to go")
                code, said, errors = run("backup", *words, "--to", mine / "b", key=KEY)
                self.assertEqual((code, said), (2, ""), errors)
                self.assertIn(f"'{mine}/b' is no name for a backup", errors)
                # A backup of before is replaced, and nothing else.
                for _ in range(2):
                    code, said, errors = run("backup", *words, "--to", mine / "b.db", key=KEY)
                    self.assertEqual(code, 0, said + errors)
                after = {path.name for path in mine.iterdir()}
                self.assertEqual(after, {*before, "b.db", "b.json"})
                self.assertEqual({name: (mine / name).read_bytes() for name in before}, before)

    def test_the_settings_of_another_folders_server_decide_nothing(self):
        home = self.server.home / "settings-of-another"
        home.mkdir()
        self.addCleanup(shutil.rmtree, home)
        kept = home / "kept"
        (home / "standings.toml").write_text(f'data = "a"\n[backup]\nfolder = "{kept}"\nkeep = 1\nrate = "1MiB"\n')
        with Server(data=home / "a", args=("--config", home / "standings.toml")) as server:
            fill(server, "b", 60_000)
            server.terminate()
            # Of the same identity, as a restored one.
            shutil.copytree(home / "a", home / "c")
            server.start()
            job = server.api.post("/v1/backups").json["id"]
            wait_until(lambda: [path for path in kept.iterdir() if path.name.endswith(".part")], "the copy to begin")
            parts = {path.name for path in kept.iterdir()}
            variables = {"STANDINGS_BACKUP_FOLDER": str(kept), "STANDINGS_BACKUP_KEEP": "1", "STANDINGS_DATA_DIR": str(home / "a")}
            for words, env, cwd in (((), {}, home), (("--config", home / "standings.toml"), {}, None), ((), variables, None)):
                code, said, errors = run("backup", "--data", home / "c", *words, env=env, cwd=cwd)
                self.assertEqual(code, 0, said + errors)
                self.assertIn(str(home / "c" / "backups"), said)
                self.assertLessEqual(parts, {path.name for path in kept.iterdir()})
            self.assertEqual(len(list((home / "c" / "backups").iterdir())), 6)
            # A start of another server on the same folder of backups, too.
            with Server(data=home / "d", args=("--backup-folder", str(kept))):
                self.assertLessEqual(parts, {path.name for path in kept.iterdir()})
            server.api.delete(f"/v1/jobs/{job}")
            job_ended(server, job)
            self.assertEqual(list(kept.iterdir()), [])

    def test_two_databases_in_one_folder_keep_their_own_backups(self):
        kept = self.server.home / "shared"
        self.addCleanup(shutil.rmtree, kept, True)
        args = ("--backup-folder", str(kept), "--backup-keep", "1")
        with Server(args=args) as one, Server(args=args) as other:
            names = [make_backup(server)["name"] for server in (one, other, one, other)]
            self.assertEqual({path.name for path in kept.iterdir() if path.suffix == ".db"}, set(names[2:]))

    def test_the_folder_is_found_as_a_server_finds_it(self):
        home = self.server.home / "elsewhere"
        home.mkdir()
        self.addCleanup(shutil.rmtree, home)
        (home / "standings.toml").write_text('data = "mine"\n')
        (home / "named.toml").write_text('data = "named"\n')
        for place, words, env in (("mine", (), {}), ("named", ("--config", "named.toml"), {}),
                                  ("variable", (), {"STANDINGS_DATA_DIR": "variable"}), ("flag", ("--data", "flag"), {}),
                                  ("state", ("--config", "empty.toml"), {"STATE_DIRECTORY": str(home / "state")})):
            with self.subTest(place=place):
                (home / "empty.toml").write_text("")
                code, said, errors = run("restore", self.backup, *words, cwd=home, env=env)
                self.assertEqual(code, 0, said + errors)
                self.assertTrue((home / place / "standings.db").exists(), said)
                code, said, errors = run("check", *words, cwd=home, env=env)
                self.assertEqual(code, 0, said + errors)
                self.assertIn(place, said.splitlines()[0])
        self.assertFalse((home / "standings-data").exists())

    def test_the_line_to_undo_holds_for_any_name_of_a_folder(self):
        home = self.server.home / "two words"
        home.mkdir()
        self.addCleanup(shutil.rmtree, home)
        (home / "data").mkdir()
        (home / "data" / "standings.db").write_text("of another server")
        self.folder.rename(home / "my data; 'x' data")
        before = state_of(home / "my data; 'x' data")
        code, said, errors = run("restore", self.backup, "--data", "my data; 'x' data", cwd=home)
        self.assertEqual(code, 0, said + errors)
        undo = next(line.strip() for line in said.splitlines() if line.strip().startswith("rm -f "))
        subprocess.run(["sh", "-c", undo], check=True, cwd=home)
        self.assertEqual(state_of(home / "my data; 'x' data"), before)
        self.assertEqual((home / "data" / "standings.db").read_text(), "of another server")

    def test_the_copy_of_a_killed_restore_is_not_overwritten_by_itself(self):
        copy = self.folder / "standings.db.restoring"
        shutil.copy(self.backup, copy)
        os.link(copy, self.folder / "another-name.db")
        before = {path.name: path.read_bytes() for path in self.folder.iterdir() if path.is_file()}
        for name in (copy, self.folder / "another-name.db"):
            code, said, errors = run("restore", name, "--data", self.folder)
            self.assertEqual((code, said), (2, ""), errors)
            self.assertIn("is the copy that a restore into this folder makes", errors)
            self.assertEqual({path.name: path.read_bytes() for path in self.folder.iterdir() if path.is_file()}, before)
        kept = self.server.home / "moved-out.db"
        copy.rename(kept)
        self.assertEqual(run("restore", kept, "--data", self.folder)[0], 0)

    def test_a_damaged_backup_is_refused_and_the_old_data_stays(self):
        before = {path.name: path.read_bytes() for path in self.folder.iterdir() if path.is_file()}
        whole = self.backup.read_bytes()
        manifest = self.backup.with_suffix(".json").read_bytes()
        bad = self.server.home / "bad.db"
        for with_manifest in (True, False):
            for name, data in (("torn", whole[:len(whole) // 2]), ("flipped", self.with_damaged_row()), ("empty", b""),
                               ("text", b"no database" * 1000), ("short", whole[:-100])):
                bad.write_bytes(data)
                bad.with_suffix(".json").unlink(missing_ok=True)
                if with_manifest:
                    bad.with_suffix(".json").write_bytes(manifest)
                code, said, errors = run("restore", bad, "--data", self.folder)
                self.assertIn(code, (5,) if with_manifest or name != "text" else (4, 5), f"{name}: {said}{errors}")
                after = {path.name: path.read_bytes() for path in self.folder.iterdir() if path.is_file()}
                self.assertEqual(after, before, name)

    def with_damaged_row(self):
        """The backup with another letter in a row, which SQLite itself has nothing against."""
        copy = self.server.home / "copy.db"
        shutil.copy(self.backup, copy)
        database = sqlite3.connect(copy)
        database.execute("UPDATE player SET name = 'Plazer 5' WHERE ranking = 1 AND slot = 5")
        database.commit()
        database.close()
        return copy.read_bytes()

    def test_killed_at_any_moment_nothing_of_the_old_data_is_lost(self):
        before = state_of(self.folder)
        renames = 0
        for when in range(1, 40):
            shutil.rmtree(self.folder)
            shutil.copytree(self.clean, self.folder)
            done = subprocess.run(
                ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject=fsync,unlink,rename,link,mkdir:signal=KILL:when={when}",
                 str(program()), "restore", str(self.backup), "--data", str(self.folder)], capture_output=True, text=True)
            if done.returncode == 0:
                break
            asides = [path for path in self.folder.iterdir() if path.name.startswith("before-restore-")]
            whole = [place for place in (self.folder, *asides) if (place / "standings.db").exists() and state_of(place) == before]
            renames += len(asides)
            self.assertTrue(whole, f"killed at call {when}: the old data is nowhere")
            # A start shows the old or the new whole, or refuses: never something else.
            code = start_and_stop(self.folder)
            self.assertIn(code, (0, 5), f"killed at call {when}")
            code, said, errors = run("restore", self.backup, "--data", self.folder)
            self.assertEqual(code, 0, said + errors)
            self.assertEqual(state_of(self.folder), state_of_file(self.backup))
        self.assertGreater(renames, 0)
        self.assertLess(when, 39)

    def killed_first_start(self, when):
        """A folder whose first start was killed at the `when`-th of its first writes."""
        place = self.server.home / f"first-start-{when}"
        shutil.rmtree(place, True)
        self.addCleanup(shutil.rmtree, place, True)
        server = Server(data=place, wrapper=["strace", "-f", "-qq", "-o", "/dev/null", "-e",
                                             f"inject=pwrite64,fdatasync,unlink:signal=KILL:when={when}"])
        self.addCleanup(server.close)
        server.spawn()
        self.assertEqual(server.wait(), -signal.SIGKILL, server.log())
        return place

    def test_a_folder_whose_first_start_was_killed_takes_a_backup(self):
        hot = 0
        for when in range(1, 13):
            place = self.killed_first_start(when)
            journal = place / "standings.db-journal"
            hot += is_hot(journal)
            code, said, errors = run("restore", self.backup, "--data", place)
            self.assertEqual(code, 0, said + errors)
            self.assertFalse(journal.exists(), f"killed at call {when}")
            self.assertEqual(run("check", "--data", place)[0], 0)
            with self.subTest(when=when), Server(data=place) as server:
                self.assertEqual(len(rows_of(server)), sum(row[0] == "b" for row in state_of_file(self.backup)))
            self.assertEqual(run("check", "--data", place)[0], 0)
            self.assertEqual(state_of(place), state_of_file(self.backup))
        self.assertGreater(hot, 0)

    def test_a_journal_that_would_undo_changes_is_found(self):
        place = next(place for place in map(self.killed_first_start, range(1, 13)) if is_hot(place / "standings.db-journal"))
        shutil.copy(place / "standings.db-journal", self.folder)
        report = self.check()
        self.assertIn("standings.db-journal", report["findings"][0]["what"])
        code, said, errors = run("backup", "--data", self.folder)
        self.assertEqual((code, said), (5, ""), errors)
        self.assertIn("standings.db-journal", errors)
        other = self.server.home / "with-journal.db"
        shutil.copy(self.backup, other)
        shutil.copy(place / "standings.db-journal", f"{other}-journal")
        code, said, errors = run("restore", other, "--data", self.folder)
        self.assertEqual((code, said), (2, ""), errors)
        self.assertIn("with-journal.db-journal", errors)
        self.assertEqual(run("restore", self.backup, "--data", self.folder)[0], 0)
        self.assertEqual(run("check", "--data", self.folder)[0], 0)

    def test_a_restore_that_was_killed_spoils_no_later_one(self):
        with Server(data=self.folder) as server:
            fill(server, "more", 2000)
            other = self.server.home / "other.db"
            self.assertEqual(run("backup", "--server", server.url, "--to", other, key=KEY)[0], 0)
            server.terminate()
        place = self.server.home / "spoiled"
        self.addCleanup(shutil.rmtree, place, True)
        hot = 0
        for calls in ("pwrite64,fdatasync,unlink", "pwrite64,fsync,fdatasync"):
            for when in range(1, 30):
                shutil.rmtree(place, True)
                done = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject={calls}:signal=KILL:when={when}",
                                       str(program()), "restore", str(other), "--data", str(place)], capture_output=True, text=True)
                if done.returncode == 0:
                    break
                hot += is_hot(place / "standings.db.restoring-journal")
                code, said, errors = run("restore", self.backup, "--data", place)
                self.assertEqual(code, 0, said + errors)
                self.assertEqual(state_of(place), state_of_file(self.backup), f"killed at call {when} of {calls}")
                self.assertEqual(run("check", "--data", place)[0], 0)
                self.assertEqual([path.name for path in place.iterdir() if "restoring" in path.name], [])
            self.assertEqual(done.returncode, 0, "29 calls were not all")
        self.assertGreater(hot, 0)

    def test_a_signal_to_restore_leaves_all_as_it_was_or_all_restored(self):
        calls = "openat,read,write,pwrite64,fsync,unlink,rename,link,mkdir"
        ends = set()
        for place in (self.folder, self.server.home / "half" / "made"):
            for when in (*range(1, 120, 7), *range(120, 2000, 41)):
                before = state_of(self.folder), sorted(self.folder.iterdir())
                code, said, errors = run_with_signal(calls, when, "restore", self.backup, "--data", place)
                if code == 0:
                    self.assertIn("Restored", said)
                    self.assertEqual(state_of(place), state_of_file(self.backup))
                    ends.add((place, "whole"))
                    break
                self.assertIn(code, (130, -signal.SIGINT), f"at call {when}: {said}{errors}")
                ends.add((place, code))
                self.assertEqual((state_of(self.folder), sorted(self.folder.iterdir())), before, f"at call {when}")
                self.assertFalse((self.server.home / "half").exists(), f"at call {when}")
                self.assertEqual(errors, "" if code < 0 else "\nstandings: interrupted. Nothing was restored.\n")
        self.assertLessEqual({(self.folder, 130), (self.folder, "whole"), (place, 130), (place, "whole")}, ends)
        shutil.rmtree(place.parent)

    def test_a_restore_that_fails_leaves_all_as_it_was_or_says_where_it_is(self):
        before = state_of(self.folder), sorted(self.folder.iterdir())
        ends = collections.Counter()
        for calls, more in (("link,mkdir", ()), ("unlink", ()), ("rename", ()), ("fsync", ()), ("fdatasync", ()),
                            ("fsync", ("-e", "inject=link:error=EPERM"))):
            for when in range(1, 30):
                shutil.rmtree(self.folder)
                shutil.copytree(self.clean, self.folder)
                done = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject={calls}:error=EIO:when={when}", *more,
                                       str(program()), "restore", str(self.backup), "--data", str(self.folder)], capture_output=True, text=True)
                place = f"{calls}, call {when}: {done.stderr}"
                aside = re.search(r"the database that was here is kept in '(.*)', and", done.stderr)
                if done.returncode == 0:
                    self.assertEqual(state_of(self.folder), state_of_file(self.backup), place)
                elif aside:
                    self.assertEqual(state_of(aside[1]), before[0], place)
                    self.assertEqual(run("restore", self.backup, "--data", self.folder)[0], 0, place)
                    self.assertEqual(run("check", "--data", self.folder)[0], 0, place)
                else:
                    self.assertEqual((state_of(self.folder), sorted(self.folder.iterdir())), before, place)
                ends[calls, done.returncode, bool(aside)] += 1
                if done.returncode == 0 and when > 8:
                    break
        self.assertGreater(ends["rename", 1, True], 0, ends)
        self.assertGreater(ends["unlink", 1, False], 0, ends)

    def test_a_folder_without_hard_links_keeps_the_old_database_by_a_copy(self):
        before = state_of(self.folder)
        done = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=link:error=EPERM",
                               str(program()), "restore", str(self.backup), "--data", str(self.folder)], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual([state_of(path) for path in self.folder.iterdir() if path.name.startswith("before-restore-")], [before])

    def test_a_failed_restore_leaves_no_half_made_folder(self):
        place = self.server.home / "new" / "folder"
        done = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=statfs,fstatfs:error=EIO", str(program()),
                               "restore", str(self.backup), "--data", str(place)], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1, done)
        self.assertFalse(place.parent.exists())

    def test_a_signal_to_check_and_to_a_backup_of_a_folder_changes_nothing(self):
        before = sorted(path.name for path in self.folder.rglob("*"))
        for words, said in ((("check",), "Not all was checked."), (("backup",), "No backup was made.")):
            ends = collections.Counter()
            for when in range(40, 1000, 37):
                code, _, errors = run_with_signal("openat,read,pread64,write,pwrite64,fsync", when, *words, "--data", self.folder)
                ends[code] += 1
                if code == 0:
                    break
                self.assertIn(code, (130, -signal.SIGINT), errors)
                self.assertEqual(sorted(path.name for path in self.folder.rglob("*")), before, f"{words} at call {when}")
                if code == 130:
                    self.assertEqual(errors, f"\nstandings: interrupted. {said}\n")
            self.assertGreater(ends[130], 0, ends)
            self.assertEqual(ends[0], 1, ends)

    def backup_with(self, *faults, env=None):
        clean = {name: value for name, value in os.environ.items() if not name.startswith("STANDINGS_")}
        done = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", *faults, str(program()), "backup", "--data", str(self.folder)],
                              env={**clean, **(env or {})}, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        return done.returncode, done.stdout, done.stderr

    def test_a_signal_just_before_a_backup_gets_its_name_ends_it_or_comes_too_late(self):
        before = sorted(self.folder.rglob("*"))
        for when in range(1, 20):
            # Longer than the patience of a signal.
            code, said, errors = self.backup_with("-e", f"inject=getdents64:signal=INT:when={when}", "-e", "inject=rename:delay_enter=2300000")
            if code == 0:
                self.assertTrue(os.path.exists(said.splitlines()[0]), said)
                break
            self.assertEqual((code, said, errors), (130, "", "\nstandings: interrupted. No backup was made.\n"))
            self.assertEqual(sorted(self.folder.rglob("*")), before)
        self.assertEqual(code, 0)
        self.assertGreater(when, 2)

    def test_a_backup_is_named_though_an_older_one_cannot_be_removed(self):
        env = {"STANDINGS_DATA_DIR": str(self.folder), "STANDINGS_BACKUP_KEEP": "1"}
        old = json.loads(run("backup", "--data", self.folder, "-o", "json")[1])["name"]
        fault = ("-P", str(self.folder / "backups" / old), "-e", "inject=unlink:error=EIO")
        code, said, errors = self.backup_with(*fault, env=env)
        self.assertEqual(code, 1, errors)
        self.assertTrue(os.path.exists(said.splitlines()[0]), said)
        self.assertIn("old backups stay", errors)
        self.assertNotIn("No backup was made", errors)

    def test_a_board_whose_last_player_was_removed_is_whole(self):
        with Server() as server:
            server.api.post("/v1/boards", {"id": "b"})
            for player in ("p0", "p1"):
                server.api.post("/v1/boards/b/submissions", {"player": player, "score": 5})
            for left, player in ((1, "p1"), (0, "p0")):
                self.assertEqual(server.api.delete(f"/v1/boards/b/players/{player}").status, 200)

                def rows():
                    database = sqlite3.connect(server.data / "standings.db")
                    try:
                        return database.execute("SELECT (SELECT count(*) FROM player), (SELECT count(*) FROM entry)").fetchone()
                    finally:
                        database.close()
                wait_until(lambda: rows() == (left, left), "the rows of the player to go")
                code, said, errors = run("check", "--data", server.data)
                self.assertEqual(code, 0, said + errors)
            backup = server.data / "backups" / make_backup(server)["name"]
            code, said, errors = run("restore", backup, "--data", self.folder)
            self.assertEqual(code, 0, said + errors)

    def test_a_database_with_its_log_beside_it_is_no_backup(self):
        with Server() as server:
            server.api.post("/v1/boards", {"id": "b"})
            for kill in (False, True):
                server.api.post("/v1/boards/b/submissions", {"player": "p", "score": 5})
                if kill:
                    server.kill()
                code, said, errors = run("restore", server.data / "standings.db", "--data", self.folder)
                self.assertEqual(code, 2, said + errors)
                self.assertIn("-wal", errors)
                self.assertIn("standings backup --data", errors)
            shutil.copy(self.backup, server.home / "other.db")
            (server.home / "other.db-wal").write_bytes(b"x")
            code, said, errors = run("restore", server.home / "other.db", "--data", self.folder)
            self.assertEqual(code, 2, said + errors)
            self.assertIn("Take another one", errors)
            (server.home / "other.db-wal").write_bytes(b"")  # of a shell that was killed
            self.assertEqual(run("restore", server.home / "other.db", "--data", self.folder)[0], 0)
            # As it says.
            self.assertEqual(run("backup", "--data", server.data, "--to", server.home / "made.db")[0], 0)
            code, said, errors = run("restore", server.home / "made.db", "--data", self.folder)
            self.assertEqual(code, 0, said + errors)
            self.assertNotIn("No manifest", said)
            (server.home / "made.json").unlink()
            self.assertIn("No manifest", run("restore", server.home / "made.db", "--data", self.folder)[1])

    def test_ranks_are_compared_with_the_folders_own_server_only(self):
        with Server() as other, Server() as server:
            for each in (other, server):
                each.api.post("/v1/boards", {"id": "b"})
                each.api.post("/v1/boards/b/submissions", {"player": "p", "score": 5})
            ask = ("--server", other.url, "--key", KEY)
            code, said, errors = run("check", "--data", self.folder, *ask)
            self.assertEqual(code, 2, said + errors)
            self.assertIn("no server runs", errors)
            code, said, errors = run("check", "--data", server.data, *ask)
            self.assertEqual(code, 2, said + errors)
            self.assertIn("is not that of this folder", errors)
            self.assertEqual(run("check", "--data", other.data, *ask)[0], 0)

    def check_with(self, server, key=None):
        code, said, errors = run("check", "--data", server.data, "--server", server.url, "-o", "json", key=key)
        self.assertIn(code, (0, 5), said + errors)
        return json.loads(said)

    def test_a_board_that_the_key_may_not_see_is_named_as_not_compared(self):
        with Server() as server:
            for board, visibility in (("open", "public"), ("inner", "private"), ("staff", "private")):
                server.api.post("/v1/boards", {"id": board, "visibility": visibility})
                server.api.post(f"/v1/boards/{board}/submissions", {"player": "p", "score": 5})
            report = self.check_with(server)
            self.assertEqual((report["whole"], report["boards"], report["boards_compared"], report["boards_hidden"]), (True, 3, 1, 2))
            self.assertIn("inner, staff", report["notes"][0])
            self.assertIn("--key", report["notes"][0])
            code, said, errors = run("check", "--data", server.data, "--server", server.url)
            self.assertEqual(code, 0, said + errors)
            self.assertIn("inner, staff", said)
            self.assertIn("in what was compared", said)
            self.assertFalse(report["complete"])
            report = self.check_with(server, KEY)
            self.assertEqual((report["complete"], report["boards_compared"], report["boards_hidden"], report["notes"]), (True, 3, 0, []))

    def test_ranks_that_only_the_server_has_wrong_are_no_reason_for_a_restore(self):
        with Server() as server:
            server.api.post("/v1/boards", {"id": "b"})
            for n in range(130):
                server.api.post("/v1/boards/b/submissions", {"player": f"p{n}", "score": n})

            class Wrong(http.server.BaseHTTPRequestHandler):
                """The server, with other ranks than its database has."""

                def do_GET(self):
                    answer = server.new_client().get(self.path)
                    page = answer.json
                    for row in page.get("rows", ()):
                        row["rank"] += 1
                    self.send_response(answer.status)
                    self.end_headers()
                    self.wfile.write(json.dumps(page).encode())

                def log_message(self, *_):
                    pass
            wrong = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Wrong)
            thread = threading.Thread(target=wrong.serve_forever)
            thread.start()
            try:
                code, said, errors = run("check", "--data", server.data, "--server", f"http://127.0.0.1:{wrong.server_port}")
            finally:
                wrong.shutdown()
                thread.join()
                wrong.server_close()
            self.assertEqual((code, errors), (5, ""), said)
            lines = said.splitlines()
            self.assertIn("  1 board, 130 players, ", lines[1])
            self.assertEqual(lines[3], "  130 ranks on 1 board compared with those that the server gives")
            self.assertEqual(len([line for line in lines if line.startswith("board b, position")]), 100)
            self.assertEqual(lines[-2], "and 30 more")
            self.assertIn("restart the server", lines[-1])
            self.assertNotIn("restore", said)

    def test_a_board_that_only_the_server_or_only_the_database_has_is_found(self):
        with Server() as server:
            for board in ("a", "b"):
                server.api.post("/v1/boards", {"id": board})
            database = sqlite3.connect(server.data / "standings.db")
            row = list(database.execute("SELECT * FROM board WHERE slug = 'a'").fetchone())
            names = [column[1] for column in database.execute("PRAGMA table_info(board)")]
            for name, value in (("id", 99), ("slug", "lost"), ("ranking", 99)):
                row[names.index(name)] = value
            database.execute(f"INSERT INTO board VALUES ({', '.join('?' * len(row))})", row)
            database.execute("DELETE FROM board WHERE slug = 'b'")
            database.commit()
            database.close()
            for key in (None, KEY):
                found = [item["what"] for item in self.check_with(server, key)["findings"] if item["table"] == "ranks"]
                self.assertEqual(found, ["board b: the server shows it, the database does not have it",
                                         "board lost: the database has it, the server does not"])
            server.kill()

    def test_boards_that_come_and_go_meanwhile_are_no_finding(self):
        with Server() as server:
            server.api.post("/v1/boards", {"id": "stays"})
            ending = threading.Event()

            def churn():
                client = server.new_client(KEY)
                for n in range(100_000):
                    if ending.is_set():
                        break
                    client.post("/v1/boards", {"id": f"b{n % 3}", "visibility": ("public", "private")[n % 2]})
                    client.post(f"/v1/boards/b{n % 3}/submissions", {"player": "p", "score": n})
                    client.delete(f"/v1/boards/b{(n + 1) % 3}")
                client.close()
            thread = threading.Thread(target=churn)
            thread.start()
            try:
                for key in (None, KEY) * 5:
                    report = self.check_with(server, key)
                    self.assertTrue(report["whole"], report)
                    self.assertGreater(report["boards_compared"], 0)
            finally:
                ending.set()
                thread.join()

    def test_what_cannot_be_looked_at_is_an_error(self):
        long = "x" * 300
        for args in (("check", "--data", long), ("backup", "--data", long), ("restore", long, "--data", self.folder)):
            code, said, errors = run(*args)
            self.assertIn(code, (1, 2), said + errors)
            self.assertIn("name too long", errors)

    def test_a_file_that_is_no_database_is_named_with_what_to_do(self):
        database = self.folder / "standings.db"
        junk = self.server.home / "junk.db"
        restore = f"standings restore BACKUP --data '{self.folder}'"
        for contents in (b"no database" * 1000, b""):
            for path in (database, junk):
                path.write_bytes(contents)
            for words, file, advice in ((("check",), database, restore), (("backup",), database, restore), (("restore", junk), junk, "take another one")):
                code, said, errors = run(*words, "--data", self.folder)
                self.assertEqual((code, said), (5, ""), errors)
                self.assertEqual(errors.count(f"{file}: ") + errors.count(f"{file} holds"), 1, errors)
                self.assertIn(advice, errors)
                self.assertEqual(errors.count("\n"), 1, errors)
            self.assertEqual(json.loads(run("check", "--data", self.folder, "-o", "json")[1])["damages"], 1)

    def test_findings_end_without_an_empty_line(self):
        bad = self.server.home / "bad.db"
        bad.write_bytes(self.with_damaged_row())
        code, said, errors = run("restore", bad, "--data", self.folder)
        self.assertEqual((code, said), (5, ""), errors)
        self.assertNotIn("standings: \n", errors)
        self.tamper("UPDATE player SET name = 'Plazer 5' WHERE ranking = 1 AND slot = 5")
        code, said, errors = run("check", "--data", self.folder)
        self.assertEqual((code, errors), (5, ""))
        self.assertNotIn("\n\n", said)
        self.assertTrue(said.endswith(f"standings restore BACKUP --data '{self.folder}'\n"), said)

    def test_a_backup_that_differs_from_its_manifest_says_in_what(self):
        bad = self.server.home / "differs.db"
        whole = self.backup.read_bytes()
        shutil.copy(self.backup.with_suffix(".json"), bad.with_suffix(".json"))
        bad.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        errors = run("restore", bad, "--data", self.folder)[2]
        crc = json.loads(bad.with_suffix(".json").read_text())["crc32c"]
        self.assertRegex(errors, rf"its checksum is [0-9a-f]{{8}}, its manifest says {crc}; take another")
        self.assertNotIn("bytes", errors)
        bad.write_bytes(whole[:-1])
        self.assertIn(f"it has {len(whole) - 1} bytes, its manifest says {len(whole)};", run("restore", bad, "--data", self.folder)[2])

    def test_a_folder_that_is_not_there_is_named_with_the_flag(self):
        for words in (("check",), ("check", "--server", "http://127.0.0.1:9")):
            code, _, errors = run(*words, cwd=self.server.home)
            self.assertEqual(code, 2, errors)
            self.assertIn(f"there is no folder '{self.server.home}/standings-data'; name the data folder with --data", errors)
        (self.folder / "standings.db").unlink()
        for command in ("check", "backup"):
            self.assertIn(f"the folder '{self.folder}' holds no standings.db", run(command, "--data", self.folder)[2])

    def test_wrong_names(self):
        self.assertEqual(run("restore", self.server.home / "none.db", "--data", self.folder)[0], 2)
        self.assertIn("is a folder", run("restore", self.clean, "--data", self.folder)[2])
        self.assertEqual(run("check", "--data", self.server.home / "nowhere")[0], 2)
        self.assertEqual(run("backup", "--data", self.server.home / "nowhere")[0], 2)
        self.assertFalse((self.server.home / "nowhere").exists())
        code, _, errors = run("backup", "--server", "http://127.0.0.1:1")
        self.assertEqual(code, 1, errors)


def state_of_file(path):
    database = sqlite3.connect(f"file:{path}?immutable=1", uri=True)
    try:
        return database.execute("SELECT board, position, player, score_1 FROM standings ORDER BY board, position").fetchall()
    finally:
        database.close()


def is_hot(journal):
    """Whether SQLite would undo changes with it."""
    return journal.exists() and journal.read_bytes()[:1] not in (b"", b"\0")


def start_and_stop(folder):
    """0 when a server starts on the folder, else its exit code."""
    server = Server(data=folder)
    try:
        server.spawn()
        wait_until(lambda: server.process.poll() is not None or '"listening"' in server.log_since_start(), "the server to start or end")
        return server.terminate() if server.process.poll() is None else server.wait()
    finally:
        server.close()


if __name__ == "__main__":
    unittest.main()
