"""What one SBOM is held to: what forbids a promotion whoever else says what, and what keeps it from counting."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from promote.gates import provenance
from promote.model.contents import Contents
from promote.model.digest import Digest
from promote.model.evidence import Evidence, Findings
from promote.model.length import said, utc
from promote.model.malformed import shown
from promote.model.policy import SbomPolicy
from promote.model.verdict import Reason
from promote.sbom import rule
from promote.sbom.instant import SKEW, instant
from promote.sbom.package import Sbom
from promote.sbom.profiles import assess

_CLOCKLESS = datetime(1980, 1, 2, tzinfo=UTC)
"""Documents of reproducible builds have no clock: they say 1970, or 1980 where a zip archive could not say less."""


@dataclass(frozen=True, slots=True)
class Image:
    """The image as the gate knows it: its digest, its platforms' digests, and what they are made of, as far as read.

    `builds` is when the build of a digest began, where a provenance says so.
    """

    digest: Digest
    platforms: Sequence[Digest]
    contents: Sequence[Contents] = ()
    builds: Mapping[Digest, datetime] = field(default_factory=dict, hash=False)

    def of(self, subject: Digest) -> tuple[Contents, ...]:
        """What `subject` is made of: one platform, or all of them for the image itself."""
        return tuple(c for c in self.contents if subject in (self.digest, c.image))

    def names(self, subject: Digest) -> frozenset[Digest]:
        """Every digest by which a document about `subject` may call it: its own, the index's, those of its configs."""
        configs = {c.config for c in self.of(subject) if c.config is not None}
        children = self.platforms if subject == self.digest else ()
        return frozenset({self.digest, subject, *children, *configs})

    def earliest(self, subject: Digest) -> datetime | None:
        """The earliest moment at which `subject` could be described.

        None where no provenance says when its build began.  Builds that are reproducible set every clock to the
        commit's time or to none (reproducible-builds.org/specs/source-date-epoch): where the image itself says that it
        was made before its build began, that is the moment.
        """
        builds = [self.builds[d] for d in (self.digest, subject) if d in self.builds]
        made = [when for c in self.of(subject) if (when := instant(c.created)) is not None]
        return min((*builds, *made)) if builds else None

    def layers(self, subject: Digest) -> frozenset[Digest] | None:
        """The layers of `subject`; None where they are not all known."""
        found = [c.layers for c in self.of(subject)]
        if not found or (subject == self.digest and len(found) < len(set(self.platforms))):
            return None
        known = [layers for layers in found if layers is not None]
        return frozenset().union(*known) if len(known) == len(found) else None


