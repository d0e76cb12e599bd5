"""How a trusted root stands today: what of it still counts, how young it is, and when it ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from promote.evidence.trust_root import Authority, TrustRoot
from promote.model.policy import RootProfile


@dataclass(frozen=True, slots=True)
class RootState:
    """How many of each count now.  `newest` is when the youngest began to count.

    `ends` is when the last certificate authority will have stopped to count, None for never or for none.  `lacks` names
    what must be there for a new signature to hold and is not.
    """

    authorities: int
    logs: int
    ct_logs: int
    timestamp_authorities: int
    newest: datetime | None
    ends: datetime | None
    lacks: tuple[str, ...]


def root_state(root: TrustRoot, now: datetime) -> RootState:
    """The state of `root` at `now` (with a zone)."""
    authorities = [a for a in root.certificate_authorities if _counts(a, now)]
    stamps = [a for a in root.timestamp_authorities if _counts(a, now)]
    logs, ct_logs = ([log for log in keys if log.window.holds(now)] for keys in (root.logs, root.ct_logs))
    windows = [x.window for x in (*authorities, *stamps)] + [x.window for x in (*logs, *ct_logs)]
    # GitHub's own root has neither log: its time stamp takes their place (docs/configuration.md, trust.root).
    wanted = {"certificate authority": len(authorities)}
    if root.profile is RootProfile.GITHUB:
        wanted["time stamp authority"] = len(stamps)
    else:
        wanted |= {"transparency log": len(logs), "certificate transparency log": len(ct_logs)}
    return RootState(
        authorities=len(authorities),
        logs=len(logs),
        ct_logs=len(ct_logs),
        timestamp_authorities=len(stamps),
        newest=max((w.start for w in windows if w.start), default=None),
        ends=max((_end(a) for a in authorities), default=None),
        lacks=tuple(name for name, found in wanted.items() if not found),
    )


def _counts(authority: Authority, now: datetime) -> bool:
    began = all(c.not_valid_before_utc <= now for c in authority.chain)
    return authority.window.holds(now) and began and now <= _end(authority)


def _end(authority: Authority) -> datetime:
    ends = [c.not_valid_after_utc for c in authority.chain]
    return min([*ends, authority.window.end] if authority.window.end else ends)
