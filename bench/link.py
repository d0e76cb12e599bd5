"""A long link on loopback: TCP connections that take their time in both directions, whatever their bandwidth."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

BLOCK = 256 * 1024
_REQUEST = re.compile(rb"(GET|HEAD|PUT|POST|PATCH|DELETE) (\S+) HTTP/1\.[01]\r\n")


@dataclass
class Link:
    """A door to `target` (``host:port``) that is `round_trip` seconds away.

    Each segment arrives half a round trip after it was sent, in order and never later because of the ones before it;
    opening a connection costs one round trip, as TCP's handshake does.  `requests` are the HTTP requests that went
    through, as ``METHOD PATH``; `connections` how many were opened.
    """

    target: str
    round_trip: float
    address: str = ""
    connections: int = 0
    requests: list[str] = field(default_factory=list)

    def forget(self) -> None:
        """Count from zero again."""
        self.connections = 0
        self.requests.clear()

    async def serve(self, client: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        """One connection, to its end."""
        self.connections += 1
        host, _, port = self.target.partition(":")
        opened = asyncio.get_running_loop().time() + self.round_trip
        server, ask = await asyncio.open_connection(host, int(port), limit=BLOCK)
        await asyncio.gather(self._carry(client, ask, opened, count=True), self._carry(server, answer, opened))

    async def _carry(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, opened: float, *, count: bool = False
    ) -> None:
        loop = asyncio.get_running_loop()
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        delivery = asyncio.create_task(self._deliver(waiting, sink))
        try:
            while True:
                data = await source.read(BLOCK)
                if count and (match := _REQUEST.match(data)):
                    self.requests.append(f"{match[1].decode()} {match[2].decode()}")
                waiting.put_nowait((max(loop.time(), opened) + self.round_trip / 2, data))
                if not data:
                    break
        except OSError:
            waiting.put_nowait((loop.time(), b""))
        await delivery

    @staticmethod
    async def _deliver(waiting: asyncio.Queue[tuple[float, bytes]], sink: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        try:
            while True:
                due, data = await waiting.get()
                if (left := due - loop.time()) > 0:
                    await asyncio.sleep(left)
                if not data:
                    break
                sink.write(data)
                await sink.drain()
        except OSError:
            pass
        sink.close()


@contextmanager
def link(target: str, round_trip: float) -> Iterator[Link]:
    """A `Link` to `target` while the block runs, in a thread of its own."""
    made = Link(target, round_trip)
    ready, loop = threading.Event(), asyncio.new_event_loop()

    async def listen() -> None:
        server = await asyncio.start_server(made.serve, "127.0.0.1", 0, limit=BLOCK, backlog=512)
        made.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ready.set()

    def run() -> None:
        loop.run_until_complete(listen())
        loop.run_forever()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait()
    try:
        yield made
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
