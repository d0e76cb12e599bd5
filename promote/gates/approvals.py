"""Enough people approved this release for the target environment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from promote.model.malformed import shown
from promote.model.policy import ApprovalPolicy
from promote.model.release import Release
from promote.model.verdict import Reason, Verdict, passed, refused, skipped, unknown

GATE = "approvals"


@dataclass(frozen=True, slots=True)
class Approval:
    """A commit that says it approves something.

    `text` is the value of its trailer, `addresses` are those of its author and, where it is signed, of its signer.
    `key` is the fingerprint of a signature that git verified, None for no such signature.
    """

    commit: str
    text: str
    addresses: tuple[str, ...]
    key: str | None = None

    def is_for(self, release: Release, environment: str) -> bool:
        """Whether it names this release, by its whole tag or its digest, and this environment."""
        words = self.text.split()
        named = (str(release.digest), release.tag)
        return len(words) == 3 and (words[0], words[2]) == (release.app.name, environment) and words[1] in named


def judge(
    release: Release,
    environment: str,
    policy: ApprovalPolicy | None,
    since: Sequence[Approval] | None,
    promoter: str | None,
) -> Verdict:
    """Pass when `policy.count` people approved in `since`, the commits since the source runs it, newest first.

    `since` None: when that was is not known.  `promoter` is the address of whoever promotes now, whose own approval
    does not count.
    """
    if policy is None:
        return skipped(GATE, "promote.yaml asks for no approval")
    if since is None:
        return unknown(
            GATE,
            "which approvals are newer than the release is unknown: nothing says since when the source runs it",
            hint="look at `promote history`; in a shallow clone run `git fetch --unshallow`",
        )
    people: list[Approval] = []
    left_out: list[str] = []
    for approval in since:
        if not approval.is_for(release, environment):
            continue
        why = _why_not(approval, policy, promoter)
        if why is not None:
            left_out.append(f"{approval.commit[:12]} {why}")
        elif not any(_is_same(approval, other, policy) for other in people):
            people.append(approval)
    told = ", ".join(f"{shown(_who(a, policy), 80)} (commit {a.commit[:12]})" for a in people)
    if len(people) >= policy.count:
        return passed(GATE, f"approved by {told}")
    sign = " -S" if policy.signed else ""
    return refused(
        GATE,
        Reason.NOT_APPROVED,
        f"{len(people)} of {policy.count} approvals of {release.tag} for {environment} are there",
        expected=f"{policy.count} by different people{' among ' + ', '.join(policy.by[:5]) if policy.by else ''}",
        actual="; ".join(part for part in (told, *left_out[:5]) if part) or "none",
        hint=f"git commit --allow-empty{sign} -m 'Approve {release.app.name}' "
        f"--trailer 'Promote-Approve: {release.app.name} {release.tag} {environment}', and push that",
    )


def _who(approval: Approval, policy: ApprovalPolicy) -> str:
    """The address that counts: the author of a commit is whatever its maker wrote there; a verified signer is not."""
    return approval.addresses[-1] if policy.signed else approval.addresses[0]


def _is_same(one: Approval, other: Approval, policy: ApprovalPolicy) -> bool:
    """Whether both are by one person, who may have several keys, or several addresses for one key."""
    if policy.signed and one.key == other.key:
        return True
    who = _who(one, policy)
    # Allowed signers may be patterns (ssh-keygen(1)): then the key alone says who it is.
    return who == _who(other, policy) and not (policy.signed and any(c in who for c in "*?,"))


def _why_not(approval: Approval, policy: ApprovalPolicy, promoter: str | None) -> str | None:
    if policy.signed and approval.key is None:
        return "has no signature that git verifies"
    if promoter is not None and promoter in approval.addresses:
        return "is by whoever promotes"
    who = _who(approval, policy)
    if policy.by and who not in policy.by:
        return f"is by {shown(who, 80)}, who is not asked"
    return None