@dataclass(frozen=True, slots=True)
class Attested:
    """An SBOM and the attestation that carries it."""

    evidence: Evidence
    sbom: Sbom


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an SBOM is refused, or does not count."""

    reason: Reason
    summary: str
    expected: str
    actual: str
    hint: str


def contradiction(attested: Attested, image: Image, now: datetime | None) -> Problem | None:
    """What an SBOM says that cannot be true of this image; None when nothing is."""
    subject, sbom = attested.evidence.subject, attested.sbom
    other = sorted(sbom.images - image.names(subject))
    if other:
        return _of_another("the SBOM says that it is about another image", str(subject), str(other[0]))
    layers = image.layers(subject)
    strange = sorted(sbom.layers - layers) if layers is not None else []
    if strange:
        summary = "the SBOM lists packages in a layer that the image does not have"
        return _of_another(summary, f"one of the {len(layers or ())} layers of {subject}", str(strange[0]))
    created = instant(sbom.created)
    return _at_another_time(created, attested, image, now) if created is not None else None


def begun(findings: Findings) -> dict[Digest, datetime]:
    """When the build of each subject began, as the provenances that count say; of several the earliest."""
    found: dict[Digest, datetime] = {}
    for evidence in findings.attestations():
        started = instant(provenance.read(evidence.predicate_type, evidence.predicate).started)
        if started is not None:
            found[evidence.subject] = min(started, found.get(evidence.subject, started))
    return found


def denied(attested: Attested, policy: SbomPolicy) -> Problem | None:
    """The first package that `deny` means, or that nobody can tell about; None when there is none."""
    if not policy.deny:
        return None
    unsure: Problem | None = None
    listing = rule.Listing.of(attested.sbom.packages)
    for denial in policy.deny:
        for match in listing.matches(denial):
            named = shown(match.package.purl or match.package.name)
            if match.answer is rule.Answer.YES:
                return Problem(
                    Reason.PACKAGE_DENIED,
                    f"the image contains {named}, which gates.sbom.deny forbids",
                    f"no {denial}",
                    shown(f"{match.package.name} {match.version or 'of any version'}"),
                    "build the image with a version that is not denied",
                )
            unsure = unsure or _not_comparable(match, named)
    return unsure


def shortcoming(attested: Attested, policy: SbomPolicy, now: datetime | None) -> Problem | None:
    """The first demand that an SBOM does not meet; None when it counts."""
    checks: tuple[Callable[[], Problem | None], ...] = (
        lambda: _too_few(attested.sbom, policy),
        lambda: next(_below_floors(attested.sbom, policy), None),
        lambda: _names_nothing(attested.sbom, policy),
        lambda: _too_old(attested, policy, now),
        lambda: next(_incomplete(attested.sbom, policy), None),
    )
    return next((problem for check in checks if (problem := check()) is not None), None)


def _at_another_time(created: datetime, attested: Attested, image: Image, now: datetime | None) -> Problem | None:
    signed = attested.evidence.time or now
    if signed is not None and created - signed > SKEW:
        when = "it was signed" if attested.evidence.time else "now"
        return Problem(
            Reason.SBOM_TIME,
            f"the SBOM says that it was made after {when}",
            f"before {utc(signed)}",
            utc(created),
            "look at the clock of the machine that makes the SBOM",
        )
    earliest = image.earliest(attested.evidence.subject)
    if earliest is not None and created > _CLOCKLESS and earliest - created > SKEW:
        return Problem(
            Reason.SBOM_TIME,
            "the SBOM says that it was made before the image's build began",
            f"after {utc(earliest)}",
            utc(created),
            "make the SBOM from the image that was built, and attest it anew",
        )
    return None


def _of_another(summary: str, expected: str, actual: str) -> Problem:
    hint = "make the SBOM from the image by its digest in the registry, not from a local build, and attest it anew"
    return Problem(Reason.SBOM_OF_ANOTHER_IMAGE, summary, expected, actual, hint)


def _not_comparable(match: rule.Match, named: str) -> Problem:
    if not match.package.purls:
        why = "it has no package URL"
    elif match.version is None:
        why = "it has no version"
    else:
        why = f"the order of version {shown(match.version, 40)} is not known"
    return Problem(
        Reason.PACKAGE_NOT_COMPARABLE,
        f"cannot compare {named} with {match.rule}: {why}",
        f"a package URL with a version that can be compared with {match.rule}",
        shown(match.version or match.package.name),
        "list it in the SBOM with its package URL and version, or deny it without a range",
    )


def _too_few(sbom: Sbom, policy: SbomPolicy) -> Problem | None:
    if len(sbom.packages) >= policy.min_packages:
        return None
    return Problem(
        Reason.SBOM_EMPTY,
        "the SBOM lists too few packages to describe an image",
        f"at least {policy.min_packages}",
        str(len(sbom.packages)),
        "look at the tool that made it: an SBOM without packages means that it saw nothing",
    )


def _below_floors(sbom: Sbom, policy: SbomPolicy) -> Iterator[Problem]:
    floors = (
        ("a version", policy.min_versions, [p for p in sbom.packages if p.version is None]),
        ("a package URL", policy.min_purls, [p for p in sbom.packages if not p.purls]),
    )
    total = len(sbom.packages)
    for what, floor, lacking in floors:
        if total and (total - len(lacking)) < floor * total:
            first = ", ".join(shown(p.name, 40) for p in lacking[:3])
            yield Problem(
                Reason.SBOM_INCOMPLETE,
                f"too few packages of the SBOM have {what}",
                f"at least {floor:.0%} of {total}",
                f"{total - len(lacking)}; first without: {first}",
                "make the SBOM with a tool that sees the package databases of the image",
            )


def _names_nothing(sbom: Sbom, policy: SbomPolicy) -> Problem | None:
    if not policy.about_image or sbom.images or sbom.layers:
        return None
    return Problem(
        Reason.SBOM_NAMES_NO_IMAGE,
        "the SBOM does not say which image it is about",
        "a digest of the image, or of its layers, in the SBOM",
        "none",
        "make the SBOM from the image by its digest, with a tool such as syft that writes it down",
    )


def _too_old(attested: Attested, policy: SbomPolicy, now: datetime | None) -> Problem | None:
    if policy.max_age is None:
        return None
    when = attested.evidence.time or instant(attested.sbom.created)
    if when is not None and now is not None and now - when <= policy.max_age:
        return None
    return Problem(
        Reason.SBOM_OLD,
        "the SBOM is older than is asked for" if when else "nothing says how old the SBOM is",
        f"at most {said(policy.max_age)} old",
        f"signed or made {utc(when)}" if when else "neither a verified signing time nor its own",
        "make the SBOM again, and attest it with an entry in the transparency log",
    )


def _incomplete(sbom: Sbom, policy: SbomPolicy) -> Iterator[Problem]:
    for name in policy.required:
        found = assess(name, sbom)
        if found.missing:
            yield Problem(
                Reason.SBOM_INCOMPLETE,
                f"the SBOM lacks minimum elements of {name}",
                f"all {len(found.elements)} elements of {name}",
                "; ".join(str(element) for element in found.missing),
                f"make the SBOM with a tool that writes them, or report {name} instead of requiring it",
            )
