"""Scenes of git: the checkout, its remote, and the push."""

from __future__ import annotations

import shutil

from support.git_servers import git_over_http
from support.git_world import executable, git
from support.gitops_repo import PROD, GitopsRepo
from support.refusal_world import Scene, World
from support.scene_makers import PROMOTE, case, checkout

from promote.gitops import push
from promote.gitops.objects import LARGEST

OVERLAY = "overlays/shop/prod/kustomization.yaml"


def _no_git(world: World) -> tuple[str, ...]:
    repo = world.make(remote=False)
    shutil.rmtree(repo.root / ".git")
    return PROMOTE


def _detached(world: World) -> tuple[str, ...]:
    git(world.make(remote=False).root, "checkout", "-q", "--detach")
    return PROMOTE


def _dirty(world: World) -> tuple[str, ...]:
    repo = world.make(remote=False)
    repo.write("overlays/shop/prod/kustomization.yaml", PROD.format(app="shop") + "# by hand\n")
    return PROMOTE


def _declined(world: World) -> tuple[str, ...]:
    repo = world.make()
    assert repo.bare
    executable(repo.bare / "hooks" / "pre-receive", "echo 'GH006: Protected branch' >&2\nexit 1")
    return PROMOTE


def _remote(url: str) -> Scene:
    def scene(world: World) -> tuple[str, ...]:
        git(world.make().root, "remote", "set-url", "origin", url)
        return PROMOTE

    return scene


def _gpg(repo: GitopsRepo) -> None:
    executable(repo.home / "gpg", "echo 'gpg: signing failed: No secret key' >&2\nexit 2")
    git(repo.root, "config", "commit.gpgSign", "true")
    git(repo.root, "config", "gpg.program", str(repo.home / "gpg"))


def _filtered(repo: GitopsRepo) -> None:
    repo.write(".gitattributes", "*.yaml filter=indent\n")
    repo.commit()
    git(repo.root, "config", "filter.indent.smudge", "cat")


def _other_tree(repo: GitopsRepo) -> None:
    git(repo.root, "checkout", "-q", "-b", "work")
    git(repo.root, "worktree", "add", "-q", str(repo.home / "other"), "main")


def _without_git(world: World) -> tuple[str, ...]:
    world.make(remote=False)
    (world.home / "empty").mkdir()
    world.patch.setenv("PATH", str(world.home / "empty"))
    return PROMOTE


def _of_another_user(world: World) -> tuple[str, ...]:
    world.make()
    world.patch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")  # git's own way to try it without root
    return PROMOTE


def _logged_out(world: World) -> tuple[str, ...]:
    repo = world.make()
    assert repo.bare
    server = world.stack.enter_context(git_over_http(repo.bare.parent, password="right"))
    git(repo.root, "remote", "set-url", "origin", server.url(repo.bare.name))
    return PROMOTE


def _lost(repo: GitopsRepo) -> None:
    oid = git(repo.root, "rev-parse", f"main:{OVERLAY}")
    (repo.root / ".git" / "objects" / oid[:2] / oid[2:]).unlink()


def _large(repo: GitopsRepo) -> None:
    repo.set_overlay("prod", PROD.format(app="shop") + "#" * LARGEST)


def _damaged(repo: GitopsRepo) -> None:
    repo.write(".git/index", "no index\n")


def _contended(world: World) -> tuple[str, ...]:
    repo = world.make()
    assert repo.bare
    lock = repo.bare / "refs" / "heads" / "main.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.touch()
    hurried = push.Backoff(deadline=0, least=3, sleep=lambda _seconds: None)
    world.patch.setitem(push.land.__kwdefaults__, "backoff", hurried)
    return PROMOTE


def _cut_off(world: World) -> tuple[str, ...]:
    repo = world.make()
    assert repo.bare
    server = world.stack.enter_context(git_over_http(repo.bare.parent, password=None))
    git(repo.root, "remote", "set-url", "origin", server.url(repo.bare.name))

    def cut(request: str) -> bool:
        if request.startswith("POST") and "git-receive-pack" in request:
            server.refuse = lambda _path: 503
        return server.refuse("") is not None

    server.cut = cut
    return PROMOTE


def _badly_signed(repo: GitopsRepo) -> None:
    signature = "-----BEGIN PGP SIGNATURE-----\\n\\nAAAA\\n-----END PGP SIGNATURE-----"
    script = f"""cat > /dev/null
case "$*" in *--verify*) echo '[GNUPG:] BADSIG AAAA Test'; exit 1;; esac
printf '\\n[GNUPG:] SIG_CREATED D 1 10 00 1 AAAA\\n' >&2
printf -- '{signature}\\n'"""
    program = executable(repo.home / "gpg", script)
    for key, value in (("commit.gpgSign", "true"), ("gpg.program", str(program)), ("user.signingKey", "AAAA")):
        git(repo.root, "config", key, value)


SCENES: dict[str, Scene] = {
    "not-a-repository": _no_git,
    "branch-missing": case("v3-keyless", git={"branch": "production"}, remote=False),
    "detached-head": _detached,
    "remote-missing": case("v3-keyless", git={"remote": "upstream"}),
    "bad-branch": case("v3-keyless", git={"branch": "-main"}),
    "bad-remote": case("v3-keyless", git={"remote": "--upload-pack=x"}),
    "bad-url": case("v3-keyless", *PROMOTE, "--repo", "https://[git.example/deploy.git"),
    "password-in-url": case("v3-keyless", *PROMOTE, "--repo", "https://bot:secret@git.example/acme/deploy.git"),
    "working-copy-dirty": _dirty,
    "push-declined": _declined,
    "git-transport": _remote("https://127.0.0.1:1/acme/deploy.git"),
    "signing-failed": checkout(_gpg),
    "signature-unverified": checkout(_badly_signed),
    "working-copy-filtered": checkout(_filtered, remote=False),
    "branch-checked-out": checkout(_other_tree, remote=False, git={"branch": "main"}),
    "git-missing": _without_git,
    "git-protocol": checkout(lambda repo: git(repo.root, "remote", "set-url", "origin", "ext::sh -c x")),
    "git-credentials": _logged_out,
    "git-failed": checkout(_damaged, remote=False),
    "unsafe-repository": _of_another_user,
    "object-missing": checkout(_lost, remote=False),
    "object-too-large": checkout(_large, remote=False),
    "push-contended": _contended,
    "push-unconfirmed": _cut_off,
}
"""Each code that git can end a run with, and how."""
