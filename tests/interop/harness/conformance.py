"""Judges the bundles of Sigstore's conformance suite, which are others' to publish and not in this repository.

    cd tests/interop && ../../.venv/bin/python -m harness.conformance CHECKOUT/test/assets/bundle-verify

Each case is a directory: `bundle.sigstore.json`, what it signs in `artifact` (else `a.txt` beside the cases), and where
it needs them `trusted_root.json` and `key.pub`; its name ends in ``_fail`` when it must be refused.  promote takes
bundles around statements only, so the others are judged by the lane that makes no difference between the two.
"""

from __future__ import annotations

import sys
from pathlib import Path

from promote.errors import PromoteError
from promote.evidence import bundle, certificate_bundle, key_bundle
from promote.evidence.anchors import Anchors
from promote.evidence.bundle import Bundle
from promote.evidence.flawed import Flawed
from promote.evidence.reading import child, unbase64
from promote.evidence.signed import Signed, Verified
from promote.evidence.verify import verify_bundle
from promote.model import strict_json
from promote.model.malformed import Malformed
from promote.model.policy import KeySigner, Trust

# The message's digest is written beside its signature for convenience, and promote, which hashes what it has, reads it
# nowhere.
OTHERS_TO_CHECK = {"message-digest-mismatch_fail"}


def judge(case: Path) -> str | None:
    """Why the bundle of `case` is refused; None when it is accepted."""
    key, root, artifact = case / "key.pub", case / "trusted_root.json", case / "artifact"
    try:
        signers = (KeySigner("key.pub", key.read_bytes()),) if key.exists() else ()
        anchors = Anchors.load(Trust(signers, root.read_bytes() if root.exists() else None))
        message = (artifact if artifact.exists() else case.parent.parent / "a.txt").read_bytes()
        _verified((case / "bundle.sigstore.json").read_bytes(), message, anchors)
    except (PromoteError, Flawed, Malformed) as problem:
        return str(problem)
    return None


def _verified(content: bytes, message: bytes, anchors: Anchors) -> Verified:
    document = strict_json.loads_object(content, "bundle")
    if "messageSignature" not in document:
        return verify_bundle(content, anchors)
    signature = unbase64(child(document, "messageSignature", "bundle").get("signature"), "signature")
    # Everything but the message is read as in a bundle around an envelope.
    empty = {"payloadType": "none", "payload": "", "signatures": [{"sig": ""}]}
    del document["messageSignature"]
    parsed = bundle.parsed(document | {"dsseEnvelope": empty})
    signed = Bundle(parsed.document, parsed.material, Signed(None, message, message, signature), parsed.by_certificate)
    if signed.by_certificate:
        return certificate_bundle.verify(signed, anchors)
    return key_bundle.verify(signed, anchors)


def main(directory: Path) -> int:
    """Judge every case in `directory`; 1 when one of them is not judged as its name says."""
    cases = sorted(p for p in directory.iterdir() if p.is_dir() and p.name not in OTHERS_TO_CHECK)
    wrong = 0
    for case in cases:
        refused = judge(case)
        differs = (refused is not None) is not case.name.endswith("_fail")
        wrong += differs
        print(f"{'WRONG' if differs else 'right'} {case.name}: {refused or 'accepted'}")
    print(f"{len(cases) - wrong} of {len(cases)} cases as expected")
    return 1 if wrong or not cases else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
