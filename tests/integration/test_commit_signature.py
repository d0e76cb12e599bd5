"""A commit that is signed is verified before it is pushed, with a stand-in for gpg that speaks its protocol."""

from __future__ import annotations

import pytest
from support.git_world import executable, git, isolate
from support.gitops_repo import TAG, GitopsRepo, make

SIGN = "echo '[GNUPG:] SIG_CREATED ' >&2\necho '-----BEGIN PGP SIGNATURE-----'"


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


@pytest.fixture
def repo(tmp_path) -> GitopsRepo:
    return make(tmp_path)


def signer(repo: GitopsRepo, verify: str, sign: str = SIGN) -> None:
    """Sign with a program that answers ``--verify`` by `verify`."""
    checked = f"*--verify*) echo '[GNUPG:] NEWSIG'; {verify};;"
    script = f'cat > /dev/null\ncase "$*" in {checked} esac\n{sign}'
    program = executable(repo.home / "bin" / "signer", script)
    for key, value in (("commit.gpgSign", "true"), ("gpg.program", str(program)), ("user.signingKey", "AAAA")):
        git(repo.root, "config", key, value)


def test_a_good_signature_is_pushed(repo):
    signer(repo, "echo '[GNUPG:] GOODSIG AAAA Test'; exit 0")
    ran = repo.promote(TAG)
    assert (ran.code, ran.json["commit"]["note"]) == (0, None)
    assert "-----BEGIN PGP SIGNATURE-----" in git(repo.bare, "cat-file", "commit", "main")


@pytest.mark.parametrize(
    "verify",
    [
        "echo '[GNUPG:] BADSIG AAAA Test'; exit 1",
        "echo '[GNUPG:] ERRSIG AAAA 1 1 00 1 9'; exit 2",
        "echo '[GNUPG:] EXPKEYSIG AAAA Test'; exit 1",
        "echo '[GNUPG:] REVKEYSIG AAAA Test'; exit 1",
        "exit 0",
    ],
)
def test_a_signature_that_git_does_not_verify_is_not_pushed(repo, verify):
    signer(repo, verify)
    ran = repo.promote(TAG)
    assert (ran.code, ran.json["error"]["code"], repo.promotions()) == (3, "signature-unverified", [])
    assert git(repo.root, "log", "-1", "--format=%s") == "begin"


def test_a_signature_of_ssh_that_nobody_can_verify_is_pushed_and_told(repo):
    script = "for word; do file=$word; done\necho '-----BEGIN SSH SIGNATURE-----' > \"$file.sig\""
    program = executable(repo.home / "bin" / "ssh-signer", script)
    (repo.home / "key").write_text("a key\n")
    for key, value in (
        ("commit.gpgSign", "true"),
        ("gpg.format", "ssh"),
        ("gpg.ssh.program", str(program)),
        ("user.signingKey", str(repo.home / "key")),
    ):
        git(repo.root, "config", key, value)
    ran = repo.promote(TAG)
    assert ran.code == 0
    assert ran.json["commit"]["note"].endswith("because gpg.ssh.allowedSignersFile is not set")
    assert "-----BEGIN SSH SIGNATURE-----" in git(repo.bare, "cat-file", "commit", "main")
