"""The verification summary: what it says, and when an earlier one says the same."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from promote import __version__
from promote.evidence import claims
from promote.evidence.signed import IN_TOTO
from promote.evidence.summary import PREDICATE_TYPE, Summary
from promote.model.digest import Digest
from promote.model.evidence import Kind

IMAGE, POLICY, INPUT = (Digest.of(text) for text in (b"image", b"policy", b"evidence"))
SAID = Summary(
    image=IMAGE,
    repository="registry.example:5000/acme/web",
    policy_uri="promote.yaml#/environments/prod",
    policy_digest=POLICY,
    inputs=(INPUT,),
    version=__version__,
)
NOW = datetime(2026, 5, 4, 3, 2, 1, 999, tzinfo=timezone(timedelta(hours=2)))


def predicate() -> dict:
    return copy.deepcopy(json.loads(SAID.statement(NOW))["predicate"])


def test_the_statement_is_what_slsa_describes():
    document = json.loads(SAID.statement(NOW))
    assert document == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "registry.example:5000/acme/web", "digest": {"sha256": IMAGE.hex}}],
        "predicateType": "https://slsa.dev/verification_summary/v1",
        "predicate": {
            "verifier": {"id": "pkg:pypi/promote-by-digest", "version": {"promote": __version__}},
            "timeVerified": "2026-05-04T01:02:01Z",
            "resourceUri": f"pkg:oci/web@sha256%3A{IMAGE.hex}?repository_url=registry.example:5000/acme/web",
            "policy": {"uri": "promote.yaml#/environments/prod", "digest": {"sha256": POLICY.hex}},
            "inputAttestations": [{"digest": {"sha256": INPUT.hex}}],
            "verificationResult": "PASSED",
            "verifiedLevels": [],
        },
    }


def test_its_claims_are_read_as_those_of_any_attestation():
    claimed = claims.check(IN_TOTO, SAID.statement(NOW), IMAGE)
    assert (claimed.kind, claimed.predicate_type) == (Kind.ATTESTATION, PREDICATE_TYPE)
    assert SAID.is_said_by(claimed.predicate_type, claimed.predicate)


@pytest.mark.parametrize(
    "change", [{"version": "0.0.0"}, {"inputs": ()}, {"inputs": (IMAGE, POLICY)}], ids=lambda c: next(iter(c))
)
def test_version_time_and_inputs_make_no_other_verdict(change):
    other = json.loads(replace(SAID, **change).statement(datetime(2020, 1, 1, tzinfo=UTC)))
    assert SAID.is_said_by(other["predicateType"], other["predicate"])


@pytest.mark.parametrize(
    "change",
    [
        {"image": INPUT},
        {"repository": "registry.example:5000/acme/web2"},
        {"repository": "other.example/acme/web"},
        {"policy_uri": "promote.yaml#/environments/live"},
        {"policy_digest": INPUT},
    ],
    ids=str,
)
def test_another_image_place_environment_or_policy_is_another_verdict(change):
    other = json.loads(replace(SAID, **change).statement(NOW))
    assert not SAID.is_said_by(other["predicateType"], other["predicate"])


def test_another_verifier_result_type_or_shape_is_another_verdict():
    failed, stranger, weaker, more = (predicate() for _ in range(4))
    failed["verificationResult"] = "FAILED"
    stranger["verifier"]["id"] = "https://verifier.example"
    weaker["policy"].pop("digest")
    more["policy"]["digest"]["sha512"] = "0"
    for other in (failed, stranger, weaker, more, {}, [], None, "PASSED", {"verifier": [], "policy": {}}):
        assert not SAID.is_said_by(PREDICATE_TYPE, other)
    assert not SAID.is_said_by("https://slsa.dev/verification_summary/v0.2", predicate())
    assert not SAID.is_said_by(None, predicate())
