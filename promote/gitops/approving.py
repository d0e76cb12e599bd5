"""Commits that approve a release: their trailers, who made them, and whether git verifies their signature."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from promote.gitops import trailers
from promote.gitops.commit import identity
from promote.gitops.names import checked_oid
from promote.gitops.repository import Repository

_GOOD = "G"
"""A good signature by somebody who is trusted (git-log(1), ``%G?``).  ``U``, a good one by a stranger, is anybody's."""


@dataclass(frozen=True, slots=True)
class ApprovingCommit:
    """One commit with the values of its approving trailers.

    `author` is an address in lower case, as the commit says it; `signer` what git calls the maker of a signature that
    it verified, and `key` its fingerprint, None where there is no such signature or nobody asked.
    """

    oid: str
    author: str
    texts: tuple[str, ...]
    signer: str | None = None
    key: str | None = None


def approving(repository: Repository, tip: str, since: str, *, verify: bool) -> Iterator[ApprovingCommit]:
    """The commits that approve something among those that `tip` has and `since` has not, newest first.

    `verify`: ask git for each signature, with the keys and settings of whoever runs this.  Raises `Fault`.
    """
    signature = "%G?%x00%GF%x00%GS" if verify else "%x00%x00"
    answer = repository.git.run(
        "look for approvals",
        ["log", "--no-patch", "-z", "--topo-order", "--no-mailmap", "--no-notes", "--no-show-signature", "--no-color",
         f"--format=%H%x00%ae%x00{signature}%x00%B", "--fixed-strings", f"--grep={trailers.APPROVE}: ",
         "--end-of-options", checked_oid(tip), f"^{checked_oid(since)}", "--"],
    )  # fmt: skip
    fields = iter(answer.out.decode("utf-8", "replace").split("\0"))
    for oid in fields:
        if not oid:
            continue
        author, status, key, signer, text = (next(fields, "") for _ in range(5))
        texts = tuple(value for name, value in trailers.parse(text) if name == trailers.APPROVE)
        is_good = status == _GOOD and bool(key)
        if texts:
            yield ApprovingCommit(
                checked_oid(oid), author.casefold(), texts, signer if is_good else None, key if is_good else None
            )


def promoter(repository: Repository) -> str | None:
    """The address that a commit made here now would have as its author; None when git has none."""
    answer = repository.git.answer(
        ["var", "GIT_AUTHOR_IDENT"], environment=identity(repository.git, repository.settings)
    )
    address = answer.text.rpartition("<")[2].partition(">")[0]
    return address.casefold() if answer.status == 0 and address else None
