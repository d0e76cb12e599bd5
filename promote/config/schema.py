"""The shape of promote.yaml (design, section 4).  The shipped JSON Schema is generated from these models."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    field_validator,
    model_validator,
)

NAME = r"^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$"
"""Apps and environments: what can stand in an argument, a path and a trailer without quoting."""

Name = Annotated[str, StringConstraints(pattern=NAME, max_length=63)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=1024)]


def _word_off(value: Any) -> Any:
    # A YAML 1.1 writer means the word; ruamel reads YAML 1.2, other tools write `off` as a boolean.
    return "off" if value is False else value


Off = Annotated[Literal["off"], BeforeValidator(_word_off)]


class Strict(BaseModel):
    """A mapping in which an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class AppSection(Strict):
    """A thing that is released."""

    image: Text = Field(description="Repository path under each environment's registry, such as acme/web.")
    names: list[Text] = Field(default=[], description="Other names that manifests use for the image.")
    source: Text | None = Field(
        default=None, description="Source repository that the signer's certificate and the image label must name."
    )


class PlaceSection(Strict):
    """A registry and the overlays that run from it."""

    registry: Text = Field(description="HOST[:PORT][/PREFIX], or oci:DIRECTORY for a directory of OCI image layouts.")
    pull: Text | None = Field(default=None, description="What manifests say instead of the registry.")
    overlays: list[Text] = Field(default=[], description="Overlay directories; {app} stands for the app's name.")


class SignatureSection(Strict):
    """What a signature must have."""

    accept: list[Literal["signature", "provenance"]] = Field(
        default=["signature"], description="What counts as a signature. Reports show it when this is widened."
    )
    annotations: dict[str, str] = Field(default={}, description="Annotations that must be signed with these values.")
    log: Literal["proof", "promise", "none"] = Field(
        default="promise", description="What a keyless signature must bring from the transparency log."
    )


class SbomSection(Strict):
    """What an SBOM must have."""

    min_packages: int = Field(default=1, ge=0, description="The fewest packages it may list.")


def _mapping_or_word(value: Any) -> str:
    # Chosen by shape, so that a mistake inside the mapping is reported once and not once for each alternative.
    return "mapping" if isinstance(value, dict | BaseModel) else "word"


def _key_or_keyless(value: Any) -> str:
    return "key" if isinstance(value, KeySection) or (isinstance(value, dict) and "key" in value) else "keyless"


class AttestationSection(Strict):
    """Another attestation that must be there."""

    type: Text = Field(description="A predicate type URI, or cosign's short name for it, such as slsaprovenance1.")


class GatesSection(Strict):
    """What is demanded.  In an environment it adds to, and overrides, the gates of the file."""

    tag: Text | None = Field(default=None, description="Regular expression with a group called commit.")
    signature: (
        Annotated[
            Annotated[SignatureSection, Tag("mapping")] | Annotated[Off, Tag("word")], Discriminator(_mapping_or_word)
        ]
        | None
    ) = None
    sbom: (
        Annotated[Annotated[SbomSection, Tag("mapping")] | Annotated[Off, Tag("word")], Discriminator(_mapping_or_word)]
        | None
    ) = None
    attestations: list[AttestationSection] | None = None
    deployed: Annotated[Literal["current", "ever", "off"], BeforeValidator(_word_off)] | None = Field(
        default=None, description="Whether the source environment must run, or have run, the digest."
    )

    @field_validator("tag")
    @classmethod
    def _tag_names_commit(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            pattern = re.compile(value)
        except re.error as problem:
            raise ValueError(f"not a regular expression: {problem}") from None
        if "commit" not in pattern.groupindex:
            raise ValueError("has no group called commit, expected one such as (?P<commit>[0-9a-f]{7,64})")
        return value


class EnvironmentSection(Strict):
    """One or more places, and the environments it may be promoted from."""

    from_: list[Name] = Field(default=[], alias="from", description="Environments it may be promoted from.")
    places: list[PlaceSection] | None = Field(default=None, min_length=1)
    registry: Text | None = Field(default=None, description="Short for the registry of one place.")
    pull: Text | None = Field(default=None, description="Short for the pull name of one place.")
    overlays: list[Text] | None = Field(default=None, description="Short for the overlays of one place.")
    gates: GatesSection = GatesSection()

    @model_validator(mode="after")
    def _one_way_to_name_places(self) -> EnvironmentSection:
        short = [name for name in ("registry", "pull", "overlays") if getattr(self, name) is not None]
        if self.places is not None and short:
            raise ValueError(f"has places and also {', '.join(short)}, expected one of the two")
        if self.places is None and self.registry is None:
            raise ValueError("has no registry, expected registry: HOST[:PORT][/PREFIX] or oci:DIRECTORY")
        return self

    def all_places(self) -> list[PlaceSection]:
        """The places, the short form spelt out."""
        if self.places is not None:
            return self.places
        return [PlaceSection(registry=self.registry or "", pull=self.pull, overlays=self.overlays or [])]


class KeylessSection(Strict):
    """A certificate identity.  Both parts are compared exactly."""

    issuer: Text
    identity: Text


class KeySection(Strict):
    """A public key in a PEM file."""

    key: Text


class TrustSection(Strict):
    """Whom to trust.  Nobody is trusted until named here."""

    root: Text = Field(
        default="sigstore", description="sigstore (the embedded public-good root) or a trusted_root.json."
    )
    signers: list[
        Annotated[
            Annotated[KeylessSection, Tag("keyless")] | Annotated[KeySection, Tag("key")],
            Discriminator(_key_or_keyless),
        ]
    ] = []


class GitSection(Strict):
    """Where commits go."""

    branch: Text | None = Field(default=None, description="Default: the branch that is checked out.")
    remote: Text | None = Field(default=None, description="Default: origin; without one, commits stay local.")
    delivery: Literal["push"] = "push"


class RegistrySection(Strict):
    """How to reach a registry."""

    plain_http: bool | None = None
    ca: Text | None = None


class File(Strict):
    """promote.yaml."""

    version: Literal[1]
    apps: dict[Name, AppSection] = Field(min_length=1)
    environments: dict[Name, EnvironmentSection] = Field(min_length=1)
    trust: TrustSection = TrustSection()
    gates: GatesSection = GatesSection()
    git: GitSection = GitSection()
    registries: dict[Text, RegistrySection] = {}


SECTIONS: tuple[type[Strict], ...] = (
    File,
    AppSection,
    EnvironmentSection,
    PlaceSection,
    GatesSection,
    SignatureSection,
    SbomSection,
    AttestationSection,
    TrustSection,
    KeylessSection,
    KeySection,
    GitSection,
    RegistrySection,
)


def known_keys() -> list[str]:
    """Every key that promote.yaml knows anywhere, for "did you mean"."""
    return sorted({field.alias or name for section in SECTIONS for name, field in section.model_fields.items()})
