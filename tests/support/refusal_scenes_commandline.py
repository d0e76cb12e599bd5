"""Scenes of the command line: what was typed, what promote.yaml says, and the files that it names."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat, PublicFormat
from support.acting import once
from support.gitops_repo import TAG, GitopsRepo
from support.refusal_world import KEY, Scene, World
from support.rivals import OTHER as LATER
from support.rivals import rivals
from support.scene_makers import LAYOUT, PROMOTE, ROOT, case, checkout, configured, written

from promote.cli.progress import Lines

SHORT_KEY = (
    ec.derive_private_key(20260102, ec.SECP224R1())
    .public_key()
    .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    .decode()
)
LOCKED_KEY = KEY.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"not this one"))


def _superseded(world: World) -> tuple[str, ...]:
    world.repo, rival = rivals(world.home)
    land = once(lambda: rival.promote(LATER))
    told = Lines.step

    def stepped(self: Lines, step: str, subject: str) -> None:
        if step == "push":
            land()
        told(self, step, subject)

    world.patch.setattr(Lines, "step", stepped)
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


def _clone_of_a_url(world: World) -> tuple[str, ...]:
    return (*PROMOTE, "--repo", f"file://{world.make().bare}")


def _nowhere_to_keep_it(world: World) -> tuple[str, ...]:
    repo = world.make(staging=world.server().address, prod=world.server().address)
    return (*PROMOTE, "--repo", f"file://{repo.bare}", "--no-push")


def _without_overlays(repo: GitopsRepo) -> None:
    prod = {k: v for k, v in repo.config["environments"]["prod"].items() if k != "overlays"}
    repo.configure(environments=repo.config["environments"] | {"prod": prod})


def _nothing_here(world: World) -> tuple[str, ...]:
    world.make(remote=False)
    world.where = world.home / "elsewhere"
    world.where.mkdir()
    return ("init",)


def _directory_in_the_way(world: World) -> tuple[str, ...]:
    file = world.make().root / "promote.yaml"
    file.unlink()
    file.mkdir()
    return ("init", "--from", f"{LAYOUT}:{TAG}", "--trusted-root", ROOT, "--force")


def _broken_git(world: World) -> tuple[str, ...]:
    world.make(remote=False)
    world.program("git", 'case "$*" in *commit*) echo "fatal: no space left on device" >&2; exit 128;; esac')
    return ("demo",)


def _file_for_a_registry(world: World) -> tuple[str, ...]:
    world.make()
    (world.home / "registries" / "prod").write_text("")
    return PROMOTE


SCENES: dict[str, Scene] = {
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
    "bad-key": written("trust/test.pub", SHORT_KEY, trust={"signers": [{"key": "trust/test.pub"}]}),
    "bad-trust-root": written(ROOT, "{}"),
    "superseded": _superseded,
    "nothing-changed": _done("--require-change"),
    "demo-exists": _demo,
    "key-password": _attest({"key": "keys/promote.key"}),
    "identity-missing": _attest(how=True),
    "commit-lost": _nowhere_to_keep_it,
    "file-too-large": checkout(lambda repo: repo.write("promote.yaml", "#" * 20_000_000)),
    "file-unwritable": _directory_in_the_way,
    "no-overlays": checkout(_without_overlays, "rollback", "prod"),
    "no-overlays-found": _nothing_here,
    "demo-broken": _broken_git,
    "disk": _file_for_a_registry,
}
"""Each code that the command line can end a run with, and how."""
