"""Policy: whom to trust and what to demand, as promote.yaml says it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, tzinfo
from enum import Enum

from promote.model.manifest import nothing
from promote.model.package_rule import PackageRule


class LogDemand(Enum):
    """What a signature must bring from the transparency log, weakest last."""

    PROOF = "proof"
    PROMISE = "promise"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class LogRule:
    """A demand, and the last day (in UTC) of an exception from it; None: it is no exception, or a key's."""

    demand: LogDemand = LogDemand.PROMISE
    until: date | None = None

    def ended(self, today: date) -> bool:
        """Whether this was an exception and is over."""
        return self.demand is LogDemand.NONE and self.until is not None and today > self.until


@dataclass(frozen=True, slots=True)
class Pattern:
    """A text in which ``*`` stands for any characters but ``/``, none included; all else stands for itself."""

    text: str

    def matches(self, value: str) -> bool:
        """Whether the whole of `value` fits."""
        literals = (re.escape(part) for part in self.text.split("*"))
        return re.fullmatch("[^/]*".join(literals), value) is not None

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class SourceDemand:
    """What the certificate's own extensions must say of the build; None and empty: nobody asks."""

    repository: str | None = None
    ref: Pattern | None = None
    workflow: str | None = None
    triggers: tuple[str, ...] = ()
    runner: str | None = None


@dataclass(frozen=True, slots=True)
class KeylessSigner:
    """A certificate identity: the issuer exact, the subject alternative name exact or a pattern.

    `log` overrides the rule of the gate.  `apps` and `environments`, where there are any, are the only ones that it
    signs for.  `name` is what gates call it by.
    """

    issuer: str
    identity: str | Pattern
    source: SourceDemand = SourceDemand()
    name: str | None = None
    log: LogRule | None = None
    apps: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()

    def is_named(self, issuer: str | None, identity: str | None) -> bool:
        """Whether a certificate of this issuer with this identity is meant."""
        if issuer != self.issuer or identity is None:
            return False
        return self.identity.matches(identity) if isinstance(self.identity, Pattern) else self.identity == identity

    def __str__(self) -> str:
        return f"{self.identity} (issuer {self.issuer})"


@dataclass(frozen=True, slots=True)
class KeySigner:
    """A public key.  `pem` is its PEM, `path` what promote.yaml says; the rest is as in `KeylessSigner`."""

    path: str
    pem: bytes = field(repr=False)
    name: str | None = None
    log: LogRule | None = None
    apps: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"key {self.path}"


Signer = KeylessSigner | KeySigner


class RootProfile(Enum):
    """What a trusted root can give.  Chosen by promote.yaml; what a certificate says never chooses."""

    SIGSTORE = "sigstore"
    """Certificates carry an SCT, and a transparency log records what was signed."""
    GITHUB = "github"
    """GitHub's own for private repositories: no CT log and no transparency log; its time stamp takes their place."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Who may sign.  `root` is a trusted_root.json's bytes, None for the embedded public-good root of Sigstore."""

    signers: tuple[Signer, ...] = ()
    root: bytes | None = field(default=None, repr=False)
    profile: RootProfile = RootProfile.SIGSTORE

    def within(self, app: str, environment: str | None) -> Trust:
        """The same with those signers alone that sign for `app` in `environment`; None is no environment."""
        signers = tuple(
            s
            for s in self.signers
            if (not s.apps or app in s.apps) and (not s.environments or environment in s.environments)
        )
        return replace(self, signers=signers)


@dataclass(frozen=True, slots=True)
class SignaturePolicy:
    """What a signature must have.  `annotations` must be signed with these values.

    `provenance` widens it: a build provenance by a trusted signer counts as a signature too (for those who have only
    GitHub's attestations).  `signature` False: nothing else does.  `threshold` different identities or keys must have
    signed.  `signers` are the names of those that count here; empty: all of them.
    """

    annotations: Mapping[str, str] = field(default_factory=nothing, hash=False)
    log: LogDemand = LogDemand.PROMISE
    provenance: bool = False
    signature: bool = True
    until: date | None = None
    threshold: int = 1
    signers: tuple[str, ...] = ()

    @property
    def log_rule(self) -> LogRule:
        """What a signer without a rule of its own must bring from the log."""
        return LogRule(self.log, self.until)


