"""The real build: `kustomize build`, or `kubectl kustomize`, of an overlay as git holds it.

It runs in a directory of its own that has just the files the overlay takes in, without plugins, without the network's
help for remote bases (an overlay with one is not built), with nothing of this process's environment but PATH.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from promote.errors import Refusal
from promote.model.malformed import shown
from promote.overlays.closure import included
from promote.overlays.objects import Budget, TooLarge, resources
from promote.overlays.reader import Finder
from promote.overlays.rendering import Rendering
from promote.overlays.tree import Tree

TIMEOUT = 60.0
"""Seconds after which a build is given up."""
MAX_OUTPUT = 64 * 1024 * 1024
"""Bytes of rendered output that are read."""


@dataclass(frozen=True, slots=True)
class Builder:
    """A program that builds kustomizations: its name for people, and the command to which a directory is added."""

    name: str
    command: tuple[str, ...]

    def build(self, tree: Tree, directory: str) -> Rendering:
        """What the program renders; what keeps it from doing so is in `blind`.  Ends with the program, or kills it."""
        rendering = Rendering(by=self.name)
        files = included(tree, directory)
        if files is None:
            rendering.blind.append("more files than are copied for a build")
            return rendering
        with tempfile.TemporaryDirectory(prefix="promote-build-") as root:
            for file in files:
                path = Path(root, "tree", file)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(tree.read(file) or b"")
            home = Path(root, "home")
            home.mkdir()
            output = self._run(Path(root, "tree", directory), home, rendering)
        try:
            if output is not None:
                rendering.hold(list(resources(Finder().rendered(self.name, output), Budget())))
        except (Refusal, TooLarge) as problem:
            rendering.blind.append(f"{self.name} gave what cannot be read: {problem}")
        return rendering

    def _run(self, directory: Path, home: Path, rendering: Rendering) -> bytes | None:
        environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home), "GIT_ALLOW_PROTOCOL": "none"}
        try:
            done = subprocess.run(  # noqa: S603  a program of PATH, an argv list, a path that we made
                [*self.command, str(directory)],
                env=environment,
                cwd=home,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=TIMEOUT,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as problem:
            rendering.blind.append(f"{self.name} did not end: {shown(type(problem).__name__)}")
            return None
        if done.returncode or len(done.stdout) > MAX_OUTPUT:
            said = done.stderr.decode("utf-8", "replace").strip().replace(str(directory), ".")
            rendering.blind.append(f"{self.name} failed: {shown(said or f'exit {done.returncode}', 300)}")
            return None
        return done.stdout


def find_builder() -> Builder | None:
    """The first of `kustomize` and `kubectl` on PATH; None when neither is."""
    if path := shutil.which("kustomize"):
        return Builder("kustomize build", (path, "build"))
    if path := shutil.which("kubectl"):
        return Builder("kubectl kustomize", (path, "kustomize"))
    return None
