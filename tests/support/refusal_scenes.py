"""How to make promote refuse with each code: the scenes that the pages of the error codes show."""

from __future__ import annotations

import json
import shutil
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat, PublicFormat
from support.git_world import executable, git
from support.gitops_repo import BUILD, DIGEST, FIXTURES, PROD, TAG, digest_of_case, load_layout, staging_overlay
from support.refusal_scenes_more import SCENES as MORE
from support.refusal_world import KEY, SPDX, Scene, World
from support.registry_server import Answer, Tamper, when
from support.release_world import make_world

PROMOTE = ("staging->prod", TAG)
OTHER = "sha256:" + "0123456789abcdef" * 4
LOG4J = "pkg:maven/org.apache.logging.log4j/log4j-core"
VULN = "https://cosign.sigstore.dev/attestation/vuln/v1"
SBOM = {"spdxVersion": "SPDX-2.3", "packages": [{"name": "a", "SPDXID": "SPDXRef-a", "versionInfo": "1"}]}
REF_NAME = "org.opencontainers.image.ref.name"


def case(name: str, *arguments: str, **sections: Any) -> Scene:
    """The image of a fixture, with `sections` over those of promote.yaml."""

    def scene(world: World) -> tuple[str, ...]:
        world.make(name, **sections)
        return arguments or PROMOTE

    return scene


def gates(name: str = "v3-keyless", /, **demands: Any) -> Scene:
    """The image of a fixture, with these gates."""
    return case(name, gates=demands)


def signed(*statements: tuple[str, Any], **demands: Any) -> Scene:
    """An image with a signature and these statements, with these gates."""

    def scene(world: World) -> tuple[str, ...]:
        world.signed(*statements, gates=demands)
        return PROMOTE

    return scene


def prod(text: str, **files: str) -> Scene:
    """The overlay of prod says `text`."""

    def scene(world: World) -> tuple[str, ...]:
        repo = world.make()
        for path, content in files.items():
            repo.write(path, content)
        repo.set_overlay("prod", text)
        return PROMOTE

    return scene


def configured(*arguments: str, **sections: Any) -> Scene:
    """promote.yaml says `sections`."""
    return case("v3-keyless", *arguments, **sections)


def _two_signers(**demands: Any) -> Scene:
    def scene(world: World) -> tuple[str, ...]:
        repo = world.make()
        qa = {"name": "qa", "issuer": BUILD["issuer"], "identity": "qa@acme.example"}
        repo.configure(trust=repo.config["trust"] | {"signers": [{"name": "ci", **BUILD}, qa]}, gates=demands)
        return PROMOTE

    return scene


def _index(world: World, change: Any) -> None:
    path = world.repo.layout("staging") / "index.json"
    index = json.loads(path.read_bytes())
    change(index)
    path.write_text(json.dumps(index))


def _ambiguous_tag(world: World) -> tuple[str, ...]:
    world.make(staging_runs=None)

    def twice(index: dict[str, Any]) -> None:
        tagged = next(d for d in index["manifests"] if d.get("annotations", {}).get(REF_NAME) == TAG)
        index["manifests"].append(tagged | {"annotations": {REF_NAME: TAG[:20] + "f" * 24}})

    _index(world, twice)
    return ("staging->prod", TAG[:12])


def _public_root(world: World) -> tuple[str, ...]:
    world.make().configure(trust={"signers": [BUILD]})
    return PROMOTE


def _rebuilt_at_target(world: World) -> tuple[str, ...]:
    repo = world.make()
    shutil.copytree(FIXTURES / "v3-keyless-index" / "layout", repo.layout("prod"))
    return PROMOTE


def _rebuilt_since_deployed(world: World) -> tuple[str, ...]:
    world.make().set_overlay("staging", staging_overlay("shop", TAG, OTHER))
    return PROMOTE


def _rebuilt_since_recorded(world: World) -> tuple[str, ...]:
    repo = world.make()
    repo.set_overlay("staging", staging_overlay("shop", TAG, OTHER))
    repo.set_overlay("staging", staging_overlay("shop", TAG, DIGEST))
    return PROMOTE


