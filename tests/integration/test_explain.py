"""`promote verify --explain`: everything beside the image is shown, and why the rest does not count."""

from __future__ import annotations

import copy
import json
import shutil
from typing import Any

import pytest
from support.git_world import isolate
from support.gitops_repo import BUILD, DIGEST, TAG, GitopsRepo, Ran, make, serve
from support.registry_server import Answer, RegistryServer, when

from promote.model.digest import Digest

WHO = f"{BUILD['identity']} (issuer {BUILD['issuer']})"
SPDX = "https://spdx.dev/Document"
EMPTY = "application/vnd.oci.empty.v1+json"


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


def explained(repo: GitopsRepo, reference: str = "staging") -> tuple[Ran, list[dict[str, Any]]]:
    ran = repo.run("verify", reference, "--explain", "--format", "json", "--quiet")
    (release,) = ran.json["releases"]
    return ran, release["findings"]


def test_accepted_evidence_is_shown_with_everything_that_was_verified(tmp_path):
    ran, findings = explained(make(tmp_path))
    assert ran.code == 0
    assert {f["verdict"] for f in findings} == {"accepted"}
    signature = next(f for f in findings if f["kind"] == "signature")
    assert signature["signed_by"] == WHO
    assert (signature["subject"], signature["storage"], signature["log"]) == (
        DIGEST,
        "sigstore bundle, referrer",
        "proof",
    )
    assert signature["time"].startswith("2026-")
    assert signature["annotations"] == {"commit": TAG.removeprefix("sha-"), "repo": "acme/shop"}
    assert SPDX in {f["predicate_type"] for f in findings}
    assert len({f["manifest"] for f in findings}) == len(findings) == 4


def test_without_explain_there_are_no_findings(tmp_path):
    repo = make(tmp_path)
    assert repo.verify("staging").json["releases"][0]["findings"] is None
    assert "beside the image" not in repo.run("verify", "staging").out


def test_foreign_evidence_names_its_signer_and_whom_was_expected(tmp_path):
    other = {**BUILD, "identity": "https://github.com/acme/shop/.github/workflows/other.yml@refs/heads/main"}
    repo = make(tmp_path)
    repo.config["trust"]["signers"] = [other]
    repo.configure()
    ran, findings = explained(repo)
    assert ran.code == 12
    assert {(f["verdict"], f["signed_by"]) for f in findings} == {("foreign", WHO)}
    assert all(other["identity"] in f["expected"] and BUILD["identity"] in f["actual"] for f in findings)
    text = repo.run("verify", "staging", "--explain").out
    for part in ("beside the image", "foreign", "signed by", "expected", "got", DIGEST):
        assert part in text


@pytest.mark.parametrize(
    ("case", "words", "code"),
    [
        ("v2-key", {"accepted"}, 0),
        ("v2-keyless-tsa-nolog", {"unlogged"}, 12),
        ("bad-v3-no-sbom", {"accepted"}, 13),
        ("bad-v3-other-repo", {"foreign"}, 12),
    ],
)
def test_every_way_of_storing_and_failing_has_its_word(tmp_path, case, words, code):
    ran, findings = explained(make(tmp_path, case=case))
    assert (ran.code, {f["verdict"] for f in findings}) == (code, words)
    assert all(f["reason"] for f in findings if f["verdict"] != "accepted")
    assert all(f["storage"] for f in findings)


def test_evidence_is_explained_although_an_earlier_gate_refused(tmp_path):
    repo = make(tmp_path)
    repo.config["apps"]["shop"]["source"] = "https://github.com/acme/elsewhere"
    repo.configure()
    ran, findings = explained(repo)
    assert (ran.code, ran.refused_by) == (15, "labels")
    assert {f["verdict"] for f in findings} == {"accepted"}


def test_evidence_is_explained_although_its_gates_are_turned_off(tmp_path):
    repo = make(tmp_path)
    repo.configure(gates={"signature": "off", "sbom": "off"})
    _, findings = explained(repo)
    assert len(findings) == 4


