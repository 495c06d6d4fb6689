"""The truth of a fault test: what was sent, what was acknowledged, and what the database must hold."""

import array
import collections
import contextlib
import sqlite3

BOARD = "b"  # rule `sum`; every submission is worth 1 point of its player

# Ranks from the events alone: not from the entries, and by no view of the server's.
RANKS = """
WITH total AS (
    SELECT player.id AS player, sum(event.input_1) AS score, max(event.seq) AS reached
    FROM event
    JOIN board ON board.ranking = event.ranking AND board.slug = ?1
    JOIN player ON player.ranking = event.ranking AND player.slot = event.slot
    WHERE event.kind = 1
    GROUP BY event.slot)
SELECT rank() OVER (ORDER BY score DESC), row_number() OVER (ORDER BY score DESC, reached) AS position, player, score
FROM total ORDER BY position
"""
EVENTS = """
SELECT event.seq, player.id
FROM event JOIN player ON player.ranking = event.ranking AND player.slot = event.slot
WHERE event.kind = 1 AND event.seq > ?1 ORDER BY event.seq
"""
TWICE = "SELECT count(*) - count(DISTINCT key) FROM event WHERE kind = 1 AND key IS NOT NULL"


class Wrong(AssertionError):
    """`submissions` says of how many it is true."""

    def __init__(self, message, submissions):
        super().__init__(message)
        self.submissions = submissions


class Lost(Wrong):
    """Acknowledged submissions are missing."""


class Twice(Wrong):
    """Submissions count more than once."""


class Disagrees(AssertionError):
    """Memory shows other ranks than the events make."""


class WentBack(AssertionError):
    """A seq was given a second time, or a smaller one after a larger."""


