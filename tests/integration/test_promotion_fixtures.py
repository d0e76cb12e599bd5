"""Every image that real cosign signed gets its verdict, through the real command, wherever it is kept."""

from __future__ import annotations

import copy
import shutil

import pytest
from support.cosign_fixtures import CASES
from support.git_world import isolate
from support.gitops_repo import DIGEST, TAG, digest_of_case, make, serve
from support.registry_server import RegistryServer

PASS = (0, None, None)
TABLE = {
    # bundles as referrers, on the image or on a two-platform index
    "v3-keyless": PASS,
    "v3-keyless-rekor1": PASS,
    "v3-keyless-fallback": PASS,
    "v3-keyless-index": PASS,
    "v3-key": PASS,
    "v3-key-rsa": PASS,
    "v3-key-rekor2": PASS,
    # the tag scheme, and experimental referrers
    "v3-keyless-legacy": PASS,
    "v3-key-legacy": PASS,
    "v2-keyless": PASS,
    "v2-keyless-tsa": PASS,
    "v2-key": PASS,
    "v2-key-rsa": PASS,
    "v2-key-rekor1": PASS,
    "v2-key-referrers": PASS,
    "v2-keyless-intoto": PASS,
    # cosign 2.6.5 dropped the annotations when it signed
    "v2-bundle-rekor1": PASS,
    # a time stamp and no log entry; a key that neither cosign verifies
    "v2-keyless-tsa-nolog": (12, "signature", "signature-unlogged"),
    "v2-key-ed25519": (12, "signature", "signature-invalid"),
    "bad-v3-attestation-only": (11, "signature", "no-signature"),
    "bad-v3-other-workflow": (12, "signature", "signature-foreign"),
    "bad-v3-other-repo": (12, "signature", "signature-foreign"),
    "bad-v3-other-commit": (15, "commit", "commit-disagrees"),
    "bad-v3-no-sbom": (13, "sbom", "no-sbom"),
    "bad-v3-empty-sbom": (13, "sbom", "sbom-empty"),
}
ACCEPTED = sorted(case for case, verdict in TABLE.items() if verdict == PASS)
REFUSED = sorted(case for case, verdict in TABLE.items() if verdict != PASS)


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


def test_the_table_has_every_fixture():
    assert sorted(TABLE) == CASES


@pytest.mark.parametrize("case", TABLE)
def test_the_verdict_from_a_layout(tmp_path, case):
    repo = make(tmp_path, case=case)
    ran = repo.promote(TAG)
    code, gate, reason = TABLE[case]
    result = ran.json
    assert (ran.code, ran.refused_by) == (code, gate), ran.out
    assert (result["exit_code"], result["ok"]) == (code, code == 0)
    assert (result["error"] or {}).get("code") == reason
    if code == 0:
        assert repo.tags()[TAG] == digest_of_case(case)
        assert digest_of_case(case).encode() in repo.overlay()
        assert result["releases"][0]["copies"][0]["evidence"]
    else:
        assert repo.tags() == {}
        assert repo.promotions() == []
        assert not repo.layout("prod").exists()


@pytest.mark.exhaustive  # every verdict over HTTP is shown by `verify` below
@pytest.mark.parametrize("case", TABLE)
def test_the_verdict_from_a_registry_with_the_referrers_api(tmp_path, case):
    with RegistryServer() as source, RegistryServer(referrers=False) as target:
        repo = make(tmp_path, case=case, staging=serve(source, case), prod=target.address)
        ran = repo.promote(TAG)
        code, gate, _ = TABLE[case]
        assert (ran.code, ran.refused_by) == (code, gate), ran.out
        if code == 0:
            assert target.repository("acme/shop").tags[TAG] == digest_of_case(case)
        else:
            assert [r for r in target.requests if r.method not in {"GET", "HEAD"}] == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("case", TABLE)
def test_verify_gives_the_same_verdict_through_the_fallback_tag(tmp_path, case):
    with RegistryServer(referrers=False) as source:
        repo = make(tmp_path, case=case, staging=serve(source, case))
        ran = repo.verify(f"{source.address}/acme/shop:{TAG}")
        assert [r for r in source.requests if r.method not in {"GET", "HEAD"}] == []
    code, gate, reason = TABLE[case]
    assert (ran.code, ran.refused_by, (ran.json["error"] or {}).get("code")) == (code, gate, reason)


def test_annotations_that_are_asked_for_and_not_signed_are_a_refusal(tmp_path):
    asked = {"signature": {"annotations": {"commit": TAG.removeprefix("sha-")}}}
    repo = make(tmp_path, case="v2-bundle-rekor1", gates=asked)
    ran = repo.promote(TAG)
    assert (ran.code, ran.refused_by, ran.json["error"]["code"]) == (12, "signature", "signature-annotations")


