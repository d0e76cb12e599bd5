"""Who signs the verdict: keys of every kind, ambient identities, and what is said when there is none."""

from __future__ import annotations

import base64
import json
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from support.cosign_fixtures import FIXTURES, TestKey, image, manifest_node, statement
from support.registry_server import Answer, Drop, RegistryServer

from promote.errors import CredentialsFault, Fault, Misuse, PromoteError
from promote.evidence import ambient_signatory
from promote.evidence.ambient_signatory import AmbientSignatory
from promote.evidence.key_signatory import KeySignatory
from promote.evidence.signatory import signatory_of
from promote.evidence.signed_bundle import BUNDLE_TYPE
from promote.evidence.verify import verify
from promote.model.attestor import AmbientAttestor, KeyAttestor
from promote.model.evidence import Flaw
from promote.model.policy import KeylessSigner, Trust

SECRET = "hunter2-hunter2"
GITHUB = "https://token.actions.githubusercontent.com"
RSA = rsa.generate_private_key(65537, 2048)
SUMMARY = "https://slsa.dev/verification_summary/v1"
STATEMENT = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [{"name": "x", "digest": {"sha256": "a" * 64}}],
    "predicateType": SUMMARY,
    "predicate": {},
}


@pytest.fixture(autouse=True)
def _no_ambient_identity(monkeypatch):
    for name in ("GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE", "CIRCLECI", "GOOGLE_SERVICE_ACCOUNT_NAME"):
        monkeypatch.delenv(name, raising=False)


def written(
    tmp_path, key, encryption: KeySerializationEncryption | None = None, form=PrivateFormat.PKCS8
) -> KeyAttestor:
    path = tmp_path / "deployer.key"
    path.write_bytes(key.private_bytes(Encoding.PEM, form, encryption or NoEncryption()))
    return KeyAttestor("keys/deployer.key", path)


def signed(signatory) -> tuple:
    """A bare image with the signed summary beside it, and the signer."""
    target = image("v2-key").bare()
    bundle = signatory.sign(json.dumps(statement(target.digest, predicateType=SUMMARY)).encode())
    node = manifest_node(target, [(BUNDLE_TYPE, bundle.content, {})], artifact_type=BUNDLE_TYPE)
    return target.with_nodes(node), bundle.signer


@pytest.mark.parametrize(
    "key",
    [*(ec.generate_private_key(curve) for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1())), RSA],
    ids=["p256", "p384", "p521", "rsa"],
)
def test_what_a_key_signs_verifies_by_that_key_and_by_no_other(tmp_path, key):
    signatory = signatory_of(written(tmp_path, key), {})
    signatory.check()
    attested, signer = signed(signatory)
    (found,) = verify(attested.graph, attested.store, signatory.trust()).accepted
    assert (found.predicate_type, found.subject) == (SUMMARY, attested.digest)
    assert signatory.trust().signers == (signer,)
    (rejected,) = verify(attested.graph, attested.store, Trust((TestKey.make().signer,))).rejected
    assert rejected.flaw is Flaw.FOREIGN


def test_an_encrypted_key_is_opened_by_its_password(tmp_path):
    attestor = written(tmp_path, RSA, BestAvailableEncryption(SECRET.encode()))
    KeySignatory(attestor, {"PROMOTE_KEY_PASSWORD": SECRET}).check()
    for environ in ({}, {"PROMOTE_KEY_PASSWORD": ""}, {"PROMOTE_KEY_PASSWORD": "another-secret"}):
        with pytest.raises(CredentialsFault) as caught:
            KeySignatory(attestor, environ).check()
        assert caught.value.code == "key-password"
        assert "PROMOTE_KEY_PASSWORD" in str(caught.value.hint)
        assert "another-secret" not in said(caught.value)


def test_a_password_does_no_harm_to_a_key_without_one(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    for form in (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL):
        KeySignatory(written(tmp_path, key, form=form), {"PROMOTE_KEY_PASSWORD": SECRET}).check()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\x00 nonsense",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        b"-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n",
        b"-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED COSIGN PRIVATE KEY-----\n",
        b"A" * 100_000,
        *(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            for key in (
                ed25519.Ed25519PrivateKey.generate(),
                ec.generate_private_key(ec.SECP256K1()),
                rsa.generate_private_key(65537, 1024),
            )
        ),
    ],
    ids=["empty", "bytes", "not-asn1", "sigstore", "cosign", "long", "ed25519", "k256", "rsa1024"],
)
def test_a_key_that_cannot_be_used_is_named_and_not_shown(tmp_path, content):
    path = tmp_path / "deployer.key"
    path.write_bytes(content)
    with pytest.raises(Misuse) as caught:
        KeySignatory(KeyAttestor("keys/deployer.key", path), {}).check()
    assert caught.value.code == "bad-key"
    assert caught.value.message.startswith("keys/deployer.key ")
    assert str(tmp_path) not in said(caught.value)
    assert "AAAA" not in said(caught.value)


def test_a_key_that_is_not_there(tmp_path):
    with pytest.raises(Misuse, match="No such file"):
        KeySignatory(KeyAttestor("gone.key", tmp_path / "gone.key"), {}).check()


# -- ambient


def token(**claims: object) -> str:
    now = int(time.time())
    every = {"iss": GITHUB, "aud": "sigstore", "sub": "repo:acme/deploy", "iat": now, "exp": now + 300, **claims}
    parts = ({"alg": "none"}, every)
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, "c2VjcmV0LXNpZ25hdHVyZQ"])


