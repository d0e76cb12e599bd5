"""The signature of a commit that promote made: verified by git, with the user's own settings, before it is pushed."""

from __future__ import annotations

from promote.errors import Fault
from promote.gitops.command import Git
from promote.gitops.faults import one_line

_HEADERS = (b"\ngpgsig ", b"\ngpgsig-sha256 ")
_ALLOWED = "gpg.ssh.allowedSignersFile"


def check_signature(git: Git, commit: str) -> None:
    """Raise `Fault` (``signature-unverified``) unless `commit` is signed and git verifies it.

    Whose key that must be is the user's to say: trusted keys of openpgp and x509, `_ALLOWED` for ssh.  A signature of
    ssh that nobody is allowed by (see `unverified`) is checked for being one, without an identity.
    """
    content = git.run("read the commit", ["cat-file", "commit", commit]).out
    head = content.partition(b"\n\n")[0]
    if not any(header in head for header in _HEADERS):
        raise _not_verified(commit, "it has no signature")
    if _is_ssh(head) and not _allowed_signers(git):
        return
    answer = git.answer(["verify-commit", "--raw", commit])
    if answer.status != 0:
        raise _not_verified(commit, one_line(answer.err) or "git gave no reason")


def unverified(git: Git, commit: str) -> str | None:
    """What to tell the user about a signature that nobody could verify here; None where there is nothing to tell."""
    head = git.run("read the commit", ["cat-file", "commit", commit]).out.partition(b"\n\n")[0]
    if not _is_ssh(head) or _allowed_signers(git):
        return None
    return f"the commit is signed with ssh and the signature was not verified, because {_ALLOWED} is not set"


def _is_ssh(head: bytes) -> bool:
    return b"gpgsig -----BEGIN SSH SIGNATURE-----" in head or b"gpgsig-sha256 -----BEGIN SSH SIGNATURE-----" in head


def _allowed_signers(git: Git) -> bool:
    return bool(git.answer(["config", "--get", _ALLOWED]).text)


def _not_verified(commit: str, why: str) -> Fault:
    return Fault(
        "signature-unverified",
        f"the commit was signed, as commit.gpgSign asks for, and git does not verify it: {why}",
        expected="a signature that `git verify-commit` accepts",
        actual=why,
        hint=f"try `git verify-commit {commit}`; nothing was pushed",
    )