def test_annotations_that_are_asked_for_and_signed_pass(tmp_path):
    asked = {"signature": {"annotations": {"commit": TAG.removeprefix("sha-")}}}
    assert make(tmp_path, case="v3-keyless", gates=asked).promote(TAG).code == 0


def test_an_annotation_with_another_value_is_a_refusal_that_names_both(tmp_path):
    repo = make(tmp_path, gates={"signature": {"annotations": {"commit": "f" * 40}}})
    ran = repo.promote(TAG)
    error = ran.json["error"]
    assert (ran.code, error["expected"]) == (12, f"commit={'f' * 40}")
    assert TAG.removeprefix("sha-") in error["actual"]


def test_a_time_stamp_without_a_log_entry_passes_where_no_log_is_asked_for(tmp_path):
    exception = {"signature": {"log": "none"}}
    assert make(tmp_path, case="v2-keyless-tsa-nolog", gates=exception).promote(TAG).code == 0


def test_an_exception_from_the_log_ends(tmp_path):
    exception = {"signature": {"log": "none", "until": "2026-01-01"}}
    ran = make(tmp_path, case="v2-keyless-tsa-nolog", gates=exception).promote(TAG)
    error = ran.json["error"]
    assert (ran.code, error["code"], error["expected"]) == (12, "signature-unlogged", "log: promise")
    assert "ended on 2026-01-01" in error["message"]


@pytest.mark.parametrize(("case", "code"), [("v3-keyless", 0), ("v2-keyless", 12), ("v3-keyless-rekor1", 0)])
def test_an_inclusion_proof_can_be_demanded(tmp_path, case, code):
    assert make(tmp_path, case=case, gates={"signature": {"log": "proof"}}).promote(TAG).code == code


def test_provenance_counts_as_a_signature_only_where_promote_yaml_says_so(tmp_path):
    widened = {"signature": {"accept": ["provenance"]}, "sbom": "off"}
    ran = make(tmp_path, case="bad-v3-no-sbom", gates=widened).promote(TAG)
    assert ran.code == 0, ran.out
    assert "provenance accepted as a signature" in ran.gate("signature")["summary"]
    assert ran.gate("sbom")["code"] == "turned-off"


@pytest.mark.parametrize(
    ("wanted", "code"), [("slsaprovenance1", 0), ("https://slsa.dev/provenance/v1", 0), ("vuln", 13)]
)
def test_further_attestations_can_be_demanded(tmp_path, wanted, code):
    ran = make(tmp_path, gates={"attestations": [{"type": wanted}]}).promote(TAG)
    assert (ran.code, ran.refused_by) == (code, "attestations" if code else None)


@pytest.mark.parametrize("where", ["file", "environment"])
def test_more_packages_than_there_are_can_be_demanded(tmp_path, where):
    repo = make(tmp_path)
    gates = {"sbom": {"min_packages": 5}}
    if where == "file":
        repo.config["gates"] = gates
    else:
        repo.config["environments"]["prod"]["gates"] = gates
    repo.configure()
    ran = repo.promote(TAG)
    assert (ran.code, ran.json["error"]["expected"], ran.json["error"]["actual"]) == (13, "at least 5", "1")


def test_an_unknown_signer_is_foreign_and_nobody_is_trusted_by_default(tmp_path):
    repo = make(tmp_path)
    other = {"key": "trust/other.pub"}
    shutil.copy(tmp_path / "deploy" / "promote.yaml", tmp_path / "saved")
    repo.write("trust/other.pub", _key())
    trust = copy.deepcopy(repo.config["trust"])
    repo.configure(trust={**trust, "signers": [other]})
    assert repo.promote(TAG).json["error"]["code"] == "signature-foreign"
    repo.configure(trust={"root": trust["root"]})
    ran = repo.promote(TAG)
    assert (ran.code, ran.json["error"]["code"]) == (2, "no-signers")


def test_an_image_without_anything_beside_it_has_no_signature(tmp_path):
    with RegistryServer() as source:
        repo = make(tmp_path, staging=serve(source))
        there = source.repository("acme/shop")
        there.manifests = {DIGEST: there.manifests[DIGEST]}
        ran = repo.promote(TAG)
    assert (ran.code, ran.refused_by, ran.json["error"]["code"]) == (11, "signature", "no-signature")
    assert ran.json["error"]["actual"] == "nothing at all beside the image"


def _key() -> bytes:
    from support.cosign_fixtures import TestKey

    return TestKey.make().signer.pem
