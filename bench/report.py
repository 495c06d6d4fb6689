"""Rows of the comparison, and the table that they make."""

import dataclasses
import json
import statistics

OURS = "standings"
BASE = "F"  # the row that others are measured from


@dataclasses.dataclass
class Row:
    """One kind of work. `must` and `aim` count from the median of F when `over_base`."""

    key: str
    work: str
    unit: str
    must: float | None = None
    aim: float | None = None
    over_base: bool = False
    more_is_better: bool = False
    connections: int | None = None
    figures: dict = dataclasses.field(default_factory=dict)
    note: str = ""

    def add(self, name, value):
        self.figures.setdefault(name, []).append(value)

    def median(self, name=OURS):
        values = self.figures.get(name)
        return statistics.median(values) if values else None

    def is_met(self, bar, base=None):
        """None when there is no bar, or nothing to hold against it."""
        bar = self.bar(bar, base)
        ours = self.median()
        if bar is None or ours is None:
            return None
        return ours >= bar if self.more_is_better else ours <= bar

    def bar(self, bar, base=None):
        if bar is None or not self.over_base:
            return bar
        return None if base is None else base + bar

    def advantage(self, peer):
        """How many times better ours is; below 1 the peer wins."""
        ours, theirs = self.median(), self.median(peer)
        if not ours or not theirs:
            return None
        return ours / theirs if self.more_is_better else theirs / ours


def number(value):
    """Three digits that matter; thousands in full."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def figures(values, rounds=1):
    """Says when one figure stands where `rounds` would have given more."""
    if not values:
        return "-"
    middle = number(statistics.median(values))
    if len(values) == 1:
        return middle if rounds == 1 else f"{middle} (once)"
    return f"{middle} ({number(min(values))} - {number(max(values))})"


class Report:
    def __init__(self, machine, peers, options=None):
        self.machine = machine
        self.peers = peers  # name: what it calls itself, with its version
        self.options = options or {}  # what the run was asked for
        self.rows = []

    def row(self, key, work, unit, must=None, aim=None, **more):
        self.rows.append(Row(key, work, unit, must, aim, **more))
        return self.rows[-1]

    @property
    def base(self):
        return next((row.median() for row in self.rows if row.key == BASE), None)

    def verdict(self, row):
        if row.must is None:
            return "" if row.figures else "not measured"
        must, aim = row.is_met(row.must, self.base), row.is_met(row.aim, self.base)
        if must is None:
            return "not measured"
        if aim:
            return "aim met"
        if must:
            return "met"
        bar, ours = row.bar(row.must, self.base), row.median()
        if row.over_base:  # most of the figure is F: a ratio of the whole would hide what is missing
            return f"**no**, {ours - bar:+.2f} {row.unit.split()[0]} over"
        return f"**no**, x {(bar / ours if row.more_is_better else ours / bar):.2f}"

    def bars(self, row):
        if row.must is None:
            return "", ""
        sign = "F + " if row.over_base else ""
        return tuple("" if bar is None else f"{sign}{number(bar) if bar >= 100 else f'{bar:g}'}" for bar in (row.must, row.aim))

    def _figures(self, row, name):
        return figures(row.figures.get(name), self.options.get("rounds", 1))

    def _beside(self, row, peer):
        advantage = row.advantage(peer)
        if advantage is None:
            return self._figures(row, peer)
        verdict = f"x {number(advantage)}" if advantage >= 1 else f"**{peer} wins** x {number(1 / advantage)}"
        return f"{self._figures(row, peer)}: {verdict}"

    def table(self):
        """Markdown, aligned so that it reads well in a terminal. A row without figures is there too."""
        lines = [["work", "unit", "standings", "must", "aim", "", *(f"{self.peers[peer]}: ours is better by" for peer in self.peers)]]
        for row in self.rows:
            ours = self._figures(row, OURS)
            if row.over_base and self.base is not None and row.median() is not None:
                ours += f" = F {row.median() - self.base:+.2f}"
            lines.append([row.work, row.unit, ours, *self.bars(row), self.verdict(row), *(self._beside(row, peer) for peer in self.peers)])
        widths = [max(map(len, column)) for column in zip(*lines)]
        lines.insert(1, ["-" * width for width in widths])
        text = "\n".join("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |" for line in lines)
        notes = [f"{row.work}: {row.note}" for row in self.rows if row.note]
        return "\n".join([text, "", *notes]) if notes else text

    def count(self):
        """How many rows have a bar, how many of those meet it, and how many were not measured."""
        verdicts = [row.is_met(row.must, self.base) for row in self.rows if row.must is not None]
        return len(verdicts), verdicts.count(True), verdicts.count(None)

    def json(self):
        rows = []
        for row in self.rows:
            rows.append({**dataclasses.asdict(row), "median": {name: row.median(name) for name in row.figures},
                         "met": row.is_met(row.must, self.base), "aim_met": row.is_met(row.aim, self.base),
                         "advantage": {peer: row.advantage(peer) for peer in self.peers}})
        return json.dumps({"machine": self.machine, "options": self.options, "peers": self.peers, "rows": rows}, indent=1)
