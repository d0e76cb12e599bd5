"""The real tools that the interop tests run: which version, how it is made, where it is kept.

Versions are the newest that build with Go 1.26.  To move one, change its row here and run `make interop`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

REFREGISTRY = Path(__file__).parent / "refregistry"
"""The sources of our own little registry: a Go module with its go.sum."""


@dataclass(frozen=True, slots=True)
class GoTool:
    """A command that `go install PACKAGE@VERSION` builds."""

    name: str
    version: str
    package: str


@dataclass(frozen=True, slots=True)
class DebianTool:
    """A command of a Debian package."""

    name: str
    package: str


# cosign first: most of what the Sigstore servers are built from is then in Go's build cache.
GO_TOOLS = (
    GoTool("cosign", "v3.1.3", "github.com/sigstore/cosign/v3/cmd/cosign"),
    GoTool("fulcio", "v1.8.8", "github.com/sigstore/fulcio"),
    GoTool("rekor-server-posix", "v2.3.0", "github.com/sigstore/rekor-tiles/v2/cmd/rekor-server/posix"),
    GoTool("timestamp-server", "v2.1.3", "github.com/sigstore/timestamp-authority/v2/cmd/timestamp-server"),
    GoTool("crane", "v0.22.1", "github.com/google/go-containerregistry/cmd/crane"),
    GoTool("regctl", "v0.11.7", "github.com/regclient/regclient/cmd/regctl"),
    GoTool("registry3", "v3.1.2", "github.com/distribution/distribution/v3/cmd/registry"),
    GoTool("kustomize", "v5.8.2", "sigs.k8s.io/kustomize/kustomize/v5"),
    GoTool("act", "v0.2.89", "github.com/nektos/act"),
)
DEBIAN_TOOLS = (
    DebianTool("docker-registry", "docker-registry"),
    DebianTool("git", "git"),
    DebianTool("ssh-keygen", "openssh-client"),
    DebianTool("unshare", "util-linux"),
)


def cache() -> Path:
    """Where the built tools are kept, shared by every checkout of this user."""
    if chosen := os.environ.get("PROMOTE_INTEROP_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "promote-interop"


def refregistry() -> GoTool:
    """Our registry as a tool; its version is the digest of its sources, so that an edit makes a new build."""
    sources = b"".join((REFREGISTRY / name).read_bytes() for name in ("go.mod", "go.sum", "main.go"))
    return GoTool("refregistry", hashlib.sha256(sources).hexdigest()[:12], str(REFREGISTRY))


def built(tool: GoTool) -> Path:
    """Where the binary of `tool` is, or will be."""
    return cache() / f"{tool.name}-{tool.version}" / tool.name


def find() -> dict[str, Path]:
    """The path of every tool by its name; raises `FileNotFoundError` that names each one that is missing."""
    paths = {tool.name: built(tool) for tool in (*GO_TOOLS, refregistry())}
    paths |= {tool.name: Path(shutil.which(tool.name) or f"(apt-get install {tool.package})") for tool in DEBIAN_TOOLS}
    missing = [f"{name}: {path}" for name, path in paths.items() if not path.is_file()]
    if missing:
        raise FileNotFoundError("run `make interop`, which installs what is missing: " + "; ".join(missing))
    return paths
