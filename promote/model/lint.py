"""What `promote lint` looks for in overlays, and what it found."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, StrEnum

from promote.model.result import ErrorResult

FLOATING = re.compile(
    r"latest|stable|edge|nightly|canary|current|release|rolling|main|master|trunk|head|develop(ment)?|dev|test|staging"
    r"|prod(uction)?",
    re.IGNORECASE,
)
"""Tags that are moved by custom: channels, branches and environments.  A version is none, and wants a digest."""


class Level(StrEnum):
    """How bad a finding is, in the words of SARIF 2.1.0 (3.27.10)."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Rule(Enum):
    """A rule: its stable code, its level, what it says in general, and what to do."""

    TAG_MISSING = (
        "tag-missing",
        Level.ERROR,
        "An image without tag and digest is whatever `latest` names when a node pulls it.",
        "pin it in the overlay's `images:` with newTag and digest",
    )
    FLOATING_TAG = (
        "floating-tag",
        Level.ERROR,
        "A floating tag names another image tomorrow.",
        "pin the tag that the build of a commit pushed, such as sha-4f2a91c, and its digest",
    )
    TAG_NOT_A_COMMIT = (
        "tag-not-a-commit",
        Level.ERROR,
        "The tag of an app of promote.yaml must name the commit that it was built from.",
        "promote a release whose tag names its commit, such as sha-4f2a91c, or write in `gates.tag` how yours do",
    )
    DIGEST_MISSING = (
        "digest-missing",
        Level.ERROR,
        "A tag without a digest can be moved to other bytes in the registry.",
        "add the digest beside the tag; `crane digest IMAGE:TAG` prints it, and a promotion writes it",
    )
    DIGEST_MALFORMED = (
        "digest-malformed",
        Level.ERROR,
        "What stands where the digest belongs is no digest.",
        "write sha256: and 64 lower-case hex digits",
    )
    OVERLAY_UNREADABLE = (
        "overlay-unreadable",
        Level.ERROR,
        "A file of the overlay cannot be read, so that nobody can say which images it has.",
        "correct the file; `kustomize build` says what it thinks of it",
    )
    FLOATING_TAG_PINNED = (
        "floating-tag-pinned",
        Level.WARNING,
        "The digest decides what runs, and the floating tag beside it says nothing about it.",
        "write a tag that names what the digest is",
    )
    DIGEST_ONLY = (
        "digest-only",
        Level.WARNING,
        "The digest decides what runs, and no tag says which commit that is.",
        "add the tag of the commit as newTag beside the digest",
    )
    IMAGE_UNRESOLVED = (
        "image-unresolved",
        Level.NOTE,
        "A variable stands where the image is named, and something else fills it in.",
        "look at what fills it in, or name the image here",
    )
    OVERLAY_UNSEEN = (
        "overlay-unseen",
        Level.NOTE,
        "A part of the overlay is not in this repository or made by a program, so that its images were not seen.",
        "look at what `kustomize build` renders",
    )

    def __init__(self, code: str, level: Level, why: str, fix: str) -> None:
        self.code = code
        self.level = level
        self.why = why
        self.fix = fix


@dataclass(frozen=True, slots=True)
class LintFinding:
    """One finding: at the one-based `line` of `file` (relative to the tree's root), seen in `overlay`.

    `image` is the reference as a cluster would get it, None where the finding is about no image.
    """

    rule: Rule
    file: str
    line: int
    overlay: str
    message: str
    image: str | None = None


@dataclass(frozen=True, slots=True)
class LintResult:
    """What was found in `overlays`, by file and line.  `error` is set when something must be corrected."""

    exit_code: int
    overlays: tuple[str, ...] = ()
    findings: tuple[LintFinding, ...] = ()
    error: ErrorResult | None = None
