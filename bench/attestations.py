"""The row about many attestations on one image: each costs some work, and none of it more than once."""

from __future__ import annotations

import json
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from support.cosign_fixtures import BUNDLE, COMMIT, Image, TestKey, image, manifest_node, statement

from bench.measure import Command, Prepare, in_turns, median
from bench.rows import Row, row_of
from bench.world import PYTHON, World
from promote.model.policy import Trust

MANY = 100
EACH = 0.005
"""Seconds that one more attestation may cost."""


def many_attestations(world: World, pairs: int) -> list[Row]:
    """An image with `MANY` attestations that a key signed, against the same image with one."""
    runs = in_turns({"promote": _verifying(world, MANY), "one": _verifying(world, 1)}, pairs)
    one, many = (median([run.wall for run in runs[name]]) for name in ("one", "promote"))
    row = row_of(f"{MANY} attestations, verified", "one attestation", runs, "one")
    budget = 3 * one + MANY * EACH
    row.aim, row.met = f"<= 3, and {EACH * 1000:.0f} ms for each", many <= budget
    row.facts = {"share of the budget used": round(many / budget, 2)}
    return [row]


def _verifying(world: World, number: int) -> Prepare:
    directory = world.directory / f"attestations-{number}"
    key = _attested(directory / "acme" / "shop", number)

    def prepare(_: int) -> Command:
        return world.command(PYTHON, "-m", "bench.verify_layout", str(directory), f"sha-{COMMIT}", key, cwd=Path.cwd())

    return prepare


def _attested(layout: Path, number: int) -> str:
    """Lay an image with `number` attestations, one referrer each as cosign v3 stores them; the public key's file."""
    key, bare = TestKey.make(), image("v2-key").bare()
    payloads = (json.dumps(statement(bare.digest, predicate={"number": n})).encode() for n in range(number))
    nodes = [manifest_node(bare, [(BUNDLE, key.bundle(each), {})], artifact_type=BUNDLE) for each in payloads]
    Image(bare.with_nodes(*nodes).graph, bare.store, Trust((key.signer,))).lay(layout)
    public = layout.parent / "cosign.pub"
    public.write_bytes(key.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return str(public)
