"""Counts the instructions of the hot operations under callgrind, and compares them with their budgets.

Instructions repeat where time does not: the same build gives the same count within a per mille. A budget is
what was measured when it was set, and 5 %; one that is not held fails. The control of every run is a second
measurement in which each operation has extra work: that of the operations that run beside it is counted into
it. The budgets must refuse all of these: a gate that lets them pass is worth nothing. Nor is a budget far above what
is used: one that an improvement has left behind fails, too.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUDGETS = ROOT / "bench" / "instruction_budgets.json"
OPERATIONS = ("submit", "standing", "top", "around", "json_in", "json_out")
ROOM = 1.05
MOST_ROOM = 1.20
# In the order in which the program runs them. The least that is added is to json_out, nearly a quarter of it.
BESIDE = (("submit", "standing", "top"), ("around", "json_in", "json_out"))


def measure(program, spans=tuple((name, name) for name in OPERATIONS)):
    """Instructions of one call from the beginning of the first of a span to the end of its last, by that."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/counts",
                   *(word for first, last in spans for word in (f"--zero-before=measured_{first}", f"--dump-after=measured_{last}")),
                   str(program)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"callgrind failed:\n{done.stderr}")
        times = int(done.stdout.strip())
        counts = {}
        for path in pathlib.Path(folder).iterdir():
            head = path.read_text(errors="replace")
            trigger = re.search(r"^desc: Trigger: .*measured_(\w+)", head, re.MULTILINE)
            total = re.search(r"^(?:summary|totals): (\d+)", head, re.MULTILINE)
            if trigger and total:
                counts[trigger[1]] = round(int(total[1]) / times)
    missing = [last for _, last in spans if not counts.get(last)]
    if missing:
        sys.exit(f"callgrind counted nothing for: {', '.join(missing)}")
    return counts


def measure_with_extra_work(program):
    """By operation: its instructions and those of the ones beside it."""
    counts = measure(program, [(names[0], names[-1]) for names in BESIDE])
    return {name: counts[names[-1]] for names in BESIDE for name in names}


def over(counts, budgets):
    """The operations that are past their budget, or have none."""
    return [name for name in OPERATIONS if name not in budgets or counts[name] > budgets[name]]


def left_behind(counts, budgets):
    """The operations whose budget is far above what they use."""
    return [name for name in OPERATIONS if name in budgets and counts[name] * MOST_ROOM < budgets[name]]


def print_table(counts, budgets):
    print(f"{'operation':12} {'instructions':>12} {'budget':>9} {'of it':>7}")
    for name in OPERATIONS:
        budget = budgets.get(name)
        share = f"{100 * counts[name] / budget:6.1f}%" if budget else "      -"
        print(f"{name:12} {counts[name]:12} {budget or '-':>9} {share}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path, help="build/release/bench/instructions")
    parser.add_argument("--budgets", type=pathlib.Path, default=BUDGETS)
    parser.add_argument("--update", action="store_true", help="set the budgets from this run")
    options = parser.parse_args()

    counts = measure(options.program)
    if options.update:
        budgets = {name: round(counts[name] * ROOM) for name in OPERATIONS}
        options.budgets.write_text(json.dumps(budgets, indent=2) + "\n")
    budgets = json.loads(options.budgets.read_text())
    print_table(counts, budgets)

    control = measure_with_extra_work(options.program)
    let_pass = [name for name in OPERATIONS if name not in over(control, budgets)]
    if let_pass:
        sys.exit("the control passed: budgets let extra work through in " + ", ".join(f"{name} ({control[name]})" for name in let_pass))
    print("control: extra work in each operation is refused: " + ", ".join(f"{name} {control[name]}" for name in OPERATIONS))
    behind = left_behind(counts, budgets)
    if behind:
        sys.exit(f"the budget holds nothing any more: {', '.join(behind)}. Set the budgets anew with: ./dev instructions --update")
    past = over(counts, budgets)
    if past:
        sys.exit(f"past the budget: {', '.join(past)}. Mend it, or say in the commit why it is worth more and set the\n"
                 "budgets anew with: ./dev instructions --update")


if __name__ == "__main__":
    main()
