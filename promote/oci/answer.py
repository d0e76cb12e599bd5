"""What an answer of a registry says, read with suspicion."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from promote.errors import Fault
from promote.model import strict_json
from promote.model.digest import Digest
from promote.model.malformed import Malformed, shown
from promote.model.manifest import RawManifest

if TYPE_CHECKING:
    from requests import Response

_CODE = re.compile(r"[A-Z][A-Z0-9_]{2,39}")


def media_type(response: Response) -> str:
    """The Content-Type without parameters, in lower case; empty when there is none."""
    return response.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def error_code(response: Response) -> str | None:
    """The first error code of the body, such as ``MANIFEST_UNKNOWN``; None where it has none.

    The message beside it is never repeated: a registry may put into it what it was sent.
    Source: OCI distribution-spec 1.1, "Error Codes".
    """
    try:
        errors = strict_json.loads_object(response.content).get("errors")
    except Malformed:
        return None
    first = errors[0] if isinstance(errors, list) and errors else None
    code = first.get("code") if isinstance(first, dict) else None
    return code if isinstance(code, str) and _CODE.fullmatch(code) else None


def answer_of(response: Response) -> str:
    """``404 MANIFEST_UNKNOWN``, or the status alone."""
    return f"{response.status_code} {error_code(response) or ''}".strip()


def unexpected(host: str, response: Response, doing: str, expected: str) -> Fault:
    """The error for a status that nobody expects."""
    got = answer_of(response)
    return Fault(
        "unexpected-answer",
        f"{host} answers {got} to {doing}, expected {expected}",
        expected=expected,
        actual=got,
        hint=f"ask who runs {host} whether {doing} is allowed there, then run the same command again",
    )


def not_written(host: str, response: Response, path: str, doing: str, expected: str) -> Fault:
    """The error for a write that was refused, which where repositories are made by hand may be for want of one."""
    if response.status_code != 404 or error_code(response) != "NAME_UNKNOWN":
        return unexpected(host, response, doing, expected)
    return Fault(
        "repository-missing",
        f"{host} has no repository {path}: got {answer_of(response)} to {doing}, expected {expected}",
        expected=expected,
        actual=answer_of(response),
        hint=f"create the repository {path} at {host}, then run the same command again",
    )


def not_moved(host: str, response: Response, tag: str, there: RawManifest, ours: RawManifest) -> Fault:
    """The error for a registry that keeps `tag` naming what it names."""
    return Fault(
        "tag-not-moved",
        f"{host} answers {answer_of(response)} to {tag}: it names {there.digest} there, expected {ours.digest}",
        expected=str(ours.digest),
        actual=str(there.digest),
        hint=f"where tags are immutable at {host}, make an exception of sha256-*, to which signatures are added",
    )


def check_content_digest(host: str, response: Response, content: bytes) -> None:
    """Hold a Docker-Content-Digest, when there is one, against `content`; raises `Fault`."""
    header = response.headers.get("Docker-Content-Digest")
    if header is None:
        return
    try:
        said = Digest.parse(header.strip())
    except Malformed as problem:
        raise malformed(host, problem) from None
    if not said.matches(content):
        raise mismatch(host, said, content)


def mismatch(host: str, wanted: Digest, content: bytes) -> Fault:
    """The error for content that has another digest than it should."""
    got = Digest.of(content, wanted.algorithm)
    return Fault(
        "content-mismatch",
        f"{host} has the wrong content for {wanted}: got {got}",
        expected=str(wanted),
        actual=str(got),
        hint="push the image to it again; what is there now is damaged",
    )


def malformed(host: str, problem: Malformed) -> Fault:
    """The error for an answer that does not follow its grammar."""
    return Fault(
        "answer-malformed",
        f"{shown(host)} answers with a {problem.what} that is not one: got {problem.got}, expected {problem.expected}",
        expected=problem.expected,
        actual=problem.got,
    )
