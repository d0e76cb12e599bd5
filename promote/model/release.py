"""Releases, pins and edits: what is promoted and where it is written down."""

from __future__ import annotations

from dataclasses import dataclass

from promote.model.digest import Digest
from promote.model.environment import App


@dataclass(frozen=True, slots=True)
class Release:
    """An app, a commit tag and the digest it was resolved to, once."""

    app: App
    tag: str
    digest: Digest


@dataclass(frozen=True, slots=True)
class Pin:
    """An image reference as one place of a manifest or kustomization makes it: the parts that are written there.

    `line` is one-based.  `name` is what would be pulled (an entry's newName, else its name), without tag and digest.
    """

    file: str
    line: int
    name: str
    tag: str | None
    digest: Digest | None


@dataclass(frozen=True, slots=True)
class Edit:
    """One line that changes.  `line` is one-based, in the file before the edit; `before` is empty for a new line."""

    file: str
    line: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class FileEdit:
    """The replacement of one file's content; everything outside the edits' spans is byte for byte as before."""

    path: str
    before: bytes
    after: bytes
    edits: tuple[Edit, ...]
