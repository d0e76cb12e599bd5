"""Commits of promote are signed as the user signs his, with ssh, openpgp and x509, and verified before the push."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.git_world import executable, git
from support.gitops_repo import TAG, GitopsRepo, make

NAME, MAIL = "Test", "test@example.com"


def settings(repo: GitopsRepo, **values: str) -> None:
    for name, value in {"commit_gpgSign": "true", **values}.items():
        git(repo.root, "config", name.replace("_", "."), value)


def verified(repo: GitopsRepo) -> str:
    """What git says of the commit where it counts: at the remote, fetched by nobody but this test."""
    command = ["git", "verify-commit", "--raw", git(repo.bare, "rev-parse", "main")]
    return subprocess.run(command, cwd=repo.root, check=True, capture_output=True, text=True).stderr


def ssh_key(directory: Path, name: str = "key") -> Path:
    key = directory / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    return key


def allow(directory: Path, key: Path) -> str:
    allowed = directory / "allowed"
    allowed.write_text(f"{MAIL} {key.with_suffix('.pub').read_text()}")
    return str(allowed)


@pytest.fixture
def gnupg(tmp_path_factory, monkeypatch) -> Iterator[Path]:
    """A keyring of its own; its agent ends with the test.  The path of its socket must be short."""
    home = tmp_path_factory.mktemp("g")
    home.chmod(0o700)
    monkeypatch.setenv("GNUPGHOME", str(home))
    yield home
    subprocess.run(["gpgconf", "--kill", "all"], check=True, capture_output=True)


def openpgp_key(name: str = NAME) -> str:
    """The fingerprint of a new key."""
    argv = ["gpg", "--batch", "--pinentry-mode", "loopback", "--passphrase", "", "--status-fd", "1"]
    done = subprocess.run(
        [*argv, "--quick-generate-key", f"{name} <{MAIL}>", "ed25519", "sign", "never"],
        check=True,
        capture_output=True,
        text=True,
    )
    return next(line.split()[3] for line in done.stdout.splitlines() if "KEY_CREATED" in line)


def x509_key(home: Path) -> str:
    """The fingerprint of a new self-signed certificate that gpgsm trusts."""
    asked = (
        f"Key-Type: RSA\nKey-Length: 2048\nKey-Usage: sign\nName-DN: CN={NAME}\nName-Email: {MAIL}\nSerial: random\n"
    )
    made = subprocess.run(
        ["sh", "-c", "gpgsm --batch --pinentry-mode loopback --passphrase-fd 3 --generate-key 3</dev/null"],
        input=asked.encode(),
        capture_output=True,
        check=True,
    )
    subprocess.run(["gpgsm", "--batch", "--import"], input=made.stdout, capture_output=True, check=True)
    listed = subprocess.run(
        ["gpgsm", "--batch", "--with-colons", "--list-secret-keys"], capture_output=True, text=True, check=True
    )
    fingerprint = next(line.split(":")[9] for line in listed.stdout.splitlines() if line.startswith("fpr"))
    (home / "trustlist.txt").write_text(f"{fingerprint} S relax\n")
    (home / "gpgsm.conf").write_text("disable-crl-checks\n")
    return fingerprint


def test_ssh_with_allowed_signers(tmp_path):
    repo, key = make(tmp_path), ssh_key(tmp_path)
    settings(repo, gpg_format="ssh", user_signingKey=str(key), gpg_ssh_allowedSignersFile=allow(tmp_path, key))
    ran = repo.promote(TAG)
    assert (ran.code, ran.json["commit"]["note"]) == (0, None)
    assert "-----BEGIN SSH SIGNATURE-----" in git(repo.bare, "cat-file", "commit", "main")
    assert f'Good "git" signature for {MAIL}' in verified(repo)


def test_ssh_without_allowed_signers_is_signed_and_said_to_be_not_verified(tmp_path):
    repo = make(tmp_path)
    settings(repo, gpg_format="ssh", user_signingKey=str(ssh_key(tmp_path)))
    ran = repo.promote(TAG)
    assert ran.code == 0
    assert "gpg.ssh.allowedSignersFile is not set" in ran.json["commit"]["note"]
    assert "-----BEGIN SSH SIGNATURE-----" in git(repo.bare, "cat-file", "commit", "main")


def test_ssh_by_a_key_that_is_not_allowed_is_exit_3_and_nothing_is_pushed(tmp_path):
    repo, allowed = make(tmp_path), allow(tmp_path, ssh_key(tmp_path, "other"))
    settings(repo, gpg_format="ssh", user_signingKey=str(ssh_key(tmp_path)), gpg_ssh_allowedSignersFile=allowed)
    ran = repo.promote(TAG)
    assert (ran.code, ran.json["error"]["code"], repo.promotions()) == (3, "signature-unverified", [])


def test_openpgp(tmp_path, gnupg):
    repo = make(tmp_path)
    settings(repo, user_signingKey=openpgp_key())
    ran = repo.promote(TAG)
    assert (ran.code, ran.json["commit"]["note"]) == (0, None)
    assert "-----BEGIN PGP SIGNATURE-----" in git(repo.bare, "cat-file", "commit", "main")
    assert "GOODSIG" in verified(repo)


def test_openpgp_without_the_key_is_exit_3_and_nothing_is_pushed(tmp_path, gnupg):
    repo = make(tmp_path)
    settings(repo, user_signingKey="0123456789ABCDEF0123456789ABCDEF01234567")
    ran = repo.promote(TAG)
    assert (ran.code, ran.json["error"]["code"], repo.promotions()) == (3, "signing-failed", [])


def test_a_program_that_signs_something_else_is_found_out_before_the_push(tmp_path, gnupg):
    repo, key = make(tmp_path), openpgp_key()
    real = subprocess.run(["which", "gpg"], check=True, capture_output=True, text=True).stdout.strip()
    lying = executable(
        tmp_path / "bin" / "gpg",
        f'for word; do case "$word" in --verify) exec {real} "$@";; esac; done\necho something else | {real} "$@"',
    )
    settings(repo, user_signingKey=key, gpg_program=str(lying))
    ran = repo.promote(TAG)
    assert (ran.code, ran.json["error"]["code"], repo.promotions()) == (3, "signature-unverified", [])


def test_x509(tmp_path, gnupg):
    repo = make(tmp_path)
    settings(repo, gpg_format="x509", user_signingKey=x509_key(gnupg))
    ran = repo.promote(TAG)
    assert (ran.code, ran.json["commit"]["note"]) == (0, None)
    assert "-----BEGIN SIGNED MESSAGE-----" in git(repo.bare, "cat-file", "commit", "main")
    assert "GOODSIG" in verified(repo)


def test_a_commit_without_a_remote_is_signed_and_verified_too(tmp_path, gnupg):
    repo = make(tmp_path, remote=False)
    settings(repo, user_signingKey=openpgp_key())
    assert repo.promote(TAG).code == 0
    git(repo.root, "verify-commit", "main")
    assert "GNUPGHOME" in os.environ
