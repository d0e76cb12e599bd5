"""A world in which promote is run so that it ends with one code, and what it prints as a transcript for the pages."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from support.cosign_fixtures import BUNDLE, Image, TestKey, image, manifest_node, statement
from support.git_world import executable, isolate
from support.gitops_repo import COMMIT, GitopsRepo, Ran, make
from support.registry_server import RegistryServer


class SteadyKey(TestKey):
    """A key whose signatures are the same in every run (RFC 6979), and so the digests of what they are in."""

    __test__ = False

    def sign(self, message: bytes, algorithm: hashes.HashAlgorithm | None = None) -> bytes:
        """The signature of `message`."""
        return self.private.sign(message, ec.ECDSA(algorithm or hashes.SHA256(), deterministic_signing=True))


KEY = SteadyKey(ec.derive_private_key(20260102, ec.SECP256R1()))
SIGN, SPDX = "https://sigstore.dev/cosign/sign/v1", "https://spdx.dev/Document"
UNREMARKABLE = re.compile(r"  (pass|skip) |  not judged, |(good|note) {4}")
LEFT_OUT, CONTINUED = "  ...", " " * 20
DATE = "2026-01-02T03:04:05Z"
TIMES = (
    (re.compile(r"(has run it for |^ +got +)\d+ (?:d|h|min)(?: \d+ (?:h|min))?\b", re.MULTILINE), r"\g<1>7 d 1 h"),
    (re.compile(r"\bin [0-9.]+ s \|"), "in 0.1 s |"),
    (re.compile(r"\b\d+ (?:s|min|h|d) ago\b"), "7 d ago"),
    (re.compile(r"\bis \d+ s (behind|ahead of)"), r"is 3600 s \1"),
    (re.compile(r'("seconds": )[0-9.]+'), r"\g<1>0.123"),
    (re.compile(r"git version [0-9.]+"), "git version 2.47.3"),
    (re.compile(r"youngest part \d+ days"), "youngest part 42 days"),
    (re.compile(r"the verdict sha256:[0-9a-f]{64}"), "the verdict sha256:" + "0123456789abcdef" * 4),
    (
        re.compile(r"^( +(?:got|expected) +(?:before |.*\(signed )?)\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", re.MULTILINE),
        r"\g<1>2026-01-09 04:05:06 UTC",
    ),
    (
        re.compile(r"^( +(?:got|expected) +(?:before |.*\(signed )?)\d{4}-\d\d-\d\d \d\d:\d\d UTC", re.MULTILINE),
        r"\g<1>2026-01-09 04:05 UTC",
    ),
)
"""How long ago something was, and now, on which no two runs agree; and what stands for them."""
PORT = re.compile(r"127\.0\.0\.1:\d+")
VOLATILE = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "COLUMNS")
TOKENS = ("GITHUB_TOKEN", "GH_TOKEN", "GITLAB_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL", "COSIGN_PASSWORD")


@dataclass
class World:
    """Where one scene plays.  `home` becomes ``~`` in the transcript."""

    home: Path
    patch: pytest.MonkeyPatch
    stack: contextlib.ExitStack
    where: Path | None = None
    """Where promote runs, when that is not the GitOps repository."""
    repo: GitopsRepo = field(init=False)

    def make(self, case: str = "v3-keyless", **more: Any) -> GitopsRepo:
        """The GitOps repository with its registries, see support.gitops_repo."""
        self.repo = make(self.home, case=case, **more)
        return self.repo

    def server(self, **options: Any) -> RegistryServer:
        """A registry that listens until the scene is over."""
        return self.stack.enter_context(RegistryServer(**options))

    def program(self, name: str, script: str) -> None:
        """Let `name` on PATH run `script`, which may exit, and then be the program that it was."""
        real = shutil.which(name)
        executable(self.home / "bin" / name, f'{script}\nexec {real} "$@"')
        self.patch.setenv("PATH", f"{self.home / 'bin'}{os.pathsep}{os.environ['PATH']}")

    def signed(
        self,
        *statements: tuple[str, Any],
        case: str = "v3-key",
        built: Image | None = None,
        unsigned: bytes | None = None,
        **sections: Any,
    ) -> GitopsRepo:
        """A repository whose image has a signature and these (predicate type, predicate), all by a key of the test.

        The image is that of `case`, or the one `built`; `unsigned` lies beside it as an SPDX document nobody signed.
        """
        repo = self.make(case, **sections)
        target = with_statements((built or image(case)).bare(), *statements)
        if unsigned is not None:
            target = target.with_nodes(manifest_node(target, [("application/spdx+json", unsigned, {})]))
        shutil.rmtree(repo.layout("staging"))
        target.lay(repo.layout("staging"))
        repo.write("trust/test.pub", KEY.signer.pem)
        repo.configure(trust={"signers": [{"key": "trust/test.pub"}]})
        return repo


def with_statements(target: Image, *statements: tuple[str, Any]) -> Image:
    """`target` with these (predicate type, predicate) signed by `KEY`, and a signature that names the commit."""
    named = {"digest": {"sha256": target.digest.hex}, "annotations": {"commit": COMMIT}}
    payloads = [statement(target.digest, predicateType=SIGN, subject=[named])]
    payloads += [statement(target.digest, predicateType=kind, predicate=body) for kind, body in statements]
    bundles = [KEY.bundle(json.dumps(payload).encode()) for payload in payloads]
    return target.with_nodes(*(manifest_node(target, [(BUNDLE, bundle, {})]) for bundle in bundles))


Scene = Callable[[World], tuple[str, ...]]
"""Makes the world and says which command ends with the code."""


def transcript(scene: Scene, home: Path) -> tuple[str, str, int]:
    """What was typed, what promote prints on stdout, and its exit code."""
    typed, ran = told(scene, home)
    return typed, ran.out, ran.code


def told(scene: Scene, home: Path) -> tuple[str, Ran]:
    """What was typed and what promote printed, without what differs between machines and runs."""
    home.mkdir(parents=True, exist_ok=True)
    with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as stack:
        isolate(patch, home)
        for name in (*VOLATILE, *TOKENS):
            patch.delenv(name, raising=False)
        for role in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{role}_DATE", DATE)
        patch.setenv("LC_ALL", "C")
        patch.setattr("time.sleep", lambda _seconds: None)
        world = World(home, patch, stack)
        arguments = scene(world)
        jobs = ("--jobs", "1") if arguments[0] not in WITHOUT_JOBS and "--help" not in arguments else ()
        ran = world.repo.run(*arguments, *jobs, cwd=world.where)
        typed = PORT.sub("127.0.0.1:5000", shlex.join(arguments).replace(str(home), "~"))
        neutral = (_timeless(PORT.sub("127.0.0.1:5000", text.replace(str(home), "~"))) for text in (ran.out, ran.err))
        return f"promote {typed}", Ran(ran.code, *neutral)


WITHOUT_JOBS = ("init", "demo", "status", "history", "explain", "lint", "doctor", "config")


def _timeless(out: str) -> str:
    for pattern, instead in TIMES:
        out = pattern.sub(instead, out)
    return out


def page_of(scene: Scene, home: Path) -> str:
    """The transcript as the pages show it: without the gates that passed, were skipped or were not reached."""
    typed, out, code = transcript(scene, home)
    rows: list[str] = []
    for row in out.splitlines():
        left_out = bool(rows) and rows[-1] == LEFT_OUT
        if UNREMARKABLE.match(row) or (left_out and row.startswith(CONTINUED)):
            rows += [] if left_out else [LEFT_OUT]
        else:
            rows.append(row)
    return "\n".join([f"$ {typed}", *rows, "$ echo $?", f"{code}"]) + "\n"
