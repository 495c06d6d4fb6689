"""A small HTTP client with keep-alive and JSON, and a raw one that sends the bytes it is given."""

import decimal
import http.client
import json
import select
import socket
import time


def parse_json(text):
    # Never through a double: the scores are exact.
    return json.loads(text, parse_float=decimal.Decimal)


class _Encoder(json.JSONEncoder):
    def default(self, value):
        raise TypeError(f"{value!r} is no JSON; write exact decimals as text in the body")


def to_json(value):
    return json.dumps(value, cls=_Encoder, ensure_ascii=False, separators=(",", ":")).encode()


def ndjson(items):
    return b"".join(to_json(item) + b"\n" for item in items)


class Answer:
    """Status, headers (lower-case names) and body."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return parse_json(self.body)

    @property
    def lines(self):
        return [parse_json(line) for line in self.body.splitlines() if line.strip()]

    def __repr__(self):
        return f"{self.status} {self.headers} {self.body[:600]!r}"


class Client:
    """One keep-alive connection, for one thread."""

    def __init__(self, host, port, key=None, timeout=60.0):
        self.connection = http.client.HTTPConnection(host, port, timeout=timeout)
        self.key = key

    def close(self):
        self.connection.close()

    def __del__(self):
        self.close()

    def request(self, method, path, body=None, headers=None):
        headers = dict(headers or {})
        names = {name.lower() for name in headers}
        if self.key and "authorization" not in names:
            headers["Authorization"] = f"Bearer {self.key}"
        if body is not None and not isinstance(body, (bytes, str)) and not hasattr(body, "__next__"):
            body = to_json(body)
            if "content-type" not in names:
                headers["Content-Type"] = "application/json"
        for attempt in (1, 2):
            fresh = self.connection.sock is None
            try:
                self.connection.request(method, path, body=body, headers=headers)
                answer = self.connection.getresponse()
                return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                self.connection.close()
                # The server may close a connection that was idle; only a read is worth asking twice.
                if fresh or attempt == 2 or method not in ("GET", "HEAD", "OPTIONS"):
                    raise
            except BaseException:
                self.connection.close()
                raise

    def get(self, path, **headers):
        return self.request("GET", path, headers=_names(headers))

    def head(self, path, **headers):
        return self.request("HEAD", path, headers=_names(headers))

    def options(self, path, **headers):
        return self.request("OPTIONS", path, headers=_names(headers))

    def post(self, path, body=None, **headers):
        return self.request("POST", path, body, _names(headers))

    def put(self, path, body, **headers):
        return self.request("PUT", path, body, _names(headers))

    def delete(self, path, **headers):
        return self.request("DELETE", path, headers=_names(headers))

    def patch(self, path, body, **headers):
        headers.setdefault("content_type", "application/merge-patch+json")
        return self.request("PATCH", path, body if isinstance(body, (bytes, str)) else to_json(body), _names(headers))

    def stream(self, path, lines, **headers):
        """Posts NDJSON: bytes, or objects of which each becomes a line."""
        body = lines if isinstance(lines, bytes) else ndjson(lines)
        headers.setdefault("content_type", "application/x-ndjson")
        return self.request("POST", path, body, _names(headers))


def _names(headers):
    return {name.replace("_", "-"): value for name, value in headers.items()}


class Raw:
    """A socket, and answers taken apart by hand. Use as a context manager."""

    def __init__(self, host, port, timeout=15.0):
        self.socket = socket.create_connection((host, port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.ended = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        """All of it, unless the server has ended the connection meanwhile."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            self.ended = True
        return self

    def send_slowly(self, data):
        """Byte by byte, each in a segment of its own; stops when an answer comes before the end."""
        for at in range(len(data)):
            self.send(data[at:at + 1])
            if self.ended or (at % 16 == 0 and select.select([self.socket], [], [], 0)[0]):
                break
        return self

    def _receive(self):
        try:
            piece = self.socket.recv(65536)
        except ConnectionResetError:
            piece = b""
        self.buffer += piece
        return bool(piece)

    def read_until(self, mark):
        """What came up to and with `mark`; None when the connection ended before."""
        while mark not in self.buffer:
            if not self._receive():
                return None
        found, _, self.buffer = self.buffer.partition(mark)
        return found + mark

    def read_exactly(self, count):
        while len(self.buffer) < count:
            if not self._receive():
                return None
        found, self.buffer = self.buffer[:count], self.buffer[count:]
        return found

    def answer(self, method="GET"):
        """The next final answer; None when the connection ended without one. 1xx are skipped."""
        while True:
            head = self.read_until(b"\r\n\r\n")
            if head is None:
                return None
            status_line, *fields = head[:-4].decode("latin-1").split("\r\n")
            version, status, _ = (status_line + " ").split(" ", 2)
            assert version in ("HTTP/1.1", "HTTP/1.0"), status_line
            headers = {}
            for field in fields:
                name, colon, value = field.partition(":")
                assert colon and name == name.strip(), f"a header that is none: {field!r}"
                headers[name.lower()] = value.strip()
            status = int(status)
            if status >= 200:
                return Answer(status, headers, self._body(method, status, headers))

    def _body(self, method, status, headers):
        if method == "HEAD" or status in (204, 304):
            return b""
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while True:
                size = int(self.read_until(b"\r\n").split(b";")[0], 16)
                if size == 0:
                    self.read_until(b"\r\n")
                    return body
                body += self.read_exactly(size)
                self.read_exactly(2)
        if "content-length" in headers:
            return self.read_exactly(int(headers["content-length"]))
        while self._receive():
            pass
        body, self.buffer = self.buffer, b""
        return body

    def is_closed(self, seconds=5.0):
        """True once the server has ended the connection without sending anything more."""
        deadline = time.monotonic() + seconds
        while not self.buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                return False
            if not self._receive():
                return True
        return False
