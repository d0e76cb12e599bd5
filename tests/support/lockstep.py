"""A link on which time is counted and not measured: in round trips, whatever the machine is busy with.

    with Lockstep() as link:
        source, target = link.door(staging.address), link.door(prod.address)
        ...                             # copy from source to target
        assert len(link.levels) <= 12   # round trips that had to wait for one another

Whatever a client sends is held until every thread of this process and of its children sleeps: until nobody can do
anything more without an answer.  Then all that is held goes on at once, and that is one level.  Opening a connection
takes a level of its own, as TCP's handshake does.  Answers are not held: a level is a whole round trip.  So the number
of levels is the longest chain of requests, each of which had to wait for the one before.
"""

from __future__ import annotations

import os
import re
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

BLOCK = 256 * 1024
CALM = 5
"""How often in a row everybody must be seen asleep, having done hardly anything in between."""
LOOK = 0.004
HARDLY = 400_000
"""Nanoseconds that a thread may have run between two looks: servers look up now and then whether they shall end."""
_REQUEST = re.compile(rb"(GET|HEAD|PUT|POST|PATCH|DELETE) (\S+) HTTP/1\.[01]\r\n")
_AWAKE = frozenset("RD")


@dataclass
class _Way:
    """One connection: what its client has sent and is not on its way yet."""

    door: str
    client: socket.socket
    server: socket.socket
    opened: bool = False
    ended: bool = False
    held: bytearray = field(default_factory=bytearray)


class Lockstep:
    """Doors to servers, and what went through them, level by level.  A context manager."""

    def __init__(self) -> None:
        self.levels: list[list[str]] = []
        """What went on together: ``DOOR METHOD PATH``, or ``DOOR connect``."""
        self._ways: list[_Way] = []
        self._lock = threading.Lock()
        self._listeners: list[socket.socket] = []
        self._moved = 0
        self._ended = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="lockstep", daemon=True)

    def __enter__(self) -> Lockstep:
        self._keeper.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._keeper.join()
        with self._lock:
            for each in [*self._listeners, *(s for way in self._ways for s in (way.client, way.server))]:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()

    def door(self, target: str, name: str = "") -> str:
        """``127.0.0.1:PORT``, behind which is `target` (``host:port``); `name` is what levels call it."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._listeners.append(listener)
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        host, _, port = target.partition(":")
        threading.Thread(target=self._accept, args=(listener, (host, int(port)), name), daemon=True).start()
        return address

    def of(self, part: str) -> list[int]:
        """The numbers, from 1, of the levels in which something that contains `part` went on."""
        return [number for number, level in enumerate(self.levels, 1) if any(part in each for each in level)]

    def table(self) -> str:
        """The levels, one a line, each kind of request with how many there were."""
        lines = []
        for number, level in enumerate(self.levels, 1):
            kinds: dict[str, int] = {}
            for each in level:
                kind = re.sub(r"sha256([:-])([0-9a-f]{4})[0-9a-f]{60}", r"sha256\1\2", each)
                kinds[kind] = kinds.get(kind, 0) + 1
            lines.append(f"{number:3}  " + "\n     ".join(f"{n} x {kind}" for kind, n in sorted(kinds.items())))
        return "\n".join(lines)

    def _accept(self, listener: socket.socket, target: tuple[str, int], name: str) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                way = _Way(name, client, socket.create_connection(target))
                for end in (way.client, way.server):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self._lock:
                    self._ways.append(way)
                    self._moved += 1
                threading.Thread(target=self._hold, args=(way,), daemon=True).start()
                threading.Thread(target=self._return, args=(way,), daemon=True).start()

    def _hold(self, way: _Way) -> None:
        with suppress(OSError):
            while data := way.client.recv(BLOCK):
                with self._lock:
                    way.held += data
                    self._moved += 1
        with self._lock:
            way.ended = True

    def _return(self, way: _Way) -> None:
        with suppress(OSError):
            while data := way.server.recv(BLOCK):
                self._moved += 1
                way.client.sendall(data)
        with suppress(OSError):
            way.client.shutdown(socket.SHUT_RDWR)

    def _keep(self) -> None:
        while not self._ended.is_set():
            with self._lock:
                waiting = any(not way.opened or way.held or way.ended for way in self._ways)
                moved = self._moved
            if waiting and _all_asleep() and moved == self._moved:
                self._let_on()
            else:
                time.sleep(LOOK)

    def _let_on(self) -> None:
        level: list[str] = []
        with self._lock:
            for way in list(self._ways):
                if not way.opened:
                    way.opened = True
                    level.append(f"{way.door} connect")
                elif way.held:
                    level += [f"{way.door} {m[1].decode()} {m[2].decode()}" for m in _REQUEST.finditer(way.held)]
                    data = bytes(way.held)
                    way.held.clear()
                    with suppress(OSError):
                        way.server.sendall(data)
                elif way.ended:
                    self._ways.remove(way)
                    with suppress(OSError):
                        way.server.shutdown(socket.SHUT_RDWR)
        if level:
            self.levels.append(level)


def _all_asleep() -> bool:
    """Whether nobody but this thread does anything for `CALM` looks; who waits for a processor is not asleep."""
    before: dict[str, int] = {}
    for _ in range(CALM):
        now = _work()
        if now is None or any(ran - before.get(thread, ran) > HARDLY for thread, ran in now.items()):
            return False
        before = now
        time.sleep(LOOK)
    return True


def _work() -> dict[str, int] | None:
    """For how many nanoseconds each thread of this process and its descendants has run; None while one is awake.

    Source: proc(5), of which schedstat counts more finely than stat.
    """
    own = str(threading.get_native_id())
    found: dict[str, int] = {}
    for process in _family():
        with suppress(OSError):
            for task in Path(f"/proc/{process}/task").iterdir():
                if task.name == own:
                    continue
                with suppress(OSError, IndexError):
                    if (task / "stat").read_text().rpartition(")")[2].split()[0] in _AWAKE:
                        return None
                    found[task.name] = int((task / "schedstat").read_text().split()[0])
    return found


def _family() -> list[int]:
    """This process and its descendants."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, ValueError, IndexError):
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    family, frontier = [os.getpid()], [os.getpid()]
    while frontier:
        frontier = [child for child, parent in parents.items() if parent in frontier]
        family += frontier
    return family
