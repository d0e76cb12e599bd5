"""The gates of promote.yaml: the shape of `gates`, in the file and in an environment."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Discriminator, Field, Tag, field_validator

from promote.config.section import Duration, Name, Strict, Text
from promote.config.timing import ApprovalsSection, FreezeSection
from promote.config.trust_section import AttestationSection, CommitSection, SignatureSection
from promote.model.malformed import Malformed
from promote.model.package_rule import PackageRule

SeverityName = Literal["critical", "high", "medium", "low", "negligible", "unknown"]
Share = Annotated[float, Field(ge=0, le=1)]


def _word_off(value: Any) -> Any:
    # A YAML 1.1 writer means the word; ruamel reads YAML 1.2, other tools write `off` as a boolean.
    return "off" if value is False else value


Off = Annotated[Literal["off"], BeforeValidator(_word_off)]


class SbomSection(Strict):
    """What an SBOM must have, and must not list."""

    min_packages: int = Field(default=1, ge=0, description="The fewest packages it may list.")
    min_versions: Share = Field(default=0, description="The smallest share of them with a version, 0 to 1.")
    min_purls: Share = Field(default=0, description="The smallest share of them with a package URL, 0 to 1.")
    about_image: Literal["checked", "required"] = Field(
        default="checked", description="Whether it must say which image it is about. What it says is always checked."
    )
    max_age: Duration | None = Field(default=None, description="The oldest it may be, by its verified signing time.")
    profiles: dict[Literal["ntia", "cisa-2025"], Literal["require", "report"]] = Field(
        default={}, description="Minimum elements that every package must have, or that reports count."
    )
    deny: list[Annotated[str, Field(max_length=1024)]] = Field(
        default=[], description="Packages that no SBOM may list: package URLs with a range of versions."
    )
    signers: list[Name] = Field(default=[], description="Names of the signers whose SBOMs count; default: all.")

    @field_validator("deny")
    @classmethod
    def _deny_is_rules(cls, value: list[str]) -> list[str]:
        for text in value:
            try:
                PackageRule.parse(text)
            except Malformed as problem:
                raise ValueError(f"got {problem.got}, expected {problem.expected}") from None
        return value


class VulnerabilitiesSection(Strict):
    """What a vulnerability scan of the image must be like."""

    max: dict[SeverityName, Annotated[int, Field(ge=0)]] = Field(
        default={"critical": 0}, description="The most vulnerabilities of each severity; no limit for the others."
    )
    max_age: Duration | None = Field(default=None, description="The oldest it may be, by its verified signing time.")
    scanner: list[Text] = Field(
        default=[], description="URIs of the scanners that count, without a version. Default: any."
    )
    signers: list[Name] = Field(
        default=[], description="Names of the signers whose scans and OpenVEX documents count; default: all."
    )


def _mapping_or_word(value: Any) -> str:
    # Chosen by shape, so that a mistake inside the mapping is reported once and not once for each alternative.
    return "mapping" if isinstance(value, dict | BaseModel) else "word"


class GatesSection(Strict):
    """What is demanded.  In an environment it adds to the gates of the file and overrides them, key by key."""

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
    vulnerabilities: (
        Annotated[
            Annotated[VulnerabilitiesSection, Tag("mapping")] | Annotated[Off, Tag("word")],
            Discriminator(_mapping_or_word),
        ]
        | None
    ) = Field(default=None, description="Without it no scan is asked for.")
    soak: Duration | None = Field(default=None, description="How long the source must have run a release, such as 30m.")
    freeze: list[FreezeSection] | None = Field(default=None, description="When nothing is promoted.")
    approvals: ApprovalsSection | None = Field(default=None, description="Who must have approved, by trailers in git.")
    effect: Literal["checked", "required"] | None = Field(
        default=None, description="Whether an edit whose effect cannot be verified is refused. What is seen always is."
    )
    commit: CommitSection | None = None
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
