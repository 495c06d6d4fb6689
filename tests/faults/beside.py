"""What else goes on while the load runs: a follower of the feed, and a writer of atomic arrays."""

import collections
import contextlib
import http.client
import threading
import time

from faults.oracle import BOARD, Lost, open_database
from support.client import Client
from support.live import EventFeed
from support.server import KEY

ARRAYS = "arrays"
AT_ONCE = 3
PLAYERS = """
SELECT event.seq, player.id FROM event JOIN player ON player.ranking = event.ranking AND player.slot = event.slot
WHERE event.kind = 1 AND event.seq > ?1 AND event.ranking = (SELECT ranking FROM board WHERE slug = ?2)
"""


class Halved(AssertionError):
    """Of an atomic array a part is there."""


class Beside(threading.Thread):
    """Does its work again and again, also when the server is gone for a while. Use as a context manager."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server = server
        self.ending = threading.Event()
        self.failure = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.join()

    def run(self):
        try:
            while not self.ending.is_set():
                port = self.server.port  # none while it is down
                with contextlib.suppress(OSError, http.client.HTTPException):
                    if port is not None:
                        self.work(port)
                self.ending.wait(0.05)
        except BaseException as failure:
            self.failure = failure

    def check(self):
        if self.failure:
            raise self.failure


class FeedFollower(Beside):
    """Tells the oracle what the feed shows, and goes on after each end where it was."""

    def __init__(self, server, oracle):
        super().__init__(server)
        self.oracle = oracle
        self.feed = None
        self.items = 0

    def work(self, port):
        if self.feed is None:
            self.feed = EventFeed(port, f"/v1/boards/{BOARD}/live?feed=100", timeout=5)
        else:
            self.feed.reconnect(port)
        while not self.ending.is_set() and (said := self.feed.next()):
            kind, message = said
            if kind in ("snapshot", "delta"):
                self.oracle.show(message["seq"], [(item["seq"], item["player"]) for item in message["items"]])
                self.items += len(message["items"])
                self.feed.items = self.feed.items[-1:]


class ArrayWriter(Beside):
    """Arrays of three players whom nobody else submits for; those of one without an answer are all there, or none is."""

    def __init__(self, server):
        super().__init__(server)
        self.acknowledged, self.open = [], set()
        self.sent = 0
        self._looked_up_to = 0  # seq
        self._unanswered = {}   # array: how many of it were there, before it was answered

    def work(self, port):
        api = Client("127.0.0.1", port, key=KEY, timeout=5)
        while not self.ending.is_set():
            self.sent += 1
            number = self.sent
            self.open.add(number)
            answer = api.post(f"/v1/boards/{ARRAYS}/submissions", [{"player": player, "score": 1} for player in self.players(number)])
            assert answer.status == 200, answer
            self.acknowledged.append(number)
            self.open.discard(number)
            time.sleep(0.002)

    @staticmethod
    def players(number):
        return [f"a{number}-{place}" for place in range(AT_ONCE)]

    def verify(self):
        """Of all arrays since the last time, on a server that was started again."""
        open_ones, acknowledged = set(self.open), self.acknowledged
        self.acknowledged = []
        open_ones -= set(acknowledged)
        there = collections.Counter(self._unanswered)
        with contextlib.closing(open_database(self.server.data)) as database:
            for seq, player in database.execute(PLAYERS, (self._looked_up_to, ARRAYS)):
                there[int(player[1:].partition("-")[0])] += 1
                self._looked_up_to = max(self._looked_up_to, seq)
        for number in acknowledged:
            if there[number] == 0:
                raise Lost(f"array {number} was acknowledged, and is not there", AT_ONCE)
        halved = {number: count for number, count in there.items() if count not in (0, AT_ONCE)}
        if halved:
            raise Halved(f"of arrays of {AT_ONCE} these are there: {halved}")
        # The last one may be under way; of the others there will be no answer any more.
        self.open -= {number for number in open_ones if number != max(open_ones)}
        self._unanswered = {number: count for number, count in there.items() if number not in acknowledged}
        return len(acknowledged)
