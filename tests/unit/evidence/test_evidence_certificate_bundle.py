"""Bundles with a certificate that sigstore-python refuses: entries of kind intoto, several of them, a promise alone."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import datetime, timedelta

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from support.cosign_fixtures import BUILD, BUNDLE, IN_TOTO, TestKey, b64, flipped, image, manifest_node, statement
from support.github_root import SIGNED, PrivateSigstore

from promote.evidence.verify import verify
from promote.model.evidence import Evidence, Flaw, Log, Rejected
from promote.model.policy import RootProfile, Signer, Trust

SIGSTORE, LOG, LOG_ID = PrivateSigstore(), ed25519.Ed25519PrivateKey.generate(), bytes(range(32))
DIGEST = image("v3-key").digest
FIRST_BUNDLES = "application/vnd.dev.sigstore.bundle+json;version=0.1"


def root(*ids: bytes) -> bytes:
    """The private root, with a log that signs checkpoints, by one name or several."""
    der = LOG.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key = {"rawBytes": b64(der), "validFor": {"start": "2026-01-01T00:00:00Z"}}
    return SIGSTORE.trusted_root(tlogs=[{"publicKey": key, "logId": {"keyId": b64(i)}} for i in ids or [LOG_ID]])


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


def logged(body: bytes, log_id: bytes = LOG_ID) -> dict:
    top = hashlib.sha256(b"\0" + body).digest()
    note = f"log.example\n1\n{b64(top)}\n"
    checkpoint = f"{note}\n\N{EM DASH} log.example {b64(log_id[:4] + LOG.sign(note.encode()))}\n"
    return {
        "logIndex": "0",
        "logId": {"keyId": b64(log_id)},
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


def promised(entry: dict, at: datetime = SIGNED) -> dict:
    """The entry with the log's promise, and without its proof."""
    time = int(at.timestamp())
    log_id = base64.b64decode(entry["logId"]["keyId"]).hex()
    said = {"body": entry["canonicalizedBody"], "integratedTime": time, "logID": log_id, "logIndex": 0}
    promise = {"signedEntryTimestamp": b64(LOG.sign(rfc8785.dumps(said)))}
    return {k: v for k, v in entry.items() if k != "inclusionProof"} | {
        "integratedTime": str(time),
        "inclusionPromise": promise,
    }


def judged(
    *entries: dict, document: dict, logs: tuple[bytes, ...] = (LOG_ID,), signer: Signer = BUILD
) -> Evidence | Rejected:
    document["verificationMaterial"]["tlogEntries"] = list(entries)
    target = image("v3-key").bare()
    node = manifest_node(target, [(BUNDLE, json.dumps(document).encode(), {})])
    trust = Trust((signer,), root(*logs), RootProfile.GITHUB)
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


OTHER_ID, UNKNOWN_ID = bytes(range(1, 33)), bytes(32)


def renamed(entry: dict, log_id: bytes) -> dict:
    """The same entry in another log of the same key."""
    return logged(base64.b64decode(entry["canonicalizedBody"]), log_id)


@pytest.mark.parametrize("ids", [(OTHER_ID,), (UNKNOWN_ID,), (OTHER_ID, UNKNOWN_ID)])
def test_several_logs_may_have_an_entry_and_an_unknown_one_does_no_harm(ids):
    document = bundle()
    one = entry(document)
    evidence = judged(one, *(renamed(one, i) for i in ids), document=document, logs=(LOG_ID, OTHER_ID))
    assert isinstance(evidence, Evidence)
    assert evidence.log is Log.PROOF


def test_a5_each_of_several_entries_must_be_about_this():
    document, other = bundle(), bundle()
    entries = [entry(document), renamed(entry(other), OTHER_ID)]
    rejected = judged(*entries, document=document, logs=(LOG_ID, OTHER_ID))
    assert isinstance(rejected, Rejected)
    assert (rejected.flaw, rejected.summary) == (Flaw.INVALID, "the log entry's signature is another one")


