"""The real tools that the interop tests run: which version, how it is made, where it is kept.

Versions are the newest that build with Go 1.26.  To move one, change its row here and run `make interop`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

FORGES = Path(__file__).parent / "forges"
"""The npm packages with GitHub's descriptions and the server that checks against them, with hashes of all."""
CILINT = Path(__file__).parent / "cilint"
"""The sources of what reads manifests as Tekton and Argo Workflows do: a Go module with its go.sum."""
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
    GoTool("cosign2", "v2.6.5", "github.com/sigstore/cosign/v2/cmd/cosign"),
    GoTool("fulcio", "v1.8.8", "github.com/sigstore/fulcio"),
    GoTool("rekor-server-posix", "v2.3.0", "github.com/sigstore/rekor-tiles/v2/cmd/rekor-server/posix"),
    GoTool("timestamp-server", "v2.1.3", "github.com/sigstore/timestamp-authority/v2/cmd/timestamp-server"),
    GoTool("crane", "v0.22.1", "github.com/google/go-containerregistry/cmd/crane"),
    GoTool("regctl", "v0.11.7", "github.com/regclient/regclient/cmd/regctl"),
    GoTool("registry3", "v3.1.2", "github.com/distribution/distribution/v3/cmd/registry"),
    GoTool("kustomize", "v5.8.2", "sigs.k8s.io/kustomize/kustomize/v5"),
    GoTool("kustomize5.5", "v5.5.0", "sigs.k8s.io/kustomize/kustomize/v5"),  # what kubectl 1.32 has built in
    GoTool("act", "v0.2.89", "github.com/nektos/act"),
    GoTool("actionlint", "v1.7.12", "github.com/rhysd/actionlint/cmd/actionlint"),
)
GITEA = GoTool("gitea", "v1.26.0", "code.gitea.io/gitea")
"""Built in its own module, because `go install` refuses a module that replaces others."""
DEBIAN_TOOLS = (
    DebianTool("bash", "bash"),
    DebianTool("buildah", "buildah"),
    DebianTool("debootstrap", "debootstrap"),
    DebianTool("docker-registry", "docker-registry"),
    DebianTool("fish", "fish"),
    DebianTool("git", "git"),
    DebianTool("jq", "jq"),
    DebianTool("skopeo", "skopeo"),
    DebianTool("gpg", "gpg"),
    DebianTool("gpg-agent", "gpg-agent"),
    DebianTool("gpgsm", "gpgsm"),
    DebianTool("node", "nodejs"),
    DebianTool("npm", "npm"),
    DebianTool("ssh-keygen", "openssh-client"),
    DebianTool("sshd", "openssh-server"),
    DebianTool("unshare", "util-linux"),
    DebianTool("zsh", "zsh"),
)


DEBIAN = "trixie"
"""The Debian that the Containerfile builds on, by the name that debootstrap knows."""
TRILLIAN = "v1.7.2"
# A Rekor v1 and the database below its log: for `make interop-full` alone.  The core packages of MariaDB bring its
# programs and start nothing.
FULL_GO_TOOLS = (
    GoTool("trillian_log_server", TRILLIAN, "github.com/google/trillian/cmd/trillian_log_server"),
    GoTool("trillian_log_signer", TRILLIAN, "github.com/google/trillian/cmd/trillian_log_signer"),
    GoTool("rekor-server", "v1.5.4", "github.com/sigstore/rekor/cmd/rekor-server"),
)
FULL_DEBIAN_TOOLS = (
    DebianTool("mariadbd", "mariadb-server-core"),
    DebianTool("mariadb-install-db", "mariadb-server-core"),
    DebianTool("mariadb", "mariadb-client-core"),
)


def cache() -> Path:
    """Where the built tools are kept, shared by every checkout of this user."""
    if chosen := os.environ.get("PROMOTE_INTEROP_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "promote-interop"


def ours(sources: Path) -> GoTool:
    """A Go module of ours as a tool; its version is the digest of its sources, so that an edit makes a new build."""
    content = b"".join((sources / name).read_bytes() for name in ("go.mod", "go.sum", "main.go"))
    return GoTool(sources.name, hashlib.sha256(content).hexdigest()[:12], str(sources))


def our_tools() -> tuple[GoTool, ...]:
    """The commands whose sources are here."""
    return ours(REFREGISTRY), ours(CILINT)


def forges() -> Path:
    """Where the npm packages of `FORGES` are, or will be; named by the digest of their list."""
    listed = hashlib.sha256((FORGES / "package-lock.json").read_bytes()).hexdigest()[:12]
    return cache() / f"forges-{listed}"


def gitea_files() -> Path:
    """Where the templates and options that Gitea reads while it runs are, or will be."""
    return built(GITEA).parent / "static"


def built(tool: GoTool) -> Path:
    """Where the binary of `tool` is, or will be."""
    return cache() / f"{tool.name}-{tool.version}" / tool.name


def debian_base() -> Path:
    """Where a minimal Debian is, or will be, as a tar archive: what the Containerfile builds upon in these tests."""
    return cache() / f"debian-{DEBIAN}" / "root.tar"


def trillian_schema() -> Path:
    """Where the tables of Trillian's log are described in SQL, or will be."""
    return cache() / f"trillian-{TRILLIAN}" / "storage.sql"


def on_path(tool: DebianTool) -> Path | None:
    """The command of an installed package; Debian keeps servers in a directory that only root has on PATH."""
    found = shutil.which(tool.name) or shutil.which(tool.name, path="/usr/sbin")
    return Path(found) if found else None


def find() -> dict[str, Path]:
    """The path of every tool of `make interop` by its name; raises `FileNotFoundError` that names each missing one."""
    return _present(_paths((*GO_TOOLS, GITEA, *our_tools()), DEBIAN_TOOLS), "make interop")


def find_full() -> dict[str, Path]:
    """As `find`, with what `make interop-full` adds; "trillian-schema" is a file."""
    paths = {**_paths(FULL_GO_TOOLS, FULL_DEBIAN_TOOLS), "trillian-schema": trillian_schema()}
    return find() | _present(paths, "make interop-full")


def _paths(go: Iterable[GoTool], debian: Iterable[DebianTool]) -> dict[str, Path]:
    paths = {tool.name: built(tool) for tool in go}
    paths["prism"] = forges() / "node_modules" / ".bin" / "prism"
    paths["debian-base"] = debian_base()
    return paths | {tool.name: on_path(tool) or Path(f"(apt-get install {tool.package})") for tool in debian}


def _present(paths: dict[str, Path], command: str) -> dict[str, Path]:
    missing = [f"{name}: {path}" for name, path in paths.items() if not path.is_file()]
    if missing:
        raise FileNotFoundError(f"run `{command}`, which installs what is missing: " + "; ".join(missing))
    return paths
