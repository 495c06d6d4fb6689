"""Watches a view as a client does: takes frames apart and keeps the rows."""

import socket

from support.client import parse_json


class Rows:
    """A view rebuilt from its frames."""

    def __init__(self):
        self.by_player = {}
        self.seq = None
        self.goes_on = False  # a delta may fold many, of which some undid others
        self.epoch = None
        self.total = None

    def apply(self, message):
        kind = message["type"]
        if kind == "snapshot":
            self.by_player = {row["player"]: row for row in message["rows"]}
            self.epoch = message["epoch"]
        elif kind == "delta":
            assert message["prev"] == self.seq, f"a delta from {message['prev']} after {self.seq}"
            for player in message["leave"]:
                del self.by_player[player]
            for row in message["upsert"]:
                assert self.goes_on or self.by_player.get(row["player"]) != row, f"told again: {row}"
                self.by_player[row["player"]] = row
        else:
            assert kind == "beat", message
        self.goes_on = False
        self.seq = message["seq"]
        self.total = message.get("total", self.total)

    @property
    def rows(self):
        rows = sorted(self.by_player.values(), key=lambda row: row["position"])
        positions = [row["position"] for row in rows]
        assert len(set(positions)) == len(positions), f"two rows at one position: {rows}"
        return rows


class EventStream(Rows):
    """A view over server-sent events. Use as a context manager; reconnect() goes on like a browser does."""

    def __init__(self, port, target, *, key=None, timeout=15.0, receive_buffer=None):
        super().__init__()
        self.port = port
        self.target = target
        self.key = key
        self.timeout = timeout
        self.receive_buffer = receive_buffer
        self.last_event_id = None
        self.retry = None
        self.kinds = []  # of all events since the connection began
        self.connect()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def connect(self, **headers):
        self.kinds = []
        self.goes_on = True
        self.ended = False
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if self.receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
        self.socket.settimeout(self.timeout)
        self.socket.connect(("127.0.0.1", self.port))
        lines = [f"GET {self.target} HTTP/1.1", "Host: localhost", "Accept: text/event-stream"]
        if self.key:
            lines.append(f"Authorization: Bearer {self.key}")
        if self.last_event_id:
            lines.append(f"Last-Event-ID: {self.last_event_id}")
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
        self.raw = b""
        self.text = b""
        while b"\r\n\r\n" not in self.raw:
            self._receive()
        head, _, self.raw = self.raw.partition(b"\r\n\r\n")
        status, *fields = head.decode().split("\r\n")
        self.status = int(status.split()[1])
        self.headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}

    def reconnect(self, port=None):
        self.close()
        self.port = port or self.port
        self.connect()

    def close(self):
        self.socket.close()

    def _receive(self):
        piece = self.socket.recv(65536)
        if not piece:
            raise ConnectionError("the stream ended in the middle")
        self.raw += piece

    def _take_chunk(self):
        while b"\r\n" not in self.raw:
            self._receive()
        size, _, rest = self.raw.partition(b"\r\n")
        length = int(size, 16)
        while len(rest) < length + 2:
            self._receive()
            rest = self.raw.partition(b"\r\n")[2]
        self.raw = rest[length + 2:]
        if length == 0:
            self.ended = True
        self.text += rest[:length]

    def _next_block(self):
        while b"\n\n" not in self.text:
            if self.ended:
                return None
            self._take_chunk()
        block, _, self.text = self.text.partition(b"\n\n")
        return block.decode()

    def next(self):
        """The next event as (kind, message), applied to the rows. A beat has no kind in this form. None: the end."""
        while True:
            block = self._next_block()
            if block is None:
                return None
            fields = {}
            for line in block.split("\n"):
                if line.startswith(":"):
                    continue
                name, _, value = line.partition(":")
                fields[name] = value.removeprefix(" ")
            if "retry" in fields:
                self.retry = int(fields["retry"])
            if "id" in fields:
                self.last_event_id = fields["id"]
            if "data" not in fields:
                if "id" in fields:
                    self.seq = int(fields["id"].partition(":")[2])
                    return "beat", None
                continue
            message = parse_json(fields["data"])
            self.kinds.append(fields["event"])
            if fields["event"] in ("snapshot", "delta"):
                self.apply(message)
            return fields["event"], message

    def until(self, condition):
        """Takes events until `condition(self)` holds."""
        while not condition(self):
            assert self.next() is not None, "the stream has ended"
        return self


def settled(stream, seq):
    """Takes events until the rows are known to be those at `seq`, or later."""
    return stream.until(lambda now: now.seq is not None and now.seq >= seq)
