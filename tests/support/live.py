"""Watches a view as a client does: takes frames apart and keeps the rows."""

import socket

from support.client import parse_json, to_json


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


class Items:
    """A feed: every submission from the first message on, in order."""

    def __init__(self):
        self.items = []
        self.seq = None
        self.epoch = None
        self.gaps = 0
        self.goes_on = False

    def apply(self, message):
        kind = message["type"]
        if kind == "snapshot":
            self.items = message["items"]
            self.epoch = message["epoch"]
        elif kind == "delta":
            assert message["prev"] == self.seq, f"a delta from {message['prev']} after {self.seq}"
            self.gaps += message.get("gap", False)
            self.items = self.items + message["items"]
        else:
            assert kind == "beat", message
        seqs = [item["seq"] for item in self.items]
        assert seqs == sorted(set(seqs)) and (not seqs or seqs[-1] <= message["seq"]), f"out of order: {seqs}"
        self.seq = message["seq"]


class EventStream(Rows):
    """A view over server-sent events. Use as a context manager; reconnect() goes on like a browser does."""

    def __init__(self, port, target, *, key=None, timeout=15.0, receive_buffer=None, since=None):
        """`since`: rows that it goes on from."""
        super().__init__()
        self.port = port
        self.target = target
        self.key = key
        self.timeout = timeout
        self.receive_buffer = receive_buffer
        self.last_event_id = None
        if since is not None and since.seq is not None:
            self.by_player, self.seq, self.epoch = since.by_player, since.seq, since.epoch
            self.last_event_id = f"{since.epoch}:{since.seq}"
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
        try:
            self._begin(headers)
        except BaseException:
            self.close()
            raise

    def _begin(self, headers):
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


class EventFeed(EventStream):
    """A feed over server-sent events."""

    def __init__(self, *arguments, **options):
        self.items = []
        self.gaps = 0
        super().__init__(*arguments, **options)

    apply = Items.apply


def settled(stream, seq):
    """Takes events until the rows are known to be those at `seq`, or later."""
    return stream.until(lambda now: now.seq is not None and now.seq >= seq)


class Closed(Exception):
    """The server has closed: `code` and `reason` of its close frame, or None where there was none."""

    def __init__(self, code, reason):
        super().__init__(f"{code} {reason}")
        self.code = code
        self.reason = reason


def frame(opcode, payload, *, fin=True, mask=b"\x01\x02\x03\x04", reserved=0, size=None):
    """A client's frame as bytes. `mask=None`: unmasked; `size`: what the head claims, and how long it is: (claim, bytes)."""
    head = bytes([(0x80 if fin else 0) | reserved << 4 | opcode])
    claim, width = size or (len(payload), 0 if len(payload) < 126 else 2 if len(payload) < 65536 else 8)
    marker = claim if width == 0 else 126 if width == 2 else 127
    head += bytes([(0x80 if mask else 0) | marker])
    if width:
        head += claim.to_bytes(width, "big")
    if mask:
        payload = mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
    return head + payload


TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class WebSocket:
    """A client that sends what it is told to, and takes frames apart by hand. Use as a context manager."""

    def __init__(self, port, path="/v1/live", *, headers=(), timeout=15.0, protocol="standings.v1", receive_buffer=None):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        try:
            self._begin(port, path, headers, protocol)
        except BaseException:
            self.close()
            raise

    def _begin(self, port, path, headers, protocol):
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.raw = b""
        lines = [f"GET {path} HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: Upgrade",
                 "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", *headers]
        if protocol:
            lines.append(f"Sec-WebSocket-Protocol: {protocol}")
        self.socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
        while b"\r\n\r\n" not in self.raw:
            self._receive()
        head, _, self.raw = self.raw.partition(b"\r\n\r\n")
        status, *fields = head.decode().split("\r\n")
        self.status = int(status.split()[1])
        self.headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send_bytes(self, data):
        self.socket.sendall(data)

    def send(self, message):
        self.send_bytes(frame(TEXT, to_json(message)))

    def _receive(self):
        try:
            piece = self.socket.recv(65536)
        except ConnectionResetError:
            piece = b""
        if not piece:
            raise Closed(None, "the connection ended")
        self.raw += piece

    def _need(self, count):
        while len(self.raw) < count:
            self._receive()

    def next_frame(self):
        """(opcode, payload) of the next frame."""
        self._need(2)
        first, size = self.raw[0], self.raw[1]
        assert first & 0x70 == 0 and first & 0x80 and size < 128, f"not a whole, plain, unmasked frame: {self.raw[:4]!r}"
        at = 2
        if size >= 126:
            width = 2 if size == 126 else 8
            self._need(2 + width)
            size = int.from_bytes(self.raw[2:2 + width], "big")
            at += width
        self._need(at + size)
        payload, self.raw = self.raw[at:at + size], self.raw[at + size:]
        return first & 0x0F, payload

    def next(self):
        """The next message; answers pings. Raises Closed."""
        while True:
            opcode, payload = self.next_frame()
            if opcode == TEXT:
                return parse_json(payload.decode())
            if opcode == PING:
                self.send_bytes(frame(PONG, payload))
            elif opcode == CLOSE:
                code = int.from_bytes(payload[:2], "big") if payload else None
                raise Closed(code, payload[2:].decode())
            else:
                assert opcode == PONG, (opcode, payload)

    def closing(self):
        """What the server closes with, whatever comes before it."""
        try:
            while True:
                self.next()
        except Closed as closed:
            return closed


class Watcher(WebSocket):
    """A socket with the rows of all views that it watches."""

    def __init__(self, port, **options):
        super().__init__(port, **options)
        self.views = {}
        self.ids = 0
        self.events = []

    def ask(self, **message):
        """Sends, and takes messages until the answer."""
        self.ids += 1
        self.send({"id": self.ids, **message})
        while True:
            answer = self.take()
            if answer.get("id") == self.ids:
                return answer

    def watch(self, board, view, *, rows=None, **more):
        """The name of the view, watched from its answer on. `board` None: the feed of all."""
        if board is not None:
            more["board"] = board
        answer = self.ask(op="watch", view=view, **more)
        assert answer["ok"], answer
        if rows is not None:
            rows.goes_on = True
        self.views[answer["view"]] = rows or (Items() if "feed" in view else Rows())
        return answer["view"]

    def take(self):
        message = self.next()
        if "view" in message and "type" in message:
            self.views[message["view"]].apply(message)
        elif message.get("type") == "event":
            self.events.append(message)
        return message

    def until(self, condition):
        while not condition(self):
            self.take()
        return self
