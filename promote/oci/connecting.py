"""Connections opened before they are needed: on a long link opening one takes as long as a question.

urllib3 has no public way to open a connection but a request; what is used here is what its own requests begin and end
with (`HTTPConnectionPool.urlopen`).
"""

from __future__ import annotations

import ssl
from collections import Counter
from threading import Lock, Thread
from typing import TYPE_CHECKING

import urllib3
from urllib3.connection import HTTPSConnection

from promote.oci.patience import Patience

if TYPE_CHECKING:
    from urllib3._base_connection import BaseHTTPConnection


class TlsConnection(HTTPSConnection):
    """A connection that is not taken for a broken one because the server has sent tickets.

    A server sends them when the handshake is over (RFC 8446, 4.6.1).  urllib3 thinks that whatever can be read from a
    connection before a request is its end.
    """

    @property
    def is_connected(self) -> bool:
        """Whether a request can be sent: nothing came, or nothing that is for us to read."""
        sock = self.sock
        if super().is_connected or not isinstance(sock, ssl.SSLSocket):
            return super().is_connected
        patience = sock.gettimeout()
        try:
            sock.settimeout(0)
            sock.recv(1)
        except ssl.SSLWantReadError:
            return True
        except OSError:
            return False
        finally:
            sock.settimeout(patience)
        return False


class TlsPool(urllib3.HTTPSConnectionPool):
    """A pool of those."""

    ConnectionCls = TlsConnection


class Opener:
    """Opens connections of pools, each by a thread that ends with it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._under_way: Counter[urllib3.HTTPConnectionPool] = Counter()

    def open(self, pool: urllib3.HTTPConnectionPool, count: int, patience: Patience) -> None:
        """Begin to open connections until `count` wait in `pool` or are on their way; raises nothing.

        `pool` is set up as for a request, so that a server is trusted as then.
        """
        kept = pool.pool
        if kept is None:
            return
        with self._lock, kept.mutex:
            there = sum(connection is not None and connection.is_connected for connection in kept.queue)
            # There is a None for each connection that may be and is not.
            missing = max(0, min(count - there - self._under_way[pool], kept.queue.count(None)))
            for _ in range(missing):
                kept.queue.remove(None)
            self._under_way[pool] += missing
        for _ in range(missing):
            connection = pool._new_conn()  # noqa: SLF001
            Thread(target=self._open, args=(pool, connection, patience), name="connect", daemon=True).start()

    def _open(self, pool: urllib3.HTTPConnectionPool, connection: BaseHTTPConnection, patience: Patience) -> None:
        try:
            _leave(pool, connection if _connected(connection, patience) else None)
        finally:
            with self._lock:
                self._under_way[pool] -= 1
                if not self._under_way[pool]:
                    del self._under_way[pool]  # and with it a pool that is closed


def _connected(connection: BaseHTTPConnection, patience: Patience) -> bool:
    """Open `connection`; False where it cannot be, which whoever asks next finds out."""
    connection.timeout = patience.connect
    try:
        connection.connect()
        if (sock := getattr(connection, "sock", None)) is not None:
            # A request sets the time for its answer; what it sends has the time that was set when it was connected.
            sock.settimeout(patience.idle)
    except (urllib3.exceptions.HTTPError, OSError):
        connection.close()
        return False
    return True


def _leave(pool: urllib3.HTTPConnectionPool, connection: BaseHTTPConnection | None) -> None:
    """Put `connection` where `pool` keeps them, None for one that may be opened later."""
    kept = pool.pool
    if kept is None:
        if connection is not None:
            connection.close()
        return
    with kept.mutex:
        # The last one in is the first one out: those that are in use again and again stay on top of this one.
        below = next((place for place, other in enumerate(kept.queue) if other is not None), len(kept.queue))
        kept.queue.insert(0 if connection is None else below, connection)
