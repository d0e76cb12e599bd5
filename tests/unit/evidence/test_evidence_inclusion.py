"""Merkle proofs against a tree built the slow way."""

from __future__ import annotations

import hashlib
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from support.cosign_fixtures import FIXTURES, b64, flipped

from promote.evidence.flawed import Flawed
from promote.evidence.inclusion import check
from promote.evidence.public_key import PublicKey
from promote.evidence.reading import unbase64
from promote.evidence.trust_root import LogKey, TrustRoot, Window
from promote.model.malformed import Malformed

PRIVATE = ed25519.Ed25519PrivateKey.generate()
LOG = LogKey(b"\x01\x02\x03\x04" + b"\0" * 28, PublicKey.of(PRIVATE.public_key()), Window(None, None))


def leaf(entry: bytes) -> bytes:
    return hashlib.sha256(b"\0" + entry).digest()


def tree(entries: list[bytes]) -> bytes:
    """RFC 9162, 2.1.1, as it is written."""
    if len(entries) == 1:
        return leaf(entries[0])
    half = 1 << (len(entries) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + tree(entries[:half]) + tree(entries[half:])).digest()


def path(index: int, entries: list[bytes]) -> list[bytes]:
    """RFC 9162, 2.1.3.1, as it is written."""
    if len(entries) == 1:
        return []
    half = 1 << (len(entries) - 1).bit_length() - 1
    if index < half:
        return [*path(index, entries[:half]), tree(entries[half:])]
    return [*path(index - half, entries[half:]), tree(entries[:half])]


def checkpoint(size: int, root: bytes, hint: bytes = LOG.log_id[:4]) -> str:
    body = f"log.example\n{size}\n{b64(root)}\n"
    return f"{body}\n\N{EM DASH} log.example {b64(hint + PRIVATE.sign(body.encode()))}\n"


def proof(index: int, entries: list[bytes], **more: object) -> dict:
    root = tree(entries)
    return {
        "logIndex": str(index),
        "treeSize": str(len(entries)),
        "rootHash": b64(root),
        "hashes": [b64(h) for h in path(index, entries)],
        "checkpoint": {"envelope": checkpoint(len(entries), root)},
    } | more


@pytest.mark.parametrize("size", range(1, 18))
def test_every_entry_of_every_small_tree_is_proven_and_no_other(size: int) -> None:
    entries = [b"entry %d" % n for n in range(size)]
    for index, entry in enumerate(entries):
        good = proof(index, entries)
        check(entry, good, LOG)
        with pytest.raises(Flawed):
            check(entry + b"!", good, LOG)
        for wrong in ({"logIndex": str(index + 1)}, {"treeSize": str(size + 1)}, {"rootHash": b64(b"\0" * 32)}):
            with pytest.raises(Flawed):
                check(entry, good | wrong, LOG)
        for hashes in ([*good["hashes"], b64(b"\0" * 32)], good["hashes"][:-1] if size > 1 else [b64(b"")]):
            with pytest.raises(Flawed):
                check(entry, good | {"hashes": hashes}, LOG)


def test_the_checkpoint_must_be_the_logs_and_of_this_tree() -> None:
    entries = [b"a", b"b", b"c"]
    root = tree(entries)
    good = checkpoint(3, root)
    signature = good.rstrip("\n").rpartition(" ")[2]
    for envelope in (
        checkpoint(4, root),
        checkpoint(3, tree(entries[:2])),
        checkpoint(3, root, hint=b"\0\0\0\0"),
        good.replace(signature, flipped(signature)),
        good.replace("log.example\n3", "log.example\n03"),
        good.replace("\N{EM DASH}", "-"),
    ):
        with pytest.raises(Flawed):
            check(b"b", proof(1, entries, checkpoint={"envelope": envelope}), LOG)


@pytest.mark.parametrize("envelope", ["", "\n\n", "log\n3\n\n", "log\nthree\nAAAA\n\n", "log\n3\nAAAA", None, 1])
def test_a_broken_checkpoint_is_malformed(envelope: object) -> None:
    with pytest.raises((Malformed, Flawed)):
        check(b"b", proof(1, [b"a", b"b"], checkpoint={"envelope": envelope}), LOG)


def test_a_cosigned_checkpoint_counts() -> None:
    entries = [b"a", b"b"]
    envelope = checkpoint(2, tree(entries)) + f"\N{EM DASH} witness.example {b64(b'wxyz' + b'0' * 64)}\n"
    check(b"a", proof(0, entries, checkpoint={"envelope": envelope}), LOG)


def test_the_first_entry_of_a_real_log_is_proven_without_the_zeros_that_protobuf_leaves_out() -> None:
    folder = FIXTURES / "v3-blob-first-entry"
    entry = json.loads((folder / "bundle.sigstore.json").read_bytes())["verificationMaterial"]["tlogEntries"][0]
    assert "logIndex" not in entry["inclusionProof"]
    assert "hashes" not in entry["inclusionProof"]
    log = TrustRoot.parse((folder / "trusted_root.json").read_bytes()).log(unbase64(entry["logId"]["keyId"], "id"))
    assert log is not None
    body = unbase64(entry["canonicalizedBody"], "body")
    check(body, entry["inclusionProof"], log)
    with pytest.raises(Flawed):
        check(body + b" ", entry["inclusionProof"], log)
