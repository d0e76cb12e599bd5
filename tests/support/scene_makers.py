"""Ways to make a scene in which promote ends with one code: a fixture, a configuration, a server, a checkout."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from support.gitops_repo import BUILD, FIXTURES, TAG, GitopsRepo, load_layout
from support.refusal_world import Scene, World

PROMOTE = ("staging->prod", TAG)
OTHER = "sha256:" + "0123456789abcdef" * 4
SBOM = {"spdxVersion": "SPDX-2.3", "packages": [{"name": "a", "SPDXID": "SPDXRef-a", "versionInfo": "1"}]}
ROOT = "trust/trusted_root.json"
VULN = "https://cosign.sigstore.dev/attestation/vuln/v1"
LAYOUT = "oci:../registries/staging/acme/shop"
REF_NAME = "org.opencontainers.image.ref.name"


def case(name: str, *arguments: str, **sections: Any) -> Scene:
    """The image of a fixture, with `sections` over those of promote.yaml."""

    def scene(world: World) -> tuple[str, ...]:
        world.make(name, **sections)
        return arguments or PROMOTE

    return scene


def configured(*arguments: str, **sections: Any) -> Scene:
    """promote.yaml says `sections`."""
    return case("v3-keyless", *arguments, **sections)


def gates(name: str = "v3-keyless", /, **demands: Any) -> Scene:
    """The image of a fixture, with these gates."""
    return case(name, gates=demands)


def signed(*statements: tuple[str, Any], **demands: Any) -> Scene:
    """An image with a signature and these statements, with these gates."""

    def scene(world: World) -> tuple[str, ...]:
        world.signed(*statements, gates=demands)
        return PROMOTE

    return scene


def two_signers(**demands: Any) -> Scene:
    """promote.yaml names two signers, of whom one signed, and has these gates."""

    def scene(world: World) -> tuple[str, ...]:
        repo = world.make()
        qa = {"name": "qa", "issuer": BUILD["issuer"], "identity": "qa@acme.example"}
        repo.configure(trust=repo.config["trust"] | {"signers": [{"name": "ci", **BUILD}, qa]}, gates=demands)
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


def written(path: str, content: str, *arguments: str, **sections: Any) -> Scene:
    """A file of the clone says `content`."""

    def scene(world: World) -> tuple[str, ...]:
        world.make(**sections).write(path, content)
        return arguments or PROMOTE

    return scene


def checkout(change: Callable[[GitopsRepo], object], *arguments: str, **more: Any) -> Scene:
    """The checkout is changed before promote runs in it."""

    def scene(world: World) -> tuple[str, ...]:
        change(world.make(**more))
        return arguments or PROMOTE

    return scene


def from_server(*faults: Any, **options: Any) -> Scene:
    """Staging is a registry with these faults."""

    def scene(world: World) -> tuple[str, ...]:
        server = world.server(**options)
        load_layout(FIXTURES / "v3-keyless" / "layout", server, "acme/shop")
        server.faults += faults
        world.make(staging=server.address)
        return PROMOTE

    return scene


def to_server(*faults: Any, **options: Any) -> Scene:
    """Prod is a registry with these faults."""

    def scene(world: World) -> tuple[str, ...]:
        server = world.server(**options)
        server.faults += faults
        world.make(prod=server.address)
        return PROMOTE

    return scene


def change_index(world: World, change: Callable[[dict[str, Any]], None]) -> None:
    """Let the layout of staging say what `change` makes of its index.json."""
    path = world.repo.layout("staging") / "index.json"
    index = json.loads(path.read_bytes())
    change(index)
    path.write_text(json.dumps(index))


def scan(*severities: str, at: str = "2026-01-01T00:00:00Z") -> dict[str, Any]:
    """What a scanner says that found vulnerabilities of these severities."""
    found = [
        {"VulnerabilityID": f"CVE-2026-{n}", "Severity": s, "PkgName": "openssl", "InstalledVersion": "3.1.4-r0"}
        for n, s in enumerate(severities, 1000)
    ]
    result = {"SchemaVersion": 2, "Results": [{"Target": "alpine", "Vulnerabilities": found}]}
    return {
        "scanner": {"uri": "pkg:github/aquasecurity/trivy@0.60.0", "result": result},
        "metadata": {"scanFinishedOn": at},
    }
