"""The TypeScript client: its types, its own tests, and the cases for all clients against a server that is killed on the way."""

import http.server
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import unittest

from support.server import ROOT, Server

PACKAGE = ROOT / "clients" / "typescript"
# Where Debian keeps `ws`; a Node from elsewhere does not look there by itself.
NODE_PATH = "/usr/share/nodejs"

USED_IN_README = """
declare const key: string;
declare const signal: AbortSignal;
declare function add(item: import("standings-client").FeedItem): void;
declare function draw(rows: readonly import("standings-client").Row[]): void;
declare function show(state: "connecting" | "live" | "reconnecting" | "closed"): void;
"""


def is_there():
    return shutil.which("tsc") and shutil.which("node") and (pathlib.Path(NODE_PATH) / "ws").is_dir()


class Control(http.server.BaseHTTPRequestHandler):
    """Lets a test kill the server, and start it again at the same port."""

    server_under_test = None
    port = None

    def do_POST(self):
        under_test = Control.server_under_test
        if self.path == "/kill":
            under_test.kill()
        elif self.path == "/start":
            under_test.start(f"127.0.0.1:{Control.port}")
        self.send_response(204 if self.path in ("/kill", "/start") else 404)
        self.end_headers()

    def log_message(self, *_):
        pass


@unittest.skipUnless(is_there(), "nodejs, node-typescript and node-ws are not all here")
class Typescript(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="standings-client-")
        cls.addClassCleanup(folder.cleanup)
        cls.built = pathlib.Path(folder.name)
        cls.run_quietly(["tsc", "-p", PACKAGE, "--outDir", cls.built / "dist"])
        shutil.copy(PACKAGE / "package.json", cls.built)

    @classmethod
    def run_quietly(cls, command, **environment):
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=240)
        if done.returncode != 0:
            raise AssertionError(f"{command}\n{done.stdout[-20000:]}\n{done.stderr[-5000:]}")
        return done.stdout

    def run_tests(self, *names, **environment):
        """Each test file by itself, so that none can pass by not being there."""
        for name in names:
            with self.subTest(name):
                self.run_quietly(["node", "--test", PACKAGE / "test" / f"{name}.test.mjs"],
                                 STANDINGS_CLIENT=str(self.built / "dist" / "index.js"), NODE_PATH=NODE_PATH, **environment)

    def test_the_readme_is_what_users_of_the_package_can_write(self):
        with tempfile.TemporaryDirectory(prefix="standings-user-") as folder:
            user = pathlib.Path(folder)
            (user / "node_modules").mkdir()
            (user / "node_modules" / "standings-client").symlink_to(self.built)
            blocks = re.findall(r"```ts\n(.*?)```", (PACKAGE / "README.md").read_text(), re.DOTALL)
            self.assertGreaterEqual(len(blocks), 4)
            (user / "readme.mts").write_text(USED_IN_README + "".join(blocks))
            self.run_quietly(["tsc", "--noEmit", "--strict", "--target", "es2022", "--module", "node16", "--lib", "es2022,dom",
                              user / "readme.mts"])

    def test_the_types_of_the_page(self):
        self.run_quietly(["tsc", "-p", ROOT / "src" / "api"])

    def test_without_a_server(self):
        self.run_tests("merge", "feed", "http", "live")

    def test_with_a_server(self):
        with Server() as server:
            Control.server_under_test, Control.port = server, server.port
            control = http.server.HTTPServer(("127.0.0.1", 0), Control)
            thread = threading.Thread(target=control.serve_forever, daemon=True)
            thread.start()
            try:
                self.run_tests("server", STANDINGS_URL=server.url, STANDINGS_KEY=server.key,
                               STANDINGS_CONTROL=f"http://127.0.0.1:{control.server_port}")
            finally:
                control.shutdown()
                thread.join()
                control.server_close()


if __name__ == "__main__":
    unittest.main()
