"""Entries of `images:`, as a kustomization has them, and Flux where it takes the same form."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from promote.model.malformed import shown
from promote.overlays.manifests import Reference, split_reference
from promote.overlays.nodes import Alias, Document, Mapping, Node, Scalar, Sequence, resolved
from promote.overlays.refusals import ambiguous
from promote.overlays.target import Target


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of `images:`.  The scalars are what stands behind each key, None where the key is absent.

    `indirect` are the lines of aliases, merge keys and lists in the place of a value: it can be read then, not edited.
    """

    file: str
    line: int
    mapping: Mapping
    document: Document
    fields: dict[str, tuple[Scalar, Scalar]]
    indirect: tuple[int, ...]

    def text(self, key: str) -> str | None:
        """The string behind `key`; None when absent, null or empty, which is all the same to kustomize."""
        pair = self.fields.get(key)
        return (pair[1].text or None) if pair else None

    @property
    def reference(self) -> Reference:
        """What this entry makes of the image: its newName, else its name, and so on."""
        named = split_reference(self.text("newName") or self.text("name") or "")
        tag, at, digest = (self.text("newTag") or "").partition("@")  # `newTag: v1@sha256:..`, as Renovate writes it
        return Reference(named.name, tag or named.tag, self.text("digest") or (digest if at else None) or named.digest)

    @property
    def siblings(self) -> dict[str, tuple[str, ...]]:
        """For each key that may be missing, the keys that it is written after, the first that is there."""
        return {"newName": ("name",), "newTag": ("newName", "name"), "digest": ("newTag", "newName", "name")}

    def is_about(self, names: Collection[str]) -> bool:
        """Whether this is about an image called one of `names`.

        A `name` may have a tag: kustomize then matches images with that one tag, as they are written.
        """
        both = (self.text("name") or "", self.text("newName") or "")
        return any(name in names or split_reference(name).name in names for name in both)

    def wanted(self, target: Target) -> dict[str, str]:
        """What the keys shall be: tag and digest always, newName where it makes a difference."""
        name = self.text("newName") or self.text("name") or ""
        wanted = target.pull_name or split_reference(name).name
        named = {"newName": wanted} if wanted != name or self.text("newName") else {}
        return {**named, "newTag": target.tag, "digest": str(target.digest)}


def only(file: str, mapping: Mapping, *keys: str) -> tuple[Scalar, Node] | None:
    """The one pair of `mapping` with one of `keys` (lower-case; kustomize reads any case); raises `Refusal` for two."""
    pairs = mapping.all_folded(*keys)
    if len(pairs) > 1:
        lines = [key.line for key, _ in pairs]
        names = " and ".join(sorted({shown(key.value) for key, _ in pairs}))
        raise ambiguous(
            file, lines, f"got the key {names} {len(pairs)} times", hint="keep one; kustomize takes the last"
        )
    return pairs[0] if pairs else None


def entries(file: str, document: Document, value: Node | None) -> Iterator[Entry]:
    """The entries of the list `value`, found behind `images:` in `document`; raises `Refusal` for a key twice."""
    block = resolved(value)
    if value is None or not isinstance(block, Sequence):
        return
    outer = (value.line,) if isinstance(value, Alias) else ()
    for item in block.items:
        mapping = resolved(item)
        if isinstance(mapping, Mapping):
            indirect = outer + ((item.line,) if isinstance(item, Alias) else ())
            yield entry(file, document, mapping, indirect)


def entry(file: str, document: Document, mapping: Mapping, indirect: tuple[int, ...]) -> Entry:
    """The entry that `mapping` in `document` is; `indirect` are the lines that lead to it.  Raises as `entries`."""
    fields: dict[str, tuple[Scalar, Scalar]] = {}
    for merge, sources in mapping.all("<<"):
        indirect = (*indirect, merge.line)
        for source in sources.items if isinstance(sources, Sequence) else [sources]:
            provided = resolved(source)
            if isinstance(provided, Mapping):
                fields = {**entry(file, document, provided, ()).fields, **fields}
    for name in ("name", "newName", "newTag", "digest"):
        pair = only(file, mapping, name.lower())
        value = resolved(pair[1]) if pair else None
        if pair and isinstance(value, Scalar):
            fields[name] = (pair[0], value)
        if pair and not isinstance(pair[1], Scalar):
            indirect += (pair[1].line, value.line if value else pair[1].line)
    return Entry(
        file, fields["name"][1].line if "name" in fields else mapping.line, mapping, document, fields, indirect
    )
