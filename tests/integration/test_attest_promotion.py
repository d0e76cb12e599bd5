"""A promotion that signs its verdict: once, where the image arrived, before the commit, whatever interrupts it."""

from __future__ import annotations

import contextlib
import json
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from support.git_world import git, isolate
from support.gitops_repo import DIGEST, TAG, GitopsRepo, Ran, make
from support.promote_process import Nursery
from support.registry_server import Answer, RegistryServer, when

SUMMARY = "https://slsa.dev/verification_summary/v1"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())
COSIGN_KEYS = Path(__file__).parents[1] / "fixtures" / "cosign-keys"
COMMAND = ["staging->prod", TAG, "--jobs", "1", "--format", "json"]


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as started:
        yield started


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)
    for name in ("GITHUB_ACTIONS", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "SIGSTORE_ID_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("PROMOTE_KEY_PASSWORD", "COSIGN_PASSWORD"):
        monkeypatch.delenv(name, raising=False)


@dataclass
class World:
    """A repository whose prod, a layout or a server, gets signed verdicts."""

    repo: GitopsRepo
    server: RegistryServer | None

    def manifests(self) -> list[dict[str, Any]]:
        """Every manifest at the target, parsed."""
        if self.server:
            contents = [content for _, content in self.server.repository("acme/shop").manifests.values()]
        else:
            contents = [p.read_bytes() for p in (self.repo.layout("prod") / "blobs").rglob("*") if p.is_file()]
        parsed = [json.loads(c) for c in contents if c.startswith(b'{"')]
        return [m for m in parsed if "layers" in m]

    def verdicts(self) -> list[dict[str, Any]]:
        """The manifests of the verdicts at the target, told by an annotation that nobody else here writes."""
        key = "dev.sigstore.bundle.predicateType"
        return [m for m in self.manifests() if m.get("annotations", {}).get(key) == SUMMARY]

    def tags(self) -> dict[str, str]:
        return self.server.repository("acme/shop").tags if self.server else self.repo.tags()


@contextlib.contextmanager
def world(home: Path, target: str = "layout", attest: Any = None, case: str = "v3-keyless-rekor1") -> Iterator[World]:
    home.mkdir()
    with contextlib.ExitStack() as running:
        server = None
        if target != "layout":
            server = running.enter_context(RegistryServer(referrers=target == "registry"))
        repo = make(home, case=case, prod=server.address if server else None)
        write_key(repo, KEY)
        repo.config["environments"]["prod"]["attest"] = attest or {"key": "trust/deployer.key"}
        repo.configure()
        yield World(repo, server)


def write_key(repo: GitopsRepo, key: ec.EllipticCurvePrivateKey, password: str | None = None) -> None:
    encryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    repo.write("trust/deployer.key", key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    repo.write("trust/deployer.pub", public)


def attestation(ran: Ran) -> dict[str, Any]:
    """What the one copy of a run says of the verdict."""
    assert ran.code == 0, ran.out
    ((copy,),) = [release["copies"] for release in ran.json["releases"]]
    found: dict[str, Any] = copy["attestation"]
    return found


@pytest.mark.parametrize("target", ["layout", "registry", "registry without referrers"])
def test_one_verdict_a_digest_and_a_second_run_adds_nothing(tmp_path, target):
    with world(tmp_path / "w", target) as there:
        first = there.repo.promote(TAG)
        assert attestation(first)["written"] is True
        assert attestation(first)["signed_by"].startswith("key sha256:")
        (manifest,) = there.verdicts()
        assert manifest["subject"]["digest"] == DIGEST
        assert manifest["artifactType"] == BUNDLE
        before = there.manifests()
        again = there.repo.promote(TAG)
        assert attestation(again) == {**attestation(first), "written": False}
        assert again.json["releases"][0]["changed"] is False
        assert there.manifests() == before
        assert len(there.repo.promotions()) == 1


@pytest.mark.exhaustive
def test_a_key_that_cosign_made_signs_with_its_password(tmp_path, monkeypatch):
    with world(tmp_path / "w") as there:
        for end in ("key", "pub"):
            there.repo.write(f"trust/deployer.{end}", (COSIGN_KEYS / f"p256.{end}").read_bytes())
        there.repo.commit("cosign's own key")
        refused = there.repo.promote(TAG)
        assert (refused.code, refused.json["error"]["code"]) == (4, "key-password")
        assert "COSIGN_PASSWORD" in refused.json["error"]["hint"]
        assert (there.tags(), there.repo.promotions()) == ({}, [])
        monkeypatch.setenv("COSIGN_PASSWORD", "hunter2-hunter2")
        first = there.repo.promote(TAG)
        assert attestation(first)["written"]
        assert "hunter2" not in first.out + first.err
        assert not attestation(there.repo.promote(TAG))["written"]
        assert len(there.verdicts()) == 1


def test_the_text_says_who_signed(tmp_path):
    with world(tmp_path / "w") as there:
        assert "verdict signed by key sha256:" in there.repo.run("staging->prod", TAG, "--quiet").out
        assert "verdict signed earlier by key sha256:" in there.repo.run("staging->prod", TAG, "--quiet").out


def test_without_attest_nothing_is_added(tmp_path):
    with world(tmp_path / "w") as there:
        there.repo.config["environments"]["prod"]["attest"] = False
        there.repo.configure()
        assert attestation(there.repo.promote(TAG)) is None
        assert there.verdicts() == []


def test_another_policy_or_another_signer_is_another_verdict(tmp_path):
    with world(tmp_path / "w") as there:
        repo = there.repo
        first = attestation(repo.promote(TAG))
        repo.configure(gates={"sbom": {"min_packages": 1}})
        changed = repo.promote(TAG)
        assert attestation(changed)["written"]
        assert changed.json["releases"][0]["changed"] is True
        assert changed.json["commit"] is None
        write_key(repo, OTHER)
        repo.commit("another key")
        other = attestation(repo.promote(TAG))
        assert other["written"]
        assert other["signed_by"] != first["signed_by"]
        assert len(there.verdicts()) == 3
        assert not attestation(repo.promote(TAG))["written"]


@pytest.mark.parametrize(
    ("resource", "code"), [("{prod}/acme/shop", None), ("{prod}/acme/other", "attestation-content")]
)
def test_the_next_environment_can_demand_that_it_is_about_the_place_before(tmp_path, resource, code):
    with world(tmp_path / "w", "registry") as there:
        repo = there.repo
        assert there.server is not None
        vsa = {"type": "vsa", "signers": ["deployer"], "resource": resource.format(prod=there.server.address)}
        live = {"from": ["prod"], "registry": "oci:../registries/live", "gates": {"attestations": [vsa]}}
        repo.config["environments"]["live"] = live
        repo.config["trust"]["signers"].append({"name": "deployer", "key": "trust/deployer.pub"})
        repo.configure()
        assert attestation(repo.promote(TAG))["written"]
        ran = repo.run("prod->live", TAG, "--format", "json", "--quiet")
        assert (ran.code, (ran.json["error"] or {}).get("code")) == (13 if code else 0, code), ran.out
        assert bool(repo.tags("live")) is (code is None)


def test_the_next_environment_can_demand_it(tmp_path):
    with world(tmp_path / "w") as there:
        repo = there.repo
        repo.config["environments"]["live"] = {
            "from": ["prod"],
            "registry": "oci:../registries/live",
            "gates": {"attestations": [{"type": "vsa", "verifier": "pkg:pypi/promote-by-digest"}], "deployed": "off"},
        }
        repo.config["trust"]["signers"].append({"key": "trust/deployer.pub"})
        repo.configure()
        repo.config["environments"]["prod"].pop("attest")
        repo.write_config()
        assert repo.promote(TAG).code == 0
        refused = repo.run("prod->live", TAG, "--format", "json", "--quiet")
        assert (refused.code, refused.refused_by) == (13, "attestations")
        repo.config["environments"]["prod"]["attest"] = {"key": "trust/deployer.key"}
        repo.write_config()
        signed = attestation(repo.promote(TAG))
        passed = repo.run("prod->live", TAG, "--format", "json", "--quiet")
        assert passed.code == 0, passed.out
        assert passed.gate("attestations")["evidence"] == [signed["manifest"]]
        explained = repo.run("verify", f"prod:{TAG}", "--explain", "--format", "json", "--quiet")
        found = [f for f in explained.json["releases"][0]["findings"] if f["predicate_type"] == SUMMARY]
        assert [(f["verdict"], f["manifest"]) for f in found] == [("accepted", signed["manifest"])]


def test_each_place_gets_its_own(tmp_path):
    with RegistryServer() as eu, RegistryServer() as us, world(tmp_path / "w") as there:
        repo = there.repo
        places = [{"registry": s.address, "overlays": ["overlays/{app}/prod"]} for s in (eu, us)]
        places[1]["overlays"] = []
        attest = {"key": "trust/deployer.key"}
        repo.config["environments"]["prod"] = {"from": ["staging"], "places": places, "attest": attest}
        repo.configure()
        ran = repo.promote(TAG)
        assert ran.code == 0, ran.out
        (release,) = ran.json["releases"]
        digests = [copy["attestation"]["manifest"] for copy in release["copies"]]
        assert len(set(digests)) == 2
        assert [d in s.repository("acme/shop").manifests for d, s in zip(digests, (eu, us), strict=True)] == [True] * 2


@pytest.mark.parametrize("arguments", [(), ("--dry-run",)], ids=["applied", "dry-run"])
def test_what_cannot_be_signed_is_found_out_before_anything_is_copied(tmp_path, monkeypatch, arguments):
    with world(tmp_path / "w") as there:
        repo = there.repo
        write_key(repo, KEY, "hunter2")
        repo.commit("a password")
        before = repo.everything()
        ran = repo.promote(TAG, *arguments)
        assert (ran.code, ran.json["error"]["code"]) == (4, "key-password")
        assert "PROMOTE_KEY_PASSWORD" in ran.json["error"]["hint"]
        repo.config["environments"]["prod"]["attest"] = True
        repo.write_config()
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
        ran = repo.promote(TAG, *arguments)
        assert (ran.code, ran.json["error"]["code"]) == (4, "identity-missing")
        assert "id-token: write" in ran.json["error"]["hint"]
        assert there.tags() == {}
        assert {k: v for k, v in repo.everything().items() if "promote.yaml" not in k and ".git/" not in k} == {
            k: v for k, v in before.items() if "promote.yaml" not in k and ".git/" not in k
        }
        assert repo.promotions() == []


def test_a_dry_run_signs_nothing(tmp_path):
    with world(tmp_path / "w") as there:
        before = there.repo.everything()
        assert there.repo.promote(TAG, "--dry-run").code == 0
        assert there.verdicts() == []
        after = there.repo.everything()
        assert {k: v for k, v in after.items() if ".git/" not in k} == {
            k: v for k, v in before.items() if ".git/" not in k
        }


def test_a_registry_that_loses_the_verdict_is_not_believed_and_nothing_is_committed(tmp_path):
    with world(tmp_path / "w", "registry") as there:
        assert there.server is not None
        there.repo.config["environments"]["prod"].pop("attest")
        there.repo.write_config()
        assert there.repo.promote(TAG, "--no-push").code == 0
        git(there.repo.root, "reset", "-q", "--hard", "origin/main")
        there.server.faults.append(when("PUT", "/manifests/", Answer(201, {"OCI-Subject": DIGEST})))
        ran = there.repo.promote(TAG)
        assert (ran.code, ran.json["error"]["code"]) == (3, "attestation-unverified")
        assert there.repo.promotions() == []
        there.server.faults.clear()
        assert attestation(there.repo.promote(TAG))["written"]
        assert len(there.verdicts()) == 1
        assert len(there.repo.promotions()) == 1


@pytest.mark.exhaustive
@pytest.mark.parametrize("target", ["registry without referrers", "layout"])
def test_killed_at_any_step_from_the_tag_on_there_is_one_verdict_in_the_end(tmp_path, nursery, target):
    with world(tmp_path / "whole", target) as undisturbed:
        ended = nursery.start(undisturbed.repo.root, COMMAND).wait()
        assert ended.code == 0, ended.out
        steps = ended.steps
        assert len(undisturbed.verdicts()) == 1
    assert steps.count("attest") == 1
    assert steps.index("tag") < steps.index("attest") < steps.index("commit")
    for number in range(steps.index("tag"), len(steps)):
        with world(tmp_path / str(number), target) as disturbed:
            killed = nursery.start(disturbed.repo.root, COMMAND, kill_at=number).wait()
            assert (killed.signal, killed.steps) == (signal.SIGKILL, steps[: number + 1])
            where = f"killed before step {number}, {steps[number]}"
            assert len(disturbed.verdicts()) == int(number > steps.index("attest")), where
            again = disturbed.repo.run(*COMMAND)
            assert again.code == 0, f"{where}: {again.out}"
            assert len(disturbed.verdicts()) == 1, where
            assert len(disturbed.repo.promotions()) == 1, where
