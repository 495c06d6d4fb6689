"""Runs clang-tidy over our own sources that the given build tree compiles, several at a time."""

import argparse
import concurrent.futures
import json
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("src", "bench", "fuzz", "tests")


def sources_of(build):
    commands = json.loads((build / "compile_commands.json").read_text())
    found = {pathlib.Path(command["directory"], command["file"]).resolve() for command in commands}
    ours = [path for path in found
            if path.suffix == ".cc" and any(path.is_relative_to(ROOT / folder) for folder in FOLDERS)]
    # The largest first, so that none of them is the one that all wait for.
    return sorted(ours, key=lambda path: (-path.stat().st_size, path))


def tidy(program, build, path):
    # The build's warnings are GCC's business; here only the checks of .clang-tidy speak.
    return subprocess.run(
        [program, "--quiet", "-p", str(build), "--warnings-as-errors=*", "--extra-arg=-w",
         "--extra-arg=-Wno-unknown-warning-option", str(path)],
        cwd=ROOT, text=True, capture_output=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    program = shutil.which("clang-tidy-19")
    if not program:
        print("clang-tidy-19 is not here", file=sys.stderr)
        return 1
    build = options.build.resolve()
    failed = 0
    paths = sources_of(build)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for path, done in zip(paths, pool.map(lambda path: tidy(program, build, path), paths)):
            if done.returncode:
                failed += 1
                # Findings and errors come on stdout; stderr only counts the silenced warnings.
                print(f"--- {path.relative_to(ROOT)}\n{done.stdout or done.stderr}", file=sys.stderr)
    print(f"clang-tidy: {len(paths)} files, {failed} with findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
