"""What ``git push --porcelain`` reports, read by its status fields and not by its prose: pure text in, outcome out."""

from __future__ import annotations

import re
from collections.abc import Sequence
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
_LINE = re.compile(r"^([ +\-*!=])\t([^\t\n]*)\t(\[[^\]\n]*\]|[^ (\n]*)(?: \((.*)\))?$", re.MULTILINE)
_MOVED = re.compile(
    r"fetch first|non-fast-forward|stale info|cannot lock ref|failed to update ref|failed to lock|incorrect old value|"
    r"reference already exists",
    re.IGNORECASE,
)
# The server failed before it judged; the ref may even have moved.
_BROKEN = re.compile(
    r"failed to report status|unpacker error|missing necessary objects|internal (?:server )?error|service unavailable|"
    r"timed? ?out",
    re.IGNORECASE,
)

# Gitea frames what it declines with such lines.
_SAYS_NOTHING = re.compile(r"remote:\s*(?:error:)?\s*")

# A reference-transaction hook of the server ends the whole conversation (githooks(5)), and nothing is reported.
_ABORTED = re.compile(r"^(?:remote: )?fatal: ref updates aborted by hook", re.MULTILINE)


def read_push(answer: Answer, refspec: str | None = None) -> Report:
    """The outcome of a push of exactly one reference, run with ``--porcelain``.

    A push that does not exit 0 without a rejection in the report is UNKNOWN, even where the report says that the
    reference moved: the connection may have broken after the server did its work.  So is one of which the report tells
    anything but `refspec`, as it was given to git, and one that one URL of the remote took and another one did not.
    """
    lines = _LINE.findall(answer.out.decode("utf-8", "replace"))
    rejected = next(((summary, reason) for flag, _, summary, reason in lines if flag == "!"), None)
    if rejected is not None and any(flag != "!" for flag, *_ in lines):
        return Report(Outcome.UNKNOWN, one_line(f"{' '.join(rejected)}\n{_of_the_server(answer.err)}"), answer.err)
    if rejected is None and _ABORTED.search(answer.err):
        return Report(Outcome.DECLINED, one_line(answer.err), answer.err)
    if rejected is None:
        is_it = bool(lines) and all(refspec is None or (told == refspec and flag != "-") for flag, told, *_ in lines)
        outcome = Outcome.LANDED if answer.status == 0 and is_it else Outcome.UNKNOWN
        return Report(outcome, one_line(answer.err), answer.err)
    summary, reason = rejected
    said = one_line(f"{summary} {reason}\n{_of_the_server(answer.err)}")
    if _BROKEN.search(reason) or summary == "[remote failure]":
        return Report(Outcome.UNKNOWN, said, answer.err)
    return Report(Outcome.MOVED if _MOVED.search(reason) else Outcome.DECLINED, said, answer.err)


def says_up_to_date(answer: Answer) -> bool:
    """Whether a push of exactly one reference, run with ``--porcelain``, found it on the remote as it is here."""
    lines = _LINE.findall(answer.out.decode("utf-8", "replace"))
    return answer.status == 0 and [flag for flag, *_ in lines] == ["="]


def _of_the_server(stderr: str) -> str:
    """What the server's hooks printed: the lines that git marks ``remote:`` and that say something."""
    lines = re.split(r"[\r\n]+", stderr)
    return "\n".join(line for line in lines if line.startswith("remote:") and not _SAYS_NOTHING.fullmatch(line))


def push_error(
    report: Report, branch: str, host: str, authorizations: Sequence[str] = (), remedy: str | None = None
) -> PromoteError:
    """The error for a push that will not land: `Refusal` when DECLINED, else what `transport_error` makes of it.

    `remedy` is what to do where the server declined `branch`; None where that is the branch which promote.yaml names.
    """
    if report.outcome is not Outcome.DECLINED:
        return transport_error(f"push {branch}", host, report.stderr, authorizations)
    return Refusal(
        "push-declined",
        f"{host} declined the push to {branch}: {report.reason}",
        exit_code=10,
        expected=f"the right to push to {branch}",
        actual=report.reason,
        hint=remedy
        or f"let this identity past the rules that protect {branch}, name another branch in git.branch, "
        "or use --pull-request",
    )
