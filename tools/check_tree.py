"""Checks the tree itself: who may use whom, and that no file names a host to download from."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# ARCHITECTURE.md, "Layers". What a layer may name in USES.
ALLOWED = {
    "base": set(),
    "text": {"base"},
    "ranking": {"base"},
    "ledger": {"base", "ranking"},
    "engine": {"base", "ranking", "ledger"},
    "live": {"base", "text"},
    "access": {"base"},
    "jobs": {"base", "text", "ranking", "engine", "ledger"},
    "net": {"base"},
    "api": {"base", "text", "ranking", "ledger", "engine", "live", "access", "jobs", "net"},
    "settings": {"base", "text"},
    "cli": {"base", "text", "ranking", "settings"},
    "demo": {"base", "text", "ranking", "ledger", "engine"},
    "testkit": {"base", "ranking", "ledger", "engine", "net"},
}
# The program is wired together here, from everything but what is for tests.
ALLOWED["server"] = set(ALLOWED) - {"testkit"}
# Concrete ledgers have targets of their own; only the wiring and tests name them.
CONCRETE_LEDGERS = {"ledger_memory", "ledger_sqlite", "ledger_postgres"}

# Where packages come from is the machine's business. Written so that this file does not match.
HOSTS = re.compile(
    r"registry[.]npmjs|registry[.]yarnpkg|pypi[.]org|pythonhosted[.]org|crates[.]io|deb[.]debian[.]org|"
    r"security[.]debian[.]org|archive[.]ubuntu[.]com|apt[.]llvm[.]org|proxy[.]golang[.]org|rubygems[.]org|"
    r"repo1?[.]maven|conan[.]io|center2?[.]conan|docker[.]io|ghcr[.]io|quay[.]io|unpkg[.]com|jsdelivr[.]net|"
    r"\bmirrors?[.][a-z0-9-]+[.][a-z]{2,}")


def tracked_files():
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True).stdout
    return [ROOT / name.decode() for name in names.split(b"\0") if name]


def check_layers():
    for folder in sorted((ROOT / "src").iterdir()):
        if not folder.is_dir():
            continue
        if folder.name not in ALLOWED:
            yield f"src/{folder.name}: not a layer of ARCHITECTURE.md"
            continue
        for cmake in sorted(folder.rglob("CMakeLists.txt")):
            text = re.sub(r"#.*", "", cmake.read_text())
            yield from check_uses(cmake, folder.name, text)
        if folder.name not in ("server", "testkit"):
            yield from check_includes(folder)


def check_uses(cmake, layer, text):
    where = cmake.relative_to(ROOT)
    allowed = ALLOWED[layer] | {layer} | (CONCRETE_LEDGERS if layer in ("ledger", "server") else set())
    for uses in re.findall(r"\bUSES\b([^)]*?)(?=\b[A-Z_]{4,}\b|\))", text):
        for used in uses.split():
            if used.removeprefix("standings::") not in allowed:
                yield f"{where}: '{layer}' may not use '{used}'"
    for linked in re.findall(r"\bstandings::(\w+)", text):
        if linked not in allowed | {"options", "testkit"}:
            yield f"{where}: '{layer}' may not link '{linked}'"


def check_includes(folder):
    """The build refuses these too; this names the line without a build."""
    for path in sorted(folder.rglob("*.[ch]*")):
        if path.suffix not in (".h", ".cc"):
            continue
        is_test = re.search(r"_(test|fuzz|bench)\.cc$|_contract\w*\.(h|cc)$", path.name) is not None
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = re.match(r'#include "(\w+)/', line)
            if not found or found[1] == folder.name:
                continue
            if is_test and found[1] == "testkit":
                continue
            if found[1] in ALLOWED and found[1] not in ALLOWED[folder.name] and not is_test:
                yield f"{path.relative_to(ROOT)}:{number}: '{folder.name}' may not include '{found[1]}/'"


def check_hosts():
    for path in tracked_files():
        if path == pathlib.Path(__file__).resolve() or not path.is_file():
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if HOSTS.search(line):
                yield f"{path.relative_to(ROOT)}:{number}: names a package host: {line.strip()[:100]}"


def main():
    problems = [*check_layers(), *check_hosts()]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
