"""Trailers as claims: read in groups, believed only where the diff says the same."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.git_insight import digest, promotion
from support.release_world import tag

from promote.insight.claims import Claim, claims, confirmed, reverted
from promote.model.record import Kind, Pinned

PINNED = Pinned(tag(1), digest(1))
CLAIM = Claim("web", "prod", tag(1), digest(1), Kind.PROMOTE, "staging", "because 1")


def test_a_promotion_claims_its_app_environment_and_release():
    assert claims(promotion("web", "prod", 1)) == (CLAIM,)


def test_a_squash_of_several_promotions_claims_each_with_its_own_head_and_reason():
    text = (
        f"Three (#9)\n\n* {promotion('web', 'prod', 1)}\n* {promotion('api', 'qa', 2, kind='rollback', source='dev')}"
    )
    first, second = claims(text)
    assert first == CLAIM
    assert second == Claim("api", "qa", tag(2), digest(2), Kind.ROLLBACK, "dev", "because 2")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "promote(prod): web",
        "Promote-App: web\nPromote-Image: acme/web:a@b",
        promotion("web", "prod", 1).replace("Promote-Kind: promote", "Promote-Kind: revert"),
        promotion("web", "prod", 1).replace("Promote-Kind: promote\n", ""),
        promotion("web", "prod", 1).replace("Promote-Env: prod\n", ""),
        promotion("web", "prod", 1).replace("@sha256", " sha256"),
        promotion("web", "prod", 1).replace(":sha-", "/sha-"),
        promotion("web", "prod", 1).replace("Promote-", "  Promote-"),
    ],
)
def test_what_is_incomplete_claims_nothing(text):
    assert claims(text) == ()


def test_only_a_claim_of_the_same_app_environment_tag_and_digest_is_confirmed():
    assert confirmed([CLAIM], "web", "prod", PINNED) == CLAIM
    for app, environment, pinned in (
        ("api", "prod", PINNED),
        ("web", "staging", PINNED),
        ("web", "prod", Pinned(tag(2), digest(1))),
        ("web", "prod", Pinned(tag(1), digest(2))),
        ("web", "prod", Pinned(tag(1), "")),
    ):
        assert confirmed([CLAIM], app, environment, pinned) is None


def test_a_revert_names_whole_commits_in_the_words_of_git():
    assert reverted(f"Revert x\n\nThis reverts commit {'a' * 40}.\n") == ("a" * 40,)
    assert reverted(f"This reverts commit {'a' * 12}. It reverts commit {'b' * 40}") == ()


@settings(max_examples=60)
@given(st.text(alphabet="Promte-AIdKinEvRasgF: \n@/:sha256abc0\r\u2028\x00", max_size=400))
def test_no_message_is_too_odd(text):
    for claim in claims(text + "\n" + promotion("web", "prod", 1)):
        assert claim.kind in {Kind.PROMOTE, Kind.ROLLBACK, Kind.HOTFIX}
        assert claim.app
        assert claim.environment
