"""A GitOps repository with promote.yaml, overlays and registries, and the real command run inside it.

    repo = make(tmp_path)                       # case v3-keyless, layouts beside the clone, a bare remote
    ran = repo.run("staging->prod", TAG, "--format", "json")
    assert (ran.code, ran.refused_by) == (0, None)

The tree, with `tmp_path` as T: T/server/deploy.git is the remote (unless `remote=False`), T/deploy the clone that
promote runs in, T/registries/{staging,prod}/acme/APP the layouts.  Every JSON that is read here was checked against its
schema.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.git_world import git
from support.in_process import run_in, schema
from support.registry_server import RegistryServer, load_layout

FIXTURES = Path(__file__).parents[1] / "fixtures" / "cosign"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
TAG = f"sha-{COMMIT}"
DIGEST = "sha256:9173569091b2ea94019f5e7cfb47448a29c0647348af2c5f318e9c2d866ea30e"
SOURCE = "https://github.com/acme/shop"
BUILD = {
    "issuer": "https://token.actions.githubusercontent.com",
    "identity": "https://github.com/acme/shop/.github/workflows/build.yml@refs/heads/main",
}
KUSTOMIZATION = "overlays/{app}/{env}/kustomization.yaml"
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {app}}}
spec:
  template:
    spec:
      containers:
        - name: {app}
          image: {app}
"""
PROD = """\
resources: [../base]
# prod
images:
  - name: {app}   # the app
    newTag: sha-89abcdef
"""


@dataclass(frozen=True)
class Ran:
    """What one run of the command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The result, checked against its schema."""
        return checked_result(self.out)

    @property
    def refused_by(self) -> str | None:
        """The first gate that refused, None when none did."""
        gates = [g for release in self.json["releases"] for g in release["gates"]]
        return next((g["gate"] for g in gates if g["verdict"] == "refuse"), None)

    def gate(self, name: str, release: int = 0) -> dict[str, Any]:
        """What one gate said."""
        return next(g for g in self.json["releases"][release]["gates"] if g["gate"] == name)


def checked_result(text: str) -> dict[str, Any]:
    """The one JSON object of `text`, checked against the schema of results."""
    value: dict[str, Any] = json.loads(text)
    schema("result").validate(value)
    return value


