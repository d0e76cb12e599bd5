"""Records: promotions, rollbacks and edits as git history tells them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from promote.model.digest import Digest
from promote.model.release import Pin

IN_THE_FUTURE = "its date is in the future"
BEFORE_AN_OLDER = "its date is before that of an older commit"
ODD_DATES = frozenset({IN_THE_FUTURE, BEFORE_AN_OLDER})
"""The notes of a record that say that its date cannot be believed."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A pin that some commit of the branch held: the unit of the ledger.

    `commit` is the first-parent commit that brought the pin in, `when` its committer date, `by` its author, `overlay`
    the directory of the overlay that read it.
    """

    commit: str
    when: datetime
    by: str
    pin: Pin
    overlay: str = ""


class Kind(StrEnum):
    """What a record is.  `promote`, `rollback` and `hotfix` are said by trailers that the diff confirms."""

    PROMOTE = "promote"
    ROLLBACK = "rollback"
    HOTFIX = "hotfix"
    REVERT = "revert"
    """A ``git revert``: the commit that it names did the opposite."""
    ADD = "add"
    """The first release of an app in an environment, brought in by hand: where its history begins."""
    EDIT = "edit"
    """Any other change by hand, or by another tool."""
    REMOVE = "remove"
    """The app is pinned no longer; the record has no tag and no digest."""


@dataclass(frozen=True, slots=True, order=True)
class Pinned:
    """What an overlay pins, wherever it is written; what is not written is empty, and a digest that is none, too."""

    tag: str = ""
    digest: str = ""

    @property
    def key(self) -> str:
        """What makes two pins the same release: the digest, and where there is none the tag."""
        return self.digest or self.tag


@dataclass(frozen=True, slots=True)
class Record:
    """One change of what `environment` runs of `app`, as one commit of the branch made it.

    `source` and `reason` are what the commit's trailers say, where the diff confirms that they are about this change;
    else None.  `previous_*` are None where nothing was pinned, or where what was cannot be read.  `when` is the
    committer date in UTC: the order of records is that of the commits, never that of their dates.  `commit` is on the
    branch itself; `by` is the author of the change: of the merged commit where a merge brought it.  `overlays` are the
    directories, relative to the top of the repository, that changed so.  `notes` say what is odd, one clause each.
    `holds` are the digests that a rollback says it holds and that this change did take out.
    """

    app: str
    environment: str
    kind: Kind
    tag: str | None
    digest: Digest | None
    previous_tag: str | None
    previous_digest: Digest | None
    when: datetime
    by: str
    commit: str
    source: str | None = None
    reason: str | None = None
    overlays: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    holds: tuple[Digest, ...] = ()


@dataclass(frozen=True, slots=True)
class Hold:
    """That a digest was rolled back from and has not run there again since.

    `commit` is the rollback, `by` its author, `when` its committer date, `reason` what it was given.
    """

    commit: str
    by: str
    when: datetime
    reason: str | None = None
