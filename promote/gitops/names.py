"""The names git is given: each is checked before git sees it, so that none can be an option or leave the tree."""

from __future__ import annotations

import re

from promote.errors import Misuse
from promote.model.malformed import shown

_OID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
# git-check-ref-format(1): what no part of a reference may hold.
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//")


def _is_ref_part(text: str) -> bool:
    """Whether `text` may stand below ``refs/heads/``: the rules of git-check-ref-format(1), and no leading dash."""
    return not (
        not text
        or text == "@"
        or text.startswith(("-", "/"))
        or text.endswith(("/", "."))
        or _FORBIDDEN.search(text)
        or any(part.startswith(".") or part.endswith(".lock") for part in text.split("/"))
    )


def checked_branch(name: str) -> str:
    """`name`, a branch name as git-check-ref-format(1) has it, without a leading dash; raises `Misuse`."""
    if not _is_ref_part(name) or name == "HEAD":
        raise Misuse(
            "bad-branch",
            f"the branch is {shown(name)!r}, expected a branch name as `git check-ref-format --branch` accepts it",
            hint="set git.branch in promote.yaml to the branch that promotions are committed to",
        )
    return name


def checked_remote(name: str) -> str:
    """`name`, the name of a remote and never a URL; raises `Misuse`."""
    if not _is_ref_part(name):
        raise Misuse(
            "bad-remote",
            f"the remote is {_unsecret(name)!r}, expected the name of a remote such as origin",
            hint="set git.remote in promote.yaml to a name that `git remote` lists",
        )
    return name


def _unsecret(name: str) -> str:
    """`name` for an error; a URL given by mistake may hold a password, so that everything up to the ``@`` goes."""
    return shown(name.rpartition("@")[2] if "://" in name else name)


def checked_path(path: str) -> str:
    """`path`, relative to the top of the tree, in posix spelling, inside it and outside ``.git``; raises `Misuse`."""
    parts = path.split("/")
    if (
        path.startswith("-")
        or any(part in ("", ".", "..") or part.lower() == ".git" for part in parts)
        or not path.isprintable()
        or "\\" in path
    ):
        raise Misuse(
            "bad-path",
            f"the path {shown(path)!r} cannot be used, expected a relative path inside the repository",
        )
    return path


def checked_directory(path: str) -> str:
    """`path` as `checked_path` takes it; the top of the tree is ``""`` or ``"."`` and comes back as ``""``."""
    trimmed = path.rstrip("/")
    return "" if path in ("", ".", "./") else checked_path(trimmed)


def checked_oid(text: str) -> str:
    """`text`, a full SHA-1 or SHA-256 object name in lower-case hex; raises `Misuse`."""
    if not _OID.fullmatch(text):
        raise Misuse("bad-commit", f"got {shown(text)!r}, expected a full commit id of 40 or 64 hex digits")
    return text
