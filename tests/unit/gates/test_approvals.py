"""Approvals: enough different people, for this very release and environment, and not whoever promotes."""

from __future__ import annotations

import pytest

from promote.gates import approvals
from promote.gates.approvals import Approval
from promote.model.digest import Digest
from promote.model.environment import App
from promote.model.policy import ApprovalPolicy
from promote.model.release import Release
from promote.model.verdict import Outcome, Reason

TAG, DIGEST = "sha-" + "0" * 40, Digest.of(b"1")
RELEASE = Release(App("web", "acme/web"), TAG, DIGEST)


def by(who: str, text: str = f"web {TAG} prod", key: str | None = None, signer: str | None = None) -> Approval:
    return Approval("c" * 40, text, (who, signer) if signer else (who,), key)


def judged(*found: Approval, count: int = 1, promoter: str | None = None, **policy):
    return approvals.judge(RELEASE, "prod", ApprovalPolicy(count, **policy), found, promoter)


def test_not_asked_for_is_a_skip_and_no_record_of_the_release_unknown():
    assert approvals.judge(RELEASE, "prod", None, (), None).outcome is Outcome.SKIP
    assert approvals.judge(RELEASE, "prod", ApprovalPolicy(1), None, None).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("text", [f"web {TAG} prod", f"web {DIGEST} prod", f" web  {TAG}  prod "])
def test_by_tag_or_digest(text):
    assert judged(by("a@x", text)).outcome is Outcome.PASS


@pytest.mark.parametrize(
    "text",
    [
        f"web {TAG} staging",
        f"api {TAG} prod",
        f"web {TAG[:12]} prod",
        f"web {TAG}",
        "",
        f"web {TAG} prod now",
        "web * prod",
    ],
)
def test_what_names_something_else_is_no_approval(text):
    verdict = judged(by("a@x", text))
    assert (verdict.outcome, verdict.reason, verdict.actual) == (Outcome.REFUSE, Reason.NOT_APPROVED, "none")


def test_different_people_and_not_one_twice():
    assert judged(by("a@x"), by("a@x"), count=2).outcome is Outcome.REFUSE
    assert judged(by("a@x"), by("b@x"), count=2).outcome is Outcome.PASS


def test_whoever_promotes_does_not_count():
    verdict = judged(by("a@x"), promoter="a@x")
    assert (verdict.outcome, "whoever promotes" in (verdict.actual or "")) == (Outcome.REFUSE, True)


def test_only_those_who_are_asked():
    assert judged(by("a@x"), by=("b@x",)).outcome is Outcome.REFUSE
    assert judged(by("b@x"), by=("b@x",)).outcome is Outcome.PASS


def test_signed_counts_keys_and_believes_signers_alone():
    assert judged(by("a@x"), signed=True).outcome is Outcome.REFUSE
    one = by("a@x", key="F1", signer="a@x")
    forged = by("b@x", key="F1", signer="a@x")
    assert judged(one, forged, count=2, signed=True).outcome is Outcome.REFUSE
    assert judged(forged, by=("b@x",), signed=True).outcome is Outcome.REFUSE
    assert judged(one, by("b@x", key="F2", signer="b@x"), count=2, signed=True).outcome is Outcome.PASS


def test_several_keys_of_one_signer_are_one_person_and_keys_of_a_pattern_are_not():
    one, other = by("a@x", key="F1", signer="a@x"), by("b@x", key="F2", signer="a@x")
    assert judged(one, other, count=2, signed=True).outcome is Outcome.REFUSE
    team = (by("a@x", key="F1", signer="*@x"), by("b@x", key="F2", signer="*@x"), by("b@x", key="F2", signer="*@x"))
    assert judged(*team, count=2, signed=True).outcome is Outcome.PASS
    assert judged(*team, count=3, signed=True).outcome is Outcome.REFUSE


def test_the_hint_can_be_run():
    assert f"Promote-Approve: web {TAG} prod" in (judged().hint or "")
