"""What promote.yaml asks of SBOMs and scans, through the real command, of an image that real cosign signed."""

from __future__ import annotations

import pytest
from support.git_world import isolate
from support.gitops_repo import BUILD, TAG, make

LOG4J = "pkg:maven/org.apache.logging.log4j/log4j-core"


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


@pytest.mark.parametrize(
    "case",
    [
        pytest.param("v3-keyless", marks=pytest.mark.exhaustive),
        pytest.param("v2-keyless", marks=pytest.mark.exhaustive),
        "v3-keyless-index",
        "v2-key",
    ],
)
@pytest.mark.parametrize(
    ("gates", "code"),
    [
        ({"sbom": {"deny": [f"{LOG4J}@<2.17.1"]}}, None),
        ({"sbom": {"deny": [f"{LOG4J}@<2.17.1", f"{LOG4J}@<2.25"]}}, "package-denied"),
        ({"sbom": {"deny": [f"{LOG4J}@<2.x"]}}, None),
        ({"sbom": {"deny": [f"{LOG4J}@<latest"]}}, "package-not-comparable"),
        ({"sbom": {"deny": [f"{LOG4J}@2.24.1"]}}, "package-denied"),
        ({"sbom": {"min_versions": 1, "min_purls": 1}}, None),
        ({"sbom": {"about_image": "required"}}, "sbom-names-no-image"),
        ({"sbom": {"profiles": {"ntia": "report"}}}, None),
        ({"sbom": {"profiles": {"ntia": "require"}}}, "sbom-incomplete"),
        ({"sbom": {"max_age": "90000d"}}, None),
        ({"vulnerabilities": {"max": {"critical": 0}, "max_age": "24h"}}, "no-scan"),
        ({"vulnerabilities": "off"}, None),
    ],
)
def test_a_gate_that_refuses_leaves_everything_as_it_was(tmp_path, case, gates, code):
    if case == "v2-key" and "max_age" in gates.get("sbom", {}):
        gates = {"sbom": {"max_age": "1m"}}  # no verified time, and its CycloneDX names none of its own
        code = "sbom-old"
    repo = make(tmp_path, case=case, gates=gates)
    ran = repo.promote(TAG)
    assert (ran.code, (ran.json["error"] or {}).get("code")) == (13 if code else 0, code), ran.out
    if code:
        assert repo.tags() == {}
        assert repo.promotions() == []


@pytest.mark.parametrize(
    ("names", "gates", "code"),
    [
        (["ci"], {"sbom": {"signers": ["ci"]}}, None),
        (["ci", "qa"], {"sbom": {"signers": ["qa", "ci"]}}, None),
        (["ci", "qa"], {"sbom": {"signers": ["qa"]}}, "sbom-foreign"),
        (["ci", "qa"], {"vulnerabilities": {"signers": ["qa"]}}, "no-scan"),
    ],
)
def test_another_signers_sbom_is_refused_with_who_was_expected_and_who_signed(tmp_path, names, gates, code):
    repo = make(tmp_path)
    qa = {"name": "qa", "issuer": BUILD["issuer"], "identity": "qa@acme.example"}
    signers = [{"name": "ci", **BUILD}, *([qa] if "qa" in names else [])]
    repo.configure(trust=repo.config["trust"] | {"signers": signers}, gates=gates)
    ran = repo.promote(TAG)
    assert (ran.code, (ran.json["error"] or {}).get("code")) == (13 if code else 0, code), ran.out
    if code == "sbom-foreign":
        assert ran.json["error"]["expected"] == "an SBOM by qa"
        assert BUILD["identity"] in ran.json["error"]["actual"]
    if code:
        assert (repo.tags(), repo.promotions()) == ({}, [])


def test_a_report_is_part_of_what_the_gate_says(tmp_path):
    ran = make(tmp_path, case="v3-keyless-index", gates={"sbom": {"profiles": {"ntia": "report"}}}).promote(TAG)
    assert ran.gate("sbom")["summary"].startswith("SPDX 2.3 with 1 package; ntia: 6 of 7 elements, not supplier 0/1")
