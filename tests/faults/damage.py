"""Files that were cut, flipped or zeroed: found at the start or by `check` with exit 5, never served, never silently short."""

import shutil
import sqlite3
import subprocess

from faults.harness import FaultTest, scaled
from faults.oracle import BOARD, Disagrees, Lost, Twice, Wrong, standings
from support.server import program, wait_until

PAGE = 4096
# Of the write-ahead log, and of the mark (docs/formats/mark.md).
LOG_HEAD, FRAME_HEAD = 32, 24
MARK_SLOT, MARK_BYTES = 2048, 84
INTEGRITY = 5


def flip(path, chance):
    bits = chance.choice((1, 1, 1, 8))
    size = path.stat().st_size
    places = []
    with open(path, "r+b") as file:
        for _ in range(bits):
            at = chance.randrange(size)
            places.append(at)
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ (1 << chance.randrange(8))]))
    return f"flipped {bits} bits at {places}"


def cut(path, chance):
    size = chance.randrange(path.stat().st_size)
    with open(path, "r+b") as file:
        file.truncate(size)
    return f"cut to {size} bytes"


def zero_page(path, chance):
    at = chance.randrange(path.stat().st_size) // PAGE * PAGE
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(bytes(min(PAGE, path.stat().st_size - at)))
    return f"zeroed {PAGE} bytes at {at}"


def remove(path, _):
    path.unlink()
    return "removed"


WAYS = [(flip, 6), (cut, 2), (zero_page, 2), (remove, 1)]
FILES = {"killed": ("standings.db-wal", "standings.db", "standings.mark"), "stopped": ("standings.db", "standings.mark")}


