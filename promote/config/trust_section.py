"""The shape of `trust` in promote.yaml, and of what else says whom to believe and how much."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Discriminator, Field, Tag, WithJsonSchema, model_validator

from promote.config.section import Duration, Name, Strict, Text

LogWord = Literal["proof", "promise", "none"]


def _is_a_day(value: str) -> str:
    try:
        if date.fromisoformat(value).isoformat() == value:
            return value
    except ValueError:
        pass
    raise ValueError(f"got {value!r}, expected a day such as 2027-01-31")


Day = Annotated[str, AfterValidator(_is_a_day), WithJsonSchema({"type": "string", "format": "date"})]
"""A day as YYYY-MM-DD."""


def _is_a_pattern(value: str) -> str:
    """A pattern that names its owner: what anybody could register is not a name."""
    scheme, separator, rest = value.partition("://")
    owner = f"{scheme}{separator}{'/'.join(rest.split('/')[:2])}" if separator else value.partition("@")[2]
    if "**" in value or "*" in owner or not owner or value.count("*") > MAX_STARS:
        raise ValueError(
            f"got {value!r}, expected a * only behind the host and the owner of a URL, or before the @ of an address, "
            f"never two together and at most {MAX_STARS}"
        )
    return value


MAX_STARS = 8
PatternText = Annotated[Text, AfterValidator(_is_a_pattern)]
"""A text in which * stands for anything but /."""


class SourceSection(Strict):
    """What the certificate must say about the build, from its own extensions."""

    repository: Text | None = Field(default=None, description="The source repository's URL.")
    ref: Text | None = Field(default=None, description="The source ref, such as refs/heads/main or refs/tags/v*.")
    workflow: Text | None = Field(
        default=None, description="The workflow that was started: its path in the source repository, or its whole URI."
    )
    trigger: Text | None = Field(default=None, description="The event that started it, such as push.")
    triggers: list[Text] = Field(default=[], description="The events of which one started it.")
    runner: Text | None = Field(default=None, description="Where it ran: github-hosted or self-hosted.")


class _Signer(Strict):
    """What all signers have."""

    name: Name | None = Field(default=None, description="What gates call it by.")
    log: LogWord | None = Field(default=None, description="What it must bring from the log; default: what gates say.")
    until: Day | None = Field(default=None, description="The last day of log: none.")
    apps: list[Name] = Field(default=[], description="The apps that it signs for; default: all.")
    environments: list[Name] = Field(default=[], description="The environments that it signs for; default: all.")

    @model_validator(mode="after")
    def _until_is_an_exception(self) -> _Signer:
        if self.until is not None and self.log != "none":
            raise ValueError("has until without log: none, expected both or neither")
        return self


class KeylessSection(_Signer):
    """A certificate identity: the issuer exact, the identity exact or a pattern."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["identity"]}, {"required": ["identity_pattern"]}]}
    )

    issuer: Text
    identity: Text | None = Field(default=None, description="The certificate's subject alternative name, exactly.")
    identity_pattern: PatternText | None = Field(default=None, description="The same, with * for anything but /.")
    source: SourceSection = SourceSection()

    @model_validator(mode="after")
    def _one_identity(self) -> KeylessSection:
        if (self.identity is None) == (self.identity_pattern is None):
            raise ValueError("expected one of identity and identity_pattern")
        if self.log == "none" and self.until is None:
            raise ValueError("has log: none without until, expected the last day of that exception")
        return self


class KeySection(_Signer):
    """A public key in a PEM file."""

    key: Text


class RootSection(Strict):
    """A trusted root of one's own."""

    profile: Literal["sigstore", "github"] = Field(
        default="sigstore", description="github: its private repositories' root, which has a time stamp and no log."
    )
    file: Text = Field(description="A trusted_root.json, or what `gh attestation trusted-root` prints.")


def _key_or_keyless(value: Any) -> str:
    return "key" if isinstance(value, KeySection) or (isinstance(value, dict) and "key" in value) else "keyless"


def _mapping_or_word(value: Any) -> str:
    return "mapping" if isinstance(value, dict | RootSection) else "word"


class TrustSection(Strict):
    """Whom to trust.  Nobody is trusted until named here."""

    root: Annotated[
        Annotated[RootSection, Tag("mapping")] | Annotated[Text, Tag("word")], Discriminator(_mapping_or_word)
    ] = Field(default="sigstore", description="sigstore (the embedded public-good root) or a trusted_root.json.")
    signers: list[
        Annotated[
            Annotated[KeylessSection, Tag("keyless")] | Annotated[KeySection, Tag("key")],
            Discriminator(_key_or_keyless),
        ]
    ] = Field(default=[], description="Those whose signatures and attestations count.")


class SignatureSection(Strict):
    """What a signature must have."""

    accept: list[Literal["signature", "provenance"]] = Field(
        default=["signature"], description="What counts as a signature. Reports show it when this is widened."
    )
    annotations: dict[str, str] = Field(default={}, description="Annotations that must be signed with these values.")
    log: LogWord = Field(
        default="promise", description="What a keyless signature must bring from the transparency log."
    )
    until: Day | None = Field(default=None, description="The last day of log: none.")
    threshold: int = Field(default=1, ge=1, le=100, description="How many different identities or keys must sign.")
    signers: list[Name] = Field(default=[], description="Names of the signers that count here; default: all.")


class CommitSection(Strict):
    """What must name the commit.  What is absent is no refusal otherwise; what disagrees always is."""

    require: list[Literal["certificate", "annotation", "label", "provenance"]] = Field(
        default=[], description="Where the commit must be named."
    )


class AttestationSection(Strict):
    """Another attestation that must be there, and what it must say."""

    type: Text = Field(description="A predicate type URI, or cosign's short name for it, such as slsaprovenance1.")
    signers: list[Name] = Field(default=[], description="Names of the signers that count; default: all.")
    builder: Text | None = Field(default=None, description="The builder that a build provenance must name.")
    source: Text | None = Field(default=None, description="The source repository that a build provenance must name.")
    result: Text | None = Field(
        default=None, description="The result of a test or a verification summary; default: PASSED."
    )
    verifier: Text | None = Field(default=None, description="The verifier that a verification summary must name.")
    resource: Text | None = Field(default=None, description="The resource that a verification summary must name.")
    max_age: Duration | None = Field(default=None, description="The oldest it may be, by its verified signing time.")

    @model_validator(mode="after")
    def _fits_its_type(self) -> AttestationSection:
        for names, kinds in _FITS.items():
            said = [name for name in names if getattr(self, name) is not None]
            if said and not any(kind in self.type for kind in kinds):
                raise ValueError(f"has {said[0]} for the type {self.type}, expected it for {' or '.join(kinds)} only")
        return self


_FITS = {
    ("builder", "source"): ("provenance",),
    ("result",): ("test-result", "verification_summary", "vsa"),
    ("verifier", "resource"): ("verification_summary", "vsa"),
}
"""Which keys say something about which types: a key that is never looked at would be a gate that never closes."""
