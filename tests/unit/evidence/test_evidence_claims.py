"""Payload type, statement type, subject and predicate type: what no signing library checks."""

from __future__ import annotations

import json

import pytest
from support.cosign_fixtures import IN_TOTO, SIMPLE_SIGNING, simple_signing, statement

from promote.evidence.claims import COSIGN_SIGN, MAX_SUBJECTS, check
from promote.evidence.flawed import Flawed
from promote.model.digest import Digest
from promote.model.evidence import Flaw, Kind
from promote.model.malformed import Malformed

D = Digest.of(b"image")
OTHER = Digest.of(b"another image")


def about(document: object, payload_type: str | None = IN_TOTO) -> object:
    return check(payload_type, json.dumps(document).encode(), D)


def test_a_statement_is_an_attestation_with_its_predicate() -> None:
    claims = about(statement(D, predicate={"builder": 1}))
    assert (claims.kind, claims.predicate_type) == (Kind.ATTESTATION, "https://slsa.dev/provenance/v1")
    assert claims.predicate == {"builder": 1}


def test_only_cosigns_sign_predicate_is_a_signature_and_brings_its_subjects_annotations() -> None:
    subject = [
        {"digest": {"sha256": OTHER.hex}, "annotations": {"commit": "stranger"}},
        {"digest": {"sha256": D.hex}, "annotations": {"commit": "f00", "number": 1}},
    ]
    claims = about(statement(D, predicateType=COSIGN_SIGN, subject=subject))
    assert (claims.kind, claims.predicate_type) == (Kind.SIGNATURE, None)
    assert claims.annotations == {"commit": "f00"}


def test_statement_v01_counts_too() -> None:
    assert about(statement(D, _type="https://in-toto.io/Statement/v0.1")).kind is Kind.ATTESTATION


def test_simple_signing_is_a_signature_and_its_string_optionals_are_annotations() -> None:
    claims = about(simple_signing(D, optional={"commit": "f00", "when": 1}), None)
    assert (claims.kind, claims.annotations) == (Kind.SIGNATURE, {"commit": "f00"})
    assert about(simple_signing(D, optional=None), None).annotations == {}


def test_the_docker_reference_is_not_compared() -> None:
    document = simple_signing(D)
    document["critical"]["identity"]["docker-reference"] = "registry.elsewhere.example/other/name"
    assert about(document, None).kind is Kind.SIGNATURE


@pytest.mark.parametrize("payload_type", ["application/vnd.in-toto+json ", "application/json", SIMPLE_SIGNING])
def test_any_other_payload_type_is_refused(payload_type: str) -> None:
    with pytest.raises(Flawed) as caught:
        about(statement(D), payload_type)
    assert (caught.value.flaw, caught.value.expected) == (Flaw.INVALID, IN_TOTO)


@pytest.mark.parametrize(
    "subject",
    [
        [{"digest": {"sha256": OTHER.hex}}],
        [{"digest": {"sha256": D.hex.upper()}}],
        [{"digest": {"sha512": "0" * 128}}],
        [{"digest": {"SHA256": D.hex}}],
        [{"digest": {"sha256": str(D)}}],
        [{"digest": {"sha256": [D.hex]}}],
        [{"name": str(D)}],
        [{"name": str(D), "digest": None}],
        [{"name": f"registry.example/shop@{D}", "digest": {}}],
    ],
)
def test_a_subject_that_is_not_exactly_this_digest_is_another_image(subject: list) -> None:
    with pytest.raises(Flawed, match="names another image") as caught:
        about(statement(D, subject=subject))
    assert (caught.value.flaw, caught.value.expected) == (Flaw.INVALID, str(D))


@pytest.mark.parametrize("subject", [None, [], {}, "x", [None], [{"digest": {"sha256": D.hex}}, None]])
def test_a_subject_list_that_is_none_is_malformed(subject: object) -> None:
    with pytest.raises(Malformed):
        about(statement(D, subject=subject))


def test_one_good_subject_among_many_is_enough_and_too_many_are_refused() -> None:
    others = [{"name": str(n), "digest": {"sha256": OTHER.hex}} for n in range(MAX_SUBJECTS - 1)]
    good = {"digest": {"sha256": D.hex}}
    assert about(statement(D, subject=[*others, good])).kind is Kind.ATTESTATION
    with pytest.raises(Malformed, match="1025 subjects"):
        about(statement(D, subject=[good, *others, good]))


@pytest.mark.parametrize("predicate_type", [None, "", 1, ["https://spdx.dev/Document"]])
def test_a_predicate_type_is_a_string(predicate_type: object) -> None:
    with pytest.raises(Malformed):
        about(statement(D, predicateType=predicate_type))


@pytest.mark.parametrize("kind", [None, "", "https://in-toto.io/Statement/v2", 1])
def test_an_unknown_statement_type_is_refused(kind: object) -> None:
    with pytest.raises(Flawed, match="no in-toto statement"):
        about(statement(D, _type=kind))


@pytest.mark.parametrize(
    "payload", [b"", b"nonsense", b"[]", b"null", b"1", b'"x"', b"\xff", b"{}{}", b"\xef\xbb\xbf{}"]
)
@pytest.mark.parametrize("payload_type", [IN_TOTO, None])
def test_a_payload_that_is_no_json_object_is_malformed(payload: bytes, payload_type: str | None) -> None:
    with pytest.raises(Malformed):
        check(payload_type, payload, D)


def _replaced(old: str, new: str) -> bytes:
    text = json.dumps(simple_signing(D))
    assert old in text
    return text.replace(old, new, 1).encode()


@pytest.mark.parametrize(
    "payload",
    [
        _replaced('"docker-manifest-digest"', f'"Docker-manifest-digest": "{OTHER}", "docker-manifest-digest"'),
        _replaced('"docker-manifest-digest"', f'"docker-manifest-digest": "{OTHER}", "docker-manifest-digest"'),
        _replaced('"image"', '"Image": {}, "image"'),
        _replaced('"critical"', '"Critical": {}, "critical"'),
        _replaced('"optional"', '"optional": {}, "optional"'),
        _replaced('"optional"', '"n": NaN, "optional"'),
        _replaced('"commit"', '"deep": ' + "[" * 100 + "]" * 100 + ', "commit"'),
        json.dumps(simple_signing(D) | statement(D)).encode(),
        json.dumps(simple_signing(D)).encode() + b" x",
        json.dumps({"critical": None, "optional": None}).encode(),
        json.dumps(simple_signing(D, optional=[])).encode(),
    ],
)
def test_simple_signing_with_a_second_meaning_is_malformed(payload: bytes) -> None:
    with pytest.raises(Malformed):
        check(None, payload, D)


def test_simple_signing_of_another_image_or_type_is_refused() -> None:
    with pytest.raises(Flawed, match="names another image") as caught:
        about(simple_signing(OTHER), None)
    assert (caught.value.expected, caught.value.actual) == (str(D), str(OTHER))
    document = simple_signing(D)
    document["critical"]["type"] = "atomic container signature"
    with pytest.raises(Flawed, match="no image signature"):
        about(document, None)
