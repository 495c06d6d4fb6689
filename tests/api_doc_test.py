"""Compares docs/api.md with the routes and the problems of the sources; needs no server."""

import re
import unittest

from support.server import ROOT

API = ROOT / "src" / "api"
PAGE = ROOT / "docs" / "api.md"

ROUTE = re.compile(r'\{\s*net::Method::k(\w+)\s*,\s*"(/[^"]*)"\s*,\s*access::Scope::k(\w+)\s*,')
TABLE = re.compile(r"constexpr Route (k\w+)\[\] = \{(.*?)^\};", re.MULTILINE | re.DOTALL)
RETURNED = re.compile(r"std::span<const Route> (\w+)\(\) \{\s*return (k\w+);\s*\}")
PROBLEM = re.compile(r'ProblemKind\{\s*ErrorCode::k\w+,\s*(\d+),\s*"(\w+)"')
ROW = re.compile(r"^\| `([^`]+)` \| ([^|]+) \|.*\|$", re.MULTILINE)


def snake(name):
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def functions_that_count():
    """Those that all_routes() calls: what is in no other is no route."""
    body = re.search(r"all_routes\(\) \{(.*?)^\}", (API / "routes.cc").read_text(), re.MULTILINE | re.DOTALL)[1]
    return re.findall(r"(\w+_routes)\(\)", body)


def routes_in_sources():
    """(METHOD /path, scope or -) of each route, in no order."""
    by_function = {}
    for source in sorted(API.glob("*_routes.cc")):
        text = source.read_text()
        tables = {name: ROUTE.findall(body) for name, body in TABLE.findall(text)}
        # A route that is written in another way must not go unseen.
        written = sum(body.count("net::Method::") for _, body in TABLE.findall(text))
        assert written == sum(map(len, tables.values())), f"{source.name}: a route that this test cannot read"
        by_function.update({function: tables[table] for function, table in RETURNED.findall(text)})
    return [(f"{method.upper()} {path}", "-" if scope == "None" else snake(scope))
            for function in functions_that_count() for method, path, scope in by_function[function]]


class ApiPage(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.rows = ROW.findall(PAGE.read_text())

    def test_it_names_every_route_and_its_scope_once(self):
        routes = routes_in_sources()
        self.assertGreater(len(routes), 30)
        self.assertGreater(len(functions_that_count()), 10)
        named = [(route, scope.strip("` ")) for route, scope in self.rows if re.match(r"[A-Z]+ /", route)]
        self.assertEqual(sorted(named), sorted(routes))

    def test_it_names_every_problem_with_its_status(self):
        problems = [(code, status) for status, code in PROBLEM.findall((API / "problem.cc").read_text())]
        self.assertGreater(len(problems), 30)
        named = [(code, status) for code, status in self.rows if status.isdigit()]
        self.assertEqual(sorted(named), sorted(problems))


if __name__ == "__main__":
    unittest.main()
