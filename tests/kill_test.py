"""kill -9 under load: nothing acknowledged is lost, nothing counts twice. And the control, which must lose.

Run by hand with more rounds: tests/kill_test.py --rounds 100
"""

import argparse
import collections
import os
import random
import subprocess
import sys
import time
import unittest

from support.server import KEY, Server, load_program

REMEMBERED = 900_000
ROUNDS = int(os.environ.get("STANDINGS_TEST_KILL_ROUNDS", "3"))
SEED = int(os.environ.get("STANDINGS_SEED", str(random.randrange(2**32))))
CONNECTIONS = 64
PLAYERS = 500


class Lost(AssertionError):
    """An acknowledged submission is missing."""


class Oracle:
    """Every submission that was ever sent, each worth 1 point of its player on a `sum` board."""

    def __init__(self):
        self.acknowledged = collections.Counter()
        self.seqs = {}
        self.open = {}

    def read(self, path):
        """Takes in one run's log; returns how many were acknowledged."""
        count = 0
        with open(path) as log:
            for line in log:
                player, score, key, seq = line.split()
                assert score == "1"
                if seq == "-":
                    self.open[key] = player
                else:
                    count += 1
                    self.acknowledge(key, player, int(seq))
        return count

    def acknowledge(self, key, player, seq):
        assert key not in self.seqs, f"two answers for {key}"
        self.seqs[key] = (seq, player)
        self.acknowledged[player] += 1

    def check(self, scores, when):
        """`scores` holds everything acknowledged and no more than was sent."""
        unanswered = collections.Counter(self.open.values())
        for player in set(scores) | set(self.acknowledged):
            least = self.acknowledged[player]
            most = least + unanswered[player]
            score = scores.get(player, 0)
            if score < least:
                raise Lost(f"{when}: {player} has {score} points, but {least} were acknowledged")
            if score > most:
                raise AssertionError(f"{when}: {player} has {score} points, but only {most} were ever sent")


class KillUnderLoad(unittest.TestCase):
    def setUp(self):
        print(f"\nSTANDINGS_SEED={SEED}", flush=True)
        self.chance = random.Random(SEED)
        self.oracle = Oracle()

    def start(self, **options):
        self.server = Server(**options)
        self.addCleanup(self.server.close)
        self.server.start()
        answer = self.server.api.post("/v1/boards", {"id": "b", "rule": "sum"})
        self.assertEqual(answer.status, 201, answer)

    def scores(self):
        answer = self.server.public.get("/v1/boards/b/standings?limit=1000")
        self.assertEqual(answer.status, 200, answer)
        rows = answer.json["rows"]
        self.assertEqual([row["position"] for row in rows], list(range(1, len(rows) + 1)))
        return {row["player"]: row["score"] for row in rows}

    def kill_under_load(self, number):
        log = self.server.home / f"load-{number}.log"
        load = subprocess.Popen(
            [str(load_program()), "--port", str(self.server.port), "--connections", str(CONNECTIONS), "--seconds", "30",
             "--board", "b", "--players", str(PLAYERS), "--prefix", "p", "--key", KEY, "--idempotency", "--run", f"r{number}",
             "--score", "1", "--seed", str(self.chance.randrange(2**32)), "--log", str(log), "--until-lost"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(load.kill)
        # The moment of death is what is random here; nothing waits for it to be long enough.
        time.sleep(self.chance.uniform(0.05, 3))
        self.server.kill()
        said, _ = load.communicate(timeout=60)
        self.assertEqual(load.returncode, 0, said)
        self.server.start()
        acknowledged = self.oracle.read(log)
        print(f"round {number}: {acknowledged} acknowledged, {len(self.oracle.open)} open, ready in {self.server.ready_seconds:.2f} s", flush=True)
        self.oracle.check(self.scores(), f"round {number}, after the start")

    def ask_again(self):
        """What stayed open is sent again with its key; some that were acknowledged, too."""
        for key, player in list(self.oracle.open.items()):
            answer = self.submit(player, key)
            self.assertEqual(answer.status, 200, answer)
            del self.oracle.open[key]
            self.oracle.acknowledge(key, player, answer.json["seq"])
        # The server remembers the last million keys; older ones may be counted anew.
        newest = max((seq for seq, _ in self.oracle.seqs.values()), default=0)
        remembered = sorted(key for key, (seq, _) in self.oracle.seqs.items() if seq > newest - REMEMBERED)
        for key in self.chance.sample(remembered, min(20, len(remembered))):
            seq, player = self.oracle.seqs[key]
            answer = self.submit(player, key)
            self.assertEqual((answer.status, answer.headers.get("idempotency-replayed")), (200, "true"), answer)
            self.assertEqual(answer.json["seq"], seq)

    def submit(self, player, key):
        return self.server.api.request("POST", "/v1/boards/b/submissions", b'{"player":"%s","score":1}' % player.encode(),
                                       {"Content-Type": "application/json", "Idempotency-Key": key})

    def test_loses_nothing_and_counts_nothing_twice(self):
        self.start()
        for number in range(1, ROUNDS + 1):
            self.kill_under_load(number)
            self.ask_again()
            # Now nothing is open: the scores are exactly what was sent.
            self.oracle.check(self.scores(), f"round {number}, after asking again")
            seqs = [seq for seq, _ in self.oracle.seqs.values()]
            self.assertEqual(len(seqs), len(set(seqs)), "one seq for two submissions")
        print(f"{ROUNDS} kills, {len(self.oracle.seqs)} submissions: none lost, none twice", flush=True)

    def test_answering_before_the_commit_would_be_found_out(self):
        self.start(env={"STANDINGS_TEST_ANSWER_BEFORE_COMMIT": "1"})
        for number in range(1, 21):
            try:
                self.kill_under_load(number)
            except Lost as lost:
                print(f"the control lost, as it must: {lost}", flush=True)
                return
        self.fail("20 kills lost nothing although the answers came before the commit: this test proves nothing")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options, rest = parser.parse_known_args()
    ROUNDS = options.rounds
    unittest.main(argv=[sys.argv[0], *rest])
