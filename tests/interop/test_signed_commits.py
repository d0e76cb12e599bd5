"""Commits of promote are signed as the user signs his, with a key of ssh."""

from __future__ import annotations

import subprocess
from pathlib import Path

from support.git_world import git
from support.gitops_repo import TAG, make


def test_a_promotion_is_signed_and_git_verifies_it(tmp_path: Path) -> None:
    repo = make(tmp_path)
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    allowed = tmp_path / "allowed"
    allowed.write_text(f"test@example.com {key.with_suffix('.pub').read_text()}")
    for name, value in (
        ("commit.gpgSign", "true"),
        ("gpg.format", "ssh"),
        ("gpg.ssh.allowedSignersFile", str(allowed)),
        ("user.signingKey", str(key)),
    ):
        git(repo.root, "config", name, value)
    ran = repo.promote(TAG)
    assert ran.code == 0
    assert "-----BEGIN SSH SIGNATURE-----" in git(repo.root, "cat-file", "commit", "main")
    assert (
        "Good"
        in subprocess.run(
            ["git", "verify-commit", "main"], cwd=repo.root, check=True, capture_output=True, text=True
        ).stderr
    )
