"""Scenes in which a gate refuses: by the tag, the path, the overlay, the evidence, the SBOM or a rebuilt image."""

from __future__ import annotations

import json
import shutil
from typing import Any

from support.gitops_repo import BUILD, DIGEST, FIXTURES, PROD, TAG, staging_overlay
from support.refusal_world import KEY, SPDX, Scene, World
from support.release_world import make_world
from support.scene_makers import (
    LAYOUT,
    OTHER,
    PROMOTE,
    REF_NAME,
    SBOM,
    VULN,
    case,
    change_index,
    gates,
    prod,
    scan,
    signed,
    two_signers,
)
from support.twins import SHORT, push
from support.twins import signed as twin
from support.twins import world as with_twins

LOG4J = "pkg:maven/org.apache.logging.log4j/log4j-core"
CYCLONEDX = "https://cyclonedx.org/bom"
BASE = "overlays/shop/base/kustomization.yaml"
ENTRY = "resources: [../base]\nimages:\n  - name: shop\n    newTag: sha-89abcdef\n"


def _ambiguous_tag(world: World) -> tuple[str, ...]:
    world.make(staging_runs=None)

    def twice(index: dict[str, Any]) -> None:
        tagged = next(d for d in index["manifests"] if d.get("annotations", {}).get(REF_NAME) == TAG)
        index["manifests"].append(tagged | {"annotations": {REF_NAME: TAG[:20] + "f" * 24}})

    change_index(world, twice)
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
    server = world.server()
    world.repo = with_twins(world.home, server, KEY)
    push(server, twin("v3-key", key=KEY), TAG)
    push(server, twin("v3-keyless-index", key=KEY), SHORT)
    return PROMOTE


def _left_over(world: World) -> tuple[str, ...]:
    repo = world.make()
    path = "overlays/shop/base/deployment.yaml"
    text = (repo.root / path).read_text()
    repo.write(path, text + "      ephemeralContainers: [{name: debug, image: 'shop:1'}]\n")
    repo.commit()
    return PROMOTE


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


def _held(world: World) -> tuple[str, ...]:
    releases = make_world(world.home, world.patch)
    world.repo = releases.repo
    for number in (1, 2):
        releases.stage(number)
        releases.promoted(number)
    assert releases.rollback("prod", "--reason", "500s at checkout").code == 0
    return ("staging->prod",)


def _unsigned_sbom(world: World) -> tuple[str, ...]:
    world.signed(unsigned=json.dumps(SBOM).encode())
    return PROMOTE


def crowd(world: World) -> tuple[str, ...]:
    """The image has more attestations than are read."""
    world.signed(*((SPDX, SBOM | {"name": f"document {number}"}) for number in range(101)))
    return PROMOTE


def _sibling(world: World) -> tuple[str, ...]:
    repo = world.make()
    path = "overlays/shop/base/deployment.yaml"
    text = (repo.root / path).read_text().replace("image: shop", "image: registry.prod.example/acme/shop:1")
    repo.write(path, text + "        - {name: mirror, image: 'registry-prod.example/acme/shop:1'}\n")
    repo.set_overlay("prod", "resources: [../base]\nimages: [{name: registry.prod.example/acme/shop, newTag: x}]\n")
    return PROMOTE


SCENES: dict[str, Scene] = {
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
    "signature-threshold": two_signers(signature={"threshold": 2}),
    "no-sbom": case("bad-v3-no-sbom"),
    "sbom-foreign": two_signers(sbom={"signers": ["qa"]}),
    "sbom-invalid": signed((SPDX, SBOM | {"packages": "none"})),
    "sbom-empty": case("bad-v3-empty-sbom"),
    "sbom-names-no-image": gates(sbom={"about_image": "required"}),
    "sbom-old": gates("v2-key", sbom={"max_age": "1m"}),
    "sbom-incomplete": gates(sbom={"profiles": {"ntia": "require"}}),
    "package-denied": gates(sbom={"deny": [f"{LOG4J}@<2.25"]}),
    "package-not-comparable": gates(sbom={"deny": [f"{LOG4J}@<latest"]}),
    "no-scan": gates(vulnerabilities={}),
    "scan-invalid": signed((SPDX, SBOM), (VULN, {"scanner": {}}), vulnerabilities={}),
    "scan-old": signed((SPDX, SBOM), (VULN, scan()), vulnerabilities={"max_age": "1m"}),
    "vulnerable": signed((SPDX, SBOM), (VULN, scan("CRITICAL", "HIGH")), vulnerabilities={}),
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
    "sbom-unsigned": _unsigned_sbom,
    "evidence-refused": crowd,
    "too-much-effect": _sibling,
    "sbom-of-another-image": signed(
        (
            CYCLONEDX,
            {
                "bomFormat": "CycloneDX",
                "specVersion": "1.6",
                "metadata": {"component": {"type": "container", "name": "shop", "version": OTHER, "bom-ref": "shop"}},
                "components": [{"type": "library", "name": "a", "version": "1", "bom-ref": "a"}],
            },
        )
    ),
    "sbom-time": signed((SPDX, SBOM | {"creationInfo": {"created": "2999-01-01T00:00:00Z"}})),
}
"""Each code that a gate can end a run with, and how."""
