"""The shape of promote.yaml (design, section 4).  The shipped JSON Schema is generated from these models."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from promote.config.gates_section import GatesSection, SbomSection, VulnerabilitiesSection
from promote.config.section import Name, Strict, Text
from promote.config.timing import ApprovalsSection, FreezeSection
from promote.config.trust_section import (
    AttestationSection,
    CommitSection,
    KeylessSection,
    KeySection,
    RootSection,
    SignatureSection,
    SourceSection,
    TrustSection,
)


class AppSection(Strict):
    """A thing that is released."""

    image: Text = Field(description="Repository path under each environment's registry, such as acme/web.")
    names: list[Text] = Field(default=[], description="Other names that manifests use for the image.")
    source: Text | None = Field(
        default=None, description="Source repository that the signer's certificate and the image label must name."
    )


class FieldSection(Strict):
    """A value in the overlays that holds the image, or a part of it, where no rule would find it."""

    file: Text = Field(description="File, relative to the overlay.")
    path: Text = Field(description="Keys with dots between them; [N] or [KEY=VALUE] in a list, \\. for a dot in a key.")
    value: Literal["image", "tag", "digest", "tag@digest"] = Field(
        default="image", description="What stands there: a whole reference (or a mapping of its parts), or a part."
    )
    app: Name | None = Field(default=None, description="Whose image it is. Default: the app whose name is there.")


class OverlaySection(Strict):
    """An overlay directory that is not for every app."""

    path: Text = Field(description="Overlay directory; {app} stands for the app's name.")
    apps: list[Name] = Field(min_length=1, description="The apps that run there; no other app is looked for in it.")


def _kind_of_overlay(value: Any) -> str:
    return "mapping" if isinstance(value, dict | OverlaySection) else "directory"


OverlayItem = Annotated[
    Annotated[Text, Tag("directory")] | Annotated[OverlaySection, Tag("mapping")], Discriminator(_kind_of_overlay)
]
"""A directory that is for every app, or a mapping that says for which."""


class PlaceSection(Strict):
    """A registry and the overlays that run from it."""

    registry: Text = Field(description="HOST[:PORT][/PREFIX], or oci:DIRECTORY for a directory of OCI image layouts.")
    pull: Text | None = Field(default=None, description="What manifests say instead of the registry.")
    overlays: list[OverlayItem] = Field(
        default=[], description="Overlay directories; {app} stands for the app's name. A plain one is for every app."
    )
    fields: list[FieldSection] = Field(default=[], description="Values in the overlays that no rule would find.")


class AttestKeySection(Strict):
    """Sign the verdict with a key."""

    key: Text = Field(
        description="A private key: PKCS#8 in PEM, its password, if any, in PROMOTE_KEY_PASSWORD; or as cosign "
        "writes it, its password in COSIGN_PASSWORD."
    )


class AttestSigstoreSection(Strict):
    """Sign the verdict with the ambient OIDC identity, certified by a Sigstore of one's own."""

    signing_config: Text = Field(description="A signing configuration v0.2, as `cosign signing-config create` writes.")
    trusted_root: Text | None = Field(default=None, description="Its trusted_root.json; default: that of trust.root.")


def _kind_of_attest(value: Any) -> str:
    if isinstance(value, AttestKeySection) or (isinstance(value, dict) and "key" in value):
        return "key"
    return "sigstore" if isinstance(value, dict | AttestSigstoreSection) else "word"


