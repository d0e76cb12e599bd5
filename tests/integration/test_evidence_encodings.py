"""Real evidence, written down in the other ways that its formats allow."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from support.cosign_fixtures import BUNDLE, ENVELOPE, PROMISE, SIGNATURE, SIMPLE_SIGNING, Change, image

from promote.model.evidence import Kind

WRITINGS = {
    "URL-safe": lambda text: text.replace("+", "-").replace("/", "_"),
    "wrapped": lambda text: "\n".join(text[i : i + 64] for i in range(0, len(text), 64)) + "\n",
    "unpadded": lambda text: text.rstrip("="),
}
Writing = Callable[[str], str]


def in_bundle(write: Writing) -> Change:
    """The bundle's envelope, written otherwise."""

    def change(_: dict, content: bytes) -> bytes:
        document = json.loads(content)
        envelope = document["dsseEnvelope"]
        envelope["payload"] = write(envelope["payload"])
        envelope["signatures"][0]["sig"] = write(envelope["signatures"][0]["sig"])
        return json.dumps(document).encode()

    return change


def in_annotations(write: Writing) -> Change:
    """The signature of a simple-signing layer, and the log's of its promise, written otherwise."""

    def change(annotations: dict, content: bytes) -> bytes:
        annotations[SIGNATURE] = write(annotations[SIGNATURE])
        if PROMISE in annotations:
            promise = json.loads(annotations[PROMISE])
            promise["SignedEntryTimestamp"] = write(promise["SignedEntryTimestamp"])
            annotations[PROMISE] = json.dumps(promise)
        return content

    return change


@pytest.mark.parametrize("writing", WRITINGS)
@pytest.mark.parametrize("case", ["v3-keyless", "v3-keyless-rekor1", "v3-key", "v3-key-rekor2"])
def test_a_bundles_envelope_may_be_written_in_any_base64(case: str, writing: str) -> None:
    found = image(case).altered(BUNDLE, in_bundle(WRITINGS[writing])).findings()
    assert found.rejected == ()
    assert len(found.accepted) == len(image(case).findings().accepted) > 0


@pytest.mark.parametrize("writing", WRITINGS)
@pytest.mark.parametrize("case", ["v2-keyless", "v2-key", "v2-key-rsa"])
def test_a_layers_signature_may_be_written_in_any_base64(case: str, writing: str) -> None:
    found = image(case).altered(SIMPLE_SIGNING, in_annotations(WRITINGS[writing])).findings()
    assert found.rejected == ()
    assert any(e.kind is Kind.SIGNATURE for e in found.accepted)


@pytest.mark.parametrize("case", ["v2-keyless", "v2-keyless-tsa"])
def test_a_stored_envelope_is_what_the_log_has_the_hash_of(case: str) -> None:
    """Written otherwise it says the same, and is not what was logged."""

    def spaced(_: dict, content: bytes) -> bytes:
        return content + b" "

    found = image(case).altered(ENVELOPE, spaced).findings()
    assert [e.kind for e in found.accepted if e.kind is Kind.ATTESTATION] == []
    assert {r.kind for r in found.rejected} == {Kind.ATTESTATION}
