"""The row of `--repo URL`: a repository of 30,000 commits, against the least that git itself could do for the same."""

from __future__ import annotations

import subprocess

from harness.gitops import GIT_ENV
from harness.process import run
from support.git_monorepo import grow

from bench.measure import Command, in_turns
from bench.rows import Row, row_of
from bench.world import PROMOTE, TAG, World

KUSTOMIZATIONS = 1300
COMMITS = 30_000

_SCRIPT = """\
set -e
d=$(mktemp -d)
trap 'rm -rf "$d"' EXIT
git ls-remote --quiet {url} refs/heads/main >/dev/null
git clone --quiet --bare --depth=1 --filter=blob:none {url} "$d/r"
cd "$d/r"
git cat-file blob main:overlays/web/prod/kustomization.yaml >/dev/null
git -c user.name=b -c user.email=b@e commit-tree -p main -m peer "main^{{tree}}" >"$d/new"
git push --quiet origin "$(cat "$d/new"):refs/heads/main"
"""


def repo_url(world: World, pairs: int) -> list[Row]:
    """A whole promotion by URL, registries near, git 40 ms away, over ls-remote, one file read and one push."""
    digest = world.image("url", layers=1, size=1024)
    clone = world.gitops(f"{world.near.a}/url", f"{world.near.b}/{world.empty_target()}", world.far.git, digest)
    url = run(["git", "remote", "get-url", "origin"], cwd=clone, env=GIT_ENV)
    bare = world.directory / "git" / url.rpartition("/")[2]
    subprocess.run(["git", "config", "uploadpack.allowFilter", "true"], cwd=bare, env=GIT_ENV, check=True)
    grow(bare, kustomizations=KUSTOMIZATIONS, commits=COMMITS)
    begin = run(["git", "rev-parse", "main"], cwd=bare, env=GIT_ENV)

    def ours(_: int) -> Command:
        run(["git", "update-ref", "refs/heads/main", begin], cwd=bare, env=GIT_ENV)
        return world.command(PROMOTE, "staging->prod", TAG, "--repo", url)

    def peer(_: int) -> Command:
        run(["git", "update-ref", "refs/heads/main", begin], cwd=bare, env=GIT_ENV)
        return world.command("bash", "-c", _SCRIPT.format(url=url))

    runs = in_turns({"promote": ours, "git": peer}, pairs)
    work = f"--repo URL, {COMMITS:,} commits, {KUSTOMIZATIONS:,} kustomizations, 40 ms round trip"
    return [row_of(work, "git ls-remote, one file read, one push", runs, "git", 3.0)]
