"""What is measured on: signed images in real registries, a GitOps repository behind HTTP, and the commands to run."""

from __future__ import annotations

import json
import os
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BytesIO
from itertools import count
from pathlib import Path
from random import Random

from harness import tools as toolbox
from harness.gitops import DEPLOYMENT, GIT_ENV, OVERLAY, PULL_PROD, PULL_STAGING, RUNS_BEFORE
from harness.images import SPDX
from harness.process import run
from harness.registries import distribution3
from harness.signing import COSIGN_ENV, Key

from bench.git_server import git_server
from bench.link import Link, link
from bench.measure import Command

SOURCE = "acme/web"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
TAG = f"sha-{COMMIT}"
PYTHON = sys.executable
PROMOTE = str(Path(sys.executable).parent / "promote")
TAG_SCHEME = ("--new-bundle-format=false", "--use-signing-config=false", "--tlog-upload=false")
_UNUSUAL = frozenset({"PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONDEVMODE", "PYTHONTRACEMALLOC"})
"""An installed promote has its bytecode beside it; these are for developers, and cost."""
_NUMBERS = count()


@dataclass(frozen=True)
class Ends:
    """The addresses of one kind of link: registries a and b, and the git server."""

    a: str
    b: str
    git: str
    links: tuple[Link, ...] = ()

    def forget(self) -> None:
        """Count requests from zero again."""
        for each in self.links:
            each.forget()

    @property
    def requests(self) -> list[str]:
        """The requests to both registries."""
        return [request for each in self.links[:2] for request in each.requests]


