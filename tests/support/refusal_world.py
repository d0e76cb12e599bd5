"""A world in which promote is run so that it ends with one code, and what it prints as a transcript for the pages."""

from __future__ import annotations

import contextlib
import json
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
from support.cosign_fixtures import BUNDLE, TestKey, image, manifest_node, statement
from support.git_world import isolate
from support.gitops_repo import COMMIT, GitopsRepo, make
from support.registry_server import RegistryServer


class SteadyKey(TestKey):
    """A key whose signatures are the same in every run (RFC 6979), and so the digests of what they are in."""

    __test__ = False

    def sign(self, message: bytes, algorithm: hashes.HashAlgorithm | None = None) -> bytes:
        """The signature of `message`."""
        return self.private.sign(message, ec.ECDSA(algorithm or hashes.SHA256(), deterministic_signing=True))


KEY = SteadyKey(ec.derive_private_key(20260102, ec.SECP256R1()))
SIGN, SPDX = "https://sigstore.dev/cosign/sign/v1", "https://spdx.dev/Document"
UNREMARKABLE = re.compile(r"  (pass|skip) |  not judged, ")
LEFT_OUT = "  ..."
DATE = "2026-01-02T03:04:05Z"
TIMES = (
    (re.compile(r"(?:\d+ days?, )?\d+:\d\d:\d\d\.\d+"), "7 days, 1:02:03"),
    (re.compile(r"\b\d+d \d+h\b"), "7d 1h"),
    (re.compile(r"^( +got +)\d{4}-\d\d-\d\d \d\d:\d\d UTC$", re.MULTILINE), r"\g<1>2026-01-09 04:05 UTC"),
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

    def signed(
        self, *statements: tuple[str, Any], case: str = "v3-key", unsigned: bytes | None = None, **sections: Any
    ) -> GitopsRepo:
        """A repository whose image has a signature and these (predicate type, predicate), all by a key of the test.

        `unsigned` lies beside it as an SPDX document that nobody signed.
        """
        repo = self.make(case, **sections)
        target = image(case).bare()
        named = {"digest": {"sha256": target.digest.hex}, "annotations": {"commit": COMMIT}}
        payloads = [statement(target.digest, predicateType=SIGN, subject=[named])]
        payloads += [statement(target.digest, predicateType=kind, predicate=body) for kind, body in statements]
        for payload in payloads:
            bundle = KEY.bundle(json.dumps(payload).encode())
            target = target.with_nodes(manifest_node(target, [(BUNDLE, bundle, {})]))
        if unsigned is not None:
            target = target.with_nodes(manifest_node(target, [("application/spdx+json", unsigned, {})]))
        shutil.rmtree(repo.layout("staging"))
        target.lay(repo.layout("staging"))
        repo.write("trust/test.pub", KEY.signer.pem)
        repo.configure(trust={"signers": [{"key": "trust/test.pub"}]})
        return repo


Scene = Callable[[World], tuple[str, ...]]
"""Makes the world and says which command ends with the code."""


def transcript(scene: Scene, home: Path) -> tuple[str, str, int]:
    """What was typed, what promote prints on stdout, and its exit code."""
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
        shown = _timeless(PORT.sub("127.0.0.1:5000", ran.out.replace(str(home), "~")))
        return f"promote {shlex.join(arguments).replace(str(home), '~')}", shown, ran.code


WITHOUT_JOBS = ("init", "demo", "status", "history", "explain")


def _timeless(out: str) -> str:
    for pattern, instead in TIMES:
        out = pattern.sub(instead, out)
    return out


def page_of(scene: Scene, home: Path) -> str:
    """The transcript as the pages show it: without the gates that passed, were skipped or were not reached."""
    typed, out, code = transcript(scene, home)
    rows: list[str] = []
    for row in out.splitlines():
        if UNREMARKABLE.match(row):
            rows += [] if rows and rows[-1] == LEFT_OUT else [LEFT_OUT]
        else:
            rows.append(row)
    return "\n".join([f"$ {PORT.sub('127.0.0.1:5000', typed)}", *rows, "$ echo $?", f"{code}"]) + "\n"
