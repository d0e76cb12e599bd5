"""What promote.yaml can ask of signers and attestations, through the real command on real and made evidence."""

from __future__ import annotations

import json
import shutil

import pytest
from support.cosign_fixtures import BUNDLE, image, manifest_node, statement
from support.git_world import isolate
from support.github_root import PrivateSigstore
from support.gitops_repo import BUILD, COMMIT, TAG, GitopsRepo, make

SIGN, SPDX = "https://sigstore.dev/cosign/sign/v1", "https://spdx.dev/Document"
SBOM = {"spdxVersion": "SPDX-2.3", "packages": [{"name": "a", "SPDXID": "SPDXRef-a", "versionInfo": "1"}]}
SOURCE, BUILDER = "https://github.com/acme/shop", "https://github.com/actions/runner/github-hosted"
GITHUB = {"profile": "github", "file": "trust/github.jsonl"}


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


@pytest.mark.parametrize(
    ("signer", "code"),
    [
        ({"source": {"repository": SOURCE, "ref": "refs/heads/*", "trigger": "push", "runner": "github-hosted"}}, 0),
        ({"source": {"workflow": ".github/workflows/build.yml"}, "apps": ["shop"], "environments": ["prod"]}, 0),
        ({"environments": ["staging"]}, 12),
        ({"log": "proof"}, 0),
    ],
)
def test_a_signer_counts_where_and_as_promote_yaml_says(tmp_path, signer, code):
    repo = make(tmp_path, remote=False)
    repo.configure(trust=repo.config["trust"] | {"signers": [BUILD | signer]})
    ran = repo.promote(TAG)
    assert ran.code == code, ran.out
    assert bool(repo.tags()) is (code == 0)
    assert repo.verify("staging").code == (0 if signer.get("environments") != ["prod"] else 12)


def test_an_identity_pattern_may_span_the_repositories_of_an_owner(tmp_path):
    repo = make(tmp_path, remote=False)
    pattern = "https://github.com/acme/*/.github/workflows/build.yml@refs/heads/main"
    signer = {"issuer": BUILD["issuer"], "identity_pattern": pattern}
    repo.configure(trust=repo.config["trust"] | {"signers": [signer]})
    assert repo.promote(TAG).code == 0


def test_every_witness_of_the_commit_can_be_demanded(tmp_path):
    every = ["certificate", "annotation", "label", "provenance"]
    ran = make(tmp_path, remote=False, gates={"commit": {"require": every}}).promote(TAG)
    assert (ran.code, ran.refused_by) == (0, None), ran.out


def test_a_key_is_no_witness_of_the_commit(tmp_path):
    ran = make(tmp_path, case="v3-key", remote=False, gates={"commit": {"require": ["certificate"]}}).promote(TAG)
    assert (ran.code, ran.json["error"]["code"]) == (15, "commit-unnamed")


@pytest.mark.parametrize(
    ("demand", "reason"),
    [
        ({"builder": BUILDER, "source": SOURCE, "signers": ["ci"]}, None),
        ({"builder": "https://evil.example/runner"}, "attestation-content"),
        ({"source": "https://github.com/acme/other"}, "attestation-content"),
        ({"signers": ["qa"]}, "no-attestation"),
        ({"max_age": "1m"}, "attestation-old"),
    ],
)
def test_a_provenance_must_say_what_is_demanded(tmp_path, demand, reason):
    repo = make(tmp_path, remote=False)
    qa = {"name": "qa", "issuer": BUILD["issuer"], "identity": "qa@acme.example"}
    demands = [{"type": "slsaprovenance1", **demand}]
    trust = repo.config["trust"] | {"signers": [{"name": "ci", **BUILD}, qa]}
    repo.configure(trust=trust, gates={"attestations": demands})
    ran = repo.promote(TAG)
    assert (ran.code, (ran.json["error"] or {}).get("code")) == (13 if reason else 0, reason), ran.out


# -- GitHub's own root


def private(repo: GitopsRepo, sigstore: PrivateSigstore, *payloads: dict, **sections: object) -> None:
    """Put the bare image with these statements, as private bundles, into staging."""
    target = image("v3-keyless").bare()
    for payload in payloads:
        bundle = sigstore.bundle(json.dumps(payload).encode())
        target = target.with_nodes(manifest_node(target, [(BUNDLE, bundle, {})]))
    shutil.rmtree(repo.layout("staging"))
    target.lay(repo.layout("staging"))
    public = json.dumps(json.loads((repo.root / "trust" / "trusted_root.json").read_bytes())).encode()
    repo.write("trust/github.jsonl", public + b"\n" + sigstore.trusted_root() + b"\n")
    repo.configure(**{"trust": {"root": GITHUB, "signers": [BUILD]}} | sections)


def about(predicate_type: str, predicate: object = None) -> dict:
    return statement(image("v3-keyless").digest, predicateType=predicate_type, predicate=predicate)


PROVENANCE = {
    "buildDefinition": {
        "resolvedDependencies": [{"uri": f"git+{SOURCE}@refs/heads/main", "digest": {"gitCommit": COMMIT}}]
    },
    "runDetails": {"builder": {"id": BUILDER}},
}


def test_a_private_repository_is_promoted_by_githubs_own_root(tmp_path):
    repo = make(tmp_path, remote=False)
    private(repo, PrivateSigstore(), about(SIGN), about(SPDX, SBOM))
    ran = repo.promote(TAG)
    assert ran.code == 0, ran.out
    assert "log: none" in ran.gate("signature")["summary"]
    assert len(ran.json["releases"][0]["copies"][0]["evidence"]) == 2


def test_github_attestations_alone_are_enough_where_promote_yaml_says_so(tmp_path):
    repo = make(tmp_path, remote=False)
    accept = {"gates": {"signature": {"accept": ["provenance"]}, "commit": {"require": ["certificate", "provenance"]}}}
    private(repo, PrivateSigstore(), about("https://slsa.dev/provenance/v1", PROVENANCE), about(SPDX, SBOM), **accept)
    ran = repo.promote(TAG)
    assert ran.code == 0, ran.out
    assert "provenance accepted" in ran.gate("signature")["summary"]


@pytest.mark.parametrize(
    ("trust", "code"),
    [
        ({"root": "trust/github.jsonl", "signers": [BUILD]}, "signature-invalid"),
        ({"signers": [BUILD]}, "signature-invalid"),
        ({"root": GITHUB, "signers": [BUILD | {"log": "promise"}]}, None),
        ({"root": GITHUB, "signers": [BUILD | {"log": "proof"}]}, "signature-unlogged"),
        ({"root": GITHUB, "signers": [BUILD | {"identity": "x@acme.example"}]}, "signature-foreign"),
    ],
)
def test_only_the_configured_profile_takes_what_has_no_log(tmp_path, trust, code):
    repo = make(tmp_path, remote=False)
    private(repo, PrivateSigstore(), about(SIGN), about(SPDX, SBOM), trust=trust)
    ran = repo.promote(TAG)
    assert (ran.code, (ran.json["error"] or {}).get("code")) == (12 if code else 0, code), ran.out
    assert bool(repo.tags()) is (code is None)
