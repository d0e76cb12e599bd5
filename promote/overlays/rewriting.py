"""What the entries of `images:` do to the objects of a layer."""

from __future__ import annotations

from collections.abc import Iterable

from promote.model.malformed import shown
from promote.overlays.entries import Entry
from promote.overlays.fieldspecs import FieldSpec, field_holders
from promote.overlays.imagetag import is_pattern, matches, rewritten
from promote.overlays.manifests import split_reference
from promote.overlays.objects import Holder, Resource, image_holders
from promote.overlays.rendering import Means


def rewrite(means: Means, entries: Iterable[Entry], found: list[Resource], specs: Iterable[FieldSpec]) -> None:
    """Apply `entries`, in their order, to every image in `found`: of containers, and at the fields of `specs`.

    What each entry met and matched is noted in `means`, and a doubt for a name that is a pattern to kustomize.
    Raises `TooLarge`.
    """
    named = [entry for entry in entries if entry.text("name") is not None]
    images = _images(means, found, specs) if named else {}
    for entry in named:
        means.budget.spend(len(images))
        _apply(means, entry, images)


def _images(means: Means, found: list[Resource], specs: Iterable[FieldSpec]) -> dict[str, list[Holder]]:
    """What holds each image, by the image as it is written."""
    specs = tuple(specs)
    means.budget.spend(len(specs) * len(found))
    images: dict[str, list[Holder]] = {}
    for resource in found:
        for holder in (*image_holders(resource.data), *field_holders(resource, specs)):
            if holder.is_reached:
                images.setdefault(holder.image, []).append(holder)
    return images


def _apply(means: Means, entry: Entry, images: dict[str, list[Holder]]) -> None:
    name, line = entry.text("name") or "", (entry.file, entry.line)
    if is_pattern(name):
        means.doubt(
            f"{shown(entry.file)}:{entry.line}: kustomize takes the name {shown(name)} for a regular expression"
        )
    means.rendering.met[line] = frozenset(split_reference(image).name for image in images)
    hits = [image for image in images if matches(name, image)]
    taken = [(rewritten(entry, image), images.pop(image)) for image in hits]
    for image, holders in taken:
        means.rendering.matched.add(line)
        images.setdefault(image, []).extend(holders)
        for holder in holders:
            holder.data[holder.key] = image
