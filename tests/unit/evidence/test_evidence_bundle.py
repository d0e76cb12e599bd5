"""Bundles: the zeros that protobuf's JSON leaves out, and who may have signed one."""

from __future__ import annotations

import json

import pytest
from support.cosign_fixtures import BUNDLE, FIXTURES, TestKey, b64, image, manifest_node, statement

from promote.evidence.bundle import parse
from promote.evidence.flawed import Flawed
from promote.model.evidence import Flaw, Log
from promote.model.malformed import Malformed
from promote.model.policy import Trust

FIRST = json.loads((FIXTURES / "v3-blob-first-entry" / "bundle.sigstore.json").read_bytes())


def test_the_first_entry_of_a_log_gets_its_zeros_back() -> None:
    key = TestKey.make()
    document = json.loads(key.bundle(b"{}"))
    document["verificationMaterial"]["tlogEntries"] = FIRST["verificationMaterial"]["tlogEntries"]
    entry = parse(json.dumps(document).encode()).entries[0]
    assert (entry["logIndex"], entry["inclusionProof"]["logIndex"], entry["inclusionProof"]["hashes"]) == ("0", "0", [])


def test_the_blob_bundle_of_the_lab_is_named_as_unsupported() -> None:
    with pytest.raises(Flawed) as caught:
        parse(json.dumps(FIRST).encode())
    assert caught.value.flaw is Flaw.UNSUPPORTED


def test_a_key_bundle_without_log_entries_is_read() -> None:
    bundle = parse(TestKey.make().bundle(b"{}"))
    assert (bundle.by_certificate, bundle.entries, bundle.stamps) == (False, [], [])


@pytest.mark.parametrize("hint", ["", b64(b"\0" * 32), "SHA256:not base64 at all", None])
def test_the_hint_of_a_key_is_opaque(hint: str | None) -> None:
    key = TestKey.make()
    target = image("v3-key").bare()
    payload = json.dumps(statement(target.digest)).encode()
    bundle = key.bundle(payload, verificationMaterial={"publicKey": {} if hint is None else {"hint": hint}})
    found = target.with_nodes(manifest_node(target, [(BUNDLE, bundle, {})])).findings(Trust((key.signer,)))
    assert [e.log for e in found.accepted] == [Log.NONE]


@pytest.mark.parametrize(("hint", "flaw"), [("KMS key 7", Flaw.FOREIGN), ("", Flaw.INVALID), (7, Flaw.MALFORMED)])
def test_the_hint_chooses_the_word_of_a_refusal(hint: object, flaw: Flaw) -> None:
    target = image("v3-key").bare()
    payload = json.dumps(statement(target.digest)).encode()
    bundle = TestKey.make().bundle(payload, verificationMaterial={"publicKey": {"hint": hint}})
    found = target.with_nodes(manifest_node(target, [(BUNDLE, bundle, {})])).findings(Trust((TestKey.make().signer,)))
    assert [r.flaw for r in found.rejected] == [flaw]


@pytest.mark.parametrize(
    "material",
    [
        {},
        {"publicKey": {"hint": ""}, "certificate": {"rawBytes": ""}},
        {"certificate": {"rawBytes": ""}, "x509CertificateChain": {"certificates": []}},
        {"publicKey": {"hint": ""}, "certificate": None},
    ],
)
def test_a_bundle_has_exactly_one_signer(material: dict) -> None:
    with pytest.raises(Flawed) as caught:
        parse(TestKey.make().bundle(b"{}", verificationMaterial=material))
    assert caught.value.flaw is Flaw.INVALID


@pytest.mark.parametrize(
    "more",
    [
        {"mediaType": "application/vnd.dev.sigstore.bundle"},
        {"mediaType": None},
        {"dsseEnvelope": None},
        {"verificationMaterial": []},
        {"verificationMaterial": {"publicKey": {}, "tlogEntries": {}}},
        {"verificationMaterial": {"publicKey": {}, "tlogEntries": [1]}},
    ],
)
def test_a_bundle_with_holes_is_malformed(more: dict) -> None:
    with pytest.raises(Malformed):
        parse(TestKey.make().bundle(b"{}", **more))
