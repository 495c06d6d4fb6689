"""What must survive: faults of process, disk, clock and limits, each with an oracle and a control that must fail.

    tests/faults_test.py [NAME ...]     NAME is one of MODULES; none runs all

The short form is part of `./dev test`. `./dev faults` runs it in full (STANDINGS_FAULTS=full) and prints the
table. docs/durability.md says what is promised.
"""

import importlib
import os
import sys
import unittest

from faults.harness import FULL, ROWS
from faults.oracle import Lost, Twice

MODULES = ["kill", "file_calls", "power", "damage", "end", "limits", "clock", "watchers"]


def print_table(seconds):
    head = ("fault", "runs", "acknowledged", "lost", "twice", "control")
    lines = [head] + [(row.fault, f"{row.runs:,}", f"{row.acknowledged:,}", str(row.lost), str(row.twice),
                       f"{len(row.controls)} failed, as must be" if row.controls else "not seen")
                      for row in ROWS.values()]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    print(f"\n{'full' if FULL else 'short'} form, {seconds:.0f} s")
    for line in lines:
        print("  ".join(cell.rjust(width) if 0 < column < 5 else cell.ljust(width)
                        for column, (cell, width) in enumerate(zip(line, widths))).rstrip())
    for row in ROWS.values():
        for note in row.notes:
            print(f"{row.fault}: {note}")


class CountingResult(unittest.TextTestResult):
    """A loss or a double that the oracle found goes into the table too, unless a control caused it."""

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.count(test, error)

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error is not None:
            self.count(test, error)

    @staticmethod
    def count(test, error):
        row = getattr(test, "row", None)
        if row is not None:
            row.lost += error[1].submissions if issubclass(error[0], Lost) else 0
            row.twice += error[1].submissions if issubclass(error[0], Twice) else 0


def main():
    names = sys.argv[1:]
    unknown = sorted(set(names) - set(MODULES))
    if unknown:
        sys.exit(f"faults_test.py: no fault is named {', '.join(unknown)}; there are {', '.join(MODULES)}")
    suite = unittest.TestSuite()
    for name in names or MODULES:
        suite.addTests(unittest.defaultTestLoader.loadTestsFromModule(importlib.import_module(f"faults.{name}")))
    began = os.times().elapsed
    runner = unittest.TextTestRunner(verbosity=2, resultclass=CountingResult)
    result = runner.run(suite)
    print_table(os.times().elapsed - began)
    for complaint in (found := holes(result)):
        print(f"NOT SHOWN: {complaint}")
    sys.exit(not result.wasSuccessful() or bool(found))


def holes(result):
    """What a run in full leaves unproven, although nothing in it failed."""
    if not FULL:
        return []
    return [*(f"{test.id()}: skipped, {why}" for test, why in result.skipped),
            *(f"{row.fault}: never met" for row in ROWS.values() if not row.runs),
            *(f"{row.fault}: no control" for row in ROWS.values() if not row.controls)]


if __name__ == "__main__":
    main()
