"""The gate that says what an edit does."""

from promote.gates import effect
from promote.model.verdict import Outcome, Reason


def judged(images=1, builders=(), doubts=(), warnings=(), *, required=False):
    return effect.judge(["overlays/prod"], images, builders, effect.Notes(doubts, warnings), required=required)


def test_it_says_what_rendered_the_overlays():
    assert "1 container will run this release and nothing else changes, says promote's own resolver" in judged().summary
    built = judged(2, ["kustomize build", "kustomize build"]).summary
    assert built == "2 containers will run this release and nothing else changes, says kustomize build"
    assert (judged().outcome, judged().code) == (Outcome.PASS, "ok")


def test_what_is_not_verified_passes_under_its_own_code():
    verdict = judged(doubts=["a has generators"], warnings=["ConfigMap c data.a still names x"])
    assert (verdict.outcome, verdict.code) == (Outcome.PASS, "effect-unverified")
    assert "a has generators; ConfigMap c data.a still names x" in verdict.summary


def test_what_is_not_verified_is_refused_where_it_must_be():
    verdict = judged(doubts=["a has generators"], required=True)
    assert (verdict.outcome, verdict.code, verdict.actual) == (Outcome.REFUSE, "effect-unverified", "a has generators")
    assert verdict.reason is Reason.EFFECT_UNVERIFIED
    assert verdict.reason.exit_code == 16
    assert judged(required=True).outcome is Outcome.PASS


def test_without_overlays_there_is_nothing_to_judge():
    assert effect.judge((), 0, (), effect.Notes(), required=True).outcome is Outcome.SKIP


def test_each_code_of_a_rendering_is_a_refusal_of_this_gate():
    for reason in effect.CODES:
        verdict = effect.refuse(reason.code, "s", "e", "a", "h")
        assert (verdict.gate, verdict.outcome, verdict.reason) == ("effect", Outcome.REFUSE, reason)
        assert reason.exit_code == 16