class Oracle:
    """Every submission that was ever sent, under a key that is never used for another one.

    Holds 4 bytes for each acknowledged one, so that millions fit.
    """

    def __init__(self):
        self.count = 0     # acknowledged
        self.newest = 0    # the largest seq in an answer
        self.open = {}     # key: player; sent, and no answer came
        self.recent = {}   # key: (seq, player) of the last run, all acknowledged
        self._players = {}
        self._points = collections.Counter()
        self._by_seq = array.array("i", [0])  # number of the player; 0: no answer named this seq
        self._verified = 0  # events up to this seq were compared already
        self._fed = 0       # the seq that the feed had last
        self._shown = {}    # seq: player; by the feed lately
        self._uncompared = {}  # those of them that no look at the database has met yet
        self.shown_and_compared = 0

    # --- what was sent --------------------------------------------------------------------------

    def read(self, path, floor):
        """Takes in the log of one run of the load program, which began when `floor` was the newest
        acknowledged seq; returns how many were acknowledged."""
        before = self.count
        self.recent = {}
        with open(path) as log:
            for line in log:
                player, score, key, seq = line.split()
                assert score == "1", line
                if seq == "-":
                    self.open[key] = player
                    continue
                if int(seq) <= floor:
                    raise WentBack(f"{key} was given seq {seq}, but {floor} was acknowledged before it was sent")
                self.acknowledge(key, player, int(seq))
        return self.count - before

    def acknowledge(self, key, player, seq):
        number = self._players.setdefault(player, len(self._players) + 1)
        if seq >= len(self._by_seq):
            self._by_seq.extend([0] * (seq + 1 - len(self._by_seq)))
        if self._by_seq[seq]:
            raise WentBack(f"seq {seq} was given to two submissions, the second is {key}")
        self._by_seq[seq] = number
        self._points[player] += 1
        self.count += 1
        self.newest = max(self.newest, seq)
        self.open.pop(key, None)
        self.recent[key] = (seq, player)

    def grant(self, players):
        """A point for each of them, acknowledged by the summary of a stream, which names no seq."""
        self._points.update(players)
        self.count += len(players)

    def show(self, seq, items):
        """The feed is at `seq` now, and shows (seq, player) items; after a break it may show some again."""
        if seq < self._fed:
            raise WentBack(f"the feed is at seq {seq}, and was at {self._fed}")
        for at, player in items:
            if self._shown.get(at, player) != player:
                raise WentBack(f"the feed shows seq {at} of {player}, and had shown {self._shown[at]} there")
            if at not in self._shown:
                self._shown[at] = self._uncompared[at] = player
        self._fed = seq

    @property
    def points(self):
        """What each player was acknowledged to have."""
        return dict(self._points)

    def look_again(self):
        """The next `verify` compares all events anew: the files are other ones now."""
        self._verified = 0

    # --- what is there --------------------------------------------------------------------------

    def verify(self, server, when, thorough=True):
        """Database and memory of a running server that is quiet now. Ranks and the doubles of all
        runs cost a look at every event: only when `thorough`."""
        with contextlib.closing(open_database(server.data)) as database:
            self._compare_events(database, when)
            if thorough:
                doubles = database.execute(TWICE).fetchone()[0]
                if doubles:
                    raise Twice(f"{when}: {doubles} events share their key with another one", doubles)
            page, rows = standings(server)
            self._compare_scores({row["player"]: row["score"] for row in rows}, when)
            if rows and page["seq"] < self.newest:
                raise WentBack(f"{when}: the board is at seq {page['seq']}, but {self.newest} was acknowledged")
            if thorough:
                shown = [(row["rank"], row["position"], row["player"], row["score"]) for row in rows]
                if shown != database.execute(RANKS, (BOARD,)).fetchall():
                    raise Disagrees(f"{when}: memory and database disagree on ranks")

    def _compare_events(self, database, when):
        shown, self._uncompared = self._uncompared, {}
        stored = dict(database.execute(EVENTS, (min([self._verified, *(seq - 1 for seq in shown)]),)))
        names = {number: player for player, number in self._players.items()}
        missing = [seq for seq in range(self._verified + 1, len(self._by_seq))
                   if self._by_seq[seq] and stored.get(seq) != names[self._by_seq[seq]]]
        if missing:
            raise Lost(f"{when}: {len(missing)} of {self.count} acknowledged are not in the database, "
                       f"the first has seq {missing[0]}", len(missing))
        gone = [seq for seq, player in shown.items() if stored.get(seq) != player]
        if gone:
            raise Lost(f"{when}: {len(gone)} that the feed has shown are not in the database, the first has seq {gone[0]}", len(gone))
        self.shown_and_compared += len(shown)
        self._verified = len(self._by_seq) - 1
        # What a feed begins with may be shown again.
        self._shown = dict(sorted(self._shown.items())[-1000:])

    def _compare_scores(self, scores, when):
        unanswered = collections.Counter(self.open.values())
        lost = sum(max(0, points - scores.get(player, 0)) for player, points in self._points.items())
        if lost:
            raise Lost(f"{when}: {lost} of {self.count} acknowledged are not counted", lost)
        excess = {player: score - self._points[player] - unanswered[player] for player, score in scores.items()}
        excess = {player: points for player, points in excess.items() if points > 0}
        if excess:
            player = next(iter(excess))
            raise Twice(f"{when}: {sum(excess.values())} more than were ever sent are counted: {player} has "
                        f"{scores[player]} points, but only {scores[player] - excess[player]} were sent", sum(excess.values()))


def open_database(data):
    """Reads only; the server stays the one connection that writes."""
    return sqlite3.connect(f"file:{data}/standings.db?mode=ro", uri=True, timeout=30)


def standings(server):
    """The first page and the rows of all pages."""
    first, rows, cursor = None, [], ""
    while True:
        answer = server.public.get(f"/v1/boards/{BOARD}/standings?limit=1000{cursor}")
        assert answer.status == 200, answer
        page = answer.json
        first = first or page
        rows += page["rows"]
        if not page.get("next_cursor"):
            return first, rows
        cursor = f"&cursor={page['next_cursor']}"
