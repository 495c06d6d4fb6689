"""The loss of power, simulated under SQLite: runs the ledger's own test (src/ledger/sqlite/power_loss_test.cc) in full."""

import os
import re
import subprocess
import unittest

from faults.harness import SEED, row, scaled

PROGRAM = os.environ.get("STANDINGS_LEDGER_TEST")


@unittest.skipUnless(PROGRAM, "STANDINGS_LEDGER_TEST names no program; ./dev faults does")
class PowerLoss(unittest.TestCase):
    def test_keeps_a_prefix_with_all_that_was_acknowledged(self):
        self.row = row("power lost at every file operation")
        done = subprocess.run([PROGRAM, "--gtest_filter=PowerLoss.*"], capture_output=True, text=True,
                              env={**os.environ, "STANDINGS_SEED": str(SEED), "STANDINGS_TEST_SCALE": str(scaled(1, 20))})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        crashes, acknowledged = re.search(r"power loss: (\d+) crashes, (\d+) acknowledged", done.stdout).groups()
        control = re.search(r"power loss control: (\d+) starts without", done.stdout)
        self.assertGreater(int(control[1]), 0)
        self.row.runs, self.row.acknowledged = int(crashes), int(acknowledged)
        self.row.controls.append(control[0])
        print(done.stdout[done.stdout.index("power loss:"):])
