"""Scenes of the host of the git repository: its pull requests, its API and the token for it."""

from __future__ import annotations

from collections.abc import Callable

from support.forge_server import TOKEN, Asked, ForgeServer, Problem, forge_server
from support.git_world import commit_file, git
from support.gitops_repo import DIGEST, TAG
from support.refusal_world import Scene, World
from support.scene_makers import PROMOTE, case

BRANCH = f"promote/prod/shop/{DIGEST.removeprefix('sha256:')[:12]}"
OVERLAY = "overlays/shop/prod/kustomization.yaml"
TOKENS = {"github": "GITHUB_TOKEN", "bitbucket": "BITBUCKET_TOKEN"}


def hosted(
    before: Callable[[Asked, ForgeServer], None] = lambda _asked, _host: None,
    *,
    kind: str = "github",
    token: str | None = TOKEN,
    **settings: object,
) -> Scene:
    """A pull request at a host to which `before` happens at each request."""

    def scene(world: World) -> tuple[str, ...]:
        host = serve(world, kind, **settings)
        host.before = lambda asked: before(asked, host)
        if token is not None:
            world.patch.setenv(TOKENS[kind], token)
        return (*PROMOTE, "--pull-request")

    return scene


def serve(world: World, kind: str, **settings: object) -> ForgeServer:
    """The host that the clone's remote is at from now on."""
    repo = world.make(git={"branch": "main", "forge": kind, **settings})
    assert repo.bare
    host = world.stack.enter_context(forge_server(repo.bare, kind))
    git(repo.root, "remote", "set-url", "origin", host.url)
    world.patch.setenv("GITHUB_SERVER_URL", host.origin)
    return host


def answered(method: str, status: int, message: str) -> Callable[[Asked, ForgeServer], None]:
    """Every `method` is answered so."""

    def before(asked: Asked, _host: ForgeServer) -> None:
        if asked.method == method:
            raise Problem(status, message)

    return before


def _renamed(asked: Asked, host: ForgeServer) -> None:
    if asked.method == "GET" and asked.path.endswith("/pulls/1"):
        host.requests[0].branch = "main"


def _edited_branch(world: World) -> tuple[str, ...]:
    arguments = hosted()(world)
    assert world.repo.run(*arguments).code == 0
    git(world.home, "clone", "-q", "-b", BRANCH, str(world.repo.bare), "theirs")
    commit_file(world.home / "theirs", "note", b"x", "a fix of mine")
    git(world.home / "theirs", "push", "-q", "origin", BRANCH)
    return arguments


def _executable_overlay(world: World) -> tuple[str, ...]:
    serve(world, "github", delivery="github-api")
    world.patch.setenv("GITHUB_TOKEN", TOKEN)
    (world.repo.root / OVERLAY).chmod(0o755)
    world.repo.commit("make it executable")
    return ("staging->prod", TAG)


SCENES: dict[str, Scene] = {
    "forge-unknown": case("v3-keyless", *PROMOTE, "--pull-request"),
    "forge-token-missing": hosted(token=None),
    "forge-credentials": hosted(token="expired"),
    "forge-transport": hosted(answered("POST", 503, "come back later")),
    "forge-answer": hosted(answered("GET", 301, "moved")),
    "forge-rejected": hosted(answered("POST", 422, "Validation Failed")),
    "auto-merge-unsupported": hosted(kind="bitbucket", auto_merge=True),
    "pull-request-branch-edited": _edited_branch,
    "pull-request-unconfirmed": hosted(_renamed),
    "mode-unsupported": _executable_overlay,
}
"""Each code that the host of the git repository can end a run with, and how."""
