"""Every way in which a real cosign leaves evidence beside an image, and how each is asked for.

A way is a version of cosign, who signs, which log and which time stamp stand behind it, and how it is stored.  What
cosign 2.6 and 3.1 were seen not to make is not a way: version 2 posts to a Rekor v2 what that log refuses, and neither
signs with Ed25519 what it verifies itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from harness.process import run
from harness.signing import COSIGN_ENV, identity
from harness.sigstore.github_oidc import ISSUER
from harness.sigstore.stack import Sigstore

FOREVER = "2099-12-31"


class Cosign(Enum):
    """A version of cosign, by the name of its tool."""

    V2 = "cosign2"
    V3 = "cosign"


class Who(Enum):
    """Who signs: a workflow by its certificate, or a managed key."""

    KEYLESS = "keyless"
    ECDSA = "ecdsa"
    RSA = "rsa"


class Log(Enum):
    """The transparency log that an entry is made in."""

    NONE = "nolog"
    REKOR1 = "rekor1"
    REKOR2 = "rekor2"


class Form(Enum):
    """How it is stored, and by which code."""

    BUNDLE = "bundle"
    """Sigstore bundles as referrers, with the services in a signing configuration: sigstore-go writes them."""
    OWN_BUNDLE = "ownbundle"
    """The same with the services as URLs: version 2 then puts the bundle together itself."""
    TAGS = "tags"
    """The tags `.sig` and `.att`."""
    REFERRERS = "referrers"
    """Version 2's experiment: the signature as a referrer of the image, attestations as a tag."""


BUNDLES = (Form.BUNDLE, Form.OWN_BUNDLE)


@dataclass(frozen=True, slots=True)
class Way:
    """One way to make evidence.  `stamped`: a time stamp authority was asked.  `intoto`: the log's kind of entry."""

    cosign: Cosign
    who: Who
    log: Log
    form: Form
    stamped: bool = False
    intoto: bool = False

    def __str__(self) -> str:
        version = {Cosign.V2: "v2", Cosign.V3: "v3"}[self.cosign]
        more = ["tsa"] * self.stamped + ["intoto"] * self.intoto
        return "-".join([version, self.who.value, self.log.value, *more, self.form.value])

    @property
    def storages(self) -> tuple[str, str]:
        """Where promote finds the signature and the attestations, in its words."""
        return {
            Form.BUNDLE: ("sigstore bundle, referrer", "sigstore bundle, referrer"),
            Form.OWN_BUNDLE: ("sigstore bundle, referrer", "sigstore bundle, referrer"),
            Form.TAGS: ("cosign .sig tag", "cosign .att tag"),
            Form.REFERRERS: ("cosign signature, referrer", "cosign .att tag"),
        }[self.form]

    @property
    def logged(self) -> str:
        """What promote finds of the log: a bundle has an inclusion proof, a tag the log's promise alone."""
        if self.log is Log.NONE:
            return "none"
        return "proof" if self.form in BUNDLES else "promise"

    @property
    def annotated(self) -> bool:
        """Whether what `cosign sign -a` was told is signed: version 2 loses it when it writes a bundle."""
        return self.cosign is Cosign.V3 or self.form not in BUNDLES

    @property
    def names_signer(self) -> bool:
        """Whether what is stored says who signed, or with which key."""
        return self.who is Who.KEYLESS or self.form in BUNDLES

    @property
    def names_commit(self) -> bool:
        """Whether the evidence itself says which commit was built."""
        return self.who is Who.KEYLESS or self.annotated

    @property
    def dated(self) -> bool:
        """Whether anything verifies when it was signed."""
        return self.stamped or self.log is Log.REKOR1


@dataclass(frozen=True, slots=True)
class Services:
    """Where to sign: the running Sigstore, the URL of its Rekor v1 if that runs, and the directory of the keys."""

    sigstore: Sigstore
    keys: Path
    rekor1: str | None = None

    @classmethod
    def make(cls, tools: Mapping[str, Path], sigstore: Sigstore, directory: Path) -> Services:
        """An ECDSA and an RSA key pair under `directory`, as cosign keeps them."""
        pem = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (directory / "rsa.pem").write_bytes(pem)
        run([tools["cosign"], "generate-key-pair", "--output-key-prefix=ecdsa"], cwd=directory, env=COSIGN_ENV)
        run(
            [tools["cosign"], "import-key-pair", "--key=rsa.pem", "--output-key-prefix=rsa"],
            cwd=directory,
            env=COSIGN_ENV,
        )
        return cls(sigstore, directory)

    def signing_config(self, way: Way) -> Path:
        """A signing configuration that names what `way` uses and nothing else."""
        document = json.loads(self.sigstore.signing_config.read_bytes())
        if way.log is Log.REKOR1:
            (service,) = document["rekorTlogUrls"]
            document["rekorTlogUrls"] = [{**service, "url": self.rekor1, "majorApiVersion": 1}]
        unused = [
            *(["caUrls", "oidcUrls"] if way.who is not Who.KEYLESS else []),
            *(["rekorTlogUrls", "rekorTlogConfig"] if way.log is Log.NONE else []),
            *(["tsaUrls", "tsaConfig"] if not way.stamped else []),
        ]
        path = self.keys / f"{way}.json"
        path.write_text(json.dumps({key: value for key, value in document.items() if key not in unused}))
        return path