def _signed_twice(world: World) -> tuple[str, ...]:
    from integration.test_evidence_twins import SHORT, push
    from integration.test_evidence_twins import signed as build
    from integration.test_evidence_twins import world as twins

    world.patch.setattr("integration.test_evidence_twins.KEY", KEY)
    server = world.server()
    world.repo = twins(world.home, server)
    push(server, build("v3-key"), TAG)
    push(server, build("v3-keyless-index"), SHORT)
    return PROMOTE


def _scan(*severities: str) -> dict[str, Any]:
    found = [
        {"VulnerabilityID": f"CVE-2026-{n}", "Severity": s, "PkgName": "openssl", "InstalledVersion": "3.1.4-r0"}
        for n, s in enumerate(severities, 1000)
    ]
    result = {"SchemaVersion": 2, "Results": [{"Target": "alpine", "Vulnerabilities": found}]}
    return {
        "scanner": {"uri": "pkg:github/aquasecurity/trivy@0.60.0", "result": result},
        "metadata": {"scanFinishedOn": "2026-01-01T00:00:00Z"},
    }


def _left_over(world: World) -> tuple[str, ...]:
    repo = world.make()
    path = "overlays/shop/base/deployment.yaml"
    text = (repo.root / path).read_text()
    repo.write(path, text + "      ephemeralContainers: [{name: debug, image: 'shop:1'}]\n")
    repo.commit()
    return PROMOTE


def _superseded(world: World) -> tuple[str, ...]:
    from integration.test_promotion_together import OTHER as LATER
    from integration.test_promotion_together import rivals
    from support.acting import once

    from promote.cli.progress import Lines

    world.repo, rival = rivals(world.home)
    land = once(lambda: rival.promote(LATER))
    told = Lines.step

    def stepped(self: Lines, step: str, subject: str) -> None:
        if step == "push":
            land()
        told(self, step, subject)

    world.patch.setattr(Lines, "step", stepped)
    return PROMOTE


def _no_git(world: World) -> tuple[str, ...]:
    repo = world.make(remote=False)
    shutil.rmtree(repo.root / ".git")
    return PROMOTE


def _detached(world: World) -> tuple[str, ...]:
    git(world.make(remote=False).root, "checkout", "-q", "--detach")
    return PROMOTE


def _elsewhere(world: World) -> tuple[str, ...]:
    world.make()
    world.where = world.home
    return PROMOTE


def _mistakes(world: World) -> tuple[str, ...]:
    world.make().write(
        "promote.yaml", "version: 1\napps:\n  shop: {imagee: acme/shop}\nenvironments:\n  prod: {form: [staging]}\n"
    )
    return PROMOTE


def _done(*more: str) -> Scene:
    def scene(world: World) -> tuple[str, ...]:
        assert world.make().promote(TAG).code == 0
        return (*PROMOTE, *more)

    return scene


def _dirty(world: World) -> tuple[str, ...]:
    repo = world.make(remote=False)
    repo.write("overlays/shop/prod/kustomization.yaml", PROD.format(app="shop") + "# by hand\n")
    return PROMOTE


def _declined(world: World) -> tuple[str, ...]:
    repo = world.make()
    assert repo.bare
    executable(repo.bare / "hooks" / "pre-receive", "echo 'GH006: Protected branch' >&2\nexit 1")
    return PROMOTE


def _remote(url: str) -> Scene:
    def scene(world: World) -> tuple[str, ...]:
        git(world.make().root, "remote", "set-url", "origin", url)
        return PROMOTE

    return scene


def _file(path: str, content: str, *arguments: str, **sections: Any) -> Scene:
    def scene(world: World) -> tuple[str, ...]:
        world.make(**sections).write(path, content)
        return arguments or PROMOTE

    return scene


def _served(*faults: Any, **options: Any) -> Scene:
    def scene(world: World) -> tuple[str, ...]:
        server = world.server(**options)
        load_layout(FIXTURES / "v3-keyless" / "layout", server, "acme/shop")
        server.faults += faults
        world.make(staging=server.address)
        return PROMOTE

    return scene


def _refused_login(world: World) -> tuple[str, ...]:
    server = world.server(auth="basic")
    world.make(staging=server.address)
    (world.home / "docker").mkdir()
    login = {"auths": {server.address: {"username": "promoter", "password": "wrong"}}}
    (world.home / "docker" / "config.json").write_text(json.dumps(login))
    world.patch.setenv("DOCKER_CONFIG", str(world.home / "docker"))
    return PROMOTE


