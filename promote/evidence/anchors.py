"""What a verification rests on: the keys, signers and trusted root of promote.yaml, loaded once."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from promote.errors import Misuse
from promote.evidence.flawed import Flawed
from promote.evidence.public_key import SUPPORTED, PublicKey
from promote.evidence.trust_root import TrustRoot, public_good
from promote.model.evidence import Flaw
from promote.model.malformed import Malformed, shown
from promote.model.policy import KeySigner, Trust

if TYPE_CHECKING:
    from sigstore.verify import Verifier


@dataclass(frozen=True)
class Anchors:
    """The anchors of one verification.  The root is parsed when first asked for: a run with keys may never need it.

    `keys` holds one loaded key for each signer of `trust` that is a key.
    """

    trust: Trust
    keys: tuple[tuple[KeySigner, PublicKey], ...]

    @classmethod
    def load(cls, trust: Trust) -> Anchors:
        """The anchors that `trust` names; raises `Misuse` for a key that cannot be used."""
        return cls(trust, tuple((s, _load(s)) for s in trust.signers if isinstance(s, KeySigner)))

    @cached_property
    def root(self) -> TrustRoot:
        """The trusted root; raises `Misuse` when it cannot be read."""
        return TrustRoot.parse(self.trust.root if self.trust.root is not None else public_good(), self.trust.profile)

    @cached_property
    def sigstore(self) -> Verifier:
        """sigstore-python's verifier on this root; imported when first asked for; raises `Misuse`."""
        from promote.evidence.sigstore_verifier import verifier_of  # noqa: PLC0415

        return verifier_of(self.root.content)

    def key_that_signed(self, signature: bytes, message: bytes, hint: str | None = None) -> PublicKey:
        """The trusted key that made `signature`; raises `Flawed`.

        `hint` is unsigned and opaque.  It chooses between two words of a refusal and nothing else.
        """
        for _, key in self.keys:
            if key.verifies(signature, message):
                return key
        if not self.keys:
            raise Flawed(
                Flaw.FOREIGN,
                "signed with a key, and promote.yaml names no key",
                expected=self.named(),
                actual="a key",
            )
        if hint is not None and hint not in {_cosigns_hint(key) for _, key in self.keys}:
            raise Flawed(
                Flaw.FOREIGN,
                "signed with a key that promote.yaml does not name",
                expected=self.named(),
                actual=f"a key with hint {shown(hint)}",
            )
        raise Flawed(
            Flaw.INVALID,
            "no key of promote.yaml verifies this signature",
            expected=self.named(),
            actual="a signature by another key, or an altered one",
        )

    def named(self) -> str:
        """The trusted signers on one line, for a message."""
        return shown("; ".join(str(s) for s in self.trust.signers) or "no signer at all", 300)


def _cosigns_hint(key: PublicKey) -> str:
    """What cosign calls a key: its SHA-256 in base64."""
    return base64.b64encode(key.spki_hash).decode()


def _load(signer: KeySigner) -> PublicKey:
    try:
        return PublicKey.from_pem(signer.pem)
    except Malformed as problem:
        raise Misuse(
            "bad-key",
            f"{shown(signer.path)} is no public key that promote can verify with",
            expected=SUPPORTED,
            actual=problem.got,
            hint=f"`openssl pkey -pubin -in {shown(signer.path)} -text -noout` shows what it is",
        ) from None
