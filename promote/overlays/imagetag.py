"""What an entry of `images:` makes of an image (kustomize api/filters/imagetag and api/internal/image)."""

from __future__ import annotations

import re

from promote.overlays.entries import Entry
from promote.overlays.manifests import split_reference

_LITERAL = re.compile(r"[A-Za-z0-9_./:@-]*")
"""Names that are safe as a regular expression: of these characters only the dot means something else."""


def matches(name: str, image: str) -> bool:
    """Whether an entry called `name` rewrites `image`.

    kustomize takes `name` for a regular expression, so that a dot matches anything; it is anchored at both ends, and a
    tag and a sha256 digest may follow.  A name with more of a regular expression in it is compared literally here:
    see `is_pattern`.
    """
    if name == split_reference(image).name or name == image:
        return True
    if "." not in name or not _LITERAL.fullmatch(name):
        return False
    return bool(re.fullmatch(f"{name}(:[a-zA-Z0-9_.{{}}-]*)?(@sha256:[a-zA-Z0-9_.{{}}-]*)?", image))


def is_pattern(name: str) -> bool:
    """Whether kustomize could see more in `name` than its characters, so that what it matches is not known here."""
    return not _LITERAL.fullmatch(name)


def rewritten(entry: Entry, image: str) -> str:
    """`image`, which `entry` matches, as the entry makes it.

    A tag drops the digest that was there and a digest the tag, unless both are given; without either both stay.
    """
    there = split_reference(image)
    name, tag, digest = entry.text("newName") or there.name, entry.text("newTag"), entry.text("digest")
    if not tag and not digest:
        tag, digest = there.tag, there.digest
    return f"{name}{f':{tag}' if tag else ''}{f'@{digest}' if digest else ''}"
