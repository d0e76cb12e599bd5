"""The gates of an environment: what the file demands, and what the environment adds to it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from pydantic import BaseModel

from promote.config.gates_section import GatesSection, SbomSection, VulnerabilitiesSection
from promote.config.timing import approvals, duration, freeze
from promote.config.trust_section import AttestationSection, SignatureSection
from promote.model.package_rule import PackageRule
from promote.model.policy import (
    COMMIT_TAG,
    AttestationDemand,
    DeployedDemand,
    Gates,
    LogDemand,
    SbomPolicy,
    Severity,
    SignaturePolicy,
    VulnerabilityPolicy,
    Witness,
)

PREDICATE_TYPES = {
    "slsaprovenance": "https://slsa.dev/provenance/v0.2",
    "slsaprovenance02": "https://slsa.dev/provenance/v0.2",
    "slsaprovenance1": "https://slsa.dev/provenance/v1",
    "spdxjson": "https://spdx.dev/Document",
    "spdx": "https://spdx.dev/Document",
    "cyclonedx": "https://cyclonedx.org/bom",
    "link": "https://in-toto.io/Link/v1",
    "vuln": "https://cosign.sigstore.dev/attestation/vuln/v1",
    "openvex": "https://openvex.dev/ns",
    "custom": "https://cosign.sigstore.dev/attestation/v1",
    "test-result": "https://in-toto.io/attestation/test-result/v0.1",
    "vsa": "https://slsa.dev/verification_summary/v1",
}
"""cosign's short names for predicate types (its `attest --type`), and two of ours."""


def gates(base: GatesSection, own: GatesSection) -> Gates:
    """`own`, an environment's, over `base`, the file's."""
    both = _merged(base, own)
    tag, signature, sbom, deployed = both.tag, both.signature, both.sbom, both.deployed
    scan = both.vulnerabilities
    attestations = [*(base.attestations or ()), *(own.attestations or ())]
    witnesses = [w for section in (base.commit, own.commit) if section for w in section.require]
    return Gates(
        tag=re.compile(tag) if tag else COMMIT_TAG,
        signature=None if signature == "off" else _signature(signature) if signature else SignaturePolicy(),
        sbom=None if sbom == "off" else _sbom(sbom, base.sbom) if sbom else SbomPolicy(),
        attestations=_attestations(attestations),
        deployed=DeployedDemand(deployed) if deployed else DeployedDemand.EVER,
        vulnerabilities=None if scan in (None, "off") else _vulnerabilities(scan),
        commit_witnesses=frozenset(map(Witness, witnesses)),
        effect_required=both.effect == "required",
        soak=_duration(both.soak),
        freeze=tuple(dict.fromkeys(freeze(section) for section in (*(base.freeze or ()), *(own.freeze or ())))),
        approvals=approvals(both.approvals) if both.approvals else None,
    )


def _merged(base: Any, own: Any) -> Any:
    """`own` over `base`, key by key where both are mappings: what an environment does not say, it does not weaken."""
    if own is None or base is None:
        return base if own is None else own
    if isinstance(base, dict) and isinstance(own, dict):
        return {**base, **own}
    if isinstance(base, BaseModel) and isinstance(own, BaseModel):
        said = {name: _merged(getattr(base, name), getattr(own, name)) for name in own.model_fields_set}
        return base.model_copy(update=said)
    return own


def _signature(section: SignatureSection) -> SignaturePolicy:
    return SignaturePolicy(
        annotations=section.annotations,
        log=LogDemand(section.log),
        provenance="provenance" in section.accept,
        signature="signature" in section.accept,
        until=date.fromisoformat(section.until) if section.until and section.log == "none" else None,
        threshold=section.threshold,
        signers=tuple(section.signers),
    )


def _attestations(sections: Sequence[AttestationSection]) -> tuple[AttestationDemand, ...]:
    demands = (
        AttestationDemand(
            type=PREDICATE_TYPES.get(section.type, section.type),
            signers=tuple(section.signers),
            builder=section.builder,
            source=section.source,
            result=section.result,
            verifier=section.verifier,
            resource=section.resource,
            max_age=_duration(section.max_age),
        )
        for section in sections
    )
    return tuple(dict.fromkeys(demands))


def _sbom(section: SbomSection, base: Any) -> SbomPolicy:
    # What the file denies, an environment cannot allow by denying something else.
    deny = [*(base.deny if isinstance(base, SbomSection) else ()), *section.deny]
    return SbomPolicy(
        min_packages=section.min_packages,
        min_versions=section.min_versions,
        min_purls=section.min_purls,
        about_image=section.about_image == "required",
        max_age=_duration(section.max_age),
        required=tuple(name for name, wanted in section.profiles.items() if wanted == "require"),
        reported=tuple(name for name, wanted in section.profiles.items() if wanted == "report"),
        deny=tuple(PackageRule.parse(text) for text in dict.fromkeys(deny)),
        signers=tuple(section.signers),
    )


def _vulnerabilities(section: VulnerabilitiesSection) -> VulnerabilityPolicy:
    limits = {Severity(name): limit for name, limit in section.max.items()}
    return VulnerabilityPolicy(limits, _duration(section.max_age), tuple(section.scanner), tuple(section.signers))


def _duration(text: str | None) -> timedelta | None:
    return None if text is None else duration(text)
