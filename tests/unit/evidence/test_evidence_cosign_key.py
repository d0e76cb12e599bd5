"""Cosign's own encrypted private keys: those that real cosign wrote open by their password, and nothing else does."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.secret import SecretBox
from support.cosign_fixtures import image, manifest_node, statement

from promote.errors import CredentialsFault, Misuse
from promote.evidence.cosign_key import CosignKey
from promote.evidence.key_signatory import KeySignatory
from promote.evidence.signed_bundle import BUNDLE_TYPE
from promote.evidence.verify import verify
from promote.model.attestor import KeyAttestor
from promote.model.malformed import Malformed
from promote.model.policy import KeySigner, Trust

KEYS = Path(__file__).parents[2] / "fixtures" / "cosign-keys"
PASSWORD = "hunter2-hunter2"
P256 = (KEYS / "p256.key").read_bytes()
SPDX = "https://spdx.dev/Document"


def document(pem: bytes = P256) -> dict:
    return json.loads(base64.b64decode(b"".join(pem.splitlines()[1:-1])))


def pem(content: dict | bytes, kind: str = "ENCRYPTED SIGSTORE PRIVATE KEY") -> bytes:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return f"-----BEGIN {kind}-----\n{base64.encodebytes(raw).decode()}-----END {kind}-----\n".encode()


def made(der: bytes, password: str = "pw", cost: int = 2**15) -> bytes:
    """What cosign would write for `der`, at another cost than it takes today."""
    salt, nonce = b"s" * 32, b"n" * 24
    box = SecretBox(Scrypt(salt, length=32, n=cost, r=8, p=1).derive(password.encode()))
    return pem(
        {
            "kdf": {"name": "scrypt", "params": {"N": cost, "r": 8, "p": 1}, "salt": base64.b64encode(salt).decode()},
            "cipher": {"name": "nacl/secretbox", "nonce": base64.b64encode(nonce).decode()},
            "ciphertext": base64.b64encode(box.encrypt(der, nonce).ciphertext).decode(),
        }
    )


def der(key) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def attestor(directory: Path, content: bytes) -> KeyAttestor:
    (directory / "cosign.key").write_bytes(content)
    return KeyAttestor("keys/cosign.key", directory / "cosign.key")


@pytest.mark.parametrize(("name", "password"), [("p256", PASSWORD), ("rsa", PASSWORD), ("empty", "")])
def test_what_real_cosign_wrote_opens_and_signs_as_its_public_key_says(name, password):
    signatory = KeySignatory(KeyAttestor(name, KEYS / f"{name}.key"), {"COSIGN_PASSWORD": password})
    signatory.check()
    target = image("v2-key").bare()
    bundle = signatory.sign(json.dumps(statement(target.digest, predicateType=SPDX)).encode())
    target = target.with_nodes(manifest_node(target, [(BUNDLE_TYPE, bundle.content, {})], artifact_type=BUNDLE_TYPE))
    trust = Trust((KeySigner("cosign.pub", (KEYS / f"{name}.pub").read_bytes()),))
    assert [e.predicate_type for e in verify(target.graph, target.store, trust).accepted] == [SPDX]


@pytest.mark.parametrize("kind", ["ENCRYPTED SIGSTORE PRIVATE KEY", "ENCRYPTED COSIGN PRIVATE KEY"])
def test_the_older_name_of_the_same_form_is_read_too(kind):
    key = CosignKey.parse(pem(document(), kind))
    opened = key.opened(PASSWORD)
    assert opened is not None
    public = load_der_private_key(opened, None).public_key()
    assert public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo) == (KEYS / "p256.pub").read_bytes()


def test_the_older_cost_is_taken_too():
    content = der(ec.generate_private_key(ec.SECP384R1()))
    assert CosignKey.parse(made(content)).opened("pw") == content


@pytest.mark.parametrize(
    ("environ", "actual"),
    [
        ({}, "no password"),
        ({"COSIGN_PASSWORD": ""}, "another password"),
        ({"COSIGN_PASSWORD": "another-secret"}, "another password"),
        ({"PROMOTE_KEY_PASSWORD": PASSWORD}, "no password"),
    ],
)
def test_without_its_password_it_stays_closed_and_neither_is_shown(environ, actual):
    with pytest.raises(CredentialsFault) as caught:
        KeySignatory(KeyAttestor("keys/cosign.key", KEYS / "p256.key"), environ).check()
    problem = caught.value
    assert (problem.code, problem.exit_code) == ("key-password", 4)
    assert str(problem.actual).startswith(actual)
    assert "COSIGN_PASSWORD" in str(problem.hint)
    said = " ".join(map(str, (problem.message, problem.expected, problem.actual, problem.hint)))
    assert "another-secret" not in said
    assert document()["ciphertext"][:16] not in said


def altered(**changes: object) -> dict:
    """The key's document with `kdf__params__N=...` and its kin replaced; None takes a value out."""
    changed = document()
    for path, value in changes.items():
        *parents, last = path.split("__")
        inner = changed
        for parent in parents:
            inner = inner[parent]
        inner.pop(last) if value is None else inner.update({last: value})
    return changed


@pytest.mark.parametrize(
    "content",
    [
        altered(kdf__name="pbkdf2"),
        altered(cipher__name="aes-gcm"),
        altered(kdf__params__N=2**30),
        altered(kdf__params__N=2),
        altered(kdf__params__N=True),
        altered(kdf__params__N="65536"),
        altered(kdf__params__r=2**20),
        altered(kdf__params__p=2**20),
        altered(kdf__salt="AAAA"),
        altered(cipher__nonce="AAAA"),
        altered(ciphertext="AAAA"),
        altered(ciphertext="*"),
        altered(ciphertext=None),
        altered(kdf=None),
        altered(kdf__params=[]),
        b"[]",
        b"no JSON",
        b'{"kdf": {}, "kdf": {}}',
    ],
)
def test_a_form_that_cosign_does_not_write_is_named_and_costs_nothing(tmp_path, content):
    with pytest.raises(Misuse) as caught:
        KeySignatory(attestor(tmp_path, pem(content)), {"COSIGN_PASSWORD": PASSWORD}).check()
    assert caught.value.code == "bad-key"
    assert caught.value.message.startswith("keys/cosign.key ")


@pytest.mark.parametrize("content", [P256 * 2, b"x" + P256, P256[:-20], P256.replace(b"END ENC", b"END ENCC")])
def test_one_pem_block_and_nothing_else_is_read(content):
    with pytest.raises(Malformed):
        CosignKey.parse(content)


def test_a_key_inside_that_promote_does_not_sign_with_is_a_bad_key(tmp_path):
    for inside in (der(ed25519.Ed25519PrivateKey.generate()), der(ec.generate_private_key(ec.SECP256K1())), b"junk"):
        with pytest.raises(Misuse) as caught:
            KeySignatory(attestor(tmp_path, made(inside)), {"COSIGN_PASSWORD": "pw"}).check()
        assert caught.value.code == "bad-key"


@settings(max_examples=100)
@given(st.binary(max_size=200))
def test_whatever_is_in_the_block_the_answer_is_a_key_or_malformed(content):
    with pytest.raises(Malformed):
        CosignKey.parse(pem(content))


def test_an_altered_box_does_not_open():
    box = bytearray(base64.b64decode(document()["ciphertext"]))
    box[-1] ^= 1
    assert CosignKey.parse(pem(altered(ciphertext=base64.b64encode(box).decode()))).opened(PASSWORD) is None
