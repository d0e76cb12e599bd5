"""The verdict that promote signs: cosign accepts it, the next environment demands it, a second run adds nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from harness import gitops
from harness.gitops import GitOps
from harness.images import SOURCE, SignedImage
from harness.process import CommandFailed, run
from harness.promote import promote
from harness.signing import COSIGN_ENV, Signer
from harness.sigstore.github_oidc import ISSUER
from harness.sigstore.stack import Sigstore

COMMIT = "456789abcdef0123456789abcdef0123456789ab"
TAG = f"sha-{COMMIT}"
SUMMARY = "https://slsa.dev/verification_summary/v1"
DEPLOYER = "acme/deploy"
IDENTITY = f"https://github.com/{DEPLOYER}/.github/workflows/promote.yml@refs/heads/main"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"


@pytest.fixture(params=["distribution3", "ggcr"])
def registry(request: pytest.FixtureRequest, registries: Mapping[str, str], tmp_path: Path) -> str:
    """One with the referrers API and one without, with a prefix that nobody else uses."""
    return f"{registries[request.param]}/{tmp_path.name.lower()}"


@pytest.fixture
def image(registry: str, signed_image: Callable[..., SignedImage]) -> SignedImage:
    """What staging runs, signed keyless by its build."""
    return signed_image(registry, "staging/acme/web", COMMIT)


def test_keyless_verdict(registry, image, signers, sigstore, tools, tmp_path, monkeypatch):
    files = {"trust/signing_config.json": sigstore.signing_config.read_bytes()}
    repository = _gitops(tmp_path, registry, image, signers["keyless"], files, {
        "signing_config": "trust/signing_config.json",
        "trusted_root": "trust/trusted_root.json",
    }, [{"issuer": ISSUER, "identity": IDENTITY}])  # fmt: skip
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.delenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", raising=False)
    promote(repository.clone, "staging->prod", TAG, home=tmp_path, code=4)
    with pytest.raises(CommandFailed):
        run([tools["crane"], "manifest", f"{registry}/prod/acme/web:{TAG}"])
    monkeypatch.setenv("SIGSTORE_ID_TOKEN", _token(sigstore))

    options = [
        f"--certificate-identity={IDENTITY}",
        f"--certificate-oidc-issuer={ISSUER}",
        f"--trusted-root={sigstore.trusted_root}",
    ]
    _promote_twice_and_further(repository, registry, image, tools, tmp_path, options, IDENTITY)


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1()], ids=lambda curve: curve.name)
def test_verdict_by_key(registry, image, signers, tools, tmp_path, curve):
    key = ec.generate_private_key(curve)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "deployer.pub").write_bytes(public)
    files = {"trust/deployer.pub": public, "trust/deployer.key": private}
    repository = _gitops(
        tmp_path, registry, image, signers["keyless"], files,
        {"key": "trust/deployer.key"}, [{"key": "trust/deployer.pub"}],
    )  # fmt: skip
    options = [f"--key={tmp_path}/deployer.pub", "--insecure-ignore-tlog=true"]
    _promote_twice_and_further(repository, registry, image, tools, tmp_path, options, "key sha256:")


def test_verdict_by_the_key_that_cosign_made(registry, image, signers, tools, tmp_path, monkeypatch):
    monkeypatch.setenv("COSIGN_PASSWORD", "a password of cosign's")
    run([tools["cosign"], "generate-key-pair"], cwd=tmp_path)
    private, public = (tmp_path / "cosign.key").read_bytes(), (tmp_path / "cosign.pub").read_bytes()
    assert b"BEGIN ENCRYPTED SIGSTORE PRIVATE KEY" in private
    files = {"trust/cosign.pub": public, "trust/cosign.key": private}
    repository = _gitops(
        tmp_path, registry, image, signers["keyless"], files,
        {"key": "trust/cosign.key"}, [{"key": "trust/cosign.pub"}],
    )  # fmt: skip
    options = [f"--key={tmp_path}/cosign.pub", "--insecure-ignore-tlog=true"]
    _promote_twice_and_further(repository, registry, image, tools, tmp_path, options, "key sha256:")


def _promote_twice_and_further(
    repository: GitOps,
    registry: str,
    image: SignedImage,
    tools: Mapping[str, Path],
    home: Path,
    options: list[str],
    signer: str,
) -> None:
    """To prod, where the verdict is signed once; from there to live, which demands it."""
    target = f"{registry}/prod/acme/web"
    early = promote(repository.clone, "prod->live", TAG, home=home, code=10)
    assert not early["ok"]

    first = _attestation(promote(repository.clone, "staging->prod", TAG, home=home))

    assert first["written"]
    assert first["signed_by"].startswith(signer)
    predicate = _verify_with_cosign(tools, target, image, options)
    assert predicate["verificationResult"] == "PASSED"
    assert predicate["policy"]["uri"] == "promote.yaml#/environments/prod"
    assert predicate["resourceUri"].endswith(f"?repository_url={target}")
    manifest = json.loads(run([tools["crane"], "manifest", f"{target}@{first['manifest']}"]))
    assert (manifest["artifactType"], manifest["subject"]["digest"]) == (BUNDLE, image.digest)
    assert [layer["mediaType"] for layer in manifest["layers"]] == [BUNDLE]
    assert manifest["annotations"]["dev.sigstore.bundle.predicateType"] == SUMMARY

    again = promote(repository.clone, "staging->prod", TAG, home=home)
    assert _attestation(again) == {**first, "written": False}
    assert [release["changed"] for release in again["releases"]] == [False]

    onward = promote(repository.clone, "prod->live", TAG, home=home)
    gate = next(g for g in onward["releases"][0]["gates"] if g["gate"] == "attestations")
    assert (gate["verdict"], gate["evidence"]) == ("pass", [first["manifest"]])
    _verify_with_cosign(tools, f"{registry}/live/acme/web", image, options)


def _verify_with_cosign(
    tools: Mapping[str, Path], repository: str, image: SignedImage, options: list[str]
) -> dict[str, Any]:
    """The one predicate that `cosign verify-attestation` accepts of the verification summary's type."""
    printed = run(
        [tools["cosign"], "verify-attestation", f"--type={SUMMARY}", *options, f"{repository}@{image.digest}"],
        env=COSIGN_ENV,
    )
    (line,) = printed.splitlines()
    statement = json.loads(base64.b64decode(json.loads(line)["payload"]))
    assert statement["subject"][0]["digest"] == {"sha256": image.digest.removeprefix("sha256:")}
    predicate: dict[str, Any] = statement["predicate"]
    return predicate


