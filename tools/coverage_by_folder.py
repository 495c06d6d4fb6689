"""Prints line coverage for each folder under src/ from a gcovr summary; fails where a floor is not held."""

import collections
import json
import pathlib
import re
import sys

# Where a line that no test runs may cost somebody a score. In per cent of the lines of the folder and
# those below it.
FLOORS = {"src/ranking": 97, "src/ledger": 93, "src/net": 94}


def main():
    summary = json.loads(pathlib.Path(sys.argv[1]).read_text())
    covered, total = collections.Counter(), collections.Counter()
    for file in summary["files"]:
        # A layer's headers are seen through its own include folder in the build tree.
        name = re.sub(r"^build/\w+/include/\w+/", "src/", file["filename"])
        folder = pathlib.PurePosixPath(name).parent
        floored = [floor for floor in FLOORS if folder.is_relative_to(floor)]
        for name in {str(folder), "all", *(f"{floor}/" for floor in floored)}:
            covered[name] += file["line_covered"]
            total[name] += file["line_total"]

    def share(name):
        return 100 * covered[name] / max(total[name], 1)

    for name in [*sorted(name for name in total if name != "all" and not name.endswith("/")), "all"]:
        print(f"{name:24} {covered[name]:6} of {total[name]:6} lines  {share(name):5.1f} %")
    missed = 0
    for floor, least in FLOORS.items():
        held = share(floor + "/") >= least
        missed += not held
        print(f"{floor + '/':24} with all below it {share(floor + '/'):5.1f} %, at least {least} %: "
              f"{'held' if held else 'NOT HELD'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