@dataclass(frozen=True, slots=True)
class Evidence:
    """Who signs in one way, as a `Signer`."""

    way: Way
    services: Services

    @property
    def cosign(self) -> str:
        return self.way.cosign.value

    @property
    def environment(self) -> Mapping[str, str]:
        """Version 2 takes each root of trust from a file of its own."""
        keys = self.services.sigstore.keys
        roots = {
            "SIGSTORE_ROOT_FILE": f"{keys}/fulcio-root.pem",
            "SIGSTORE_CT_LOG_PUBLIC_KEY_FILE": f"{keys}/ct-pub.pem",
            "SIGSTORE_REKOR_PUBLIC_KEY": f"{keys}/rekor1-pub.pem",
        }
        experimental = {"COSIGN_EXPERIMENTAL": "1"} if self.way.form is Form.REFERRERS else {}
        return {**roots, **experimental} if self.way.cosign is Cosign.V2 else {}

    def sign_options(self, source: str, commit: str) -> list[str]:
        referrers = ["--registry-referrers-mode=oci-1-1"] if self.way.form is Form.REFERRERS else []
        return [*self._options(source, commit), *referrers]

    def attest_options(self, source: str, commit: str) -> list[str]:
        intoto = ["--rekor-entry-type=intoto"] if self.way.intoto else []
        return [*self._options(source, commit), *intoto]

    def verify_options(self, source: str) -> list[str]:
        sigstore = self.services.sigstore
        who = (
            [f"--certificate-identity={identity(source)}", f"--certificate-oidc-issuer={ISSUER}"]
            if self.way.who is Who.KEYLESS
            else [f"--key={self._key('pub')}"]
        )
        unlogged = ["--insecure-ignore-tlog=true"] if self.way.log is Log.NONE else []
        if self.way.log is Log.NONE and self.way.stamped:
            # Without this cosign takes a certificate of these ten minutes for valid and never looks at the stamp.
            unlogged.append("--use-signed-timestamps")
        if self.way.form in BUNDLES:
            return [*who, "--new-bundle-format", f"--trusted-root={sigstore.trusted_root}", *unlogged]
        if self.way.cosign is Cosign.V3:
            return [*who, "--new-bundle-format=false", f"--trusted-root={sigstore.trusted_root}", *unlogged]
        stamps = [f"--timestamp-certificate-chain={sigstore.keys}/tsa-chain.pem"] if self.way.stamped else []
        return [*who, *stamps, *unlogged]

    def trust_files(self) -> dict[str, bytes]:
        root = {"trust/trusted_root.json": self.services.sigstore.trusted_root.read_bytes()} if self._needs_root else {}
        return root if self.way.who is Who.KEYLESS else {**root, "trust/signer.pub": self._key("pub").read_bytes()}

    def trust(self, source: str) -> dict[str, object]:
        """What is demanded of the log is all that this way brings, so that promote must find no less."""
        log = {"log": self.way.logged}
        if self.way.who is not Who.KEYLESS:
            signer = {"key": "trust/signer.pub", **log}
        else:
            until = {"until": FOREVER} if self.way.log is Log.NONE else {}
            signer = {"issuer": ISSUER, "identity": identity(source), **log, **until}
        root = {"root": "trust/trusted_root.json"} if self._needs_root else {}
        return {**root, "signers": [signer]}

    @property
    def _needs_root(self) -> bool:
        return self.way.who is Who.KEYLESS or self.way.log is not Log.NONE or self.way.stamped

    def _key(self, half: str) -> Path:
        return self.services.keys / f"{self.way.who.value}.{half}"

    def _options(self, source: str, commit: str) -> list[str]:
        sigstore = self.services.sigstore
        who = (
            [f"--identity-token={sigstore.token(source, commit)}"]
            if self.way.who is Who.KEYLESS
            else [f"--key={self._key('key')}"]
        )
        if self.way.form is Form.BUNDLE:
            services = [f"--signing-config={self.services.signing_config(self.way)}"]
            return [*who, "--new-bundle-format", *services, f"--trusted-root={sigstore.trusted_root}"]
        if self.way.form is Form.OWN_BUNDLE:
            return [*who, "--new-bundle-format", *self._urls()]
        old = ["--new-bundle-format=false", "--use-signing-config=false"] if self.way.cosign is Cosign.V3 else []
        return [*who, *old, *self._urls()]

    def _urls(self) -> list[str]:
        """The services, for what takes no signing configuration."""
        sigstore = self.services.sigstore
        return [
            *([f"--fulcio-url={sigstore.fulcio}"] if self.way.who is Who.KEYLESS else []),
            *(["--tlog-upload=false"] if self.way.log is Log.NONE else [f"--rekor-url={self.services.rekor1}"]),
            *([f"--timestamp-server-url={sigstore.timestamps}"] if self.way.stamped else []),
        ]
