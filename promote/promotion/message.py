"""The commit message of a promotion: a subject for people, trailers for machines."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from promote.gitops.trailers import message
from promote.model.release import Pin, Release
from promote.promotion.request import Request


def commit_message(request: Request, releases: Sequence[Release], before: Mapping[str, Sequence[Pin]]) -> str:
    """The whole message.  The trailers are a claim; the diff of the commit is the truth."""
    target = request.target.name
    if len(releases) == 1:
        only = releases[0]
        subject = f"promote({target}): {only.app.name} {_short(only.tag)} ({only.digest.algorithm}:{only.digest.short})"
    else:
        subject = f"promote({target}): {len(releases)} apps from {request.source.name}"
    body = [f"{r.app.name}: {_previous(before[r.app.name])} -> {r.tag}" for r in releases]
    return message(subject, body, _trailers(request, releases, before))


def _trailers(
    request: Request, releases: Sequence[Release], before: Mapping[str, Sequence[Pin]]
) -> list[tuple[str, str]]:
    images = [f"{r.app.image}:{r.tag}@{r.digest}" for r in releases]
    intent = hashlib.sha256("\n".join([request.target.name, *sorted(images)]).encode()).hexdigest()
    trailers = [
        ("Promote-Id", intent[:16]),
        ("Promote-Kind", "promote"),
        ("Promote-Env", request.target.name),
        ("Promote-From", request.source.name),
    ]
    for release, image in zip(releases, images, strict=True):
        trailers += [
            ("Promote-App", release.app.name),
            ("Promote-Image", image),
            ("Promote-Previous", _previous(before[release.app.name])),
        ]
        if release.app.source:
            trailers.append(("Promote-Source-Repo", release.app.source))
    if request.reason:
        trailers.append(("Promote-Reason", request.reason))
    return trailers


def _previous(pins: Sequence[Pin]) -> str:
    return (
        ", ".join(dict.fromkeys(f"{p.tag or '?'}@{p.digest}" if p.digest else p.tag or "?" for p in pins)) or "nothing"
    )


def _short(tag: str) -> str:
    return tag if len(tag) <= 16 else f"{tag[:16]}"
