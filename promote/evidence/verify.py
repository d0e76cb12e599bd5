"""One pass over an image's graph: read every piece of evidence, verify it, check its claims.

    graph -> discovery -> bundle | tag scheme -> signer -> claims -> Findings

Nothing but the payload blobs is asked for.  What does not count is reported with its reason and never dropped, and a
network failure is never taken for a missing signature.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from promote.errors import PromoteError
from promote.evidence import bundle, claims, key_bundle, tag_scheme
from promote.evidence.anchors import Anchors
from promote.evidence.discovery import MAX_BLOB_BYTES, Candidate, Form, discover
from promote.evidence.flawed import Flawed, invalid
from promote.evidence.glance import glance
from promote.evidence.signed import Verified
from promote.model.digest import Digest
from promote.model.evidence import Evidence, Findings, Flaw, Log, Rejected
from promote.model.graph import Graph
from promote.model.malformed import Malformed, shown
from promote.model.policy import LogDemand, Trust
from promote.oci.store import Store, read_blob


def verify(graph: Graph, store: Store, trust: Trust, *, log: LogDemand = LogDemand.PROMISE, jobs: int = 8) -> Findings:
    """Everything beside the image of `graph` that is, or only looks like, evidence about it.

    `accepted` holds what verified, by a signer of `trust`, and names in its signed payload the digest that it hangs
    on.  `jobs` blobs are fetched at a time.  Raises `Fault` when a blob cannot be had, `Misuse` when `trust` cannot be
    used, `Refusal` (``too-much-evidence``, exit 12) for more evidence than anybody has.
    """
    anchors = Anchors.load(trust)
    found = discover(graph)
    contents = _fetch(found.candidates, store, jobs)
    accepted: list[Evidence] = []
    rejected = list(found.rejected)
    for candidate in found.candidates:
        verdict = _judge(candidate, contents[candidate.blob.digest], anchors, log)
        if isinstance(verdict, Evidence):
            accepted.append(verdict)
        else:
            rejected.append(verdict)
    return Findings(tuple(accepted), tuple(rejected))


def _fetch(candidates: Sequence[Candidate], store: Store, jobs: int) -> Mapping[Digest, bytes]:
    blobs = list({c.blob.digest: c.blob for c in candidates}.values())
    with ThreadPoolExecutor(max_workers=max(1, min(jobs, len(blobs)))) as pool:
        contents = pool.map(lambda blob: read_blob(store, blob, MAX_BLOB_BYTES), blobs)
        return {blob.digest: content for blob, content in zip(blobs, contents, strict=True)}


def _judge(candidate: Candidate, content: bytes, anchors: Anchors, log: LogDemand) -> Evidence | Rejected:
    try:
        verified = _verified(candidate, content, anchors, log)
        _check_log(verified, log)
        return _evidence(candidate, verified)
    except PromoteError:
        raise
    except Flawed as problem:
        return _rejected(candidate, content, problem)
    except Malformed as problem:
        return _rejected(candidate, content, Flawed(Flaw.MALFORMED, f"cannot be read: {problem}"))
    except Exception as problem:  # noqa: BLE001
        # The one place: sigstore, cryptography, pydantic and rfc3161-client raise ValueError, binascii.Error, KeyError
        # and whatever else on hostile input.  Whatever it is, this candidate does not count.
        summary = f"cannot be read: {type(problem).__name__}: {shown(str(problem))}"
        return _rejected(candidate, content, Flawed(Flaw.MALFORMED, summary))


def _verified(candidate: Candidate, content: bytes, anchors: Anchors, log: LogDemand) -> Verified:
    if candidate.form is Form.BUNDLE:
        parsed = bundle.parse(content)
        if not parsed.by_certificate:
            return key_bundle.verify(parsed, anchors)
        # Only these need sigstore-python, which costs 0.4 s to import: a run with keys does without.
        from promote.evidence import keyless_bundle  # noqa: PLC0415

        return keyless_bundle.verify(parsed, anchors)
    if candidate.form is Form.SIMPLE_SIGNING:
        return tag_scheme.verify_simple_signing(content, candidate.material, anchors, log)
    return tag_scheme.verify_envelope(content, candidate.material, anchors, log)


def _check_log(verified: Verified, demand: LogDemand) -> None:
    if demand is LogDemand.PROOF and verified.log is not Log.PROOF:
        actual = "a signed promise" if verified.log is Log.PROMISE else "no log entry of a trusted log"
        invalid(f"{actual} where promote.yaml demands log: proof", expected="a log's inclusion proof", actual=actual)


def _evidence(candidate: Candidate, verified: Verified) -> Evidence:
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
    )


def _rejected(candidate: Candidate, content: bytes, problem: Flawed) -> Rejected:
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
    )
