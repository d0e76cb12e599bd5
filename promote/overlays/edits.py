"""The edits that make an overlay run one release: which values change, and why some must not be touched."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from promote.errors import Fault
from promote.model.digest import Digest
from promote.model.malformed import Malformed, shown
from promote.model.reference import check_tag
from promote.model.release import FileEdit
from promote.overlays.kustomize import Entry
from promote.overlays.manifests import ContainerImage, is_encrypted, split_reference
from promote.overlays.nodes import Alias, Mapping, Node, Scalar, contains
from promote.overlays.reader import BREAK, Finder, Locator
from promote.overlays.recheck import INSIDE
from promote.overlays.refusals import ambiguous, no_overlay
from promote.overlays.sites import Names, Site, images_in, sites
from promote.overlays.spelling import is_string_when_plain
from promote.overlays.splice import Change, Source, spliced
from promote.overlays.tree import Patched, Tree

_NAME = re.compile(r"[A-Za-z0-9\[][A-Za-z0-9._:/\[\]-]*")
_TEMPLATE = re.compile(r"\{\{|\{%|\$\{")
_SIBLINGS = {"newName": ("name",), "newTag": ("newName", "name"), "digest": ("newTag", "newName", "name")}


@dataclass(frozen=True, slots=True)
class Target:
    """What every pin shall say.  `pull_name` None keeps the name that is there."""

    pull_name: str | None
    tag: str
    digest: Digest

    def __post_init__(self) -> None:
        check_tag(self.tag)
        if self.pull_name is not None and not _NAME.fullmatch(self.pull_name):
            raise Malformed("image name", self.pull_name, "HOST/PATH without tag and digest")

    def of_entry(self, entry: Entry) -> dict[str, str]:
        """What the keys of an `images:` entry shall be: tag and digest always, newName where it makes a difference."""
        name = entry.text("newName") or entry.text("name") or ""
        wanted = self.pull_name or split_reference(name).name
        named = {"newName": wanted} if wanted != name or entry.text("newName") else {}
        return {**named, "newTag": self.tag, "digest": str(self.digest)}

    def of_image(self, image: ContainerImage) -> str:
        """What the image of a container shall be."""
        return f"{self.pull_name or image.reference.name}:{self.tag}@{self.digest}"


def plan_edits(  # noqa: PLR0917  a tree, where in it, what for, and the three parts of a reference
    tree: Tree, overlay: str, names: Names, pull_name: str | None, tag: str, digest: Digest
) -> tuple[FileEdit, ...]:
    """The edits after which every pin of `overlay` that is about `names` says ``pull_name:tag@digest``; () when all do.

    `pull_name` None keeps the names that are there.  An edit changes bodies of scalars and adds `newName`, `newTag` or
    `digest` where they are missing; it was read back by a second reader.  Only files in the overlay's directory change.

    Raises `Refusal` (exit 16) with the code ``no-overlay`` when there is nothing to edit and ``overlay-ambiguous`` when
    an edit could change something else; `Fault` ``edit-check-failed`` when the proof of an edit fails; `Malformed` when
    `tag` or `pull_name` is not of its grammar.
    """
    target = Target(pull_name, tag, digest)
    found = tuple(sites(tree, Finder(), overlay, names))
    if not found:
        raise _unused(tree, overlay, names)
    _refuse_duplicates(found)
    if all(_is_right(site, target) for site in found):
        return ()
    located = tuple(sites(tree, Locator(), overlay, names))
    if [(s.file, s.reference) for s in located] != [(s.file, s.reference) for s in found]:
        raise _unproven(overlay, "the same pins from both readers")
    edits = tuple(_file_edits(tree, located, target))
    patched = Patched(tree, {edit.path: edit.after for edit in edits})
    again = tuple(sites(patched, Finder(), overlay, {*names, *([pull_name] if pull_name else [])}))
    if len(again) < len(found) or not all(_is_right(site, target) for site in again):
        raise _unproven(overlay, f"every pin to say {tag}@{digest}")
    return edits


def _file_edits(tree: Tree, located: tuple[Site, ...], target: Target) -> Iterator[FileEdit]:
    changing = [site for site in located if not _is_right(site, target)]
    for file in dict.fromkeys(site.file for site in changing):
        source = Source.of(file, tree.read(file) or b"")
        yield spliced(source, [c for site in changing if site.file == file for c in _changes(source, site, target)])


def _is_right(site: Site, target: Target) -> bool:
    """Whether nothing has to change here, because every reader sees what is wanted."""
    if isinstance(site.what, ContainerImage):
        return site.what.scalar.text == target.of_image(site.what)
    fields = site.what.fields
    return all(k in fields and _reads(fields[k][1], v) for k, v in target.of_entry(site.what).items())


def _reads(scalar: Scalar, wanted: str) -> bool:
    is_string = bool(scalar.style) or scalar.tag is not None or is_string_when_plain(scalar.value)
    return scalar.text == wanted and is_string


def _changes(source: Source, site: Site, target: Target) -> list[Change]:
    """The changes of one site; raises `Refusal` where one of them could change something else."""
    if isinstance(site.what, ContainerImage):
        return [_image_change(source, site, site.what, target)]
    entry = site.what
    _refuse_indirect(site.file, entry.indirect, "images entry")
    _refuse_template(source, entry.mapping)
    there = {key: pair[1] for key, pair in entry.fields.items()}
    wanted = {k: v for k, v in target.of_entry(entry).items() if k not in there or not _reads(there[k], v)}
    _refuse_shared(site.file, site.document.aliases, [*(there[k] for k in wanted if k in there), entry.mapping])
    _refuse_encrypted(site)
    return [_entry_change(source, entry, key, value) for key, value in wanted.items()]


def _entry_change(source: Source, entry: Entry, key: str, value: str) -> Change:
    if key not in entry.fields:
        sibling = next(entry.fields[s] for s in _SIBLINGS[key] if s in entry.fields)
        return source.insert(entry.mapping, sibling, key, value)
    old_key, old = entry.fields[key]
    is_empty = old.span is not None and old.span[0] == old.span[1]
    return source.fill(old_key, old, value) if is_empty else source.replace(old, value)


def _image_change(source: Source, site: Site, image: ContainerImage, target: Target) -> Change:
    path = image.scalar.path
    if site.block is not None:
        outer = site.block.scalar
        if outer.style != "|":
            hint = "write the patch as a block literal (`patch: |-`) or in a file of its own"
            raise ambiguous(site.file, [outer.line], "got a patch in quotes or folded text with the image", hint=hint)
        _refuse_shared(site.file, site.block.document.aliases, [outer])
        path = (*outer.path, INSIDE, *path)
    _refuse_indirect(site.file, image.indirect, "image")
    _refuse_template(source, image.scalar)
    _refuse_shared(site.file, site.document.aliases, [image.scalar])
    _refuse_encrypted(site)
    return source.replace(image.scalar, target.of_image(image), path)


def _refuse_duplicates(found: tuple[Site, ...]) -> None:
    """Two entries of one name in one file: kustomize lets the last win, and a reader sees the first."""
    seen: dict[tuple[str, str | None], Entry] = {}
    for site in found:
        if isinstance(site.what, Entry):
            key = (site.file, site.what.text("name"))
            if key in seen:
                lines = [seen[key].line, site.line]
                problem = f"got two images entries for {shown(key[1] or '')}"
                raise ambiguous(site.file, lines, problem, hint="keep one of them; kustomize lets the last win")
            seen[key] = site.what


def _refuse_indirect(file: str, lines: tuple[int, ...], what: str) -> None:
    if lines:
        hint = "write the value out where it is used: changing an anchor changes everything that uses it"
        raise ambiguous(
            file,
            lines,
            f"got an {what} that is not written out there (alias, merge key, second key or list)",
            hint=hint,
        )


def _refuse_shared(file: str, aliases: tuple[Alias, ...], changing: list[Node]) -> None:
    for alias in {id(alias.target): alias for alias in aliases}.values():
        shared = next((node for node in changing if contains(alias.target, node)), None)
        if shared is not None:
            problem = f"got a value that line {alias.line} uses again through *{shown(alias.name, 40)}"
            hint = "write the value out where it is used: changing an anchor changes everything that uses it"
            raise ambiguous(file, [shared.line, alias.line], problem, hint=hint)


def _refuse_template(source: Source, node: Mapping | Scalar) -> None:
    """Text of Helm, Jinja or envsubst: what is written is not what runs."""
    spans = [n.span for n in _scalars(node) if n.span]
    before, after = min(s for s, _ in spans), max(e for _, e in spans)
    first = max(source.text.rfind("\n", 0, before), source.text.rfind("\r", 0, before)) + 1
    last = BREAK.search(source.text, after)
    hit = _TEMPLATE.search(source.text, first, last.start() if last else len(source.text))
    if hit:
        line = len(BREAK.findall(source.text[: hit.start()])) + 1
        hint = "point `overlays` in promote.yaml at plain kustomize files, not at a template of them"
        raise ambiguous(source.file, [line], f"got a template ({hit[0]})", hint=hint)


def _scalars(node: Mapping | Scalar) -> list[Scalar]:
    if isinstance(node, Scalar):
        return [node]
    return [part for pair in node.pairs for part in pair if isinstance(part, Scalar)]


def _refuse_encrypted(site: Site) -> None:
    if is_encrypted(site.document):
        hint = "keep images out of encrypted files: an edit would break the file's MAC"
        raise ambiguous(site.file, [site.line], "got a document that SOPS encrypted", hint=hint)


def _unused(tree: Tree, overlay: str, names: Names) -> Exception:
    there = images_in(tree, overlay)
    actual = ", ".join(shown(name) for name in there[:20]) + (", …" if len(there) > 20 else "") if there else "no image"
    wanted = ", ".join(sorted(names))
    return no_overlay(
        f"nothing in the overlay {shown(overlay)} uses {wanted}; it has {actual}",
        expected=wanted,
        actual=actual,
        hint="add an `images:` entry to the kustomization, or add the name used there to `names` in promote.yaml",
    )


def _unproven(overlay: str, expected: str) -> Fault:
    return Fault(
        "edit-check-failed",
        f"the edit of {shown(overlay)} was thrown away: reading it back gave something else, expected {expected}",
        expected=expected,
        hint="edit this overlay by hand once, in a plainer style, and report it with its files: a bug of promote",
    )