def _attestation(result: dict[str, Any]) -> dict[str, Any]:
    ((copy,),) = [release["copies"] for release in result["releases"]]
    attestation: dict[str, Any] = copy["attestation"]
    return attestation


def _token(sigstore: Sigstore) -> str:
    return sigstore.token(DEPLOYER, "d" * 40, workflow="promote.yml")


def _gitops(
    directory: Path,
    registry: str,
    image: SignedImage,
    build: Signer,
    files: Mapping[str, bytes],
    attest: Mapping[str, str],
    deployers: list[dict[str, str]],
) -> GitOps:
    """Staging, prod where verdicts are signed with `attest`, and live which demands one by `deployers`."""
    trust: dict[str, Any] = dict(build.trust(SOURCE))
    trust["signers"] = [*trust["signers"], *deployers]
    repository = gitops.create(
        directory,
        source=SOURCE,
        staging=f"{registry}/staging",
        prod=f"{registry}/prod",
        trust=trust,
        trust_files={**build.trust_files(), **files},
        tag=image.tag,
        digest=image.digest,
    )
    path = repository.clone / "promote.yaml"
    configuration = yaml.safe_load(path.read_bytes())
    environments = configuration["environments"]
    environments["prod"]["attest"] = dict(attest)
    environments["live"] = {
        "from": ["prod"],
        "registry": f"{registry}/live",
        "gates": {"attestations": [{"type": SUMMARY}]},
    }
    path.write_text(yaml.safe_dump(configuration, sort_keys=False))
    repository.git("commit", "--quiet", "--all", "--message=Attest what reaches prod")
    repository.git("push", "--quiet", "origin", "HEAD:main")
    return repository