class EnvironmentSection(Strict):
    """One or more places, and the environments it may be promoted from."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["places"]}, {"required": ["registry"]}]})

    from_: list[Name] = Field(default=[], alias="from", description="Environments it may be promoted from.")
    places: list[PlaceSection] | None = Field(default=None, min_length=1)
    registry: Text | None = Field(default=None, description="Short for the registry of one place.")
    pull: Text | None = Field(default=None, description="Short for the pull name of one place.")
    overlays: list[OverlayItem] | None = Field(default=None, description="Short for the overlays of one place.")
    fields: list[FieldSection] | None = Field(default=None, description="Short for the fields of one place.")
    gates: GatesSection = GatesSection()
    attest: Annotated[
        Annotated[bool, Tag("word")]
        | Annotated[AttestKeySection, Tag("key")]
        | Annotated[AttestSigstoreSection, Tag("sigstore")],
        Discriminator(_kind_of_attest),
    ] = Field(
        default=False,
        description="Sign a verification summary of what arrives; true: with the ambient OIDC identity.",
    )

    @model_validator(mode="after")
    def _one_way_to_name_places(self) -> EnvironmentSection:
        short = [name for name in ("registry", "pull", "overlays", "fields") if getattr(self, name) is not None]
        if self.places is not None and short:
            raise ValueError(f"has places and also {', '.join(short)}, expected one of the two")
        if self.places is None and self.registry is None:
            raise ValueError("has no registry, expected registry: HOST[:PORT][/PREFIX] or oci:DIRECTORY")
        return self

    def all_places(self) -> list[PlaceSection]:
        """The places, the short form spelt out."""
        if self.places is not None:
            return self.places
        place = PlaceSection(registry=self.registry or "", pull=self.pull, overlays=self.overlays or [])
        return [place.model_copy(update={"fields": self.fields or []})]


class GitSection(Strict):
    """Where commits go."""

    branch: Text | None = Field(default=None, description="Default: the branch that is checked out.")
    remote: Text | None = Field(default=None, description="Default: origin; without one, commits stay local.")
    delivery: Literal["push", "pull-request", "github-api"] = Field(
        default="push",
        description="push to the branch; a pull-request into it; or a commit that GitHub makes and signs (github-api).",
    )
    forge: Literal["github", "gitlab", "gitea", "forgejo", "bitbucket"] | None = Field(
        default=None, description="What kind of host the remote is on, where its name does not tell."
    )
    labels: list[Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f,]{1,50}$")]] = Field(
        default=[], description="Labels of each pull request."
    )
    auto_merge: bool = Field(
        default=False,
        description="Let the host merge the head of a pull request, and no later one: GitLab once checks and "
        "approvals are there, the others now, or in a later run of the same command.",
    )
    history: Literal["recent", "whole"] = Field(
        default="recent",
        description="How much of its history is fetched for a promotion when the repository is named by --repo URL.",
    )


class RegistrySection(Strict):
    """How to reach a registry."""

    plain_http: bool | None = None
    ca: Text | None = None
    concurrency: int | None = Field(
        default=None,
        ge=2,
        le=1000,
        strict=True,
        description="How many requests at a time; at least 2, for a blob is read while it is written.",
    )
    rate: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,5}/(s|m|h)$")] | None = Field(
        default=None, description="How many requests begin in a second, minute or hour, such as 50/s."
    )


class File(Strict):
    """promote.yaml."""

    version: Literal[1]
    apps: dict[Name, AppSection] = Field(min_length=1)
    environments: dict[Name, EnvironmentSection] = Field(min_length=1)
    trust: TrustSection = TrustSection()
    gates: GatesSection = GatesSection()
    git: GitSection = GitSection()
    registries: dict[Text, RegistrySection] = Field(default={})


SECTIONS: tuple[type[Strict], ...] = (
    File,
    AppSection,
    EnvironmentSection,
    PlaceSection,
    OverlaySection,
    FieldSection,
    AttestKeySection,
    AttestSigstoreSection,
    GatesSection,
    SignatureSection,
    SbomSection,
    VulnerabilitiesSection,
    FreezeSection,
    ApprovalsSection,
    AttestationSection,
    TrustSection,
    KeylessSection,
    KeySection,
    SourceSection,
    RootSection,
    CommitSection,
    GitSection,
    RegistrySection,
)


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of promote.yaml, as it is shipped in promote.schema.json beside this module.

    It says less than `promote.config.load` checks: not that names lead to something, and not that files exist.
    """
    schema = File.model_json_schema(by_alias=True)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "urn:promote:schema:promote.yaml:v1"}
    for key in ("apps", "environments"):
        # pydantic writes the names' pattern as patternProperties, which lets every other name pass.
        schema["properties"][key]["additionalProperties"] = False
    return {**head, **schema, "title": "promote.yaml"}


def known_keys() -> list[str]:
    """Every key that promote.yaml knows anywhere, for "did you mean"."""
    return sorted({field.alias or name for section in SECTIONS for name, field in section.model_fields.items()})
