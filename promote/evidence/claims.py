"""What a signed payload claims, and whether it claims it about this image.

No signing library checks any of this: payload type, statement type, subject and predicate type are ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NoReturn

from promote.evidence.flawed import invalid
from promote.evidence.reading import child, exact_keys, text
from promote.evidence.signed import IN_TOTO
from promote.model import strict_json
from promote.model.digest import Digest
from promote.model.evidence import Kind
from promote.model.malformed import Malformed, shown
from promote.model.manifest import nothing

STATEMENT_TYPES = ("https://in-toto.io/Statement/v0.1", "https://in-toto.io/Statement/v1")
COSIGN_SIGN = "https://sigstore.dev/cosign/sign/v1"
"""The predicate type by which cosign v3 says that a statement is a signature.  Nothing else is one."""
SIGNATURE_TYPE = "cosign container image signature"
MAX_SUBJECTS = 1024
"""GitHub's limit for an attestation."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What was signed about an image.  `annotations` are those of a signature, all of them signed.

    `others` are the digests of the statement's further subjects that have this image's name.
    """

    kind: Kind
    predicate_type: str | None = None
    predicate: Any = field(default=None, hash=False)
    annotations: Mapping[str, str] = field(default_factory=nothing, hash=False)
    others: tuple[Digest, ...] = ()


def check(payload_type: str | None, payload: bytes, image: Digest) -> Claims:
    """The claims of a verified payload about `image`; raises `Malformed` or `Flawed`.

    `payload_type` is that of the envelope, None for a bare simple-signing payload.
    """
    if payload_type is None:
        return _simple_signing(payload, image)
    if payload_type != IN_TOTO:
        invalid(f"the envelope holds {shown(payload_type)}", expected=IN_TOTO, actual=shown(payload_type))
    return _statement(payload, image)


def _simple_signing(payload: bytes, image: Digest) -> Claims:
    """Source: containers/image, docs/containers-signature.5.md, with cosign's type.

    Exact keys only: a twin in other case would be a second meaning to a reader that folds case.
    `docker-reference` names the registry that was signed in, which is not compared.
    """
    document = strict_json.loads_object(payload, "signature payload")
    exact_keys(document, "signature payload", frozenset({"critical", "optional"}))
    critical = child(document, "critical", "payload")
    exact_keys(critical, "payload.critical", frozenset({"identity", "image", "type"}))
    named = child(critical, "image", "payload.critical")
    exact_keys(named, "payload.critical.image", frozenset({"docker-manifest-digest"}))
    if critical.get("type") != SIGNATURE_TYPE:
        invalid("the payload is no image signature", expected=SIGNATURE_TYPE, actual=shown(critical.get("type")))
    if named.get("docker-manifest-digest") != str(image):
        _other_image(image, shown(named.get("docker-manifest-digest")))
    return Claims(Kind.SIGNATURE, annotations=_strings(document.get("optional"), "payload.optional"))


def _statement(payload: bytes, image: Digest) -> Claims:
    """Source: in-toto/attestation, spec/v1/statement.md; v0.1 is what `cosign attest` still writes."""
    document = strict_json.loads_object(payload, "statement")
    if document.get("_type") not in STATEMENT_TYPES:
        invalid(
            "the payload is no in-toto statement",
            expected=" or ".join(STATEMENT_TYPES),
            actual=shown(document.get("_type")),
        )
    predicate_type = text(document.get("predicateType"), "statement predicateType")
    if not predicate_type.isprintable():  # a TypeURI; it is shown wherever types are
        raise Malformed("statement predicateType", predicate_type, "a URI")
    subject, others = _subject(document.get("subject"), image)
    if predicate_type == COSIGN_SIGN:
        annotations = _strings(subject.get("annotations"), "subject annotations")
        return Claims(Kind.SIGNATURE, annotations=annotations, others=others)
    return Claims(Kind.ATTESTATION, predicate_type, document.get("predicate"), others=others)


def _subject(subjects: object, image: Digest) -> tuple[dict[str, Any], tuple[Digest, ...]]:
    """The subject that is `image`, and the other digests that go by its name."""
    if not isinstance(subjects, list) or not 1 <= len(subjects) <= MAX_SUBJECTS:
        got = f"{len(subjects)} subjects" if isinstance(subjects, list) else subjects
        raise Malformed("statement subject", got, f"a list of 1 to {MAX_SUBJECTS} subjects")
    if not all(isinstance(s, dict) for s in subjects):
        raise Malformed("statement subject", subjects, "objects with a digest")
    named = [s["digest"].get("sha256") for s in subjects if isinstance(s.get("digest"), dict)]
    matching = [s for s in subjects if isinstance(s.get("digest"), dict) and s["digest"].get("sha256") == image.hex]
    if image.algorithm != "sha256" or not matching:
        _other_image(image, shown(", ".join(f"sha256:{shown(n)}" for n in named[:3]) or "no image at all", 300))
    first: dict[str, Any] = matching[0]
    return first, _namesakes(subjects, {s["name"] for s in matching if isinstance(s.get("name"), str)}, image)


def _namesakes(subjects: list[dict[str, Any]], names: set[str], image: Digest) -> tuple[Digest, ...]:
    found: dict[Digest, None] = {}
    for subject in subjects:
        digests = subject.get("digest")
        if subject.get("name") not in names or not isinstance(digests, dict):
            continue
        try:
            digest = Digest.parse(f"sha256:{digests.get('sha256')}")
        except Malformed:
            continue
        if digest != image:
            found[digest] = None
    return tuple(found)


def _other_image(image: Digest, actual: str) -> NoReturn:
    invalid("the signed payload names another image", expected=str(image), actual=actual)


def _strings(value: object, what: str) -> Mapping[str, str]:
    if value is None:
        return nothing()
    if not isinstance(value, dict):
        raise Malformed(what, value, "a JSON object")
    strings: dict[str, str] = {k: v for k, v in value.items() if isinstance(v, str)}
    return MappingProxyType(strings)