def _environ(name: str, value: str, text: str | None = None) -> Scene:
    def scene(world: World) -> tuple[str, ...]:
        world.make(staging=world.server(auth="basic").address)
        if text is not None:
            (world.home / value).write_text(text)
        world.patch.setenv(name, str(world.home / value))
        return PROMOTE

    return scene


def _blob(digest: str, content: bytes | None) -> Scene:
    def scene(world: World) -> tuple[str, ...]:
        path = world.make().layout("staging") / "blobs/sha256" / digest.removeprefix("sha256:")
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)
        return PROMOTE

    return scene


def _sparse(world: World) -> tuple[str, ...]:
    repo = world.make("v3-keyless-index")
    blobs = repo.layout("staging") / "blobs/sha256"
    index = json.loads((blobs / digest_of_case("v3-keyless-index").removeprefix("sha256:")).read_bytes())
    (blobs / index["manifests"][0]["digest"].removeprefix("sha256:")).unlink()
    return PROMOTE


def _tag_twice(world: World) -> tuple[str, ...]:
    world.make()

    def twice(index: dict[str, Any]) -> None:
        tagged = next(d for d in index["manifests"] if d.get("annotations", {}).get(REF_NAME) == TAG)
        other = next(d for d in index["manifests"] if d["digest"] != tagged["digest"])
        index["manifests"].append(other | {"annotations": {REF_NAME: TAG}})

    _index(world, twice)
    return PROMOTE


def _gone(world: World) -> tuple[str, ...]:
    repo = world.make()
    assert repo.promote(TAG).code == 0
    shutil.rmtree(repo.layout("prod"))
    return ("status", "prod", "--check")


def _moved(world: World) -> tuple[str, ...]:
    repo = world.make()
    assert repo.promote(TAG).code == 0
    shutil.rmtree(repo.layout("prod"))
    shutil.copytree(FIXTURES / "v3-keyless-index" / "layout", repo.layout("prod"))
    return ("status", "prod", "--check")


def _unknown_registry(world: World) -> tuple[str, ...]:
    repo = world.make()
    assert repo.promote(TAG).code == 0
    (repo.layout("prod") / "index.json").write_text("{")
    return ("status", "prod", "--check")


def _link(world: World) -> tuple[str, ...]:
    repo = world.make()
    path = repo.root / "overlays/shop/prod/kustomization.yaml"
    path.unlink()
    path.symlink_to("../staging/kustomization.yaml")
    repo.commit()
    return ("status", "prod", "--check")


def _demo(world: World) -> tuple[str, ...]:
    world.make(remote=False)
    (world.repo.root / "promote-demo").mkdir()
    return ("demo",)


def _attest(how: Any) -> Scene:
    def scene(world: World) -> tuple[str, ...]:
        repo = world.make()
        environments = repo.config["environments"]
        repo.write("keys/promote.key", LOCKED_KEY)
        repo.configure(environments=environments | {"prod": environments["prod"] | {"attest": how}})
        return PROMOTE

    return scene


def _other_source(world: World) -> tuple[str, ...]:
    repo = world.make()
    shop = repo.config["apps"]["shop"]
    repo.configure(apps={"shop": shop | {"source": "https://github.com/acme/storefront"}})
    return PROMOTE


def _unverifiable(world: World) -> tuple[str, ...]:
    repo = world.make(gates={"effect": "required"})
    repo.write("overlays/shop/prod/label.yaml", "apiVersion: acme.example/v1\nkind: Label\nmetadata: {name: x}\n")
    repo.set_overlay("prod", ENTRY + "transformers: [label.yaml]\n")
    return PROMOTE


def _clone_of_a_url(world: World) -> tuple[str, ...]:
    return (*PROMOTE, "--repo", f"file://{world.make().bare}")


def _held(world: World) -> tuple[str, ...]:
    releases = make_world(world.home, world.patch)
    world.repo = releases.repo
    for number in (1, 2):
        releases.stage(number)
        releases.promoted(number)
    assert releases.rollback("prod", "--reason", "500s at checkout").code == 0
    return ("staging->prod",)