@dataclass(frozen=True)
class World:
    """Everything, running."""

    directory: Path
    tools: Mapping[str, Path]
    key: Key
    near: Ends
    far: Ends

    @property
    def env(self) -> dict[str, str]:
        """The environment of every command: nobody's credentials, git without configuration."""
        home = str(self.directory / "home")
        path = os.pathsep.join(str(self.tools[t].parent) for t in ("cosign", "crane", "regctl", "kustomize"))
        own = {"HOME": home, "DOCKER_CONFIG": home, "XDG_RUNTIME_DIR": home, "XDG_CONFIG_HOME": home, "NO_COLOR": "1"}
        inherited = {name: value for name, value in os.environ.items() if name not in _UNUSUAL}
        return {**inherited, **GIT_ENV, **COSIGN_ENV, **own, "PATH": f"{path}{os.pathsep}{os.environ['PATH']}"}

    def command(self, *argv: str, cwd: Path | None = None) -> Command:
        """A command of this world."""
        return Command(argv, cwd or self.directory, self.env)

    def image(self, path: str, *, layers: int, size: int, options: tuple[str, ...] = ()) -> str:
        """Build, sign and attest ``a/PATH/acme/web``; its digest.  `options` choose how cosign stores evidence."""
        target = f"{self.near.a}/{path}/{SOURCE}:{TAG}"
        files = [part for n in range(layers) for part in ("-f", str(self._layer(f"{path} {n}", size)))]
        labels = {"source": f"https://github.com/{SOURCE}", "revision": COMMIT, "created": "2026-01-01T00:00:00Z"}
        named = [f"--label=org.opencontainers.image.{name}={value}" for name, value in labels.items()]
        self._run("crane", "append", "--oci-empty-base", *files, "-t", target)
        self._run("crane", "mutate", "--set-platform=linux/amd64", *named, target, "-t", target)
        digest = self._run("crane", "digest", target)
        predicate = self.directory / "spdx.json"
        predicate.write_text(json.dumps(SPDX))
        how = [f"--key={self.key.directory}/cosign.key", *options] if options else self.key.sign_options("", "")
        reference = f"{self.near.a}/{path}/{SOURCE}@{digest}"
        self._run("cosign", "sign", "--yes", *how, "-a", f"commit={COMMIT}", "-a", f"repo={SOURCE}", reference)
        self._run("cosign", "attest", "--yes", *how, "--type=spdxjson", f"--predicate={predicate}", reference)
        return digest

    def gitops(self, staging: str, prod: str, git: str, digest: str, *, apps: int = 1, overlays: bool = True) -> Path:
        """A fresh clone of a fresh bare repository behind `git`, whose staging runs the image.

        Apps are called web, or app0, app1 ...; each has its image under ``acme/web`` of its own registry prefix.
        """
        name = f"deploy-{next(_NUMBERS)}"
        origin, clone = self.directory / "git" / f"{name}.git", self.directory / "clones" / name
        run(["git", "init", "--quiet", "--bare", "--initial-branch=main", origin], env=GIT_ENV)
        run(["git", "-c", "init.defaultBranch=main", "clone", "--quiet", origin, clone], env=GIT_ENV)
        files = {"promote.yaml": json.dumps(_configuration(staging, prod, apps, overlays=overlays), indent=1).encode()}
        files |= self.key.trust_files()
        before_tag, before_digest = RUNS_BEFORE
        for app in _apps(apps):
            at = f"overlays/{app}"
            files[f"{at}/base/kustomization.yaml"] = b"resources: [deployment.yaml]\n"
            files[f"{at}/base/deployment.yaml"] = DEPLOYMENT.replace("web", app).encode()
            files[f"{at}/staging/kustomization.yaml"] = _overlay(app, "staging", PULL_STAGING, TAG, digest)
            files[f"{at}/prod/kustomization.yaml"] = _overlay(app, "prod", PULL_PROD, before_tag, before_digest)
        for path, content in files.items():
            (clone / path).parent.mkdir(parents=True, exist_ok=True)
            (clone / path).write_bytes(content)
        for line in ("add --all", "commit --quiet --message=begin", "push --quiet origin HEAD:main"):
            run(["git", *line.split()], cwd=clone, env=GIT_ENV)
        run(["git", "branch", "--quiet", "--set-upstream-to=origin/main"], cwd=clone, env=GIT_ENV)
        run(["git", "remote", "set-url", "origin", f"http://{git}/{name}.git"], cwd=clone, env=GIT_ENV)
        return clone

    def empty_target(self) -> str:
        """A repository prefix that nobody used before."""
        return f"target/{next(_NUMBERS)}"

    def _layer(self, text: str, size: int) -> Path:
        path = self.directory / f"layer-{next(_NUMBERS)}.tar"
        source, part = Random(text), min(size, 1024 * 1024)
        data = b"".join(source.randbytes(part) for _ in range(size // part))
        member = tarfile.TarInfo("app/data")
        member.size = size
        with tarfile.open(path, "w") as archive:
            archive.addfile(member, BytesIO(data))
        return path

    def _run(self, tool: str, *arguments: str) -> str:
        return run([self.tools[tool], *arguments], env=self.env, cwd=self.directory)


def _apps(number: int) -> list[str]:
    return ["web"] if number == 1 else [f"app{n}" for n in range(number)]


def _configuration(staging: str, prod: str, apps: int, *, overlays: bool) -> dict[str, object]:
    where = {env: {"overlays": [f"overlays/{{app}}/{env}"]} if overlays else {} for env in ("staging", "prod")}
    source = f"https://github.com/{SOURCE}"
    return {
        "version": 1,
        "apps": {
            app: {"image": SOURCE if apps == 1 else f"{app}/{SOURCE}", "names": [app], "source": source}
            for app in _apps(apps)
        },
        "environments": {
            "staging": {"registry": staging, "pull": PULL_STAGING, **where["staging"]},
            "prod": {"from": ["staging"], "registry": prod, "pull": PULL_PROD, **where["prod"]},
        },
        "trust": {"signers": [{"key": "trust/cosign.pub"}]},
        "git": {"branch": "main"},
    }


def _overlay(app: str, environment: str, pull: str, tag: str, digest: str) -> bytes:
    text = OVERLAY.format(environment=environment, pull=pull, tag=tag, digest=digest)
    own = text if app == "web" else text.replace(f"{pull}/{SOURCE}", f"{pull}/{app}/{SOURCE}")
    return own.replace("name: web", f"name: {app}").encode()


@contextmanager
def world(round_trip: float) -> Iterator[World]:
    """Two distribution 3 registries and a git server, near (loopback) and far (`round_trip` seconds away)."""
    tools = toolbox.find()
    with ExitStack() as running:
        temporary = tempfile.TemporaryDirectory(prefix="promote-bench-", ignore_cleanup_errors=True)
        directory = Path(running.enter_context(temporary))
        for name in ("home", "git", "clones"):
            (directory / name).mkdir()
        a = running.enter_context(distribution3(tools, directory / "a"))
        b = running.enter_context(distribution3(tools, directory / "b"))
        git = running.enter_context(git_server(directory / "git"))
        links = tuple(running.enter_context(link(target, round_trip)) for target in (a, b, git))
        key = Key.generate(tools, directory / "key")
        far = Ends(*(each.address for each in links), links=links)
        yield World(directory, tools, key, Ends(a, b, git), far)