@dataclass(frozen=True, slots=True)
class SbomPolicy:
    """What an SBOM must have, and must not list.

    At least `min_packages` packages, of which these shares (0 to 1) have a version and a package URL.  It may say which
    image it is about, and then it must be this one; with `about_image` it has to say so.  `max_age` is counted from the
    verified signing time, without one from the document's own.  `required` and `reported` are names of profiles of
    minimum elements.  No SBOM may list what one of `deny` means.  `signers` are the names of those whose SBOMs count;
    empty: all of them.
    """

    min_packages: int = 1
    min_versions: float = 0.0
    min_purls: float = 0.0
    about_image: bool = False
    max_age: timedelta | None = None
    required: tuple[str, ...] = ()
    reported: tuple[str, ...] = ()
    deny: tuple[PackageRule, ...] = ()
    signers: tuple[str, ...] = ()


class Severity(Enum):
    """How bad a vulnerability is, worst first; unknown is what a scanner itself calls so."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    NEGLIGIBLE = "negligible"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class VulnerabilityPolicy:
    """What a scan of the image must have found at most, for each severity that has a limit.

    `max_age` is counted from the verified signing time, and from the scan itself where it says when it was.  `scanners`
    are the URIs, without version, of those that count; empty: any that a trusted signer attested.  `signers` are the
    names of those whose scans and OpenVEX statements count; empty: all of them.
    """

    limits: Mapping[Severity, int] = field(default_factory=dict, hash=False)
    max_age: timedelta | None = None
    scanners: tuple[str, ...] = ()
    signers: tuple[str, ...] = ()


class Witness(Enum):
    """What may name the commit and the repository that an image was built from."""

    CERTIFICATE = "certificate"
    ANNOTATION = "annotation"
    LABEL = "label"
    PROVENANCE = "provenance"


@dataclass(frozen=True, slots=True)
class AttestationDemand:
    """An attestation that must be there, and what it must say; None and empty: nobody asks.

    `type` is the predicate type.  `signers` are names of signers.  `builder`, `source`: of a build provenance.
    `result`: of a test result, and of a verification summary, whose `verifier` and `resource` can be asked for.
    `max_age` is counted from the verified signing time.
    """

    type: str
    signers: tuple[str, ...] = ()
    builder: str | None = None
    source: str | None = None
    result: str | None = None
    verifier: str | None = None
    resource: str | None = None
    max_age: timedelta | None = None


class DeployedDemand(Enum):
    """What the source environment must have done with the digest."""

    CURRENT = "current"
    EVER = "ever"
    OFF = "off"


COMMIT_TAG = re.compile(r"sha-(?P<commit>[0-9a-f]{7,64})")
"""The default form of a commit tag."""


@dataclass(frozen=True, slots=True)
class CronFreeze:
    """A freeze that begins whenever the five fields of `cron` match in `zone`, and lasts for `length`."""

    cron: str
    length: timedelta
    zone: tzinfo
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class DatedFreeze:
    """A freeze from `start` to `until`, which is outside; both are aware.  `zone` is how they are shown."""

    start: datetime
    until: datetime
    zone: tzinfo
    reason: str | None = None


Freeze = CronFreeze | DatedFreeze


@dataclass(frozen=True, slots=True)
class ApprovalPolicy:
    """`count` people must have approved; `by` are the addresses of those who may, empty for anybody.

    `signed`: only commits whose signature git verifies count, each key once.
    """

    count: int
    by: tuple[str, ...] = ()
    signed: bool = False


@dataclass(frozen=True, slots=True)
class Gates:
    """The gates of an environment.  `signature` or `sbom` None: turned off, and every report says so.

    `attestations` must be there besides.  `commit_witnesses` must each name the commit.  `vulnerabilities` None: no
    scan is asked for.  `effect_required`: an edit whose effect cannot be verified is refused.  `soak` is how long the
    source must have run a release, `freeze` when nothing is promoted, `approvals` None: nobody need approve.
    """

    tag: re.Pattern[str] = COMMIT_TAG
    signature: SignaturePolicy | None = SignaturePolicy()
    sbom: SbomPolicy | None = SbomPolicy()
    attestations: tuple[AttestationDemand, ...] = ()
    deployed: DeployedDemand = DeployedDemand.EVER
    commit_witnesses: frozenset[Witness] = frozenset()
    vulnerabilities: VulnerabilityPolicy | None = None
    effect_required: bool = False
    soak: timedelta | None = None
    freeze: tuple[Freeze, ...] = ()
    approvals: ApprovalPolicy | None = None
