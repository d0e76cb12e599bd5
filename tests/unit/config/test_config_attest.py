"""`attest` of an environment: every way to write it, and every mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from promote.config.load import load
from promote.errors import Misuse
from promote.model.attestor import AmbientAttestor, KeyAttestor
from promote.model.configuration import Configuration
from promote.model.digest import Digest

HEAD = "version: 1\napps:\n  web: {image: acme/web}\nenvironments:\n  prod: {registry: b.example, attest: "
ROOT = b'{"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}'


def read(directory: Path, attest: str, more: str = "") -> Configuration:
    (directory / "promote.yaml").write_text(f"{HEAD}{attest}}}\n{more}")
    return load(directory / "promote.yaml")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "deployer.key").write_text("secret")
    (tmp_path / "signing.json").write_text("{}")
    (tmp_path / "root.json").write_bytes(ROOT)
    (tmp_path / "bad.json").write_text("[]")
    return tmp_path


def test_no_environment_attests_unless_it_says_so(files):
    assert read(files, "false").attestors == {}


def test_true_is_the_ambient_identity_and_the_public_sigstore(files):
    assert read(files, "true").attestors == {"prod": AmbientAttestor(None, None)}


def test_a_key_is_named_and_not_read(files):
    (attestor,) = read(files, "{key: deployer.key}").attestors.values()
    assert attestor == KeyAttestor("deployer.key", files / "deployer.key")
    assert "secret" not in repr(attestor)


def test_a_sigstore_of_ones_own(files):
    given = read(files, "{signing_config: signing.json, trusted_root: root.json}")
    assert given.attestors == {"prod": AmbientAttestor(b"{}", ROOT)}
    inherited = read(files, "{signing_config: signing.json}", "trust: {root: root.json}\n")
    assert inherited.attestors == given.attestors


def test_the_digest_is_that_of_the_file(files):
    assert read(files, "true").digest == Digest.of((files / "promote.yaml").read_bytes())


@pytest.mark.parametrize(
    ("attest", "says"),
    [
        ("{key: gone.key}", "environments.prod.attest.key: got no file gone.key"),
        ("{signing_config: gone.json, trusted_root: root.json}", "attest.signing_config"),
        ("{signing_config: bad.json, trusted_root: root.json}", "bad.json is not a signing configuration"),
        ("{signing_config: signing.json, trusted_root: bad.json}", "bad.json is not a trusted_root.json"),
        ("{signing_config: signing.json}", "no trusted_root"),
        ("{trusted_root: root.json}", "missing"),
        ("{key: deployer.key, trusted_root: root.json}", "unknown key 'trusted_root'"),
        ("{kye: deployer.key}", "did you mean 'key'"),
        ("maybe", "attest"),
        ("[]", "attest"),
        ("3", "attest"),
    ],
    ids=str,
)
def test_mistakes_are_named_with_their_place(files, attest, says):
    with pytest.raises(Misuse) as caught:
        read(files, attest)
    assert says in caught.value.message
    assert "promote.yaml:5:" in caught.value.message