def test_what_is_no_evidence_is_reported_as_ignored_and_what_nobody_signed_as_unsigned(tmp_path):
    with RegistryServer() as server:
        repo = make(tmp_path, staging=serve(server))
        store = server.repository("acme/shop")
        size = len(store.manifests[DIGEST][1])
        put = []
        for kind in ("application/vnd.acme.notes", "application/spdx+json", "application/vnd.cncf.notary.signature"):
            blob = json.dumps({"kind": kind}).encode()
            digests = [store.add_blob(content) for content in (b"{}", blob)]
            document = {
                "schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "artifactType": kind,
                "config": {"mediaType": EMPTY, "digest": digests[0], "size": 2},
                "layers": [{"mediaType": kind, "digest": digests[1], "size": len(blob)}],
                "subject": {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": DIGEST, "size": size},
            }
            put.append(store.add_manifest(json.dumps(document).encode(), document["mediaType"]))
        ran, findings = explained(repo)
        assert ran.code == 0
        said = {f["manifest"]: (f["verdict"], f["reason"]) for f in findings if f["verdict"] != "accepted"}
        assert [said[digest][0] for digest in put] == ["ignored", "unsigned", "unsupported"]
        assert "application/vnd.acme.notes" in said[put[0]][1]
        assert "SBOM" in said[put[1]][1]
        assert "Notary" in said[put[2]][1]


def test_evidence_of_another_image_says_which_it_got(tmp_path):
    repo = make(tmp_path)
    layout = repo.layout("staging")
    index = json.loads((layout / "index.json").read_bytes())
    wrong = copy.deepcopy(index)
    # The same signatures, listed beside another image with the same tag.
    root = next(d for d in wrong["manifests"] if d["digest"] == DIGEST)
    manifest = json.loads((layout / "blobs/sha256" / DIGEST.removeprefix("sha256:")).read_bytes())
    manifest["annotations"] = {"org.opencontainers.image.title": "another"}
    other = json.dumps(manifest).encode()
    digest = Digest.of(other)
    (layout / "blobs/sha256" / digest.hex).write_bytes(other)
    for entry in wrong["manifests"]:
        if entry is not root and (layout / "blobs/sha256" / entry["digest"].removeprefix("sha256:")).exists():
            content = json.loads((layout / "blobs/sha256" / entry["digest"].removeprefix("sha256:")).read_bytes())
            if "subject" in content:
                content["subject"] = {**content["subject"], "digest": str(digest), "size": len(other)}
                moved = json.dumps(content).encode()
                entry.update(digest=str(Digest.of(moved)), size=len(moved))
                (layout / "blobs/sha256" / Digest.of(moved).hex).write_bytes(moved)
    root.update(digest=str(digest), size=len(other))
    (layout / "index.json").write_text(json.dumps(wrong))
    ran, findings = explained(repo, f"oci:../registries/staging/acme/shop@{digest}")
    assert ran.code == 12
    assert {f["verdict"] for f in findings} == {"invalid"}
    assert {(f["expected"], f["actual"]) for f in findings} == {(str(digest), f"sha256:{Digest.parse(DIGEST).hex}")}
    assert {f["signed_by"] for f in findings} == {WHO}


def test_an_image_without_anything_beside_it(tmp_path):
    repo = make(tmp_path)
    layout = repo.layout("staging")
    index = json.loads((layout / "index.json").read_bytes())
    index["manifests"] = [d for d in index["manifests"] if d["digest"] == DIGEST]
    (layout / "index.json").write_text(json.dumps(index))
    ran, findings = explained(repo)
    assert (ran.code, findings) == (11, [])
    assert "nothing at all" in repo.run("verify", "staging", "--explain").out


def test_an_image_that_is_not_there_has_no_findings(tmp_path):
    repo = make(tmp_path)
    shutil.rmtree(repo.layout("staging"))
    ran, findings = explained(repo)
    assert (ran.code, findings) == (10, None)


def test_a_misspelt_reference_is_misuse(tmp_path):
    ran = make(tmp_path).run("verify", "nowhere", "--explain", "--format", "json", "--quiet")
    assert (ran.code, ran.json["error"]["code"]) == (2, "environment-unknown")


def test_too_much_evidence_keeps_the_verdicts(tmp_path):
    with RegistryServer() as server:
        repo = make(tmp_path, staging=serve(server))
        store = server.repository("acme/shop")
        bundle = next(m for t, m in store.manifests.values() if b'"subject"' in m)
        for number in range(120):
            document = json.loads(bundle)
            blob = f'{{"n": {number}}}'.encode()
            document["layers"][0].update(digest=store.add_blob(blob), size=len(blob))
            store.add_manifest(json.dumps(document).encode(), document["mediaType"])
        ran, findings = explained(repo)
        assert (ran.code, ran.refused_by, findings) == (12, "signature", None)


def test_a_registry_that_fails_keeps_the_verdicts(tmp_path):
    with RegistryServer() as server:
        repo = make(tmp_path, staging=serve(server))
        server.faults.append(when("GET", "/blobs/", Answer(403)))
        ran, findings = explained(repo)
        assert (ran.code in (3, 4), findings) == (True, None)
        assert ran.json["releases"][0]["gates"]
