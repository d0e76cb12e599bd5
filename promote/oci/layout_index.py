"""index.json of an OCI image layout: what is listed, under which tags, and how it reads after a change.  No I/O."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from promote.model import strict_json
from promote.model.digest import Digest
from promote.model.malformed import Malformed
from promote.model.manifest import OCI_INDEX, Descriptor
from promote.model.reference import check_tag

REF_NAME = "org.opencontainers.image.ref.name"
"""The annotation that is a tag (image-spec 1.1, image-layout.md, "index.json file")."""

LAYOUT_FILE = b'{"imageLayoutVersion":"1.0.0"}'
"""The content of the file ``oci-layout``."""


def check_layout_file(content: bytes) -> None:
    """Raises `Malformed` unless the file ``oci-layout`` says a version that is understood here (1.x)."""
    version = strict_json.loads_object(content, "oci-layout").get("imageLayoutVersion")
    if not isinstance(version, str) or not version.startswith("1."):
        raise Malformed("imageLayoutVersion", version, "1.0.0")


def _nothing() -> dict[str, Any]:
    return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}


@dataclass(frozen=True)
class LayoutIndex:
    """A parsed index.json.  Entries and fields that mean nothing here are kept as they are in what `dump` returns."""

    document: dict[str, Any] = field(default_factory=_nothing)

    @classmethod
    def parse(cls, content: bytes) -> LayoutIndex:
        """The index in `content`; raises `Malformed`."""
        document = strict_json.loads_object(content, "index.json")
        entries = document.get("manifests")
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise Malformed("index.json manifests", entries, "a list of descriptors")
        return cls(document)

    @property
    def entries(self) -> list[dict[str, Any]]:
        """The descriptors as they stand in the file."""
        entries: list[dict[str, Any]] = self.document["manifests"]
        return entries

    def descriptors(self) -> Iterator[Descriptor]:
        """Every entry that is a descriptor promote can read; the others belong to somebody else."""
        for entry in self.entries:
            try:
                yield Descriptor.parse(entry)
            except Malformed:
                continue

    def tagged(self, tag: str) -> tuple[Descriptor, ...]:
        """What `tag` names, each digest once; raises `Malformed` when that is no descriptor.

        Some tools write ``repository:tag`` where the tag alone belongs; that is read only where no entry has the tag
        itself.
        """
        named = [entry for entry in self.entries if _name(entry) == tag]
        named = named or [entry for entry in self.entries if _tag_of(_name(entry)) == tag]
        found = [Descriptor.parse(entry) for entry in named]
        return tuple({descriptor.digest: descriptor for descriptor in found}.values())

    def tags(self) -> tuple[str, ...]:
        """Every tag, once."""
        tags = (_tag_of(_name(entry)) for entry in self.entries)
        return tuple(dict.fromkeys(tag for tag in tags if tag))

    def listing(self, descriptor: Descriptor) -> LayoutIndex:
        """This index with `descriptor` in it, without a tag when it was not there under any."""
        if any(entry.get("digest") == str(descriptor.digest) for entry in self.entries):
            return self
        return self._with([*self.entries, descriptor.as_json()])

    def tagging(self, tag: str, descriptor: Descriptor, *, keeping: frozenset[Digest]) -> LayoutIndex:
        """This index with `tag` naming `descriptor` and nothing else.

        An entry of the tag whose digest is in `keeping` stays, without the tag.
        """
        entries: list[dict[str, Any]] = []
        kept = {str(digest) for digest in keeping}
        for entry in self.entries:
            if _name(entry) != tag:
                entries.append(entry)
            elif entry.get("digest") in kept:
                entries.append(_without_name(entry))
        new = descriptor.as_json()
        new["annotations"] = {**new.get("annotations", {}), REF_NAME: tag}
        return self._with([*entries, new])

    def dump(self) -> bytes:
        """The file's content."""
        return json.dumps(self.document, indent=1).encode()

    def _with(self, entries: list[dict[str, Any]]) -> LayoutIndex:
        return LayoutIndex({**self.document, "manifests": entries})


def _name(entry: dict[str, Any]) -> str:
    annotations = entry.get("annotations")
    name = annotations.get(REF_NAME) if isinstance(annotations, dict) else None
    return name if isinstance(name, str) else ""


def _tag_of(name: str) -> str | None:
    """The tag in a name that is a tag or ``repository:tag``; None for one that has none."""
    tag = name if "@" in name else name.rpartition(":")[2]
    try:
        return check_tag(tag)
    except Malformed:
        return None


def _without_name(entry: dict[str, Any]) -> dict[str, Any]:
    annotations = {key: value for key, value in entry["annotations"].items() if key != REF_NAME}
    bare = {key: value for key, value in entry.items() if key != "annotations"}
    return {**bare, "annotations": annotations} if annotations else bare
