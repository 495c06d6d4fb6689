"""Runs the README's console blocks against a server and compares what they print.

A line that starts with `$ ` is a command; the lines after it are what it prints, where `...` stands
for anything.
"""

import os
import re
import shutil
import subprocess
import unittest

from support.server import KEY, ROOT, DemoServer, ServerTest, program

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def steps_of(page):
    """(line number, command, expected output) for each command of the page's console blocks."""
    steps, inside = [], False
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if line.startswith("```"):
            inside = not inside and line.strip() == "```console"
        elif inside and line.startswith("$ "):
            steps.append([number, line[2:], []])
        elif inside and steps:
            steps[-1][2].append(line)
    return [(number, command, "\n".join(expected)) for number, command, expected in steps]


def matches(expected, printed):
    pattern = ".*".join(re.escape(part) for part in expected.split("..."))
    return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None


class Readme(ServerTest):
    def run_page(self, page, environment):
        for number, command, expected in steps_of(page):
            with self.subTest(f"{page.relative_to(ROOT)}:{number}", command=command):
                done = subprocess.run(["bash", "-c", command], cwd=ROOT, env=environment, capture_output=True, text=True,
                                      stdin=subprocess.DEVNULL, timeout=60)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertTrue(matches(expected, done.stdout), f"expected\n{expected}\nprinted\n{done.stdout}")

    def test_the_pages_do_what_they_say(self):
        if not shutil.which("curl"):
            self.skipTest("curl is not here")
        with DemoServer("--rate", "0") as demo:
            self.run_pages({**os.environ, "URL": self.server.url, "KEY": KEY, "DATA": str(self.server.data),
                            "DEMO": demo.url, "PATH": f"{program().resolve().parent}:{os.environ['PATH']}",
                            "STANDINGS_SERVER": self.server.url, "STANDINGS_KEY": KEY})

    def run_pages(self, environment):
        count = 0
        for page in PAGES:
            count += len(steps_of(page))
            self.run_page(page, environment)
        self.assertGreater(count, 5, "the README has lost its console blocks")

    def test_links_lead_somewhere(self):
        for page in [*PAGES, ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]:
            for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
                if "://" not in target:
                    with self.subTest(page.name, target=target):
                        self.assertTrue((page.parent / target).exists())


if __name__ == "__main__":
    unittest.main()
