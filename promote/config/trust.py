"""The trust of promote.yaml: from its section to signers with their keys read."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date

from promote.config.schema import File
from promote.config.trust_section import KeylessSection, KeySection, RootSection, SourceSection
from promote.model.policy import (
    Gates,
    KeylessSigner,
    KeySigner,
    LogDemand,
    LogRule,
    Pattern,
    RootProfile,
    Signer,
    SourceDemand,
    Trust,
)

Where = tuple[str | int, ...]
Read = Callable[[Where, str, str], bytes]
"""Reads the file that promote.yaml names somewhere and says what it is to hold; notes a problem where it cannot."""
Add = Callable[[Where, str], None]
Unknown = Callable[[str, str, list[str]], str]


def trust(file: File, read: Read, add: Add, unknown: Unknown) -> Trust:
    """Whom `file` trusts.  Problems go to `add`; `unknown` words the one of a name that is not there."""
    section = file.trust
    signers: list[Signer] = []
    for i, signer in enumerate(section.signers):
        where: Where = ("trust", "signers", i)
        for key, kind, known in (("apps", "app", [*file.apps]), ("environments", "environment", [*file.environments])):
            for j, name in enumerate(getattr(signer, key)):
                if name not in known:
                    add((*where, key, j), unknown(kind, name, known))
        if signer.name is not None and signer.name in {s.name for s in section.signers[:i]}:
            add((*where, "name"), f"got the name {signer.name} twice, expected it once")
        signers.append(_key(signer, where, read, add) if isinstance(signer, KeySection) else _keyless(signer))
    root, profile = _root(section.root, read)
    return Trust(tuple(signers), root, profile)


def _key(section: KeySection, where: Where, read: Read, add: Add) -> KeySigner:
    pem = read((*where, "key"), section.key, "a public key")
    if pem and b"-----BEGIN PUBLIC KEY-----" not in pem:
        add((*where, "key"), f"{section.key} is not a PEM public key")
    apps, environments = tuple(section.apps), tuple(section.environments)
    return KeySigner(section.key, pem, section.name, _log(section), apps, environments)


def _keyless(section: KeylessSection) -> KeylessSigner:
    return KeylessSigner(
        issuer=section.issuer,
        identity=section.identity if section.identity is not None else Pattern(section.identity_pattern or ""),
        source=_source(section.source),
        name=section.name,
        log=_log(section),
        apps=tuple(section.apps),
        environments=tuple(section.environments),
    )


def _source(section: SourceSection) -> SourceDemand:
    single = [section.trigger] if section.trigger is not None else []
    return SourceDemand(
        repository=section.repository,
        ref=Pattern(section.ref) if section.ref is not None else None,
        workflow=section.workflow,
        triggers=tuple(dict.fromkeys([*single, *section.triggers])),
        runner=section.runner,
    )


def _log(section: KeylessSection | KeySection) -> LogRule | None:
    if section.log is None:
        return None
    return LogRule(LogDemand(section.log), date.fromisoformat(section.until) if section.until else None)


def _root(section: RootSection | str, read: Read) -> tuple[bytes | None, RootProfile]:
    if section == "sigstore":
        return None, RootProfile.SIGSTORE
    if isinstance(section, RootSection):
        return read(("trust", "root", "file"), section.file, "a trusted_root.json"), RootProfile(section.profile)
    return read(("trust", "root"), section, "a trusted_root.json"), RootProfile.SIGSTORE


def check_demands(gates: Gates, own: Where, found: Trust, add: Add, unknown: Unknown) -> None:
    """Note where `gates`, written at `own`, ask `found` for what it can never give, or for less than may be asked."""
    names = [s.name for s in found.signers if s.name]
    demanded = [("attestations", name) for demand in gates.attestations for name in demand.signers]
    for section, policy in (("sbom", gates.sbom), ("vulnerabilities", gates.vulnerabilities)):
        demanded += [(section, name) for name in (policy.signers if policy is not None else ())]
    signature = gates.signature
    if signature is not None:
        demanded += [("signature", name) for name in signature.signers]
        _check_threshold(signature.threshold, signature.signers, own, found, add)
    for section, name in dict.fromkeys(demanded):
        if name not in names:
            add((*own, section), unknown("signer", name, names))


def _check_threshold(threshold: int, names: Collection[str], own: Where, found: Trust, add: Add) -> None:
    counted = [s for s in found.signers if not names or s.name in names]
    several = any(isinstance(s, KeylessSigner) and isinstance(s.identity, Pattern) for s in counted)
    if threshold > max(1, len(counted)) and not several:
        add(
            (*own, "signature", "threshold"),
            f"got {threshold}, expected at most {len(counted)}: as many as there are signers",
        )
