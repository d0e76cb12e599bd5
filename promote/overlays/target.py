"""What every pin of an overlay shall say."""

from __future__ import annotations

import re
from dataclasses import dataclass

from promote.model.digest import Digest
from promote.model.malformed import Malformed
from promote.model.reference import check_tag

_NAME = re.compile(r"[A-Za-z0-9\[][A-Za-z0-9._:/\[\]-]*")


@dataclass(frozen=True, slots=True)
class Target:
    """The release that every pin shall name.  `pull_name` None keeps the name that is there.

    Raises `Malformed` when `tag` or `pull_name` is not of its grammar.
    """

    pull_name: str | None
    tag: str
    digest: Digest

    def __post_init__(self) -> None:
        check_tag(self.tag)
        if self.pull_name is not None and not _NAME.fullmatch(self.pull_name):
            raise Malformed("image name", self.pull_name, "HOST/PATH without tag and digest")

    @property
    def version(self) -> str:
        """``TAG@DIGEST``, the release without a name."""
        return f"{self.tag}@{self.digest}"

    def reference(self, name: str) -> str:
        """The whole reference, for an image that is called `name` now."""
        return f"{self.pull_name or name}:{self.version}"
