"""Container images as buildah builds and runs them: as root, in a chroot, with a storage of its own."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.process import run

COMMIT = "7e57c0de" * 5
"""The commit that promote's own image says it is built from in these tests."""
HOST_CA = "/run/host-ca.crt"
"""Where the build finds the CA bundle of this machine: package indexes may be behind a proxy that only it knows."""


@dataclass(frozen=True, slots=True)
class Base:
    """An image to build upon: ``host:port/path:tag`` and its digest."""

    name: str
    digest: str

    @classmethod
    def push(cls, tools: Mapping[str, Path], registry: str) -> Base:
        """Debian as debootstrap made it, pushed to a registry on loopback under the name that it has elsewhere."""
        name = f"{registry}/library/debian:slim"
        run([tools["crane"], "append", "--oci-empty-base", "-f", tools["debian-base"], "-t", name])
        run([tools["crane"], "mutate", "--set-platform=linux/amd64", name, "-t", name])
        return cls(name, run([tools["crane"], "digest", name]))


@dataclass(frozen=True, slots=True)
class Buildah:
    """buildah with everything it keeps under `directory`."""

    binary: Path
    directory: Path

    @contextmanager
    def emptied(self) -> Iterator[Buildah]:
        """Itself, while the block runs; afterwards nothing of it is mounted or stored any more."""
        try:
            yield self
        finally:
            self._run("rm", "--all")
            self._run("rmi", "--all", "--force")
            # The storage keeps its own directory mounted, private, for whoever comes next: here nobody does.
            mounted = [Path(line.split()[1]) for line in Path("/proc/self/mounts").read_text().splitlines()]
            for place in reversed([place for place in mounted if place.is_relative_to(self.directory)]):
                run(["umount", place])

    @property
    def command(self) -> list[str]:
        """buildah and the options that come before its verb."""
        kept = [f"--root={self.directory / 'storage'}", f"--runroot={self.directory / 'running'}"]
        return [str(self.binary), *kept]

    def options(self, arguments: Mapping[str, str]) -> list[str]:
        """What a build on this machine takes besides what it is of; `arguments` are those of the Containerfile."""
        configuration = self.directory / "pip.conf"
        configuration.write_text(f"[global]\ncert = {HOST_CA}\n")
        authorities = ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt"
        return [
            "--isolation=chroot",
            "--layers",  # what one test has built need not be built for the next
            "--tls-verify=false",
            f"--secret=id=pip.conf,src={configuration}",
            f"--volume={authorities}:{HOST_CA}:ro",
            *(f"--build-arg={name}={value}" for name, value in arguments.items()),
        ]

    def build(self, context: Path, tag: str, arguments: Mapping[str, str], *, code: int = 0) -> None:
        """Build the Containerfile of `context` as the local image `tag`; raises unless buildah exits `code`."""
        ignore = f"--ignorefile={context}/.containerignore"
        self._run("build", *self.options(arguments), ignore, f"--tag={tag}", str(context), code=code)

    def image(self, tag: str) -> dict[str, Any]:
        """The OCI image configuration of a local image."""
        inspected: dict[str, Any] = json.loads(self._run("inspect", "--type=image", tag))["OCIv1"]
        return inspected

    def push(self, tag: str, target: str) -> str:
        """Push a local image to a registry on loopback, ``host:port/path:tag``; its digest there."""
        digest = self.directory / "digest"
        self._run("push", "--tls-verify=false", f"--digestfile={digest}", tag, f"docker://{target}")
        return digest.read_text()

    @contextmanager
    def container(self, tag: str) -> Iterator[Container]:
        """A container of a local image, while the block runs."""
        name = self._run("from", "--pull=never", tag)
        try:
            yield Container(self, name)
        finally:
            self._run("rm", name)

    def _run(self, *arguments: str, code: int = 0) -> str:
        return run([*self.command, *arguments], code=code)


@dataclass(frozen=True, slots=True)
class Container:
    """A container that commands are run in, one after the other, as the image's own user."""

    buildah: Buildah
    name: str

    def run(self, *command: str, volumes: Mapping[Path, str] | None = None, directory: str = "", code: int = 0) -> str:
        """What the command prints in `directory`, else in the image's own.

        Directories of this machine are mounted where `volumes` says.
        """
        options = [f"--volume={here}:{there}" for here, there in (volumes or {}).items()]
        options += [f"--workingdir={directory}"] if directory else []
        return self.buildah._run("run", "--isolation=chroot", *options, self.name, "--", *command, code=code)

    def root(self) -> Path:
        """Where the container's root directory is on this machine."""
        return Path(self.buildah._run("mount", self.name))
