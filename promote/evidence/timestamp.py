"""Signed time stamps (RFC 3161) by an authority of the trusted root."""

from __future__ import annotations

from datetime import datetime

from promote.evidence.trust_root import Authority, TrustRoot
from promote.model.malformed import Malformed

MAX_STAMPS = 32
"""What sigstore-go and sigstore-python take at most."""


def verified_time(stamps: list[bytes], message: bytes, root: TrustRoot) -> datetime | None:
    """The earliest time at which an authority of `root` saw `message`; None when no stamp verifies.

    Raises `Malformed` for a stamp that cannot be read, or for too many.
    """
    if len(stamps) > MAX_STAMPS:
        raise Malformed("time stamps", f"{len(stamps)} of them", f"at most {MAX_STAMPS}")
    times = (_time(stamp, message, authority) for stamp in stamps for authority in root.timestamp_authorities)
    return min((t for t in times if t is not None), default=None)


def _time(stamp: bytes, message: bytes, authority: Authority) -> datetime | None:
    # Imported when there is a stamp: most evidence has none, and a run with keys shall need cryptography only.
    from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response  # noqa: PLC0415

    try:
        response = decode_timestamp_response(stamp)
    except ValueError as problem:
        raise Malformed("time stamp", str(problem), "an RFC 3161 response") from None
    leaf, *between = authority.chain[:-1] or [authority.chain[-1]]
    builder = VerifierBuilder().tsa_certificate(leaf).add_root_certificate(authority.chain[-1])
    for certificate in between:
        builder = builder.add_intermediate_certificate(certificate)
    try:
        builder.build().verify_message(response, message)
    except VerificationError:
        return None
    time = response.tst_info.gen_time
    return time if authority.window.holds(time) else None
