"""The proof that a log contains an entry: a Merkle path to a checkpoint that the log signed."""

from __future__ import annotations

import hashlib
from typing import Any

from promote.evidence.flawed import invalid
from promote.evidence.reading import child, children, text, unbase64, whole
from promote.evidence.trust_root import LogKey
from promote.model.malformed import Malformed

_HINT_BYTES = 4


def check(entry: bytes, proof: dict[str, Any], log: LogKey) -> None:
    """Raise `Flawed` unless `proof` (protobuf-specs InclusionProof as JSON) shows `entry` in `log`; or `Malformed`."""
    size = whole(proof.get("treeSize"), "proof treeSize")
    hashes = [unbase64(h, "proof hash") for h in children(proof, "hashes", "proof")]
    root = _root(entry, whole(proof.get("logIndex", "0"), "proof logIndex"), size, hashes)
    if root != unbase64(proof.get("rootHash"), "proof rootHash"):
        invalid("the log's inclusion proof does not lead to its root", actual=root.hex())
    checkpoint = text(child(proof, "checkpoint", "proof").get("envelope"), "checkpoint")
    if _checkpoint(checkpoint, log) != (size, root):
        invalid("the log's checkpoint is of another tree", expected=f"size {size}, root {root.hex()}")


def _root(entry: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root that `path` leads to.  Source: RFC 9162, 2.1.3.2 (hashes of 2.1.1)."""
    if index >= size:
        invalid("the log's inclusion proof is for no entry of its tree", expected=f"below {size}", actual=str(index))
    node, last = index, size - 1
    result = hashlib.sha256(b"\x00" + entry).digest()
    for sibling in path:
        if last == 0:
            invalid("the log's inclusion proof is too long", actual=f"{len(path)} hashes for {size} entries")
        if node & 1 or node == last:
            result = hashlib.sha256(b"\x01" + sibling + result).digest()
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            result = hashlib.sha256(b"\x01" + result + sibling).digest()
        node, last = node >> 1, last >> 1
    if last != 0:
        invalid("the log's inclusion proof is too short", actual=f"{len(path)} hashes for {size} entries")
    return result


def _checkpoint(note: str, log: LogKey) -> tuple[int, bytes]:
    """Size and root hash that `log` signed; raises `Flawed` or `Malformed`.

    Source: C2SP tlog-checkpoint and signed-note: text, an empty line, then lines of "— name base64(hint, signature)".
    """
    body, separator, signatures = note.partition("\n\n")
    lines = body.split("\n")
    if not separator or len(lines) < 3 or not (lines[1].isascii() and lines[1].isdigit()):
        raise Malformed("checkpoint", note, "a signed note with origin, size and root hash")
    if not any(_signs(line, f"{body}\n".encode(), log) for line in signatures.splitlines()):
        invalid("the log's checkpoint is not signed by the log", expected=f"a signature by log {log.log_id.hex()[:12]}")
    return whole(lines[1], "checkpoint size"), unbase64(lines[2], "checkpoint root hash")


def _signs(line: str, body: bytes, log: LogKey) -> bool:
    dash, _, rest = line.partition(" ")
    if dash != "\N{EM DASH}":
        return False
    signature = unbase64(rest.rpartition(" ")[2], "checkpoint signature")
    hint = signature[:_HINT_BYTES]
    return hint == log.log_id[:_HINT_BYTES] and log.key.verifies(signature[_HINT_BYTES:], body)
