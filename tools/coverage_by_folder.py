"""Prints line coverage for each folder under src/ from a gcovr summary."""

import collections
import json
import pathlib
import re
import sys


def main():
    summary = json.loads(pathlib.Path(sys.argv[1]).read_text())
    covered, total = collections.Counter(), collections.Counter()
    for file in summary["files"]:
        # A layer's headers are seen through its own include folder in the build tree.
        name = re.sub(r"^build/\w+/include/\w+/", "src/", file["filename"])
        folder = str(pathlib.PurePosixPath(name).parent)
        for name in (folder, "all"):
            covered[name] += file["line_covered"]
            total[name] += file["line_total"]
    for name in [*sorted(set(total) - {"all"}), "all"]:
        print(f"{name:24} {covered[name]:6} of {total[name]:6} lines  {100 * covered[name] / max(total[name], 1):5.1f} %")


if __name__ == "__main__":
    main()
