"""A few submissions beside the reads, at a steady rate, so that the board moves while it is read."""

import os
import random
import threading
import time


class SteadyWriter:
    """Submits between `with` and its end; `rate` says afterwards how many a second came of it.

    `connect` gives something with send(bytes) and answer(); `request(number, score, key)` gives bytes; `is_right` looks
    at an answer. One submission is under way on each connection at most. Scores stay below `below`: the first ten
    of the board, which reads are checked against, are as they were.
    """

    CONNECTIONS = 16

    def __init__(self, wanted_rate, players, below, cores, *, connect, request, is_right):
        self.wanted_rate = wanted_rate
        self.players = players
        self.below = below
        self.cores = cores
        self.request = request
        self.is_right = is_right
        self.connections = [connect() for _ in range(self.CONNECTIONS)]
        self.count = 0
        self.failure = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._guarded, daemon=True)

    def __enter__(self):
        self.began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, kind, *_):
        self._ending.set()
        self._thread.join()
        self.rate = self.count / (time.monotonic() - self.began)
        for connection in self.connections:
            connection.close()
        if self.failure and kind is None:
            raise self.failure

    def _guarded(self):
        try:
            self._run()
        except Exception as failure:
            self.failure = failure

    def _run(self):
        if self.cores:
            os.sched_setaffinity(0, self.cores)  # of this thread
        run = time.monotonic_ns()
        due = time.monotonic()
        while not self._ending.wait(max(0.0, due - time.monotonic())):
            connection = self.connections[self.count % self.CONNECTIONS]
            if self.count >= self.CONNECTIONS:
                self._take_answer(connection)
            connection.send(self.request(random.randrange(self.players), random.randrange(self.below), f"{run}-{self.count}"))
            self.count += 1
            due += 1 / self.wanted_rate
        for connection in self.connections[:self.count]:
            self._take_answer(connection)

    def _take_answer(self, connection):
        answer = connection.answer()
        assert self.is_right(answer), f"a submission beside the reads was answered: {answer}"