SHORT_KEY = (
    ec.derive_private_key(20260102, ec.SECP224R1())
    .public_key()
    .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    .decode()
)
LOCKED_KEY = KEY.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"not this one"))
ROOT = "trust/trusted_root.json"
LAYOUT = "oci:../registries/staging/acme/shop"
PULL = "registry.prod.example/acme/shop"
BASE = "overlays/shop/base/kustomization.yaml"
ENTRY = "resources: [../base]\nimages:\n  - name: shop\n    newTag: sha-89abcdef\n"
GATES: dict[str, Scene] = {
    "path-not-allowed": case("v3-keyless", "prod->staging", TAG),
    "no-such-tag": case("v3-keyless", "staging->prod", "sha-9999999"),
    "ambiguous-tag": _ambiguous_tag,
    "not-deployed": case("v3-keyless", staging_runs=None),
    "held": _held,
    "frozen": gates(freeze=[{"from": "2026-01-01", "to": "2099-01-01", "reason": "stocktaking"}]),
    "not-soaked": gates(soak="99999d"),
    "not-approved": gates(approvals={"count": 2}),
    "no-signature": case("bad-v3-attestation-only"),
    "signature-foreign": case("bad-v3-other-workflow"),
    "signature-invalid": _public_root,
    "signature-annotations": gates(signature={"annotations": {"repo": "acme/other"}}),
    "signature-unlogged": case("v2-keyless-tsa-nolog"),
    "signature-threshold": _two_signers(signature={"threshold": 2}),
    "no-sbom": case("bad-v3-no-sbom"),
    "sbom-foreign": _two_signers(sbom={"signers": ["qa"]}),
    "sbom-invalid": signed((SPDX, SBOM | {"packages": "none"})),
    "sbom-empty": case("bad-v3-empty-sbom"),
    "sbom-names-no-image": gates(sbom={"about_image": "required"}),
    "sbom-old": gates("v2-key", sbom={"max_age": "1m"}),
    "sbom-incomplete": gates(sbom={"profiles": {"ntia": "require"}}),
    "package-denied": gates(sbom={"deny": [f"{LOG4J}@<2.25"]}),
    "package-not-comparable": gates(sbom={"deny": [f"{LOG4J}@<latest"]}),
    "no-scan": gates(vulnerabilities={}),
    "scan-invalid": signed((SPDX, SBOM), (VULN, {"scanner": {}}), vulnerabilities={}),
    "scan-old": signed((SPDX, SBOM), (VULN, _scan()), vulnerabilities={"max_age": "1m"}),
    "vulnerable": signed((SPDX, SBOM), (VULN, _scan("CRITICAL", "HIGH")), vulnerabilities={}),
    "no-attestation": gates(attestations=[{"type": "vuln"}]),
    "attestation-content": gates(attestations=[{"type": "slsaprovenance1", "builder": "https://acme.example/runner"}]),
    "attestation-old": gates(attestations=[{"type": "slsaprovenance1", "max_age": "1m"}]),
    "floating-tag": case("v3-keyless", "staging->prod", "latest"),
    "tag-not-a-commit": case("v3-keyless", "staging->prod", "build-7"),
    "rebuilt-at-target": _rebuilt_at_target,
    "rebuilt-since-deployed": _rebuilt_since_deployed,
    "rebuilt-since-recorded": _rebuilt_since_recorded,
    "rebuilt-signed-twice": _signed_twice,
    "digest-differs": case("v3-keyless", "verify", f"{LAYOUT}:{TAG}@{OTHER}"),
    "commit-disagrees": case("bad-v3-other-commit"),
    "commit-unnamed": gates("v3-key", commit={"require": ["certificate"]}),
    "source-disagrees": _other_source,
    "no-overlay": prod(PROD.format(app="other").replace("resources: [../base]\n", "")),
    "overlay-ambiguous": prod(ENTRY + "  - name: shop\n"),
    "no-effect": prod(
        ENTRY,
        **{BASE: "resources: [deployment.yaml]\nimages: [{name: shop, newName: a}]\n"},
    ),
    "left-over": _left_over,
    "effect-unverified": _unverifiable,
}
COMMANDLINE: dict[str, Scene] = {
    "code-unknown": case("v3-keyless", "explain", "flotaing-tag"),
    "no-release-before": case("v3-keyless", "rollback", "prod"),
    "layout-in-clone": _clone_of_a_url,
    "usage": case("v3-keyless", "staging", TAG),
    "arrow-redirected": case("v3-keyless", "staging-", TAG),
    "configuration-missing": _elsewhere,
    "configuration-invalid": _mistakes,
    "configuration-exists": case("v3-keyless", "init", "--from", f"{LAYOUT}:{TAG}", "--trusted-root", ROOT),
    "file-unreadable": case("v3-keyless", *PROMOTE, "--config", "deploy/promote.yaml"),
    "environment-unknown": case("v3-keyless", "staging->production", TAG),
    "app-unknown": case("v3-keyless", "staging->prod", f"web={TAG}"),
    "reference-malformed": case("v3-keyless", "verify", "registry.example/Acme/shop:latest"),
    "no-signers": configured(trust={"root": ROOT}),
    "bad-key": _file("trust/test.pub", SHORT_KEY, trust={"signers": [{"key": "trust/test.pub"}]}),
    "bad-trust-root": _file(ROOT, "{}"),
    "superseded": _superseded,
    "nothing-changed": _done("--require-change"),
    "demo-exists": _demo,
    "key-password": _attest({"key": "keys/promote.key"}),
    "identity-missing": _attest(how=True),
}
GIT: dict[str, Scene] = {
    "not-a-repository": _no_git,
    "branch-missing": case("v3-keyless", git={"branch": "production"}, remote=False),
    "detached-head": _detached,
    "remote-missing": case("v3-keyless", git={"remote": "upstream"}),
    "bad-branch": case("v3-keyless", git={"branch": "-main"}),
    "bad-remote": case("v3-keyless", git={"remote": "--upload-pack=x"}),
    "bad-url": case("v3-keyless", *PROMOTE, "--repo", "https://[git.example/deploy.git"),
    "password-in-url": case("v3-keyless", *PROMOTE, "--repo", "https://bot:secret@git.example/acme/deploy.git"),
    "working-copy-dirty": _dirty,
    "push-declined": _declined,
    "git-transport": _remote("https://127.0.0.1:1/acme/deploy.git"),
    "forge-unknown": case("v3-keyless", *PROMOTE, "--pull-request"),
}
REGISTRIES: dict[str, Scene] = {
    "credentials-missing": _served(auth="basic"),
    "credentials-refused": _refused_login,
    "registry-unreachable": case("v3-keyless", staging="127.0.0.1:1"),
    "unexpected-answer": _served(when("GET", "/manifests/", Answer(418, {}, b""))),
    "registry-busy": _served(when("GET", "/token", Answer(503, {"Retry-After": "0"}, b"")), auth="token"),
    "answer-malformed": _served(when("GET", "/referrers/", Tamper(body=lambda _: b"<html>log in</html>"))),
    "auth-file-missing": _environ("REGISTRY_AUTH_FILE", "missing.json"),
    "auth-file-malformed": _environ("REGISTRY_AUTH_FILE", "auth.json", "{"),
    "ca-unusable": _file(
        "certs/ca.pem",
        "no certificate\n",
        registries={"127.0.0.1:1": {"plain_http": False, "ca": "certs/ca.pem"}},
        staging="127.0.0.1:1",
    ),
    "content-mismatch": _blob(DIGEST, b"{}"),
    "content-absent": _blob(DIGEST, None),
    "index-sparse": _sparse,
    "tag-ambiguous": _tag_twice,
    "layout-malformed": _file("../registries/staging/acme/shop/index.json", "{"),
    "no-such-image": case("v3-keyless", "init", "--from", f"{LAYOUT}:sha-9999999", "--trusted-root", ROOT, "--dry-run"),
    "registry-missing": _gone,
    "registry-moved": _moved,
    "registry-unknown": _unknown_registry,
    "overlay-unreadable": _link,
}
SCENES: dict[str, Scene] = {**GATES, **COMMANDLINE, **GIT, **REGISTRIES, **MORE}
"""Each code that a run can be made to end with, and how."""
