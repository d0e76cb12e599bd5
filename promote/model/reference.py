"""References to images: a repository, a tag in it, a digest in it.  Three types with no optional field."""

from __future__ import annotations

import re
from dataclasses import dataclass

from promote.model.digest import Digest
from promote.model.malformed import Malformed

LAYOUT = "oci:"
"""What a registry that is a directory of OCI image layouts begins with."""

_PATH_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_PATH_PART}(?:/{_PATH_PART})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_HOST_PART = r"(?:[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9])"
_HOST = re.compile(rf"(?:{_HOST_PART}(?:\.{_HOST_PART})*|\[[0-9a-fA-F:]+\])(?::[0-9]{{1,5}})?")


@dataclass(frozen=True, slots=True, order=True)
class Repository:
    """One repository: `registry` is ``host[:port]`` or ``oci:DIRECTORY``, `path` the repository's name in it.

    Source: OCI distribution-spec 1.1, "Pulling manifests" (grammar of <name>, at most 255 characters with the host).
    """

    registry: str
    path: str

    def __post_init__(self) -> None:
        if not _PATH.fullmatch(self.path) or len(self.path) > 255:
            raise Malformed("repository", self.path, "lower-case path parts such as acme/web")
        if self.is_layout:
            if self.registry == LAYOUT or "\0" in self.registry:
                raise Malformed("registry", self.registry, "oci:DIRECTORY")
        elif not is_host(self.registry):
            raise Malformed("registry", self.registry, "HOST or HOST:PORT")

    @property
    def is_layout(self) -> bool:
        """Whether this repository is a directory on this machine and not a host."""
        return self.registry.startswith(LAYOUT)

    def tag(self, tag: str) -> TagRef:
        """The reference to `tag` in this repository; raises `Malformed`."""
        return TagRef(self, tag)

    def digest(self, digest: Digest) -> DigestRef:
        """The reference to `digest` in this repository."""
        return DigestRef(self, digest)

    def __str__(self) -> str:
        return f"{self.registry}/{self.path}"


@dataclass(frozen=True, slots=True, order=True)
class TagRef:
    """A tag in a repository: a question that a registry may answer differently tomorrow."""

    repository: Repository
    tag: str

    def __post_init__(self) -> None:
        check_tag(self.tag)

    def __str__(self) -> str:
        return f"{self.repository}:{self.tag}"


@dataclass(frozen=True, slots=True, order=True)
class DigestRef:
    """Content in a repository, by digest: the only thing that is verified, copied and written down."""

    repository: Repository
    digest: Digest

    def __str__(self) -> str:
        return f"{self.repository}@{self.digest}"


def is_host(text: str) -> bool:
    """Whether `text` is ``host`` or ``host:port``."""
    return bool(_HOST.fullmatch(text)) and len(text) <= 255


def check_tag(tag: str) -> str:
    """`tag` itself when it follows the distribution grammar; raises `Malformed`."""
    if not _TAG.fullmatch(tag):
        raise Malformed("tag", tag, "1 to 128 of A-Z a-z 0-9 _ . -, the first not . or -")
    return tag


def join_registry(registry: str, image: str) -> Repository:
    """The repository of `image` (a path) under `registry` (``host[:port][/prefix]`` or ``oci:DIRECTORY``)."""
    if registry.startswith(LAYOUT):
        return Repository(registry, image)
    host, slash, prefix = registry.partition("/")
    return Repository(host, f"{prefix}/{image}" if slash else image)
