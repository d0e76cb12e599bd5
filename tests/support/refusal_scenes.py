"""How to make promote end with each code: the scenes that the pages of the error codes show."""

from __future__ import annotations

from support import (
    refusal_scenes_checks,
    refusal_scenes_commandline,
    refusal_scenes_copies,
    refusal_scenes_gates,
    refusal_scenes_git,
    refusal_scenes_hosts,
    refusal_scenes_images,
    refusal_scenes_registries,
)
from support.refusal_world import Scene

SCENES: dict[str, Scene] = {
    **refusal_scenes_gates.SCENES,
    **refusal_scenes_commandline.SCENES,
    **refusal_scenes_git.SCENES,
    **refusal_scenes_hosts.SCENES,
    **refusal_scenes_registries.SCENES,
    **refusal_scenes_images.SCENES,
    **refusal_scenes_copies.SCENES,
    **refusal_scenes_checks.SCENES,
}
"""Each code that a run can be made to end with, and how."""

NO_SCENE = {
    "turned-off": "It is no refusal: it stands beside a gate that is off.",
    "not-asked-for": "It is no refusal: it stands beside a gate that has nothing to do.",
    "not-judged": "It is no refusal: it stands beside a gate that was not reached.",
    "unreadable": "What could not be read gives the run a code of its own, such as registry-unreachable.",
    "stopped": "The fault that stopped the other work gives the run its code.",
    "credentials-expired": "promote renews the credentials and sends the blob again; credentials-refused ends a run.",
    "upload-in-chunks": "promote sends the blob again in chunks; upload-too-large ends a run.",
    "content-length": "Every reader compares lengths before this does; content-mismatch ends a run.",
    "evidence-too-slow": "It takes a registry that makes promote wait for five minutes.",
    "too-many-directories": "It takes a tree of twenty thousand directories.",
    "commit-too-large": "It takes forty megabytes of overlays in one commit.",
    "not-a-layout": "promote.yaml is checked before: configuration-invalid ends a run.",
    "bad-path": "promote.yaml is checked before: configuration-invalid ends a run.",
    "bad-commit": "Commits are named by git alone, and it takes a git that names none.",
    "edit-check-failed": "No file is known for which promote's edit does not read back as meant.",
    "not-raw": "It would be a bug of promote, and none is known.",
}
"""The other codes, and why no transcript shows them."""