def ambient(**environ: str) -> AmbientSignatory:
    return AmbientSignatory(AmbientAttestor(), environ)


def test_without_any_identity_it_says_where_one_comes_from(monkeypatch):
    # Looking for one would ask the metadata server of a cloud when this runs in one.
    monkeypatch.setattr(ambient_signatory, "detect_credential", lambda: None)
    with pytest.raises(CredentialsFault) as caught:
        ambient().check()
    assert (caught.value.code, caught.value.exit_code) == ("identity-missing", 4)
    for way in ("id-token: write", "SIGSTORE_ID_TOKEN", "key:"):
        assert way in str(caught.value.hint)


def test_a_github_job_without_the_permission_is_told_which():
    with pytest.raises(CredentialsFault) as caught:
        ambient(GITHUB_ACTIONS="true").check()
    assert "permissions: id-token: write" in str(caught.value.hint)
    assert caught.value.actual == "no ACTIONS_ID_TOKEN_REQUEST_TOKEN"


@pytest.mark.parametrize(
    "bad", ["x", "a.b.c", token(aud="elsewhere"), token(exp=1), token(iat=None), token(sub=None)], ids=range(6)
)
def test_a_token_that_cannot_be_used_is_not_quoted(bad):
    with pytest.raises(CredentialsFault) as caught:
        ambient(SIGSTORE_ID_TOKEN=bad).check()
    assert caught.value.code == "identity-missing"
    for part in bad.split("."):
        assert len(part) < 4 or part not in said(caught.value)


@pytest.mark.parametrize(
    ("claims", "issuer", "name"),
    [
        (
            {"job_workflow_ref": "acme/deploy/.github/workflows/promote.yml@refs/heads/main"},
            GITHUB,
            "https://github.com/acme/deploy/.github/workflows/promote.yml@refs/heads/main",
        ),
        (
            {
                "iss": "https://gitlab.com",
                "ci_config_ref_uri": "gitlab.com/acme/deploy//.gitlab-ci.yml@refs/heads/main",
            },
            "https://gitlab.com",
            "https://gitlab.com/acme/deploy//.gitlab-ci.yml@refs/heads/main",
        ),
        (
            {"iss": "https://accounts.google.com", "email": "ci@acme.example"},
            "https://accounts.google.com",
            "ci@acme.example",
        ),
        (
            {"iss": "https://agent.buildkite.com", "organization_slug": "acme", "pipeline_slug": "deploy"},
            "https://agent.buildkite.com",
            "https://buildkite.com/acme/deploy",
        ),
    ],
    ids=["github", "gitlab", "google", "buildkite"],
)
def test_its_own_earlier_signatures_are_known_by_what_fulcio_makes_of_the_token(claims, issuer, name):
    signatory = ambient(SIGSTORE_ID_TOKEN=token(**claims))
    signatory.check()
    assert KeylessSigner(issuer, name) in signatory.trust().signers
    assert {s.issuer for s in signatory.trust().signers if isinstance(s, KeylessSigner)} == {issuer}


def signing_config(url: str) -> bytes:
    service = {"url": url, "majorApiVersion": 1, "validFor": {"start": "2020-01-01T00:00:00Z"}, "operator": "acme"}
    config = {
        "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
        "caUrls": [service],
        "rekorTlogUrls": [{**service, "majorApiVersion": 2}],
        "rekorTlogConfig": {"selector": "ANY"},
        "tsaConfig": {"selector": "ANY"},
    }
    return json.dumps(config).encode()


@pytest.mark.parametrize("said_by_fulcio", [Answer(404), Answer(403, {}, b'{"message": "no"}'), Answer(200), Drop()])
def test_a_sigstore_that_will_not_sign_is_a_fault_without_the_token(said_by_fulcio):
    given = token()
    with RegistryServer(faults=[lambda _: said_by_fulcio]) as server:
        root = (FIXTURES / "v3-keyless" / "trusted_root.json").read_bytes()
        attestor = AmbientAttestor(signing_config(server.url), root)
        with pytest.raises(Fault) as caught:
            AmbientSignatory(attestor, {"SIGSTORE_ID_TOKEN": given}).sign(json.dumps(STATEMENT).encode())
        assert server.requests
    assert (caught.value.code, caught.value.exit_code) == ("signing-failed", 3)
    assert given.split(".")[1] not in said(caught.value)


@pytest.mark.parametrize("config", [b"{}", b'{"mediaType": "x"}', signing_config("http://127.0.0.1:1")])
def test_a_sigstore_that_cannot_be_reached_or_read_is_a_fault(config):
    attestor = AmbientAttestor(config, b"{}")
    with pytest.raises(Fault, match="could not be signed"):
        AmbientSignatory(attestor, {"SIGSTORE_ID_TOKEN": token()}).sign(json.dumps(STATEMENT).encode())


def test_another_issuer_gets_no_github_name():
    trust = ambient(SIGSTORE_ID_TOKEN=token(iss="https://evil.example", job_workflow_ref="acme/deploy/x@y")).trust()
    assert not [s for s in trust.signers if "github.com" in str(s)]


def said(error: PromoteError) -> str:
    return " ".join(str(part) for part in (error.message, error.expected, error.actual, error.hint))


def test_nothing_is_read_before_it_is_needed(tmp_path):
    gone = KeyAttestor("gone.key", tmp_path / "gone.key")
    assert isinstance(signatory_of(gone, {}), KeySignatory)
    assert isinstance(signatory_of(AmbientAttestor(), {}), AmbientSignatory)
