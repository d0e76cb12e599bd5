"""One pass over an image's graph: read every piece of evidence, verify it, check its claims.

    graph -> discovery -> bundle | tag scheme -> signers -> claims -> Findings

Nothing but the payload blobs is asked for.  What does not count is reported with its reason and never dropped, and a
network failure is never taken for a missing signature.
"""

from __future__ import annotations

from promote.errors import PromoteError
from promote.evidence import bundle, certificate_bundle, claims, key_bundle, signers, tag_scheme
from promote.evidence.anchors import Anchors
from promote.evidence.discovery import Candidate, Form, discover
from promote.evidence.fetching import MAX_SECONDS, fetch
from promote.evidence.flawed import Flawed
from promote.evidence.glance import glance
from promote.evidence.signed import Verified
from promote.evidence.signers import Conditions
from promote.model.evidence import Evidence, Findings, Flaw, Rejected
from promote.model.graph import Graph
from promote.model.malformed import Malformed, shown
from promote.model.policy import Trust
from promote.oci.store import Blobs


def verify(
    graph: Graph,
    store: Blobs,
    trust: Trust,
    conditions: Conditions = Conditions(),  # noqa: B008 - frozen
    *,
    jobs: int = 8,
    seconds: float = MAX_SECONDS,
) -> Findings:
    """Everything beside the image of `graph` that is, or only looks like, evidence about it.

    `accepted` holds what verified, by a signer of `trust` who meets `conditions`, and names in its signed payload the
    digest that it hangs on.  `jobs` blobs are fetched at a time, all of them within `seconds`.  Raises `Fault` when a
    blob cannot be had, `Misuse` when `trust` cannot be used, `Refusal` (``too-much-evidence``, ``evidence-too-slow``,
    exit 12) for more evidence than anybody has.
    """
    anchors = Anchors.load(trust)
    found = discover(graph)
    contents = fetch(list({c.blob.digest: c.blob for c in found.candidates}.values()), store, jobs, seconds)
    accepted: list[Evidence] = []
    rejected = list(found.rejected)
    for candidate in found.candidates:
        verdict = _judge(candidate, contents[candidate.blob.digest], anchors, conditions)
        if isinstance(verdict, Evidence):
            accepted.append(verdict)
        else:
            rejected.append(verdict)
    return Findings(tuple(accepted), tuple(rejected))


def _judge(candidate: Candidate, content: bytes, anchors: Anchors, conditions: Conditions) -> Evidence | Rejected:
    verified: Verified | None = None
    try:
        verified = _verified(candidate, content, anchors)
        by = signers.accepting(verified, anchors, conditions)
        names = tuple(dict.fromkeys(s.name for s in by if s.name))
        return _evidence(candidate, verified, names)
    except PromoteError:
        raise
    except Flawed as problem:
        return _rejected(candidate, content, problem, verified)
    except Malformed as problem:
        return _rejected(candidate, content, Flawed(Flaw.MALFORMED, f"cannot be read: {problem}"), verified)
    except Exception as problem:  # noqa: BLE001
        # The one place: sigstore, cryptography, pydantic and rfc3161-client raise ValueError, binascii.Error, KeyError
        # and whatever else on hostile input.  Whatever it is, this candidate does not count.
        summary = f"cannot be read: {type(problem).__name__}: {shown(str(problem))}"
        return _rejected(candidate, content, Flawed(Flaw.MALFORMED, summary), verified)


def _verified(candidate: Candidate, content: bytes, anchors: Anchors) -> Verified:
    if candidate.form is Form.BUNDLE:
        return verify_bundle(content, anchors)
    if candidate.form is Form.SIMPLE_SIGNING:
        return tag_scheme.verify_simple_signing(content, candidate.material, anchors)
    return tag_scheme.verify_envelope(content, candidate.material, anchors)


def verify_bundle(content: bytes, anchors: Anchors) -> Verified:
    """The payload of the bundle in `content`, its signature verified and its claims not; raises as the lanes do.

    That is `Malformed` or `Flawed`, and whatever sigstore-python raises on hostile input.
    """
    parsed = bundle.parse(content)
    if not parsed.by_certificate:
        return key_bundle.verify(parsed, anchors)
    if certificate_bundle.is_ours(parsed, anchors):
        return certificate_bundle.verify(parsed, anchors)
    # Only these need sigstore-python, which costs 0.4 s to import: a run with keys does without.
    from promote.evidence import keyless_bundle  # noqa: PLC0415

    return keyless_bundle.verify(parsed, anchors)


def _evidence(candidate: Candidate, verified: Verified, names: tuple[str, ...]) -> Evidence:
    claimed = claims.check(verified.payload_type, verified.payload, candidate.subject)
    return Evidence(
        kind=claimed.kind,
        manifest=candidate.manifest,
        subject=candidate.subject,
        storage=candidate.storage,
        signed_by=verified.signed_by,
        log=verified.log,
        predicate_type=claimed.predicate_type,
        predicate=claimed.predicate,
        annotations=claimed.annotations,
        time=verified.time,
        signers=names,
        others=claimed.others,
    )


def _rejected(candidate: Candidate, content: bytes, problem: Flawed, verified: Verified | None) -> Rejected:
    kind, predicate_type = glance(candidate.form, content)
    return Rejected(
        manifest=candidate.manifest,
        subject=candidate.subject,
        flaw=problem.flaw,
        summary=problem.summary,
        kind=kind,
        predicate_type=predicate_type,
        expected=problem.expected,
        actual=problem.actual,
        storage=candidate.storage,
        signed_by=verified.signed_by if verified else None,
    )
