"""What a kustomization replaces after its images: `replacements:`, as far as they could change an image."""

from __future__ import annotations

from promote.overlays.objects import Data, list_at, mapping_at, text_of

_IMAGES = frozenset({"image", "reference", "*", ""})
"""Last steps of a path that may be an image."""


def may_change_images(replacement: Data) -> bool:
    """Whether `replacement` could write an image, so that what runs is not known without doing it.

    A text that goes to a field of another name than an image's cannot; texts are what metadata and data hold.
    """
    source = text_of(mapping_at(replacement, "source"), "fieldPath").removeprefix(".") or "metadata.name"
    section, _, key = source.partition(".")
    is_text = bool(text_of(replacement, "sourceValue")) or (section == "data" and key != "")
    is_text = is_text or (section == "metadata" and key not in {"", "labels", "annotations"})
    paths = [
        path
        for target in list_at(replacement, "targets")
        for path in (list_at(target, "fieldPaths") or ["metadata.name"])
    ]
    return not is_text or any(not isinstance(path, str) or path.rpartition(".")[2] in _IMAGES for path in paths)