@dataclass
class GitopsRepo:
    """The clone that promote runs in, and what is around it."""

    home: Path
    root: Path
    bare: Path | None
    config: dict[str, Any]
    apps: tuple[str, ...] = ("shop",)
    environment: Mapping[str, str] = field(default_factory=dict)

    # -- running

    def run(self, *arguments: str, cwd: Path | None = None) -> Ran:
        """Run promote in this process, in the clone; stdout and stderr are no files then."""
        return Ran(*run_in(cwd or self.root, *arguments))

    def promote(self, *arguments: str) -> Ran:
        """``promote staging->prod ARGUMENTS --format json``."""
        return self.run("staging->prod", *arguments, "--format", "json", "--quiet")

    def verify(self, reference: str) -> Ran:
        """``promote verify REFERENCE --format json``."""
        return self.run("verify", reference, "--format", "json", "--quiet")

    def command(self, line: str, **environment: str) -> Ran:
        """`line` typed into a real bash in the clone, with promote on PATH."""
        done = subprocess.run(
            ["bash", "--norc", "--noprofile", "-c", line],
            cwd=self.root,
            env=process_environment(**environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    # -- configuration and overlays

    def write(self, path: str, content: str | bytes) -> None:
        """Write one file of the clone."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)

    def write_config(self) -> None:
        """Let promote.yaml say what `config` says.  JSON is YAML."""
        self.write("promote.yaml", json.dumps(self.config, indent=1) + "\n")

    def commit(self, message: str = "change") -> str:
        """Commit everything that is there, and push it."""
        git(self.root, "add", "-A")
        git(self.root, "commit", "-q", "--allow-empty", "-m", message)
        if self.bare:
            git(self.root, "push", "-q", "origin", "main")
        return git(self.root, "rev-parse", "HEAD")

    def configure(self, **sections: Any) -> None:
        """Set top-level sections of promote.yaml and commit."""
        self.config.update(sections)
        self.write_config()
        self.commit("configure")

    def set_overlay(self, env: str, content: str | bytes, app: str = "shop") -> None:
        """Set an overlay's kustomization and commit."""
        self.write(KUSTOMIZATION.format(app=app, env=env), content)
        self.commit(f"set {env}")

    def overlay(self, env: str = "prod", app: str = "shop") -> bytes:
        """The overlay's kustomization as the branch has it where it counts: at the remote when there is one."""
        path = f"main:{KUSTOMIZATION.format(app=app, env=env)}"
        return subprocess.run(["git", "show", path], cwd=self.bare or self.root, capture_output=True, check=True).stdout

    def commits(self) -> list[str]:
        """The subjects of the branch's commits, newest first."""
        return git(self.bare or self.root, "log", "--format=%s", "main").splitlines()

    def promotions(self) -> list[str]:
        """The subjects of the promotions among them."""
        return [subject for subject in self.commits() if subject.startswith("promote(")]

    def clone(self, name: str) -> GitopsRepo:
        """Another clone of the remote, beside the first."""
        assert self.bare is not None
        git(self.home, "clone", "-q", str(self.bare), str(self.home / name))
        return GitopsRepo(self.home, self.home / name, self.bare, self.config, self.apps)

    # -- registries that are directories

    def layout(self, env: str, app: str = "shop") -> Path:
        """The layout of one environment; it need not exist."""
        return self.home / "registries" / env / "acme" / app

    def tags(self, env: str = "prod", app: str = "shop") -> dict[str, str]:
        """The tags of a layout that somebody chose, with their digests; none that name evidence."""
        index = self.layout(env, app) / "index.json"
        if not index.exists():
            return {}
        listed = json.loads(index.read_bytes())["manifests"]
        name = "org.opencontainers.image.ref.name"
        tags = {d["annotations"][name]: d["digest"] for d in listed if name in d.get("annotations", {})}
        return {tag: digest for tag, digest in tags.items() if not tag.startswith("sha256-")}

    def everything(self) -> dict[str, str]:
        """The hash of every file there is: registries, remote, clone, index and objects."""
        return tree_hashes(self.home)


def make(
    home: Path,
    *,
    case: str = "v3-keyless",
    apps: Iterable[str] = ("shop",),
    staging: str | None = None,
    prod: str | None = None,
    remote: bool = True,
    staging_runs: str | None = TAG,
    pinned: bool = True,
    **sections: Any,
) -> GitopsRepo:
    """Build it.  `staging` and `prod` are registries (``host:port``), layouts when None.

    `staging_runs` is the tag that the overlay of staging has, with the digest when `pinned`.  `sections` are set over
    those of promote.yaml.
    """
    names = tuple(apps)
    bare = home / "server" / "deploy.git" if remote else None
    repo = GitopsRepo(home, home / "deploy", bare, _config(case, names, staging, prod) | sections, names)
    for app in names if staging is None else ():
        shutil.copytree(FIXTURES / case / "layout", repo.layout("staging", app))
    digest = digest_of_case(case)
    for app in names:
        repo.write(f"overlays/{app}/base/kustomization.yaml", "resources: [deployment.yaml]\n")
        repo.write(f"overlays/{app}/base/deployment.yaml", DEPLOYMENT.format(app=app))
        repo.write(
            KUSTOMIZATION.format(app=app, env="staging"), staging_overlay(app, staging_runs, digest if pinned else None)
        )
        repo.write(KUSTOMIZATION.format(app=app, env="prod"), PROD.format(app=app))
    for name in ("trusted_root.json", "key.pub"):
        if (FIXTURES / case / name).exists():
            repo.write(f"trust/{name}", (FIXTURES / case / name).read_bytes())
    repo.write_config()
    git(repo.root, "init", "-q", "-b", "main")
    settings = "[user]\n\tname = Test\n\temail = test@example.com\n"
    if bare:
        settings += f'[remote "origin"]\n\turl = {bare}\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n'
    with (repo.root / ".git" / "config").open("a") as file:
        file.write(settings)
    git(repo.root, "add", "-A")
    git(repo.root, "commit", "-q", "-m", "begin")
    if bare:
        git(home, "clone", "-q", "--bare", str(repo.root), str(bare))
    return repo


def serve(server: RegistryServer, case: str = "v3-keyless", apps: Iterable[str] = ("shop",)) -> str:
    """Put a fixture's image into `server` for each app; the server's address."""
    for app in apps:
        load_layout(FIXTURES / case / "layout", server, f"acme/{app}")
    return server.address


def digest_of_case(case: str) -> str:
    """The digest of a fixture's image."""
    return str(json.loads((FIXTURES / case / "case.json").read_bytes())["digest"])


def staging_overlay(app: str, tag: str | None, digest: str | None) -> str:
    """An overlay of staging that runs `tag`, with `digest` or without; None: some other tag."""
    lines = ["resources: [../base]", "images:", f"  - name: {app}", f'    newTag: "{tag or "sha-0000000"}"']
    return "\n".join([*lines, *([f"    digest: {digest}"] if digest and tag else [])]) + "\n"


def tree_hashes(directory: Path) -> dict[str, str]:
    """The hash of every file below `directory`."""
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def process_environment(**more: str) -> dict[str, str]:
    """The environment of a promote that is started as a process: this one's, with the tested promote on PATH."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, **more}


def _config(case: str, apps: tuple[str, ...], staging: str | None, prod: str | None) -> dict[str, Any]:
    def environment(name: str, registry: str | None, **more: Any) -> dict[str, Any]:
        where = registry or f"oci:../registries/{name}"
        pull = {} if registry else {"pull": f"registry.{name}.example"}
        return {**more, "registry": where, **pull, "overlays": [f"overlays/{{app}}/{name}"]}

    trust: dict[str, Any] = {"signers": [BUILD]}
    if (FIXTURES / case / "key.pub").exists():
        trust["signers"] = [{"key": "trust/key.pub"}]
    if (FIXTURES / case / "trusted_root.json").exists():
        trust["root"] = "trust/trusted_root.json"
    return {
        "version": 1,
        "apps": {app: {"image": f"acme/{app}", "names": [app], "source": SOURCE} for app in apps},
        "environments": {
            "staging": environment("staging", staging),
            "prod": environment("prod", prod, **{"from": ["staging"]}),
        },
        "trust": trust,
    }
