"""Runs clang-tidy over our own sources that the given build tree compiles, several at a time.

A file that was found clean is not looked at again while everything that it is made of is the same:
clang-tidy, its settings, the flags, and all that the file includes, as the build has noted it.
"""

import argparse
import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("src", "bench", "fuzz", "tests")
TESTS = ("_test.cc", "_fuzz.cc")
# More than a third of what all checks take.
SLOW_CHECK = "performance-unnecessary-value-param"


def sources_of(build, with_tests):
    commands = json.loads((build / "compile_commands.json").read_text())
    found = {pathlib.Path(command["directory"], command["file"]).resolve() for command in commands}
    ours = [path for path in found
            if path.suffix == ".cc" and any(path.is_relative_to(ROOT / folder) for folder in FOLDERS)
            and (with_tests or not path.name.endswith(TESTS))]
    # The largest first, so that none of them is the one that all wait for.
    return sorted(ours, key=lambda path: (-path.stat().st_size, path))


class Clean:
    """Remembers what was clean, for all clones of this repository. Any thread."""

    def __init__(self, program, build, checks):
        self.folder = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "standings-tidy"
        version = subprocess.run([program, "--version"], capture_output=True, check=True).stdout
        self.common = version + (ROOT / ".clang-tidy").read_bytes() + checks.encode()
        self.flags = {}
        for command in json.loads((build / "compile_commands.json").read_text()):
            path = pathlib.Path(command["directory"], command["file"]).resolve()
            self.flags[path] = command["command"].replace(str(ROOT), "")
        self.included = {}
        noted = subprocess.run(["ninja", "-C", build, "-t", "deps"], capture_output=True, text=True).stdout
        for block in noted.split("\n\n"):
            lines = block.strip().splitlines()
            if lines and "(VALID)" in lines[0]:
                paths = [pathlib.Path(build, line.strip()).resolve() for line in lines[1:]]
                if paths:
                    self.included[paths[0]] = paths

    def mark(self, path):
        """Where it is noted that `path` is clean; none when the build does not know what it includes."""
        if path not in self.included or path not in self.flags:
            return None
        key = hashlib.sha256(self.common + self.flags[path].encode())
        for part in sorted(self.included[path]):
            key.update(digest(part))
        return self.folder / key.hexdigest()


@functools.lru_cache(maxsize=None)
def digest(path):
    if path.is_relative_to(ROOT):
        return str(path.relative_to(ROOT)).encode() + hashlib.sha256(path.read_bytes()).digest()
    return f"{path} {path.stat().st_size}\n".encode()  # of a package


def tidy(command, clean, path):
    mark = clean.mark(path)
    if mark and mark.exists():
        return None
    done = subprocess.run([*command, str(path)], cwd=ROOT, text=True, capture_output=True)
    if mark and done.returncode == 0:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
    return done


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help=f"without the tests, and without {SLOW_CHECK}")
    options = parser.parse_args()
    program = shutil.which("clang-tidy-19")
    if not program:
        print("clang-tidy-19 is not here", file=sys.stderr)
        return 1
    build = options.build.resolve()
    failed = known = 0
    checks = f"-{SLOW_CHECK}" if options.quick else ""
    clean = Clean(program, build, checks)
    # The build's warnings are GCC's business; here only the checks of .clang-tidy speak.
    command = [program, "--quiet", "-p", str(build), f"--checks={checks}", "--warnings-as-errors=*", "--extra-arg=-w",
               "--extra-arg=-Wno-unknown-warning-option"]
    paths = sources_of(build, not options.quick)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for path, done in zip(paths, pool.map(lambda path: tidy(command, clean, path), paths)):
            if done is None:
                known += 1
            elif done.returncode:
                failed += 1
                # Findings and errors come on stdout; stderr only counts the silenced warnings.
                print(f"--- {path.relative_to(ROOT)}\n{done.stdout or done.stderr}", file=sys.stderr)
    print(f"clang-tidy: {len(paths)} files, {known} known to be clean, {failed} with findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
