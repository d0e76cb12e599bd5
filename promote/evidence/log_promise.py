"""A log's signed promise to include an entry (the SET of Rekor v1), which is all that the tag scheme keeps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import rfc8785

from promote.evidence.flawed import invalid
from promote.evidence.reading import child, exact_keys, text, unbase64, whole
from promote.evidence.trust_root import LogKey
from promote.model import strict_json
from promote.model.malformed import Malformed


@dataclass(frozen=True, slots=True)
class Promise:
    """A promise as written down; `body` is the log entry, base64 as the log signed it."""

    body: str
    integrated_time: int
    log_id: bytes
    log_index: int
    signature: bytes

    @classmethod
    def parse(cls, annotation: str) -> Promise:
        """The promise in cosign's ``bundle`` annotation; raises `Malformed`."""
        document = strict_json.loads_object(annotation, "log promise")
        exact_keys(document, "log promise", frozenset({"SignedEntryTimestamp", "Payload"}))
        payload = child(document, "Payload", "log promise")
        exact_keys(payload, "log promise payload", frozenset({"body", "integratedTime", "logIndex", "logID"}))
        return cls(
            body=text(payload.get("body"), "log promise body"),
            integrated_time=whole(payload.get("integratedTime"), "log promise integratedTime"),
            log_id=_hex(payload.get("logID")),
            log_index=whole(payload.get("logIndex"), "log promise logIndex"),
            signature=unbase64(document.get("SignedEntryTimestamp"), "log promise signature"),
        )

    @property
    def entry(self) -> bytes:
        """The log entry's bytes; raises `Malformed`."""
        return unbase64(self.body, "log promise body")

    def check(self, log: LogKey) -> datetime:
        """The time that `log` signed, in its window; raises `Flawed`.

        Source: sigstore/rekor, openapi.yaml, "signedEntryTimestamp": over RFC 8785 JSON of these four values.
        """
        signed = rfc8785.dumps(
            {
                "body": self.body,
                "integratedTime": self.integrated_time,
                "logID": self.log_id.hex(),
                "logIndex": self.log_index,
            }
        )
        if not log.key.verifies(self.signature, signed):
            invalid("the log's promise does not verify", expected=f"a signature by log {log.log_id.hex()[:12]}")
        time = moment(self.integrated_time)
        if not log.window.holds(time):
            invalid("the log was not to be believed when this was signed", expected=str(log.window), actual=str(time))
        return time


def moment(seconds: int) -> datetime:
    """The time `seconds` after the epoch; raises `Malformed`."""
    try:
        return datetime.fromtimestamp(seconds, tz=UTC)
    except (ValueError, OverflowError, OSError):
        raise Malformed("log time", seconds, "seconds since 1970") from None


def _hex(value: object) -> bytes:
    try:
        return bytes.fromhex(text(value, "log promise logID"))
    except ValueError:
        raise Malformed("log promise logID", value, "hex") from None
