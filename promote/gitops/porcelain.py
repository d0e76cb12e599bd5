"""What ``git push --porcelain`` reports, read by its status fields and not by its prose: pure text in, outcome out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from promote.errors import PromoteError, Refusal
from promote.gitops.command import Answer
from promote.gitops.faults import one_line, transport_error


class Outcome(Enum):
    """How one push ended."""

    LANDED = "landed"
    MOVED = "moved"
    """The branch is not where we built on, or the server held its lock: fetch, derive again, push again."""
    DECLINED = "declined"
    """A rule of the server says no; the same push will be declined again."""
    UNKNOWN = "unknown"
    """The conversation broke: look at the branch before saying anything."""


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of one push, the reason the server gave (one printable line), and git's stderr as it came."""

    outcome: Outcome
    reason: str
    stderr: str


# git-push(1), "OUTPUT": <flag> TAB <from>:<to> TAB <summary> (<reason>)
_LINE = re.compile(r"^([ +\-*!=])\t[^\t]*\t(\[[^\]]*\]|[^ (]*)(?: \((.*)\))?$", re.MULTILINE)
_MOVED = re.compile(
    r"fetch first|non-fast-forward|stale info|cannot lock ref|failed to update ref|failed to lock|incorrect old value|"
    r"reference already exists",
    re.IGNORECASE,
)
# The server failed before it judged; the ref may even have moved.
_BROKEN = re.compile(
    r"failed to report status|unpacker error|internal (?:server )?error|service unavailable|timed? ?out", re.IGNORECASE
)

# A reference-transaction hook of the server ends the whole conversation (githooks(5)), and nothing is reported.
_ABORTED = re.compile(r"^(?:remote: )?fatal: ref updates aborted by hook", re.MULTILINE)


def read_push(answer: Answer) -> Report:
    """The outcome of a push of exactly one reference, run with ``--porcelain``.

    A push that does not exit 0 without a rejection in the report is UNKNOWN, even where the report says that the
    reference moved: the connection may have broken after the server did its work.
    """
    lines = _LINE.findall(answer.out.decode("utf-8", "replace"))
    rejected = next(((summary, reason) for flag, summary, reason in lines if flag == "!"), None)
    if rejected is None and _ABORTED.search(answer.err):
        return Report(Outcome.DECLINED, one_line(answer.err), answer.err)
    if rejected is None:
        outcome = Outcome.LANDED if answer.status == 0 and lines else Outcome.UNKNOWN
        return Report(outcome, one_line(answer.err), answer.err)
    summary, reason = rejected
    said = one_line(f"{summary} {reason}\n{_of_the_server(answer.err)}")
    if _BROKEN.search(reason) or summary == "[remote failure]":
        return Report(Outcome.UNKNOWN, said, answer.err)
    return Report(Outcome.MOVED if _MOVED.search(reason) else Outcome.DECLINED, said, answer.err)


def says_up_to_date(answer: Answer) -> bool:
    """Whether a push of exactly one reference, run with ``--porcelain``, found it on the remote as it is here."""
    lines = _LINE.findall(answer.out.decode("utf-8", "replace"))
    return answer.status == 0 and [flag for flag, _, _ in lines] == ["="]


def _of_the_server(stderr: str) -> str:
    """What the server's hooks printed: the lines that git marks ``remote:``."""
    return "\n".join(line for line in re.split(r"[\r\n]+", stderr) if line.startswith("remote:"))


def push_error(report: Report, branch: str, host: str) -> PromoteError:
    """The error for a push that will not land: `Refusal` when DECLINED, else what `transport_error` makes of it."""
    if report.outcome is not Outcome.DECLINED:
        return transport_error(f"push {branch}", host, report.stderr)
    return Refusal(
        "push-declined",
        f"{host} declined the push to {branch}: {report.reason}",
        exit_code=10,
        expected=f"the right to push to {branch}",
        actual=report.reason,
        hint=f"let this identity past the rules that protect {branch}, or name another branch in git.branch",
    )