class Damage(FaultTest):
    fault = "torn, flipped, zeroed files"

    def make_folders(self, checkpoint_pages=40):
        """Two whole folders: one that was killed, with a log, and one that ended in order, all in the database."""
        self.start(args=["--database-checkpoint-pages", str(checkpoint_pages)])
        self.start_load(seconds=0.5, more=())
        self.take_load()
        self.names = {}
        self.submit_with_names(range(60), "once")
        self.verify("before any damage")
        self.folders = {}
        for name in FILES:
            if name == "killed":
                # Whatever was moved into the database before, something is in the log now.
                self.submit_with_names(range(30), "now")
                self.server.kill()
            else:
                self.server.start()
                self.assertEqual(self.server.terminate(), 0)
            self.folders[name] = self.server.home / name
            shutil.copytree(self.server.data, self.folders[name])
        self.truth = {player: (points, self.names.get(player)) for player, points in self.oracle.points.items()}

    def submit_with_names(self, numbers, when):
        for player in (f"p{number:07}" for number in numbers):
            self.names[player] = f"{when} {player}"
            self.assertEqual(self.send(player, self.new_key(), name=self.names[player]).status, 200)

    def bring(self, name):
        shutil.rmtree(self.server.data)
        shutil.copytree(self.folders[name], self.server.data)

    def check(self):
        done = subprocess.run([str(program()), "check", "--data", str(self.server.data)], capture_output=True, text=True, timeout=60)
        # A folder without a database is no folder of ours to `check`; the start is who misses it.
        known = (0, INTEGRITY) if (self.server.data / "standings.db").exists() else (2,)
        self.assertIn(done.returncode, known, (done.returncode, done.stdout, done.stderr))
        return done

    def try_start(self):
        """Whether it starts; a refusal must be exit 5 with a sentence."""
        self.server.spawn()
        wait_until(lambda: self.server.process.poll() is not None or self.server.announced_port(), "a start or a refusal")
        if self.server.process.poll() is None:
            self.server.port = self.server.announced_port()
            wait_until(self.server._is_ready, "/readyz")
            return True
        said = self.server.log_since_start()
        status = self.server.wait()
        self.assertEqual(status, INTEGRITY, said)
        # The operator is told what to do, however the damage was met.
        self.assertIn("restore", said)
        return False

    def served(self):
        """Points and name of each player as they are shown, or None where the answer is an error."""
        answer = self.server.public.get(f"/v1/boards/{BOARD}")
        if answer.status != 200:
            return None
        _, rows = standings(self.server)
        return {row["player"]: (row["score"], row.get("name")) for row in rows}

    def what_is_wrong(self, when):
        """What the oracle finds in the database, read past the server; None when all is there."""
        self.oracle.look_again()
        try:
            self.verify(when)
        except (Lost, Twice, Disagrees, sqlite3.DatabaseError) as error:
            return error
        return None

    def look(self, what):
        """One damaged folder, from the start to the verdict: how the damage was found."""
        checked = self.check()
        if not self.try_start():
            return "refused"
        served = self.served()
        if served is not None:
            self.assertEqual(served, self.truth, f"{what}: served what is not true; check said {checked.returncode}: {checked.stdout}")
        wrong = self.what_is_wrong(f"{what}, found by nobody")
        self.server.kill()
        if checked.returncode == INTEGRITY:
            return "found by check"
        # Nothing has found anything: then nothing may be amiss.
        if isinstance(wrong, Wrong):
            raise wrong
        self.assertIsNone(wrong, what)
        self.assertIsNotNone(served, f"{what}: nobody found it, and the board is not served")
        return "harmless"

    def test_damage_is_found_and_never_served(self):
        self.make_folders()
        verdicts = {}
        turns = scaled(40, 1500)
        ways = [way for way, weight in WAYS for _ in range(weight)]
        for turn in range(turns):
            name = self.chance.choice(sorted(self.folders))
            file = self.chance.choice(FILES[name])
            self.bring(name)
            way = self.chance.choice(ways)
            path = self.server.data / file
            what = f"turn {turn}, {name}: {file} {way(path, self.chance)}"
            with self.subTest(what):
                verdict = self.look(what)
                verdicts[verdict] = verdicts.get(verdict, 0) + 1
            if self.server.process:
                self.server.kill()
            self.server.log_path.write_text("")
        self.count(turns)
        said = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))
        self.row.notes.append(said)
        print(f"{turns} damaged folders: {said}", flush=True)

    def cut_to_each(self, folder, name, sizes):
        """Not more than are wanted of `sizes`."""
        for size in self.chance.sample(sizes, min(len(sizes), scaled(4, 150))):
            self.bring(folder)
            with open(self.server.data / name, "r+b") as file:
                file.truncate(size)
            what = f"{folder}: {name} cut to {size} of {(self.folders[folder] / name).stat().st_size}"
            with self.subTest(what):
                self.look(what)
            if self.server.process:
                self.server.kill()
            self.count()

    def test_a_log_of_any_length(self):
        self.make_folders()
        whole = (self.folders["killed"] / "standings.db-wal").stat().st_size
        between = range(LOG_HEAD, whole, FRAME_HEAD + PAGE)
        self.cut_to_each("killed", "standings.db-wal", between)
        odd = {size + near for size in between for near in (-1, 1, FRAME_HEAD, self.chance.randrange(2, FRAME_HEAD + PAGE - 1))}
        self.cut_to_each("killed", "standings.db-wal", sorted(size for size in odd | {0, 1} if size < whole))

    def test_a_mark_of_any_length(self):
        self.make_folders()
        for folder in FILES:
            # Each length inside one of the two slots, and some between and behind them.
            inside = [slot + length for slot in (0, MARK_SLOT) for length in range(MARK_BYTES)]
            self.cut_to_each(folder, "standings.mark", inside)
            outside = [*range(MARK_BYTES, MARK_SLOT), *range(MARK_SLOT + MARK_BYTES, 2 * MARK_SLOT)]
            self.cut_to_each(folder, "standings.mark", outside)

    def test_control_another_name_or_score_is_found_out(self):
        self.make_folders()
        self.bring("stopped")
        self.assertTrue(self.try_start())
        self.assertEqual(self.served(), self.truth)
        self.assertEqual(self.post("p0000001", self.new_key(), name="somebody else").status, 200)
        served = self.served()
        points, name = self.truth["p0000001"]
        self.assertEqual(served.pop("p0000001"), (points + 1, "somebody else"))
        self.assertEqual(name, "now p0000001")
        self.assertEqual(served, {player: row for player, row in self.truth.items() if player != "p0000001"})
        self.control_failed(f"shown instead of {name}: somebody else")

    def test_control_without_the_mark_a_cut_log_is_found_by_the_oracle_alone(self):
        self.make_folders(checkpoint_pages=1_000_000)  # so that what is in the log is nowhere else
        self.bring("killed")
        (self.server.data / "standings.mark").unlink()
        with open(self.server.data / "standings.db-wal", "r+b") as file:
            file.truncate(32)
        self.assertTrue(self.try_start())
        self.assertNotEqual(self.served(), self.truth)
        self.oracle.look_again()
        with self.assertRaises(Lost) as lost:
            self.verify("log and mark gone")
        self.control_failed(lost.exception)
