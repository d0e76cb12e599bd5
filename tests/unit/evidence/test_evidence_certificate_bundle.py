"""Bundles with a certificate and a log entry of a kind that sigstore-python refuses: intoto."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from support.cosign_fixtures import BUILD, BUNDLE, b64, flipped, image, manifest_node, statement
from support.github_root import PrivateSigstore

from promote.evidence.verify import verify
from promote.model.evidence import Evidence, Flaw, Log, Rejected
from promote.model.policy import RootProfile, Trust

SIGSTORE, LOG, LOG_ID = PrivateSigstore(), ed25519.Ed25519PrivateKey.generate(), bytes(range(32))
DIGEST = image("v3-key").digest


def root() -> bytes:
    """The private root, with a log that signs checkpoints."""
    der = LOG.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key = {"rawBytes": b64(der), "validFor": {"start": "2026-01-01T00:00:00Z"}}
    return SIGSTORE.trusted_root(tlogs=[{"publicKey": key, "logId": {"keyId": b64(LOG_ID)}}])


def entry(document: dict, **changes: object) -> dict:
    """The intoto 0.0.2 entry of a bundle, alone in its log; `changes` are made to the body's content."""
    envelope, material = document["dsseEnvelope"], document["verificationMaterial"]
    pem = base64.encodebytes(base64.b64decode(material["certificate"]["rawBytes"])).decode()
    certificate = f"-----BEGIN CERTIFICATE-----\n{pem}-----END CERTIFICATE-----\n"
    payload = base64.b64decode(envelope["payload"])
    signature = {"publicKey": b64(certificate.encode()), "sig": b64(envelope["signatures"][0]["sig"].encode())}
    content = {
        "envelope": {"payloadType": envelope["payloadType"], "signatures": [signature]},
        "payloadHash": {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()},
    }
    body = {"apiVersion": changes.pop("apiVersion", "0.0.2"), "kind": "intoto", "spec": {"content": content | changes}}
    return logged(json.dumps(body).encode())


def logged(body: bytes) -> dict:
    top = hashlib.sha256(b"\0" + body).digest()
    note = f"log.example\n1\n{b64(top)}\n"
    checkpoint = f"{note}\n\N{EM DASH} log.example {b64(LOG_ID[:4] + LOG.sign(note.encode()))}\n"
    return {
        "logIndex": "0",
        "logId": {"keyId": b64(LOG_ID)},
        "kindVersion": {"kind": "intoto", "version": "0.0.2"},
        "canonicalizedBody": b64(body),
        "inclusionProof": {
            "logIndex": "0",
            "treeSize": "1",
            "rootHash": b64(top),
            "hashes": [],
            "checkpoint": {"envelope": checkpoint},
        },
    }


def judged(*entries: dict, document: dict) -> Evidence | Rejected:
    document["verificationMaterial"]["tlogEntries"] = list(entries)
    target = image("v3-key").bare()
    node = manifest_node(target, [(BUNDLE, json.dumps(document).encode(), {})])
    trust = Trust((BUILD,), root(), RootProfile.GITHUB)
    found = verify(target.with_nodes(node).graph, target.store, trust)
    (one,) = (*found.accepted, *found.rejected)
    return one


def bundle() -> dict:
    document: dict = json.loads(SIGSTORE.bundle(json.dumps(statement(DIGEST)).encode()))
    return document


def test_an_intoto_entry_is_a_proof():
    document = bundle()
    evidence = judged(entry(document), document=document)
    assert isinstance(evidence, Evidence)
    assert (evidence.log, evidence.subject) == (Log.PROOF, DIGEST)


def test_a5_an_intoto_entry_of_something_else_lends_nothing():
    document, other = bundle(), bundle()
    rejected = judged(entry(other), document=document)
    assert isinstance(rejected, Rejected)
    assert rejected.flaw is Flaw.INVALID


@pytest.mark.parametrize(
    ("change", "flaw"),
    [
        (lambda e: e | {"logId": {"keyId": flipped(e["logId"]["keyId"])}}, Flaw.INVALID),
        (lambda e: e | {"canonicalizedBody": b64(base64.b64decode(e["canonicalizedBody"]) + b" ")}, Flaw.INVALID),
        (lambda e: e | {"inclusionProof": e["inclusionProof"] | {"treeSize": "2"}}, Flaw.INVALID),
        (lambda e: {k: v for k, v in e.items() if k != "inclusionProof"}, Flaw.MALFORMED),
        (lambda e: e | {"canonicalizedBody": "!"}, Flaw.MALFORMED),
        (lambda _: logged(b"{}"), Flaw.UNSUPPORTED),
        (lambda _: logged(b"[]"), Flaw.MALFORMED),
    ],
)
def test_an_intoto_entry_is_checked_whole(change, flaw):
    document = bundle()
    rejected = judged(change(entry(document)), document=document)
    assert isinstance(rejected, Rejected)
    assert rejected.flaw is flaw


def test_two_entries_are_one_too_many():
    document = bundle()
    one = entry(document)
    rejected = judged(one, one, document=document)
    assert isinstance(rejected, Rejected)
    assert (rejected.flaw, rejected.expected) == (Flaw.INVALID, "at most one")


@pytest.mark.parametrize(
    ("changes", "flaw"),
    [
        ({"payloadHash": {"algorithm": "sha256", "value": "0" * 64}}, Flaw.INVALID),
        ({"payloadHash": {"algorithm": "md5", "value": "0" * 32}}, Flaw.INVALID),
        ({"envelope": {"signatures": []}}, Flaw.INVALID),
        ({"apiVersion": "0.0.1"}, Flaw.UNSUPPORTED),
        ({"apiVersion": "9"}, Flaw.UNSUPPORTED),
    ],
)
def test_an_intoto_entry_is_bound_to_payload_and_signature(changes, flaw):
    document = bundle()
    rejected = judged(entry(document, **changes), document=document)
    assert isinstance(rejected, Rejected)
    assert rejected.flaw is flaw
