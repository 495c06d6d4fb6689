"""Prints line coverage for each folder under src/ from a gcovr summary."""

import collections
import json
import pathlib
import sys


def main():
    summary = json.loads(pathlib.Path(sys.argv[1]).read_text())
    covered, total = collections.Counter(), collections.Counter()
    for file in summary["files"]:
        folder = str(pathlib.PurePosixPath(file["filename"]).parent)
        for name in (folder, "all"):
            covered[name] += file["line_covered"]
            total[name] += file["line_total"]
    for name in [*sorted(set(total) - {"all"}), "all"]:
        print(f"{name:24} {covered[name]:6} of {total[name]:6} lines  {100 * covered[name] / max(total[name], 1):5.1f} %")


if __name__ == "__main__":
    main()
