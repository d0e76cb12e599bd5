"""Git over HTTP on loopback, to which anybody may push."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.git_servers import git_over_http


@contextmanager
def git_server(root: Path) -> Iterator[str]:
    """Serve the bare repositories under `root` while the block runs; ``host:port``."""
    with git_over_http(root) as server:
        yield server.address
