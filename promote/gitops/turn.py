"""Turns: promotes of one user on one machine that lost a push to the same branch try again one after the other.

All at once they take the processor from each other, so that each is slower than whoever else pushes, and none lands.
Nothing depends on it but how soon that is: the push itself is compare and swap, and after a while nobody is waited for.
"""

from __future__ import annotations

import errno
import hashlib
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

LONGEST = 20.0
"""Seconds that a turn is waited for."""
_LOOK_AGAIN = 0.05


@contextmanager
def turn(place: str, branch: str) -> Iterator[None]:
    """While the block runs no other promote of this user is in a block about the same `branch` at `place`.

    At least as far as that can be had: after `LONGEST`, and where the system has no names of this kind, the block runs.
    """
    # An abstract name (unix(7)): no file is written, and the kernel takes it back however a process ends.  A digest,
    # because anybody can list the names.
    key = hashlib.sha256(f"{os.getuid()}\0{place}\0{branch}".encode("utf-8", "surrogateescape")).hexdigest()
    with socket.socket(socket.AF_UNIX) as held:
        _take(held, f"\0promote-{key[:32]}")
        yield


def _take(held: socket.socket, name: str) -> None:
    for looks in count(1):
        try:
            held.bind(name)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                return
        else:
            return
        if looks * _LOOK_AGAIN >= LONGEST:
            return
        time.sleep(_LOOK_AGAIN)
