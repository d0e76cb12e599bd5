"""Digests: the only name of content that promote trusts."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from promote.model.malformed import Malformed

HEX_LENGTH = {"sha256": 64, "sha512": 128}
_HEX = re.compile(r"[0-9a-f]+")


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """A content digest, valid by construction: sha256 or sha512, lower-case hex of the right length.

    Source: OCI image-spec 1.1, descriptor.md, "Digests".  Other registered algorithms are refused, because a
    digest that cannot be recomputed here cannot be checked here.
    """

    algorithm: str
    hex: str

    def __post_init__(self) -> None:
        length = HEX_LENGTH.get(self.algorithm)
        if length is None or len(self.hex) != length or not _HEX.fullmatch(self.hex):
            raise Malformed("digest", f"{self.algorithm}:{self.hex}", "sha256:<64 lower-case hex> or sha512:<128>")

    @classmethod
    def parse(cls, text: object) -> Digest:
        """The digest that `text` spells; raises `Malformed` for anything else, a non-string included."""
        if not isinstance(text, str):
            raise Malformed("digest", text, "a string such as sha256:<64 lower-case hex>")
        algorithm, colon, hexdigits = text.partition(":")
        if not colon:
            raise Malformed("digest", text, "sha256:<64 lower-case hex>")
        return cls(algorithm, hexdigits)

    @classmethod
    def of(cls, content: bytes, algorithm: str = "sha256") -> Digest:
        """The digest of `content`."""
        return cls(algorithm, hashlib.new(algorithm, content).hexdigest())

    def matches(self, content: bytes) -> bool:
        """Whether `content` has this digest."""
        return Digest.of(content, self.algorithm) == self

    @property
    def short(self) -> str:
        """Twelve hex digits, for the eye only."""
        return self.hex[:12]

    @property
    def tag(self) -> str:
        """The tag that stands for this digest where a registry has no referrers API: ``sha256-<hex>``.

        Source: OCI distribution-spec 1.1, "Referrers Tag Schema" (algorithm cut at 32, encoded at 64 characters).
        """
        return f"{self.algorithm[:32]}-{self.hex[:64]}"

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.hex}"
