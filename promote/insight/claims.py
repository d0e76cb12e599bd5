"""Claims: what the trailers of a commit message say was promoted.  They count only where the diff says the same."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from promote.gitops import trailers
from promote.model.record import Kind, Pinned

SAID = {kind.value: kind for kind in (Kind.PROMOTE, Kind.ROLLBACK, Kind.HOTFIX)}
"""The kinds that a trailer may say; the others are seen."""

_HEAD = frozenset({trailers.ID, trailers.KIND, trailers.ENV, trailers.FROM})
_REVERT = re.compile(r"^This reverts commit ([0-9a-f]{40}(?:[0-9a-f]{24})?)\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Claim:
    """That `app` was brought into `environment` as `tag` and `digest`; `source` is where from, None when not said.

    `holds` are the digests that a rollback says must not come back by themselves, as written.
    """

    app: str
    environment: str
    tag: str
    digest: str
    kind: Kind
    source: str | None
    reason: str | None
    holds: tuple[str, ...] = ()

    def is_about(self, app: str, environment: str) -> bool:
        """Whether this is about `app` in `environment`, whatever the release."""
        return (self.app, self.environment) == (app, environment)

    def is_confirmed(self, pinned: Pinned) -> bool:
        """Whether `pinned`, which the diff brought in, is the very release: the same tag and the same digest."""
        return (self.tag, self.digest) == (pinned.tag, pinned.digest)


@dataclass(slots=True)
class _Group:
    """The trailers of one promotion: its head, and then its apps."""

    head: dict[str, str] = field(default_factory=dict)
    apps: list[list[str]] = field(default_factory=list)
    holds: dict[str, list[str]] = field(default_factory=dict)
    reason: str | None = None

    def claims(self) -> Iterable[Claim]:
        kind, environment = SAID.get(self.head.get(trailers.KIND, "")), self.head.get(trailers.ENV)
        for app, image in self.apps:
            reference, at, digest = image.partition("@")
            tag = reference.rpartition(":")[2]
            if kind and environment and app and at and "/" not in tag:
                source, held = self.head.get(trailers.FROM) or None, self.holds.get(app, ())
                yield Claim(app, environment, tag, digest, kind, source, self.reason, tuple(held))


def claims(message: str) -> tuple[Claim, ...]:
    """What `message` claims, in its order; of a squash of several promotions, all of them.

    A group begins with its head (id, kind, environment, source) and goes on with pairs of app and image; the reason
    counts for the whole group.  What is incomplete claims nothing.
    """
    groups = [_Group()]
    for name, value in trailers.parse(message):
        group = groups[-1]
        if name in _HEAD:
            if group.apps or name in group.head:
                groups.append(group := _Group())
            group.head[name] = value
        elif name == trailers.APP:
            group.apps.append([value, ""])
        elif name == trailers.IMAGE and group.apps and not group.apps[-1][1]:
            group.apps[-1][1] = value
        elif name == trailers.HOLD and group.apps:
            group.holds.setdefault(group.apps[-1][0], []).append(value)
        elif name == trailers.REASON:
            group.reason = value
    return tuple(claim for group in groups for claim in group.claims())


def confirmed(said: Sequence[Claim], app: str, environment: str, pinned: Pinned) -> Claim | None:
    """The claim about `app` in `environment` that names exactly what the diff brought in; None when none does."""
    return next((c for c in said if c.is_about(app, environment) and c.is_confirmed(pinned)), None)


def reverted(message: str) -> tuple[str, ...]:
    """The commits that `message` says it reverts, in the words of git-revert(1)."""
    return tuple(_REVERT.findall(message))
