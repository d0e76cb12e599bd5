"""Every image of the lab, read from its layout on disk, gives the findings that lead to its verdict."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections import Counter

import pytest
from support.cosign_fixtures import CASES, COMMIT, FIXTURES, trust_of

from promote.evidence.public_key import PublicKey
from promote.evidence.signers import Conditions
from promote.evidence.verify import verify
from promote.model.evidence import Findings, Flaw, Kind, Log, Storage
from promote.model.policy import LogDemand, LogRule, Trust
from promote.model.reference import Repository
from promote.oci.graph import gather
from promote.oci.layout import LayoutStore

SPDX, CYCLONEDX, SLSA = "https://spdx.dev/Document", "https://cyclonedx.org/bom", "https://slsa.dev/provenance/v1"
SIGNED = {"commit": COMMIT, "repo": "acme/shop"}

# case: (what its evidence gets from the log, storage of the signature, predicates accepted)
ACCEPTED = {
    "v3-keyless": (Log.PROOF, Storage.BUNDLE, [SPDX, CYCLONEDX, SLSA]),
    "v3-keyless-rekor1": (Log.PROOF, Storage.BUNDLE, [SPDX]),
    "v3-keyless-fallback": (Log.PROOF, Storage.BUNDLE, [SPDX]),
    "v3-keyless-index": (Log.PROOF, Storage.BUNDLE, [SPDX]),
    "v3-key": (Log.NONE, Storage.BUNDLE, [SPDX, CYCLONEDX, SLSA]),
    "v3-key-rsa": (Log.NONE, Storage.BUNDLE, [SPDX]),
    "v3-key-rekor2": (Log.PROOF, Storage.BUNDLE, [SPDX]),
    "v3-keyless-legacy": (Log.PROMISE, Storage.SIGNATURE_TAG, [SPDX]),
    "v3-key-legacy": (Log.NONE, Storage.SIGNATURE_TAG, [SPDX]),
    "v2-keyless": (Log.PROMISE, Storage.SIGNATURE_TAG, [SPDX, SPDX, CYCLONEDX, SLSA]),
    "v2-keyless-tsa": (Log.PROMISE, Storage.SIGNATURE_TAG, [SPDX]),
    "v2-keyless-intoto": (Log.PROMISE, Storage.SIGNATURE_TAG, [SPDX]),
    "v2-key": (Log.NONE, Storage.SIGNATURE_TAG, [SPDX, SPDX, CYCLONEDX, SLSA]),
    "v2-key-rsa": (Log.NONE, Storage.SIGNATURE_TAG, [SPDX]),
    "v2-key-rekor1": (Log.PROMISE, Storage.SIGNATURE_TAG, [SPDX]),
    "v2-key-referrers": (Log.NONE, Storage.SIGNATURE_REFERRER, [SPDX]),
    "v2-bundle-rekor1": (Log.PROOF, Storage.BUNDLE, [SPDX]),
    "bad-v3-other-commit": (Log.PROOF, Storage.BUNDLE, [SPDX]),
    "bad-v3-no-sbom": (Log.PROOF, Storage.BUNDLE, [SLSA]),
    "bad-v3-empty-sbom": (Log.PROOF, Storage.BUNDLE, [SPDX]),
    "bad-v3-attestation-only": (Log.PROOF, None, [SPDX]),
}
REJECTED = {
    "bad-v3-other-workflow": Flaw.FOREIGN,
    "bad-v3-other-repo": Flaw.FOREIGN,
    "v2-keyless-tsa-nolog": Flaw.UNLOGGED,
    "v2-key-ed25519": Flaw.INVALID,
}


def findings(case: str, trust: Trust | None = None, log: LogDemand = LogDemand.PROMISE) -> Findings:
    store = LayoutStore(Repository(f"oci:{FIXTURES / case}", "layout"))
    root = store.resolve(f"sha-{COMMIT}")
    assert root is not None
    return verify(gather(store, root), store, trust or trust_of(case), Conditions(LogRule(log)))


def test_the_two_tables_name_every_fixture() -> None:
    assert sorted([*ACCEPTED, *REJECTED]) == CASES


@pytest.mark.parametrize("case", sorted(ACCEPTED))
def test_good_evidence_is_accepted_whole(case: str) -> None:
    log, storage, predicates = ACCEPTED[case]
    found = findings(case)
    assert found.rejected == ()
    assert [s.storage for s in found.signatures()] == ([storage] if storage else [])
    assert Counter(a.predicate_type for a in found.attestations()) == Counter(predicates)
    assert {e.log for e in found.accepted} == {log}
    assert all(e.predicate_type is None and e.predicate is None for e in found.signatures())


@pytest.mark.parametrize("case", sorted(REJECTED))
def test_bad_evidence_is_rejected_by_its_own_word(case: str) -> None:
    found = findings(case)
    assert found.accepted == ()
    assert [(r.flaw, r.kind, r.predicate_type) for r in sorted(found.rejected, key=lambda r: str(r.kind))] == [
        (REJECTED[case], Kind.ATTESTATION, SPDX),
        (REJECTED[case], Kind.SIGNATURE, None),
    ]
    assert all(r.summary and r.expected and r.actual for r in found.rejected)


@pytest.mark.parametrize("case", [c for c in ACCEPTED if "bad" not in c and c != "v2-bundle-rekor1"])
def test_the_annotations_of_a_signature_are_the_signed_ones(case: str) -> None:
    assert [dict(s.annotations) for s in findings(case).signatures()] == [SIGNED]


def test_cosign_2_bundles_have_no_signed_annotations() -> None:
    assert [dict(s.annotations) for s in findings("v2-bundle-rekor1").signatures()] == [{}]


@pytest.mark.parametrize("case", ["v3-keyless", "v2-keyless", "v3-keyless-index"])
def test_a_certificate_says_who_and_from_what(case: str) -> None:
    for evidence in findings(case).accepted:
        by = evidence.signed_by
        assert (by.issuer, by.identity, by.key) == (
            "https://token.actions.githubusercontent.com",
            "https://github.com/acme/shop/.github/workflows/build.yml@refs/heads/main",
            None,
        )
        assert by.source_repository == "https://github.com/acme/shop"
        assert (by.source_commit, by.source_ref, by.trigger) == (COMMIT, "refs/heads/main", "push")
        assert evidence.time is not None
        assert evidence.time.utcoffset() is not None


def test_the_certificate_of_another_commit_says_so() -> None:
    assert {e.signed_by.source_commit for e in findings("bad-v3-other-commit").accepted} == {"f" * 40}


def test_a_key_is_named_by_its_fingerprint() -> None:
    key = PublicKey.from_pem((FIXTURES / "v3-key" / "key.pub").read_bytes())
    fingerprint = "sha256:" + hashlib.sha256(key.spki).hexdigest()
    assert {(e.signed_by.key, e.signed_by.identity) for e in findings("v3-key").accepted} == {(fingerprint, None)}


def test_a_time_stamp_without_log_counts_when_no_log_is_demanded() -> None:
    found = findings("v2-keyless-tsa-nolog", log=LogDemand.NONE)
    assert found.rejected == ()
    assert {(e.kind, e.log) for e in found.accepted} == {(Kind.SIGNATURE, Log.NONE), (Kind.ATTESTATION, Log.NONE)}
    assert all(e.time for e in found.accepted)


@pytest.mark.parametrize("case", ["v2-keyless", "v2-key", "v3-key"])
def test_a_demanded_proof_is_not_replaced_by_less(case: str) -> None:
    found = findings(case, log=LogDemand.PROOF)
    assert found.accepted == ()
    assert {(r.flaw, r.expected) for r in found.rejected} == {(Flaw.UNLOGGED, "log: proof")}


@pytest.mark.parametrize("case", ["v3-keyless", "v3-key-rekor2"])
def test_a_demanded_proof_is_found(case: str) -> None:
    assert findings(case, log=LogDemand.PROOF) == findings(case)


@pytest.mark.parametrize("case", CASES)
def test_the_public_root_vouches_for_no_private_certificate(case: str) -> None:
    trust = Trust(trust_of("v3-keyless").signers, root=None)
    found = findings(case, trust)
    assert found.accepted == ()
    assert {r.flaw for r in found.rejected} <= {Flaw.INVALID, Flaw.FOREIGN}


def test_a_run_with_keys_does_not_import_sigstore() -> None:
    code = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from support.cosign_fixtures import image\n"
        "print([len(image(c).findings().accepted) for c in ('v3-key', 'v2-key', 'v2-keyless')])\n"
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'sigstore', 'pydantic', 'requests', 'tuf'}))"
    )
    root = FIXTURES.parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.splitlines() == ["[4, 5, 5]", "[]"]
    assert done.stderr == ""
