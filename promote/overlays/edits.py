"""The edits that make an overlay run one release: which values change, and why some must not be touched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from promote.errors import Fault
from promote.model.digest import Digest
from promote.model.malformed import shown
from promote.model.release import FileEdit
from promote.overlays.adding import new_entry
from promote.overlays.charts import ChartImage
from promote.overlays.elsewhere import mention
from promote.overlays.entries import Entry
from promote.overlays.guards import (
    refuse_duplicates,
    refuse_encrypted,
    refuse_indirect,
    refuse_shared,
    refuse_template,
)
from promote.overlays.kustomize import kustomization_file, read_kustomization
from promote.overlays.manifests import ContainerImage
from promote.overlays.nodes import Path, Scalar
from promote.overlays.parsed import Parsed
from promote.overlays.reader import MAX_EDIT_BYTES, Reader
from promote.overlays.recheck import INSIDE
from promote.overlays.refusals import ambiguous, no_overlay
from promote.overlays.render import unpinned
from promote.overlays.sites import Fields, Names, Site, images_in, overlay_directory, sites
from promote.overlays.spelling import is_string_when_plain
from promote.overlays.splice import Change, Source, extended, spliced
from promote.overlays.target import Target
from promote.overlays.tree import Patched, Tree


def plan_edits(  # noqa: PLR0917  a tree, where in it, what for, and the three parts of a reference
    tree: Tree,
    overlay: str,
    names: Names,
    pull_name: str | None,
    tag: str,
    digest: Digest,
    fields: Fields = (),
    parsed: Parsed | None = None,
) -> tuple[FileEdit, ...]:
    """The edits after which every pin of `overlay` that is about `names` says ``pull_name:tag@digest``; () when all do.

    `pull_name` None keeps the names that are there.  An edit changes bodies of scalars and adds keys where they are
    missing; an `images:` entry is added where the overlay builds on the image and nothing in it pins that.  All was
    read back by a second reader.  Only files in the overlay's directory change, or else in components that it takes in.
    What `parsed` holds is not parsed again.

    Raises `Refusal` (exit 16) with the code ``no-overlay`` when there is nothing to edit and ``overlay-ambiguous`` when
    an edit could change something else; `Fault` ``edit-check-failed`` when the proof of an edit fails; `Malformed` when
    `tag` or `pull_name` is not of its grammar.
    """
    target, parsed = Target(pull_name, tag, digest), parsed or Parsed()
    asked = _Asked(overlay, names, target, fields, parsed)
    found = _editable(tree, asked, parsed.finder)
    edits = _replaced(tree, asked, found)
    patched = Patched(tree, {edit.path: edit.after for edit in edits})
    added = _added(patched, asked)
    if added is None and not found:
        raise _unused(tree, asked)
    if added is None:
        return edits
    earlier = next((edit for edit in edits if edit.path == added.path), None)
    others = tuple(edit for edit in edits if edit is not earlier)
    lines = (*(earlier.edits if earlier else ()), *added.edits)
    return (*others, FileEdit(added.path, earlier.before if earlier else added.before, added.after, lines))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What `plan_edits` is asked, and the readers that it is answered with."""

    overlay: str
    names: Names
    target: Target
    fields: Fields
    parsed: Parsed


def _editable(tree: Tree, asked: _Asked, reader: Reader) -> tuple[Site, ...]:
    """The sites of the overlay, but for containers in a large file whose images an `images:` entry rewrites.

    A manifest of megabytes that somebody else published lies in many an overlay; there the entry is added.
    """
    found = tuple(sites(tree, reader, asked.overlay, asked.names, asked.fields))
    large = {file for file in {site.file for site in found} if len(tree.read(file) or b"") > MAX_EDIT_BYTES}
    if not large or kustomization_file(tree, overlay_directory(asked.overlay)) is None:
        return found
    return tuple(
        s for s in found if s.file not in large or not (isinstance(s.what, ContainerImage) and s.what.is_reached)
    )


def _replaced(tree: Tree, asked: _Asked, found: tuple[Site, ...]) -> tuple[FileEdit, ...]:
    """The edits of the pins that are there, which are `found`."""
    overlay, target = asked.overlay, asked.target
    refuse_duplicates(found)
    if all(_is_right(site, target) for site in found):
        return ()
    located = _editable(tree, asked, asked.parsed.locator)
    if [(s.file, s.what.reference) for s in located] != [(s.file, s.what.reference) for s in found]:
        raise _read_otherwise(found, located)
    edits = tuple(_file_edits(tree, located, target))
    patched = Patched(tree, {edit.path: edit.after for edit in edits})
    known = {*asked.names, *([target.pull_name] if target.pull_name else [])}
    again = _editable(patched, replace(asked, names=known), asked.parsed.finder)
    if len(again) < len(found) or not all(_is_right(site, target) for site in again):
        raise _unproven(overlay, f"every pin to say {target.version}")
    return edits


