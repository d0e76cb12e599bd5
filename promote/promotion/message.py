"""The commit message of a promotion or rollback: a subject for people, trailers for machines."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence

from promote.gates.tag import commit_of
from promote.gitops import trailers
from promote.model.digest import Digest
from promote.model.release import Pin, Release
from promote.promotion.request import Request

SHORT_TAG = 16
"""How much of a tag the subject shows: ``sha-`` and twelve digits."""


def commit_message(
    request: Request,
    releases: Sequence[Release],
    before: Mapping[str, Sequence[Pin]],
    tags: re.Pattern[str],
    lifted: Collection[Digest] = (),
) -> str:
    """The whole message; `before` says by app what the target ran, `tags` is the form of a commit tag.

    The trailers are a claim; the diff of the commit is the truth.  A rollback holds every digest that it takes out;
    `lifted` are the digests that were held in the target and that `request.lift` lets pass.
    """
    target, verb = request.target.name, request.kind.value
    if len(releases) == 1:
        app, tag, digest = releases[0].app, releases[0].tag, releases[0].digest
        subject = f"{verb}({target}): {app.name} {tag[:SHORT_TAG]} ({digest.algorithm}:{digest.short})"
    else:
        subject = f"{verb}({target}): {len(releases)} apps"
        subject += "" if request.is_rollback else f" from {request.source.name}"
    body = [f"{r.app.name}: {_previous(before[r.app.name])} -> {r.tag}" for r in releases]
    record = _of_request(request, releases)
    for release in releases:
        record += _of_release(release, before[release.app.name], commit_of(release.tag, tags))
        if request.is_rollback:
            record += [(trailers.HOLD, str(digest)) for digest in _taken_out(release, before[release.app.name])]
        elif request.lift and release.digest in lifted:
            record.append((trailers.LIFT, f"{release.digest} {request.lift}"))
    if request.reason:
        record.append((trailers.REASON, request.reason))
    return trailers.message(subject, body, record)


def _of_request(request: Request, releases: Sequence[Release]) -> list[tuple[str, str]]:
    # The id is that of the intent: the same promotion made twice has the same.
    intent = "\n".join([request.target.name, *sorted(_image(r) for r in releases)])
    record = [
        (trailers.ID, hashlib.sha256(intent.encode()).hexdigest()[:16]),
        (trailers.KIND, request.kind.value),
        (trailers.ENV, request.target.name),
    ]
    return record if request.is_rollback else [*record, (trailers.FROM, request.source.name)]


def _of_release(release: Release, before: Sequence[Pin], commit: str | None) -> list[tuple[str, str]]:
    record = [
        (trailers.APP, release.app.name),
        (trailers.IMAGE, _image(release)),
        (trailers.PREVIOUS, _previous(before)),
    ]
    if release.app.source:
        record.append((trailers.SOURCE_REPO, release.app.source))
    if commit:
        record.append((trailers.SOURCE_COMMIT, commit))
    return record


def _taken_out(release: Release, before: Sequence[Pin]) -> list[Digest]:
    digests = (pin.digest for pin in before if pin.digest is not None)
    return [digest for digest in dict.fromkeys(digests) if digest != release.digest]


def _image(release: Release) -> str:
    return f"{release.app.image}:{release.tag}@{release.digest}"


def _previous(pins: Sequence[Pin]) -> str:
    said = (f"{pin.tag or '?'}@{pin.digest}" if pin.digest else pin.tag or "?" for pin in pins)
    return ", ".join(dict.fromkeys(said)) or "nothing"
