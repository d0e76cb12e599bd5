"""Whoever signs promote's verdicts, whatever with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from promote.evidence.signed_bundle import SignedBundle
from promote.model.attestor import Attestor, KeyAttestor
from promote.model.policy import Trust


class Signatory(Protocol):
    """Signs statements.  Safe to use from several threads."""

    def check(self) -> None:
        """Prove that it could sign now, without signing; raises `Misuse`, `CredentialsFault` or `Fault`."""

    def trust(self) -> Trust:
        """The trust that its own earlier signatures satisfy, and nobody else's; raises as `check` does."""

    def sign(self, statement: bytes) -> SignedBundle:
        """An in-toto statement v1 in a DSSE envelope, signed; raises as `check` does."""


def signatory_of(attestor: Attestor, environ: Mapping[str, str]) -> Signatory:
    """The signatory that promote.yaml names; `environ` is where its password or its token is found.

    Nothing is read and nobody is asked before its methods are called.
    """
    if isinstance(attestor, KeyAttestor):
        from promote.evidence.key_signatory import KeySignatory  # noqa: PLC0415 - one of the two is needed at most

        return KeySignatory(attestor, environ)
    # sigstore-python costs 0.4 s to import.
    from promote.evidence.ambient_signatory import AmbientSignatory  # noqa: PLC0415

    return AmbientSignatory(attestor, environ)
