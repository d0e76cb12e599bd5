"""Records: promotions as git history tells them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from promote.model.release import Pin


@dataclass(frozen=True, slots=True)
class Sighting:
    """A pin that some commit of the branch held: the unit of the ledger.

    `commit` is the first-parent commit that brought the pin in, `when` its committer date, `by` its author.
    """

    commit: str
    when: datetime
    by: str
    pin: Pin
