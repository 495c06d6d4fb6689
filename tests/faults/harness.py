"""What fault tests share: a server with a board, load whose every submission is logged, and the
row of the table that `./dev faults` prints at its end."""

import os
import pathlib
import random
import subprocess
import time
import unittest

from faults.oracle import BOARD, Lost, Oracle
from support.server import KEY, Server, die_with_parent, load_program

FULL = os.environ.get("STANDINGS_FAULTS") == "full"
SEED = int(os.environ.get("STANDINGS_SEED", str(random.randrange(2**32))))
PLAYERS = 500


def cpu_seconds(pid):
    """Processor time that all threads of a process have used."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def waited_seconds(pid):
    """How long the main thread of a process was ready to run and had no processor."""
    return int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


class Row:
    """One line of the table, with the controls that were seen to fail."""

    def __init__(self, fault):
        self.fault = fault
        self.runs = 0
        self.acknowledged = 0
        self.lost = 0
        self.twice = 0
        self.controls = []
        self.notes = []

    def add(self, oracle):
        self.acknowledged += oracle.count


ROWS = {}


def row(fault):
    return ROWS.setdefault(fault, Row(fault))


def scaled(short, full):
    return full if FULL else short


class FaultTest(unittest.TestCase):
    """`fault` names the row of the table; the tests of one class share it."""

    fault = None

    def setUp(self):
        print(f"\nSTANDINGS_SEED={SEED}", flush=True)
        self.chance = random.Random(SEED)
        self.oracle = Oracle()
        self.row = row(self.fault)
        self._counts = False
        self.addCleanup(lambda: self._counts and self.row.add(self.oracle))
        self._loads = 0
        self._keys = 0

    # --- server ---------------------------------------------------------------------------------

    def start(self, **options):
        self.server = Server(**options)
        self.addCleanup(self.server.close)
        self.server.start()
        self.make_board()

    def make_board(self):
        answer = self.server.api.post("/v1/boards", {"id": BOARD, "rule": "sum"})
        self.assertEqual(answer.status, 201, answer)

    # --- load -----------------------------------------------------------------------------------

    def start_load(self, connections=8, seconds=600, players=PLAYERS, more=("--until-lost",)):
        """Runs until no connection is left, or its time is over; `take_load` reads what came of it."""
        self._loads += 1
        self.load_floor = self.oracle.newest
        self.load_log = self.server.home / f"load-{self._loads}.log"
        self.load = subprocess.Popen(
            [str(load_program()), "--port", str(self.server.port), "--connections", str(connections),
             "--seconds", str(seconds), "--board", BOARD, "--players", str(players), "--prefix", "p", "--key", KEY,
             "--idempotency", "--run", f"r{self._loads}", "--score", "1", "--seed", str(self.chance.randrange(2**32)),
             "--log", str(self.load_log), *more],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
            preexec_fn=die_with_parent)
        self.addCleanup(self.load.kill)

    def take_load(self, patience=60):
        """How many this run had acknowledged; its last words are in `load_said`."""
        self.load_said, _ = self.load.communicate(timeout=patience)
        is_gone = self.server.process is None or self.server.process.poll() is not None
        if is_gone and self.load_said.startswith("standings_load: connect: "):
            # It connects wholly before it sends anything, and the server died sooner.
            self.oracle.recent = {}
            return 0
        self.assertEqual(self.load.returncode, 0, self.load_said)
        acknowledged = self.oracle.read(self.load_log, self.load_floor)
        self.load_log.unlink()
        return acknowledged

    def new_key(self):
        self._keys += 1
        return f"s-{self._keys}"

    def send(self, player, key, client=None, **more):
        """One submission, noted as open until an answer counts it."""
        self.oracle.open[key] = player
        answer = self.post(player, key, client, **more)
        if answer.status == 200:
            self.oracle.acknowledge(key, player, answer.json["seq"])
        return answer

    def post(self, player, key, client=None, **more):
        """One submission of which the oracle learns nothing."""
        return (client or self.server.api).post(
            f"/v1/boards/{BOARD}/submissions", {"player": player, "score": 1, **more}, idempotency_key=key)

    def ask_again(self):
        """What stayed open is sent again with its key; some that were acknowledged, too."""
        for key, player in list(self.oracle.open.items()):
            answer = self.send(player, key)
            self.assertEqual(answer.status, 200, answer)
        recent = sorted(self.oracle.recent)
        for key in self.chance.sample(recent, min(10, len(recent))):
            seq, player = self.oracle.recent[key]
            answer = self.post(player, key)
            self.assertEqual((answer.status, answer.headers.get("idempotency-replayed")), (200, "true"), answer)
            self.assertEqual(answer.json["seq"], seq)

    def lose_by_kills(self):
        """The control of what can end in a death: with answers before the commit, the oracle finds a loss."""
        for number in range(1, 21):
            self.start_load(connections=64)
            time.sleep(self.chance.uniform(0.05, 0.6))
            self.server.kill()
            self.take_load()
            self.server.start()
            try:
                self.verify(f"kill {number}", thorough=False)
            except Lost as lost:
                return self.control_failed(lost)
        self.fail("20 kills lost nothing although the answers came before the commit: this test proves nothing")

    # --- the table ------------------------------------------------------------------------------

    def verify(self, when, thorough=True):
        self.oracle.verify(self.server, when, thorough)

    def count(self, runs=1):
        """So often was the fault met; what was acknowledged meanwhile is added at the end."""
        self.row.runs += runs
        self._counts = True

    def control_failed(self, how):
        self.row.controls.append(how)
        print(f"the control failed, as it must: {how}", flush=True)
