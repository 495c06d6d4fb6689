"""Settings by flag, environment and file, their effect on a server, the log, and the commands about them."""

import csv
import io
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import unittest

from support.server import KEY, Server, program, wait_until

ROOT = pathlib.Path(__file__).resolve().parent.parent


class SettingsTest(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="standings-settings-"))
        self.addCleanup(shutil.rmtree, self.home)

    def server(self, **options):
        server = Server(**options)
        self.addCleanup(server.close)
        return server

    def run_once(self, *arguments, env=None, seconds=20, cwd=None):
        clean = {name: value for name, value in os.environ.items() if not name.startswith("STANDINGS_")}
        return subprocess.run([str(program()), *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=seconds, env={**clean, **(env or {})}, cwd=cwd or self.home)

    def shown(self, *arguments, env=None):
        done = self.run_once("config", "show", "-o", "json", *arguments, env=env)
        self.assertEqual(done.returncode, 0, done)
        return {one["key"]: one for one in json.loads(done.stdout)}

    def log_lines(self, server):
        return [json.loads(line) for line in server.log().splitlines() if line.startswith("{")]


class Effect(SettingsTest):
    def test_a_smaller_body_limit_gives_413(self):
        server = self.server()
        server.env["STANDINGS_HTTP_MAX_BODY"] = "1KiB"
        with server:
            server.api.post("/v1/boards", {"id": "b"})
            small = server.api.post("/v1/boards/b/submissions", {"player": "p", "score": 1})
            self.assertEqual(small.status, 200, small)
            large = server.new_client(KEY).post("/v1/boards/b/submissions", {"player": "p", "score": 2, "name": "x" * 2000})
            self.assertEqual(large.status, 413, large)

    def test_a_file_in_the_working_directory_is_read(self):
        server = self.server()
        (server.home / "standings.toml").write_text('[http]\nmax_target = "200B"\nmax_depth = 3\n')
        with server:
            self.assertEqual(server.new_client().get("/v1/boards?" + "x" * 300).status, 414)
            deep = server.new_client(KEY).post("/v1/boards", {"id": "b", "columns": [{"name": {"deep": 1}}]})
            self.assertEqual(deep.status, 400, deep)
            self.assertIn("3 levels", str(deep.json))

    def test_flags_hold_before_the_environment_and_the_file(self):
        (self.home / "s.toml").write_text('http.max_headers = 50\nengine.batch = 10\nlog.level = "error"\n')
        shown = self.shown("--config", "s.toml", "--engine-batch", "30",
                           env={"STANDINGS_ENGINE_BATCH": "20", "STANDINGS_HTTP_MAX_HEADERS": "60"})
        self.assertEqual((shown["engine.batch"]["value"], shown["engine.batch"]["where"]), ("30", "--engine-batch"))
        self.assertEqual((shown["http.max_headers"]["value"], shown["http.max_headers"]["source"]), ("60", "environment"))
        self.assertEqual((shown["log.level"]["value"], shown["log.level"]["where"]), ("error", "s.toml:3"))
        self.assertEqual(shown["threads"]["source"], "default")

    def test_each_is_taken_by_flag_environment_and_file(self):
        """Of every setting in the listing, so that a new one is covered at once."""
        schema = json.loads(self.run_once("config", "schema").stdout)["properties"]
        for key, one in self.shown().items():
            section, _, name = key.rpartition(".")
            facts = (schema[section]["properties"] if section else schema)[name]
            default = one["default"]
            if facts.get("type") == "boolean":
                value = "true"
            elif facts.get("type") == "integer":
                value = str(facts["minimum"] + 1)
            elif "enum" in facts:
                value = next(word for word in facts["enum"] if word != default)
            elif "pattern" in facts:
                value = str(facts["minimum"] + 1) if "B" in facts["pattern"] else "90s"
            else:
                value = "[::1]:1" if name == "listen" else "elsewhere"
            with self.subTest(key):
                shown = "********" if key in ("init_key", "client.key") else value
                environment = {"data": "STANDINGS_DATA_DIR"}.get(key) or (
                    "STANDINGS_" + key.removeprefix("client.").replace(".", "_").upper())
                flag = "--" + key.removeprefix("client.").replace(".", "-").replace("_", "-")
                bare = facts.get("type") in ("boolean", "integer")
                (self.home / "one.toml").write_text(f"{key} = {value}\n" if bare else f'{key} = "{value}"\n')
                self.assertEqual(self.shown(env={environment: value})[key]["value"], shown)
                self.assertEqual(self.shown("--config", "one.toml")[key]["value"], shown)
                if flag != "--output":  # of `config show` itself
                    self.assertEqual(self.shown(f"{flag}={value}")[key]["value"], shown)


class Wrong(SettingsTest):
    def refused(self, *arguments, env=None):
        done = self.run_once("serve", "--listen", "127.0.0.1:0", *arguments, env=env)
        self.assertEqual(done.returncode, 2, done)
        return done.stdout + done.stderr

    def test_an_unknown_flag_names_the_nearest(self):
        self.assertIn("--data", self.refused("--dta", "x"))

    def test_an_unknown_command_names_the_nearest(self):
        done = self.run_once("serv")
        self.assertEqual(done.returncode, 2)
        self.assertIn("'serve'", done.stderr)

    def test_an_unknown_key_names_the_nearest_and_the_line(self):
        (self.home / "s.toml").write_text("\n[http]\nmax_bdy = 5\n")
        said = self.refused("--config", "s.toml")
        self.assertIn("s.toml:3", said)
        self.assertIn("http.max_body", said)

    def test_a_wrong_value_names_its_source(self):
        self.assertIn("--engine-batch", self.refused("--engine-batch", "0"))
        said = self.refused(env={"STANDINGS_HTTP_IDLE_TIMEOUT": "soon"})
        self.assertIn("STANDINGS_HTTP_IDLE_TIMEOUT", said)
        self.assertIn("soon", said)
        self.assertIn("10s", said)

    def test_a_file_that_is_not_there_or_not_toml(self):
        self.assertIn("none.toml", self.refused("--config", "none.toml"))
        (self.home / "bad.toml").write_text("= =\n")
        self.assertIn("bad.toml", self.refused("--config", "bad.toml"))

    def test_the_data_folder_is_private_however_it_is_written(self):
        for name in ("plain", "slash/", "slashes///", "dot/.", "deep/inside/"):
            with self.subTest(name):
                server = self.server()
                server.data = f"{self.home}/{name}"  # as text: a path of Python loses what is behind the name
                with server:
                    pass
                self.assertEqual(os.stat(f"{self.home}/{name}").st_mode & 0o777, 0o700)

    def test_an_unknown_variable_is_a_warning(self):
        server = self.server()
        server.env["STANDINGS_LISTN"] = "x"
        with server:
            self.assertIn("STANDINGS_LISTEN", server.log())

    def test_no_command_prints_the_help_and_exits_2(self):
        done = self.run_once()
        self.assertEqual(done.returncode, 2, done)
        self.assertIn("serve", done.stdout + done.stderr)


class Commands(SettingsTest):
    def test_init_writes_what_check_takes_and_never_overwrites(self):
        done = self.run_once("config", "init")
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual(self.run_once("config", "check").returncode, 0)
        again = self.run_once("config", "init")
        self.assertEqual(again.returncode, 2, again)
        (self.home / "bad.toml").write_text("listen = 5\n")
        bad = self.run_once("config", "check", "bad.toml")
        self.assertEqual(bad.returncode, 2)
        self.assertIn("bad.toml:1", bad.stderr)

    def test_check_says_ok_or_everything_that_is_wrong(self):
        done = self.run_once("config", "check")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "ok: there is no file of settings\n", ""))
        (self.home / "good.toml").write_text("threads = 4\n")
        for words in (("--config", "good.toml"), ("good.toml",), ("good.toml", "--threads", "2")):
            done = self.run_once("config", "check", *words)
            self.assertEqual((done.returncode, done.stdout), (0, "ok: good.toml\n"), done)
        (self.home / "bad.toml").write_text(
            'threads = "4"\nlisten = "300.1.1.1:1"\n[http]\nmax_bdy = 5\n[client]\noutput = "xml"\n')
        done = self.run_once("config", "check", "--config", "bad.toml", "--engine-batch", "0",
                             env={"STANDINGS_LOG_LEVEL": "loud", "STANDINGS_INIT_KEY": "short"})
        self.assertEqual((done.returncode, done.stdout), (2, ""), done)
        lines = done.stderr.splitlines()
        for part in ("bad.toml:1: threads is the text '4', but it is a whole number from 0 to 256, without quotes", "bad.toml:2: it is an address",
                     "bad.toml:4: there is no setting 'http.max_bdy'; did you mean 'http.max_body'?", "bad.toml:6: client.output is 'xml'",
                     "--engine-batch is '0'", "STANDINGS_LOG_LEVEL is 'loud'", "STANDINGS_INIT_KEY: "):
            self.assertEqual(sum(line.startswith(f"standings: {part}") for line in lines), 1, (part, lines))
        self.assertEqual(re.findall(r"bad\.toml:(\d)", done.stderr), ["1", "2", "4", "6"], "from the top to the end")
        self.assertEqual((len(lines), lines[-1]), (8, "See `standings config check --help`."))
        self.assertEqual(self.run_once("config", "check", "good.toml", "--config", "good.toml").returncode, 2)

    def test_a_file_that_is_not_toml_is_one_sentence(self):
        (self.home / "bad.toml").write_text("threads = 1\nlisten = = 2\n")
        for words in (("serve", "--config", "bad.toml"), ("config", "check", "bad.toml"), ("top", "b", "--config", "bad.toml")):
            with self.subTest(words=words):
                done = self.run_once(*words)
                self.assertEqual(done.returncode, 2, done)
                lines = done.stderr.splitlines()
                self.assertEqual(len(lines), 2, lines)
                self.assertRegex(lines[0], r"^standings: bad\.toml:2:10: this is not TOML: \w[\w ]+$")

    def test_mistakes_are_told_in_the_order_of_the_lines(self):
        (self.home / "s.toml").write_text("".join(f"{section}nonsense{n} = 1\n" for n, section in enumerate(
            ("", "", "[http]\n", "", "[engine]\n", "", "[log]\n", "", "", ""))))
        found = [line for line in self.run_once("config", "check", "s.toml").stderr.splitlines() if "s.toml:" in line]
        lines = [int(line.split("s.toml:")[1].split(":")[0].split()[0]) for line in found]
        self.assertEqual(len(lines), 10, found)
        self.assertEqual(lines, sorted(lines))

    def test_check_finds_what_a_start_would_refuse(self):
        for text, env, names in (('init_key = "short"\n', {}, "s.toml:1"), ("", {"STANDINGS_INIT_KEY": "short"}, "STANDINGS_INIT_KEY"),
                                 ('listen = "300.1.1.1:1"\n', {}, "s.toml:1")):
            with self.subTest(names=names):
                (self.home / "s.toml").write_text(text)
                started = self.run_once("serve", "--config", "s.toml", env=env)
                checked = self.run_once("config", "check", "s.toml", env=env)
                self.assertEqual((started.returncode, checked.returncode), (2, 2), checked)
                self.assertIn(f"{names}: ", started.stderr)
                self.assertIn(f"{names}: ", checked.stderr)
        self.assertIn("--init-key: ", self.run_once("serve", "--init-key", "short").stderr)
        self.assertEqual([path.name for path in self.home.iterdir()], ["s.toml"])

    def test_show_and_clients_agree_about_a_file_that_is_not_named(self):
        (self.home / "standings.toml").write_text('[client]\nserver = "http://127.0.0.1:9"\n')
        shown = self.run_once("config", "show", "-o", "json")
        server = next(one for one in json.loads(shown.stdout) if one["key"] == "client.server")
        self.assertEqual(server["source"], "default")
        self.assertIn("standings.toml:2: client.server does not hold", shown.stderr)
        self.assertIn("cannot reach http://127.0.0.1:9",
                      self.run_once("health", env={"STANDINGS_CONFIG": "standings.toml"}).stderr)
        self.assertNotIn("127.0.0.1:9\n", self.run_once("health").stderr)
        self.assertEqual(self.shown("--config", "standings.toml")["client.server"]["value"], "http://127.0.0.1:9")

    def test_show_has_each_form_that_a_list_has(self):
        whole = json.loads(self.run_once("config", "show", "-o", "json", "--threads", "3").stdout)
        rows = self.run_once("config", "show", "-o", "ndjson", "--threads", "3").stdout.splitlines()
        self.assertEqual([json.loads(row) for row in rows], whole)
        written = self.run_once("config", "show", "-o", "csv", "--threads", "3").stdout
        self.assertEqual(list(csv.DictReader(io.StringIO(written, newline=""))), whole)
        self.assertIn({"key": "threads", "value": "3", "source": "flag", "where": "--threads", "default": "0"}, whole)

    def test_show_is_written_as_the_environment_says_unless_a_flag_does(self):
        asked = {"STANDINGS_OUTPUT": "ndjson"}
        first = json.loads(self.run_once("config", "show", env=asked).stdout.splitlines()[0])
        self.assertEqual(first["key"], "listen")
        self.assertTrue(self.run_once("config", "show", "-o", "table", env=asked).stdout.startswith("listen  "))
        done = self.run_once("config", "show", "-o", "xml")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--output: it is one of table, json, ndjson, csv, not 'xml'", done.stderr)

    def test_show_masks_secrets(self):
        done = self.run_once("config", "show", env={"STANDINGS_INIT_KEY": "hush" * 10, "STANDINGS_KEY": "hush"})
        self.assertEqual(done.returncode, 0)
        self.assertNotIn("hush", done.stdout)
        self.assertIn("STANDINGS_INIT_KEY", done.stdout)
        for form in ("json", "ndjson", "csv"):
            done = self.run_once("config", "show", "-o", form, env={"STANDINGS_INIT_KEY": "hush" * 10, "STANDINGS_KEY": "hush"})
            self.assertIn("********", done.stdout)
            self.assertNotIn("hush", done.stdout)

    def test_the_reference_page_is_that_of_the_program(self):
        done = self.run_once("config", "docs")
        self.assertEqual(done.stdout, (ROOT / "docs/settings.md").read_text(),
                         "run: standings config docs > docs/settings.md")

    def test_every_help_is_there_and_wraps(self):
        seen = []

        def commands(path):
            seen.append(path)
            done = self.run_once(*path, "--help", env={"COLUMNS": "70"})
            self.assertEqual(done.returncode, 0, path)
            for line in done.stdout.splitlines():
                if not line.lstrip().startswith(("-", "[", "Usage")):
                    self.assertLessEqual(len(line), 78, (path, line))
            section = done.stdout.partition("Subcommands:\n")[2]
            for name in re.findall(r"^  ([a-z]+)(?:  |$)", section, re.MULTILINE):
                commands([*path, name])
        commands([])
        for path in (["config", "show"], ["config", "schema"], ["boards", "create"], ["import"], ["man"], ["completion"], ["version"]):
            self.assertIn(path, seen)

    def test_serve_help_has_variables_and_defaults(self):
        text = " ".join(self.run_once("serve", "--help").stdout.split())
        for part in ("--http-max-body", "STANDINGS_HTTP_MAX_BODY", "default: 64KiB", "HTTP limits"):
            self.assertIn(part, text)

    def bash_completes(self, *words):
        """As bash calls it: COMP_WORDS are the words as COMP_WORDBREAKS, where it has a =, cuts them."""
        script = self.run_once("completion", "bash").stdout
        quoted = " ".join(f"'{word}'" for word in words)
        done = subprocess.run(
            ["bash", "-c", script + f"\nCOMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _standings; "
             'printf "%s\\n" "${COMPREPLY[@]}"'], capture_output=True, text=True, timeout=20, cwd=self.home)
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_bash_completes_commands_flags_and_choices(self):
        complete = self.bash_completes
        self.assertEqual(complete("standings", "ser"), ["serve"])
        self.assertIn("show", complete("standings", "config", ""))
        self.assertIn("--http-max-body", complete("standings", "serve", "--http"))
        self.assertEqual(complete("standings", "serve", "--log-level", "d"), ["debug"])
        self.assertEqual(complete("standings", "config", "show", "-o", "j"), ["json"])

    def test_bash_offers_files_only_where_a_file_is_taken(self):
        (self.home / "a-file").write_text("")
        complete = lambda *words: self.bash_completes("standings", *words)
        for words in (("top", ""), ("rank", "b", ""), ("boards", "rm", ""), ("health", ""), ("export", ""), ("help", "top", "")):
            self.assertEqual(complete(*words), [], words)
        self.assertIn("a-file", complete("import", ""))
        self.assertIn("a-file", complete("export", "b", ""))
        self.assertIn("a-file", complete("restore", ""))
        self.assertIn("a-file", complete("top", "b", "--config", ""))

    def test_bash_completes_commands_behind_help(self):
        complete = lambda *words: self.bash_completes("standings", *words)
        self.assertLessEqual({"serve", "boards", "top"}, set(complete("help", "")))
        self.assertEqual(complete("help", "boards", "cr"), ["create"])
        self.assertEqual(complete("help", "boards", "create", "-"), [])

    def test_bash_completes_a_value_behind_the_equals_sign(self):
        complete = self.bash_completes
        self.assertEqual(complete("standings", "serve", "--log-level", "=", "d"), ["debug"])
        self.assertEqual(complete("standings", "serve", "--log-level", "="), ["debug", "info", "warning", "error", "off"])
        self.assertEqual(complete("standings", "export", "b", "--format", "=", "nd"), ["ndjson"])
        self.assertEqual(complete("standings", "boards", "create", "--rule="), ["--rule=best", "--rule=last", "--rule=sum", "--rule=first"])
        self.assertEqual(complete("standings", "top", "b", "--output=nd"), ["--output=ndjson"])

    @unittest.skipUnless(shutil.which("zsh"), "no zsh")
    def test_zsh_completes_as_bash_does(self):
        script = self.run_once("completion", "zsh").stdout
        (self.home / "_standings").write_text(script)

        def offers(*words):
            """As zsh's own compgen makes them: it leaves it to zsh to drop what does not go on from the word."""
            quoted = " ".join(f"'{word}'" for word in words)
            done = subprocess.run(
                ["zsh", "-f", "-c", f"autoload -U compinit && compinit -u -d {self.home}/dump; source ./_standings; words=({quoted}); "
                 f"CURRENT={len(words)} COMP_CWORD={len(words) - 1}; COMP_WORDS=($words); compgen -F _standings -- $words[-1]"],
                capture_output=True, text=True, timeout=20, cwd=self.home)
            self.assertEqual(done.stderr, "")
            return done.stdout.split()
        levels = ["debug", "info", "warning", "error", "off"]
        self.assertEqual(offers("standings", "serve", "--log-level", "d"), levels)
        self.assertEqual(offers("standings", "serve", "--log-level=d"), [f"--log-level={level}" for level in levels])
        self.assertIn("--output=ndjson", offers("standings", "top", "b", "--output="))

    @unittest.skipUnless(shutil.which("fish"), "no fish")
    def test_fish_completes_a_value_either_way(self):
        (self.home / "standings.fish").write_text(self.run_once("completion", "fish").stdout)

        def complete(line):
            done = subprocess.run(["fish", "--no-config", "-c", f"source standings.fish; complete -C '{line}'"], capture_output=True, text=True,
                                  timeout=20, cwd=self.home, env={**os.environ, "HOME": str(self.home), "LC_ALL": "C.UTF-8"})
            self.assertEqual(done.stderr, "")
            return [one.split("\t")[0] for one in done.stdout.splitlines()]
        self.assertEqual(complete("standings ser"), ["serve"])
        self.assertEqual(complete("standings config sh"), ["show"])
        self.assertEqual(complete("standings help conf"), ["config"])
        self.assertEqual(complete("standings help config sh"), ["show"])
        self.assertEqual(complete("standings top "), [])
        self.assertEqual(complete("standings serve --log-level d"), ["debug"])
        self.assertEqual(complete("standings serve --log-level=d"), ["--log-level=debug"])
        self.assertEqual(complete("standings boards create --rule="), [f"--rule={word}" for word in ("best", "first", "last", "sum")])

    def test_no_line_of_the_manual_page_is_taken_for_a_request(self):
        """troff leaves out a line of text that begins with a dot or an apostrophe."""
        said = self.run_once("man").stdout
        for line in said.splitlines():
            self.assertRegex(line, r"\A(?!['.])|\A\.(TH|SH|SS|TP)\b", line)
        self.assertIn("\n\\&./standings.toml\n", said)
        self.assertIn("\n\\&./standings\\-data\n", said)

    @unittest.skipUnless(shutil.which("man"), "no man")
    def test_the_manual_page_renders(self):
        page = self.home / "standings.1"
        page.write_text(self.run_once("man").stdout)
        done = subprocess.run(["man", "--warnings", "-l", str(page)], capture_output=True, text=True, timeout=60,
                              env={**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8"})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("EXIT STATUS", done.stdout)
        self.assertIn("./standings.toml\n", done.stdout)
        self.assertIn("standings serve", done.stdout)


class Log(SettingsTest):
    def test_debug_has_every_request_and_nothing_secret(self):
        server = self.server()
        server.env["STANDINGS_LOG_LEVEL"] = "debug"
        trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        with server:
            server.api.post("/v1/boards", {"id": "b"})
            server.new_client("wrong-key-" + "z" * 40).post("/v1/boards", {"id": "c"})
            server.new_client().get("/v1/boards/b/standings?key=st_pk_hidden", x_request_id="mine-1", traceparent=trace)
            wait_until(lambda: "mine-1" in server.log(), "the request in the log")
            self.assertEqual(server.terminate(), 0)
            text, lines = server.log(), self.log_lines(server)
        for secret in (KEY, "z" * 40, "st_pk_hidden", "Bearer", "uthorization"):
            self.assertNotIn(secret, text)
        line = next(one for one in lines if one.get("request_id") == "mine-1")
        self.assertEqual((line["level"], line["method"], line["path"], line["peer"], line["traceparent"]),
                         ("debug", "GET", "/v1/boards/b/standings", "127.0.0.1", trace))
        self.assertEqual(line["status"], 422)
        self.assertGreaterEqual(line["duration_ms"], 0)

    def test_info_has_no_requests(self):
        with self.server() as server:
            server.public.get("/v1/boards")
            self.assertEqual(server.terminate(), 0)
            self.assertEqual([one["message"] for one in self.log_lines(server) if one["message"] != "slow request"],
                             ["listening", "stopping", "stopped"])

    def test_info_has_what_operators_ask_for(self):
        with self.server() as server:
            server.api.post("/v1/boards", {"id": "b"})
            server.api.post("/v1/boards/b/reset")
            server.api.delete("/v1/boards/b")
            server.api.post("/v1/backups")
            wait_until(lambda: "backup made" in server.log(), "the backup in the log")
            lines = [one for one in self.log_lines(server) if one["message"] != "slow request"]
        self.assertEqual([one["message"] for one in lines], ["listening", "board created", "board reset", "board removed", "backup made"])
        self.assertEqual({one["board"] for one in lines[1:4]}, {"b"})
        self.assertGreater(lines[4]["bytes"], 0)

    def test_slow_requests_are_warnings(self):
        server = self.server()
        server.env["STANDINGS_LOG_SLOW_REQUEST"] = "1ms"
        with server:
            server.api.post("/v1/boards", {"id": "b"})

            def slow():
                items = [{"player": f"p{number}", "score": number} for number in range(1000)]
                server.api.post("/v1/boards/b/submissions", items)
                return any(one["level"] == "warning" and one["message"] == "slow request"
                           for one in self.log_lines(server))
            wait_until(slow, "a slow request in the log")

    def test_a_busy_port_names_its_owner(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            done = self.run_once("serve", "--listen", f"127.0.0.1:{taken.getsockname()[1]}", "--data", "d")
        self.assertEqual(done.returncode, 3, done)
        self.assertIn(f"pid {os.getpid()}", done.stderr)
        self.assertFalse((self.home / "d").exists(), "nothing is made for a start that cannot listen")


if __name__ == "__main__":
    unittest.main()
