"""What else goes on while the load runs: a follower of the feed, and a writer of atomic arrays."""

import contextlib
import http.client
import threading
import time

from faults.oracle import BOARD, open_database
from support.live import EventFeed
from support.server import KEY

ARRAYS = "arrays"
AT_ONCE = 3
PRESENT = """
SELECT count(*) FROM event JOIN player ON player.ranking = event.ranking AND player.slot = event.slot
WHERE event.kind = 1 AND player.id = ?1 AND event.ranking = (SELECT ranking FROM board WHERE slug = ?2)
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
                with contextlib.suppress(OSError, http.client.HTTPException):
                    self.work()
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

    def work(self):
        target = f"/v1/boards/{BOARD}/live?feed=100"
        if self.feed is None:
            self.feed = EventFeed(self.server.port, target, timeout=5)
        else:
            self.feed.reconnect(self.server.port)
        while not self.ending.is_set() and (said := self.feed.next()):
            kind, message = said
            if kind in ("snapshot", "delta"):
                self.items += len(message["items"])
                self.oracle.show(message["seq"], [(item["seq"], item["player"]) for item in message["items"]])
                self.feed.items = self.feed.items[-1:]


class ArrayWriter(Beside):
    """Arrays of three players whom nobody else submits for; those of one without an answer are all there, or none is."""

    def __init__(self, server):
        super().__init__(server)
        self.acknowledged, self.open = [], []
        self.sent = 0

    def work(self):
        api = self.server.new_client(KEY, timeout=5)
        while not self.ending.is_set():
            self.sent += 1
            number = self.sent
            self.open.append(number)
            answer = api.post(f"/v1/boards/{ARRAYS}/submissions", [{"player": player, "score": 1} for player in self.players(number)])
            assert answer.status == 200, answer
            self.open.remove(number)
            self.acknowledged.append(number)
            time.sleep(0.002)

    @staticmethod
    def players(number):
        return [f"a{number}-{place}" for place in range(AT_ONCE)]

    def verify(self):
        """Of all arrays since the last time, on a server that was started again."""
        acknowledged, self.acknowledged = self.acknowledged, []
        with contextlib.closing(open_database(self.server.data)) as database:
            database.execute("BEGIN")
            for number in (*acknowledged, *self.open):
                there = [database.execute(PRESENT, (player, ARRAYS)).fetchone()[0] for player in self.players(number)]
                if there != [1] * AT_ONCE and (number in acknowledged or there != [0] * AT_ONCE):
                    raise Halved(f"array {number}, {'acknowledged' if number in acknowledged else 'without an answer'}: {there} are there")
        return len(acknowledged)
