"""What an image is made of, as far as its manifest and its config say."""

from __future__ import annotations

from dataclasses import dataclass

from promote.model.digest import Digest


@dataclass(frozen=True, slots=True)
class Contents:
    """One platform's image.  `config` is the digest of its config, which many tools call the image's id.

    `layers` are the digests of its layers, both uncompressed (the config's ``rootfs.diff_ids``) and as they are stored;
    None where the config does not say.  `created` is what the config says of when it was made, as it is written there.
    """

    image: Digest
    config: Digest | None = None
    layers: frozenset[Digest] | None = None
    created: str | None = None