def _added(tree: Tree, asked: _Asked) -> FileEdit | None:
    """The `images:` entry for an image that the overlay builds on and no pin of its own is about; None for none."""
    directory, target, parsed = overlay_directory(asked.overlay), asked.target, asked.parsed
    layer = read_kustomization(tree, parsed.finder, directory)
    if layer is None or any(e.is_about(asked.names) for e in (*layer.entries, *layer.late_entries)):
        return None
    after: FileEdit | None = None
    for name in unpinned(tree, directory, asked.names, target, parsed):
        patched = Patched(tree, {after.path: after.after} if after else {})
        located = read_kustomization(patched, parsed.locator, directory)
        if located is None:
            raise _unproven(asked.overlay, "the kustomization again")
        new_name = {"newName": target.pull_name} if target.pull_name and target.pull_name != name else {}
        entry = {"name": name, **new_name, "newTag": target.tag, "digest": str(target.digest)}
        source = Source.of(located.file, after.after if after else tree.read(located.file) or b"")
        edit = extended(source, new_entry(source, located, entry))
        after = FileEdit(
            edit.path,
            after.before if after else edit.before,
            edit.after,
            (*(after.edits if after else ()), *edit.edits),
        )
    return after


def _file_edits(tree: Tree, located: tuple[Site, ...], target: Target) -> Iterator[FileEdit]:
    changing = [site for site in located if not _is_right(site, target)]
    for file in dict.fromkeys(site.file for site in changing):
        source = Source.of(file, tree.read(file) or b"")
        yield spliced(source, [c for site in changing if site.file == file for c in _changes(source, site, target)])


def _is_right(site: Site, target: Target) -> bool:
    """Whether nothing has to change here, because every reader sees what is wanted."""
    what = site.what
    if isinstance(what, Entry | ChartImage):
        return all(k in what.fields and _reads(what.fields[k][1], v) for k, v in what.wanted(target).items())
    return what.scalar.text == what.wanted(target)


def _reads(scalar: Scalar, wanted: str) -> bool:
    is_string = bool(scalar.style) or scalar.tag is not None or is_string_when_plain(scalar.value)
    return scalar.text == wanted and is_string


def _changes(source: Source, site: Site, target: Target) -> list[Change]:
    """The changes of one site; raises `Refusal` where one of them could change something else."""
    what, outer = site.what, _outer(site)
    if isinstance(what, Entry | ChartImage):
        refuse_indirect(site.file, what.indirect, "images entry" if isinstance(what, Entry) else "image")
        refuse_template(source, what.mapping)
        there = {key: pair[1] for key, pair in what.fields.items()}
        wanted = {k: v for k, v in what.wanted(target).items() if k not in there or not _reads(there[k], v)}
        refuse_shared(site.file, site.document.aliases, [*(there[k] for k in wanted if k in there), what.mapping])
        changes = [_part(source, what, key, value) for key, value in wanted.items()]
    else:
        refuse_indirect(site.file, what.indirect, "image")
        refuse_template(source, what.scalar)
        refuse_shared(site.file, site.document.aliases, [what.scalar])
        changes = [source.replace(what.scalar, what.wanted(target))]
    refuse_encrypted(site)
    return [change.inside(outer) for change in changes]


def _outer(site: Site) -> Path:
    """The path of the text that `site` is inside of, () for none; raises `Refusal` for one without positions inside."""
    if site.block is None:
        return ()
    outer = site.block.scalar
    if outer.style != "|":
        hint = "write the text as a block literal (`patch: |-`, `values: |`) or in a file of its own"
        raise ambiguous(site.file, [outer.line], "got a text in quotes or folded with the image in it", hint=hint)
    refuse_shared(site.file, site.block.document.aliases, [outer])
    return (*outer.path, INSIDE)


def _part(source: Source, what: Entry | ChartImage, key: str, value: str) -> Change:
    if key not in what.fields:
        there = [what.fields[s] for s in what.siblings[key] if s in what.fields]
        sibling = next((pair for pair in there if pair[1].style not in {"|", ">"}), there[0])
        return source.insert(what.mapping, sibling, key, value)
    old_key, old = what.fields[key]
    is_empty = old.span is not None and old.span[0] == old.span[1]
    return source.fill(old_key, old, value) if is_empty else source.replace(old, value)


def _unused(tree: Tree, asked: _Asked) -> Exception:
    overlay, names = asked.overlay, asked.names
    there = images_in(tree, overlay)
    actual = ", ".join(shown(name) for name in there[:20]) + (", …" if len(there) > 20 else "") if there else "no image"
    wanted = ", ".join(sorted(names))
    directory = overlay_directory(overlay)
    found = mention(tree, asked.parsed.finder, directory, names)
    where, hint = (
        "",
        "add an `images:` entry to the kustomization, or add the name used there to `names` in promote.yaml",
    )
    if found:
        where = f"; {shown(found.file)}:{found.line} names it where no rule looks, at {shown(found.path)}"
        hint = f"add {shown(found.field(directory))} to `fields` of the environment in promote.yaml"
    return no_overlay(
        f"nothing in the overlay {shown(overlay)} uses {wanted}; it has {actual}{where}",
        expected=wanted,
        actual=actual,
        hint=hint,
    )


def _read_otherwise(found: tuple[Site, ...], located: tuple[Site, ...]) -> Exception:
    """What is there already means one thing in YAML 1.1 and another in 1.2, such as an anchor with a colon in it."""
    theirs = {(site.file, site.what.reference) for site in located}
    first = next((site for site in found if (site.file, site.what.reference) not in theirs), (*found, *located)[0])
    problem = "got an image that two YAML readers read differently"
    return ambiguous(first.file, [first.line], problem, hint="write it plainly, or in quotes")


def _unproven(overlay: str, expected: str) -> Fault:
    return Fault(
        "edit-check-failed",
        f"the edit of {shown(overlay)} was thrown away: reading it back gave something else, expected {expected}",
        expected=expected,
        hint="edit this overlay by hand once, in a plainer style, and report it with its files: a bug of promote",
    )
