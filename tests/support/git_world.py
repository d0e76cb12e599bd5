"""Real git repositories for tests: a bare one that serves, and clones of it, without the user's configuration."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

FILE = "overlays/prod/kustomization.yaml"
OLD = b"# keep me\r\nimages:\n- name: web\n  newTag: sha-aaaaaaa   # the tag\n"
NEW = OLD.replace(b"sha-aaaaaaa", b"sha-bbbbbbb")


def isolate(monkeypatch, home: Path) -> None:
    """No configuration, identity, variable or kustomize of whoever runs the tests: an answer says what built it."""
    monkeypatch.setattr("promote.overlays.oracle.find_builder", lambda: None)
    for name in list(os.environ):
        if name.startswith(("GIT_", "SSH_")) and not name.startswith("GIT_PYTHON"):
            monkeypatch.delenv(name)
    for name in ("EMAIL", "XDG_CONFIG_HOME", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")


def git(directory: Path, *arguments: str, stdin: bytes = b"") -> str:
    """What ``git ARGUMENTS`` prints, run by the test and not by promote."""
    command = ["git", "-c", "user.name=Test", "-c", "user.email=test@example.com", *arguments]
    done = subprocess.run(command, cwd=directory, input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().removesuffix("\n")


def show(directory: Path, name: str) -> bytes:
    """The very bytes of an object such as ``main:file``."""
    return subprocess.run(["git", "cat-file", "blob", name], cwd=directory, capture_output=True, check=True).stdout


def commit_file(directory: Path, path: str, content: bytes, message: str) -> str:
    """Write, add and commit one file; the new commit."""
    target = directory / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    git(directory, "add", "--", path)
    git(directory, "commit", "-q", "-m", message)
    return git(directory, "rev-parse", "HEAD")


def make_repository(directory: Path) -> Path:
    """A repository on branch main with `FILE` in its one commit."""
    directory.mkdir(parents=True)
    git(directory, "init", "-q", "-b", "main")
    commit_file(directory, FILE, OLD, "begin")
    return directory


def make_remote(tmp_path: Path) -> tuple[Path, Path]:
    """A bare repository and a clone of it whose remote origin it is."""
    seed = make_repository(tmp_path / "seed")
    bare, clone = tmp_path / "server" / "deploy.git", tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--bare", str(seed), str(bare))
    git(bare, "remote", "remove", "origin")
    git(tmp_path, "clone", "-q", str(bare), str(clone))
    return bare, clone


def executable(path: Path, script: str) -> Path:
    """An executable shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path
