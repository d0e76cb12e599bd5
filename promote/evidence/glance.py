"""What rejected evidence would have been: read without any check, for the words of a message and nothing else."""

from __future__ import annotations

from typing import Any

from promote.evidence.claims import COSIGN_SIGN
from promote.evidence.discovery import Form
from promote.evidence.reading import child, unbase64
from promote.model import strict_json
from promote.model.evidence import Kind
from promote.model.malformed import Malformed


def glance(form: Form, content: bytes) -> tuple[Kind | None, str | None]:
    """Kind and predicate type as `content` claims them, None where that cannot be read.  Raises nothing."""
    if form is Form.SIMPLE_SIGNING:
        return Kind.SIGNATURE, None
    try:
        statement = _statement(form, strict_json.loads_object(content))
    except Malformed:
        return None, None
    predicate_type = statement.get("predicateType")
    if not isinstance(predicate_type, str) or not predicate_type.isprintable():
        return None, None
    return (Kind.SIGNATURE, None) if predicate_type == COSIGN_SIGN else (Kind.ATTESTATION, predicate_type)


def _statement(form: Form, document: dict[str, Any]) -> dict[str, Any]:
    envelope = child(document, "dsseEnvelope", "bundle") if form is Form.BUNDLE else document
    return strict_json.loads_object(unbase64(envelope.get("payload"), "payload"))