def test_logs_that_are_all_unknown_vouch_for_nothing():
    document = bundle()
    one = entry(document)
    rejected = judged(renamed(one, UNKNOWN_ID), renamed(one, OTHER_ID), document=document)
    assert isinstance(rejected, Rejected)
    assert rejected.flaw is Flaw.INVALID


def test_an_entry_counts_once_and_their_number_has_an_end():
    document = bundle()
    one = entry(document)
    twice = judged(one, one, document=document)
    crowd = judged(*(renamed(one, bytes((i,)) * 32) for i in range(32)), one, document=document)
    assert isinstance(twice, Rejected)
    assert isinstance(crowd, Rejected)
    assert (twice.flaw, crowd.flaw) == (Flaw.INVALID, Flaw.MALFORMED)


@pytest.mark.parametrize("proof", [None, {"treeSize": "1", "rootHash": "", "logIndex": "0"}])
def test_the_first_bundles_have_a_promise_in_place_of_a_proof(proof):
    document = bundle() | {"mediaType": FIRST_BUNDLES}
    one = promised(entry(document))
    evidence = judged(one if proof is None else one | {"inclusionProof": proof}, document=document)
    assert isinstance(evidence, Evidence)
    assert (evidence.log, evidence.time) == (Log.PROMISE, SIGNED)


@pytest.mark.parametrize(
    ("media_type", "change", "flaw"),
    [
        (BUNDLE, lambda e: e, Flaw.MALFORMED),
        ("application/vnd.dev.sigstore.bundle+json;version=0.2", lambda e: e, Flaw.MALFORMED),
        (FIRST_BUNDLES, lambda e: {k: v for k, v in e.items() if k != "inclusionPromise"}, Flaw.MALFORMED),
        (FIRST_BUNDLES, lambda e: e | {"integratedTime": str(int(e["integratedTime"]) + 1)}, Flaw.INVALID),
        (FIRST_BUNDLES, lambda e: e | {"logIndex": "1"}, Flaw.INVALID),
        (FIRST_BUNDLES, lambda e: promised(e, SIGNED + timedelta(hours=1)), Flaw.INVALID),
        (FIRST_BUNDLES, lambda _: promised(entry(bundle())), Flaw.INVALID),
    ],
)
def test_a_promise_is_checked_whole_and_later_bundles_need_a_proof(media_type, change, flaw):
    document = bundle() | {"mediaType": media_type}
    rejected = judged(change(promised(entry(document))), document=document)
    assert isinstance(rejected, Rejected)
    assert rejected.flaw is flaw


def test_a_key_may_have_a_promise_alone_as_well():
    key, payload = TestKey.make(), json.dumps(statement(DIGEST)).encode()
    document = json.loads(key.bundle(payload)) | {"mediaType": FIRST_BUNDLES}
    signature = document["dsseEnvelope"]["signatures"][0]["sig"]
    one = {"publicKey": b64(key.signer.pem), "sig": b64(signature.encode())}
    hashed = {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()}
    content = {"envelope": {"payloadType": IN_TOTO, "signatures": [one]}, "payloadHash": hashed}
    body = {"apiVersion": "0.0.2", "kind": "intoto", "spec": {"content": content}}
    evidence = judged(promised(logged(json.dumps(body).encode())), document=document, signer=key.signer)
    assert isinstance(evidence, Evidence)
    assert (evidence.log, evidence.time) == (Log.PROMISE, SIGNED)


@pytest.mark.parametrize(
    "write",
    [
        lambda text: text.replace("+", "-").replace("/", "_"),
        lambda text: text.rstrip("="),
        lambda text: "\n".join(text[i : i + 64] for i in range(0, len(text), 64)),
    ],
)
def test_base64_is_read_as_it_may_be_written(write):
    document = bundle()
    envelope, one = document["dsseEnvelope"], entry(document)
    envelope["payload"] = write(envelope["payload"])
    envelope["signatures"][0]["sig"] = write(envelope["signatures"][0]["sig"])
    assert isinstance(judged(one, document=document), Evidence)


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
