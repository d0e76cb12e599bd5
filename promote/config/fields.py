"""The `fields:` of a place: file and path of values that no rule would find."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from pathlib import PurePosixPath

from promote.config.schema import FieldSection, PlaceSection
from promote.model.environment import FieldForm, ImageField, OverlayEntry
from promote.model.malformed import shown

Where = tuple[str | int, ...]

_STEP = re.compile(r"((?:\\.|[^\\.\[\]])+)|(\[[0-9]{1,6}\]|\[[^=\[\]]+=[^\[\]]*\])")
_PAIRS = {FieldForm.TAG: FieldForm.DIGEST, FieldForm.DIGEST: FieldForm.TAG}


def fields(
    section: PlaceSection,
    overlays: Sequence[OverlayEntry],
    where: Where,
    apps: Collection[str],
    add: Callable[[Where, str], None],
) -> tuple[ImageField, ...]:
    """The fields of `section`, which stands at `where` and has `overlays`; what is wrong is told to `add`."""
    found = [_field(item, (*where, "fields", i), apps, add) for i, item in enumerate(section.fields)]
    is_shared = any(len(entry.apps or apps) > 1 and "{app}" not in entry.path for entry in overlays)
    for i, field in enumerate(found):
        at = (*where, "fields", i)
        other = _PAIRS.get(field.form)
        if other and not any(f.form is other and f.file == field.file and f.app == field.app for f in found):
            add(at, f"got a {field.form.value} alone, expected a field for the {other.value} in the same file too")
        if is_shared and field.app is None and field.form is not FieldForm.IMAGE:
            add(at, "has no app, expected one: what stands there has no name, and the overlay is of several apps")
    if section.fields and not section.overlays:
        add((*where, "fields"), "has no overlay, expected the overlays that the files are in")
    return tuple(found)


def steps(path: str) -> tuple[str, ...] | None:
    r"""The steps of ``spec.images[0].a\.b``: keys, and what is in brackets; None when it is no such path."""
    found: list[str] = []
    position = 0
    while position < len(path):
        if position and path[position] != "[":
            if path[position] != ".":
                return None
            position += 1
        step = _STEP.match(path, position)
        if step is None or (step[2] and path[position - 1 : position] == "."):
            return None
        found.append(step[2] or re.sub(r"\\(.)", r"\1", step[1]))
        position = step.end()
    return tuple(found) or None


def _field(item: FieldSection, at: Where, apps: Collection[str], add: Callable[[Where, str], None]) -> ImageField:
    file = PurePosixPath(item.file)
    if file.is_absolute() or ".." in file.parts or item.file.startswith("-"):
        add((*at, "file"), f"got {shown(item.file)!r}, expected a file in the overlay")
    path = steps(item.path)
    if path is None:
        add((*at, "path"), f"got {shown(item.path)!r}, expected keys with dots between them, as in spec.image")
    if item.app is not None and item.app not in apps:
        add((*at, "app"), f"got {shown(item.app)!r}, expected an app of this file: {', '.join(sorted(apps))}")
    return ImageField(str(file), path or ("",), FieldForm(item.value), item.app)
