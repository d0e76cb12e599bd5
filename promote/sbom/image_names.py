"""The digests by which an SBOM names the image, and its layers, that it is about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from promote.model.digest import Digest
from promote.model.malformed import Malformed
from promote.sbom.purl import coordinates

_IMAGE_TYPES = frozenset({"oci", "docker"})
_ALGORITHMS = {"SHA256": "sha256", "SHA-256": "sha256", "SHA512": "sha512", "SHA-512": "sha512"}
_LAYER = re.compile(r"layerID: (\S+)")


def is_image_purl(purl: str) -> bool:
    """Whether a package URL is that of a container image (purl-spec, types oci and docker)."""
    found = coordinates(purl)
    return found is not None and found.type in _IMAGE_TYPES


def of_purls(purls: Iterable[str]) -> Iterator[Digest]:
    """The digests that image package URLs have for a version."""
    for purl in purls:
        found = coordinates(purl)
        if found is not None and found.type in _IMAGE_TYPES:
            yield from of_text(found.version)


def of_text(text: object) -> Iterator[Digest]:
    """The digest in ``sha256:<hex>`` or ``NAME@sha256:<hex>``: what syft and apko call an image."""
    if isinstance(text, str):
        yield from _digest(text.rpartition("@")[2].lower())


def of_hash(algorithm: object, value: object) -> Iterator[Digest]:
    """The digest in a hash of SPDX (``SHA256``) or CycloneDX (``SHA-256``); nothing for an algorithm that OCI lacks."""
    name = _ALGORITHMS.get(algorithm.upper()) if isinstance(algorithm, str) else None
    if name is not None and isinstance(value, str):
        yield from _digest(f"{name}:{value.lower()}")


def of_layer_comment(comment: object) -> Iterator[Digest]:
    """The digest in ``layerID: sha256:<hex>``: where syft, in SPDX, says which layer a file is of."""
    match = _LAYER.match(comment) if isinstance(comment, str) else None
    if match:
        yield from of_text(match[1])


def _digest(text: str) -> Iterator[Digest]:
    try:
        yield Digest.parse(text)
    except Malformed:
        return
