"""A WebSocket client that others wrote (Debian's python3-autobahn) watches a board."""

import asyncio
import json
import unittest

from support.api import ApiTest
from support.live import Rows

try:
    from autobahn.asyncio.websocket import WebSocketClientFactory, WebSocketClientProtocol
except ImportError:
    WebSocketClientProtocol = object


class Watch(WebSocketClientProtocol):
    """Watches, submits nothing, and ends with a clean close once the rows are those that are wanted."""

    def onConnect(self, response):
        self.factory.seen["protocol"] = response.protocol

    def onOpen(self):
        self.rows = Rows()
        self.sendPing(b"are you there")
        for message in self.factory.messages:
            self.sendMessage(json.dumps(message).encode())

    def onPong(self, payload):
        self.factory.seen["pong"] = payload

    def onMessage(self, payload, is_binary):
        message = json.loads(payload)
        self.factory.seen.setdefault("messages", []).append(message)
        if "rows" in message or "upsert" in message:
            self.rows.apply(message)
            self.factory.seen["rows"] = self.rows.rows
            self.factory.changed.set()
            if self.factory.is_done(self.rows.rows):
                self.sendClose(1000, "done")

    def onClose(self, was_clean, code, reason):
        self.factory.seen["close"] = (was_clean, code)
        self.factory.closed.set_result(None)


@unittest.skipIf(WebSocketClientProtocol is object, "python3-autobahn is not here")
class Autobahn(ApiTest):
    def follow(self, messages, is_done, submit, **options):
        async def run():
            factory = WebSocketClientFactory(f"ws://127.0.0.1:{self.server.port}/v1/live", protocols=["standings.v1"])
            factory.setProtocolOptions(openHandshakeTimeout=10, closeHandshakeTimeout=10, **options)
            factory.protocol = Watch
            factory.seen, factory.messages, factory.is_done = {}, messages, is_done
            factory.changed = asyncio.Event()
            loop = asyncio.get_running_loop()
            factory.closed = loop.create_future()
            await loop.create_connection(factory, "127.0.0.1", self.server.port)
            await asyncio.wait_for(factory.changed.wait(), 20)
            await loop.run_in_executor(None, submit)
            await asyncio.wait_for(factory.closed, 20)
            return factory.seen

        return asyncio.run(run())

    def test_it_sees_a_board_move_and_closes_cleanly(self):
        for options in ({}, {"autoFragmentSize": 7}, {"applyMask": True, "tcpNoDelay": True}):
            with self.subTest(options=options):
                board = self.make_board()
                slug = board.removeprefix("/v1/boards/")
                self.submit(board, "a", 1, name="é☃")
                seen = self.follow([{"id": "é☃𝄞", "op": "watch", "board": slug, "view": {"top": 10}}],
                                   lambda rows: len(rows) == 2, lambda: self.submit(board, "b", 2), **options)
                self.assertEqual(seen["protocol"], "standings.v1")
                self.assertEqual(seen["pong"], b"are you there")
                self.assertEqual(seen["messages"][0], {"id": "é☃𝄞", "ok": True, "view": f"{slug}/all/top/10"})
                self.assertEqual(seen["rows"], json.loads(json.dumps(self.get(f"{board}/standings")["rows"], default=str)))
                self.assertEqual(seen["close"], (True, 1000))


if __name__ == "__main__":
    unittest.main()
