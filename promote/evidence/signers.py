"""Whether promote.yaml names who signed, from where it was built, and with what the log gave.

The one place that decides about signers and logs: lanes verify, and gates count what is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from promote.evidence.anchors import Anchors
from promote.evidence.flawed import Flawed
from promote.evidence.signed import Verified
from promote.model.evidence import Flaw, Log, SignedBy
from promote.model.malformed import shown
from promote.model.policy import KeylessSigner, KeySigner, LogDemand, LogRule, RootProfile, Signer, SourceDemand

_STRENGTH = {
    LogDemand.PROOF: (Log.PROOF,),
    LogDemand.PROMISE: (Log.PROOF, Log.PROMISE),
    LogDemand.NONE: (Log.PROOF, Log.PROMISE, Log.NONE),
}


@dataclass(frozen=True, slots=True)
class Conditions:
    """What is asked of every signer without a rule of its own, and the day in UTC on which exceptions are looked at.

    Without a day every exception has ended.
    """

    log: LogRule = field(default_factory=LogRule)
    today: date = date.max


def accepting(verified: Verified, anchors: Anchors, conditions: Conditions) -> tuple[Signer, ...]:
    """The signers of promote.yaml that `verified` satisfies in everything, one at least; raises `Flawed`."""
    named = _named(verified.signed_by, anchors)
    if not named:
        raise Flawed(
            Flaw.FOREIGN,
            "signed by somebody whom promote.yaml does not name",
            expected=anchors.named(),
            actual=shown(str(verified.signed_by), 300),
        )
    built_right = _built_right(named, verified.signed_by)
    logged = tuple(s for s in built_right if verified.log in _STRENGTH[_demand(s, anchors, conditions)])
    if not logged:
        raise _unlogged(built_right[0], verified, anchors, conditions)
    return logged


def _named(signed_by: SignedBy, anchors: Anchors) -> tuple[Signer, ...]:
    if signed_by.key is not None:
        return tuple(signer for signer, key in anchors.keys if key.fingerprint == signed_by.key)
    return tuple(
        s
        for s in anchors.trust.signers
        if isinstance(s, KeylessSigner) and s.is_named(signed_by.issuer, signed_by.identity)
    )


def _built_right(named: Sequence[Signer], signed_by: SignedBy) -> tuple[Signer, ...]:
    """Those of `named` whose demands on the build hold; raises `Flawed` when there is none."""
    wrong = None
    right: list[Signer] = []
    for signer in named:
        problem = _first_wrong(signer.source, signed_by) if isinstance(signer, KeylessSigner) else None
        if problem is None:
            right.append(signer)
        wrong = wrong or problem
    if not right and wrong is not None:
        what, expected, actual = wrong
        raise Flawed(
            Flaw.FOREIGN,
            f"signed by {shown(str(signed_by), 200)}, and the certificate's {what} is not the one that is asked for",
            expected=f"{what} {expected}",
            actual=f"{what} {shown(actual, 200)}" if actual else f"no {what} in the certificate",
        )
    return tuple(right)


def _first_wrong(wanted: SourceDemand, got: SignedBy) -> tuple[str, str, str | None] | None:
    """What is wrong first: its name, what was expected and what the certificate has (None: nothing)."""
    if wanted.repository is not None and got.source_repository != wanted.repository:
        return "source repository", wanted.repository, got.source_repository
    if wanted.ref is not None and not (got.source_ref is not None and wanted.ref.matches(got.source_ref)):
        return "source ref", str(wanted.ref), got.source_ref
    if wanted.workflow is not None and wanted.workflow not in _workflow_names(got):
        return "workflow", wanted.workflow, got.workflow
    if wanted.triggers and got.trigger not in wanted.triggers:
        return "trigger", " or ".join(wanted.triggers), got.trigger
    if wanted.runner is not None and got.runner != wanted.runner:
        return "runner", wanted.runner, got.runner
    return None


def _workflow_names(got: SignedBy) -> tuple[str, ...]:
    """What a workflow may be called: as the certificate does, and by its path in the source repository."""
    if got.workflow is None:
        return ()
    prefix = f"{got.source_repository}/"
    path = got.workflow.removeprefix(prefix).partition("@")[0] if got.workflow.startswith(prefix) else got.workflow
    return (got.workflow, path)


def _demand(signer: Signer, anchors: Anchors, conditions: Conditions) -> LogDemand:
    """What `signer` must bring.  A key needs no log where only the gate asks for a promise: keys are not short-lived.

    Where the root's profile has no log, its time stamp is all that a promise can mean; a proof still cannot be had.
    """
    rule = signer.log or conditions.log
    demand = LogDemand.PROMISE if rule.ended(conditions.today) else rule.demand
    if demand is not LogDemand.PROMISE:
        return demand
    by_key_unasked = isinstance(signer, KeySigner) and signer.log is None
    no_log = isinstance(signer, KeylessSigner) and anchors.trust.profile is RootProfile.GITHUB
    return LogDemand.NONE if by_key_unasked or no_log else demand


def _unlogged(signer: Signer, verified: Verified, anchors: Anchors, conditions: Conditions) -> Flawed:
    rule = signer.log or conditions.log
    summary = "it has less from the transparency log than is asked for"
    if rule.ended(conditions.today) and rule.until is not None:
        summary = f"the exception log: {rule.demand.value} ended on {rule.until}, and {summary}"
    return Flawed(
        Flaw.UNLOGGED,
        summary,
        expected=f"log: {_demand(signer, anchors, conditions).value}",
        actual=f"log: {verified.log.value}",
    )
