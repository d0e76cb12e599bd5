"""What was signed names the commit, and the repository, that the tag names."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from promote.gates import provenance
from promote.gates.labels import REVISION, same_commit, same_source
from promote.model.digest import Digest
from promote.model.evidence import Evidence, Findings, Kind
from promote.model.malformed import shown
from promote.model.policy import Witness
from promote.model.verdict import Reason, Verdict, passed, refused, skipped
from promote.sbom.document import is_sbom_type

GATE = "commit"


@dataclass(frozen=True, slots=True)
class _Claim:
    """A commit or a repository that `evidence` names; `where` is for the message."""

    witness: Witness
    where: str
    value: str
    evidence: Evidence


def judge(
    digest: Digest,
    commit: str,
    source: str | None,
    findings: Findings,
    required: Collection[Witness] = frozenset(),
    *,
    revisions: Sequence[str] = (),
) -> Verdict:
    """Pass when everything signed by the build that names a commit or a repository names the expected one.

    Looked at: the certificate's source digest and source repository, the signed annotation ``commit``, and what a
    provenance says that it built; a provenance must also name the repository that its own certificate names.  What is
    absent is no refusal, unless `required`.  A tag that abbreviates its commit fits several: then all that is named,
    the labels' `revisions` included, must be one commit.  Attestations that are made after the build (a scan, a test
    result, a promotion) have a commit of their own, and their certificates are not compared.
    """
    commits = [c for e in findings.accepted for c in _commits(e, digest)]
    repositories = [c for e in findings.accepted for c in _repositories(e)]
    stop = _of_another(commit, commits) or _apart(commits, revisions) or _from_elsewhere(source, repositories)
    if stop is not None:
        return stop
    named = {claim.witness for claim in commits}
    missing = sorted(w.value for w in set(required) - named if w is not Witness.LABEL)
    if missing:
        return _unnamed(missing, commit, named)
    if not named:
        return skipped(GATE, "nothing that was signed names a commit")
    whole = max((c.value for c in commits), key=len)
    abbreviated = f", {whole}, which it abbreviates" if len(whole) > len(commit) else ""
    return passed(GATE, f"everything signed that names a commit names the commit of the tag{abbreviated}")


def by_the_build(evidence: Evidence) -> bool:
    """Whether `evidence` is of a kind that the build itself makes: its certificate is the build's."""
    kind = evidence.predicate_type or ""
    return evidence.kind is Kind.SIGNATURE or kind in provenance.TYPES or is_sbom_type(kind)


def commits_named(evidence: Evidence, digest: Digest) -> tuple[str, ...]:
    """The commits that `evidence` about `digest` names, as they are written."""
    return tuple(claim.value for claim in _commits(evidence, digest))


def names_commit(evidence: Evidence, digest: Digest, commit: str) -> bool:
    """Whether something in `evidence` about `digest` names `commit`."""
    return any(same_commit(commit, named) for named in commits_named(evidence, digest))


def _commits(evidence: Evidence, digest: Digest) -> Iterator[_Claim]:
    by = evidence.signed_by
    if by.source_commit is not None and by_the_build(evidence):
        yield _Claim(Witness.CERTIFICATE, "the signer's certificate", by.source_commit, evidence)
    if evidence.kind is Kind.SIGNATURE and evidence.subject == digest and "commit" in evidence.annotations:
        where = "the signed annotation commit"
        yield _Claim(Witness.ANNOTATION, where, evidence.annotations["commit"], evidence)
    built = provenance.read(evidence.predicate_type, evidence.predicate).commit
    if built is not None:
        yield _Claim(Witness.PROVENANCE, "the provenance", built, evidence)


def _repositories(evidence: Evidence) -> Iterator[_Claim]:
    by = evidence.signed_by
    if by.source_repository is not None and by_the_build(evidence):
        yield _Claim(Witness.CERTIFICATE, "the signer's certificate", by.source_repository, evidence)
    built = provenance.read(evidence.predicate_type, evidence.predicate).repository
    if built is not None:
        yield _Claim(Witness.PROVENANCE, "the provenance", built, evidence)


def _of_another(commit: str, claims: Sequence[_Claim]) -> Verdict | None:
    """The refusal when something names another commit than the tag."""
    for claim in claims:
        if not same_commit(commit, claim.value):
            return _disagrees(
                Reason.COMMIT_DISAGREES, f"{claim.where} names another commit than the tag", commit, claim
            )
    return None


def _from_elsewhere(source: str | None, claims: Sequence[_Claim]) -> Verdict | None:
    """The refusal when something names another repository than promote.yaml, or than the certificate that signed it."""
    for claim in claims:
        if source is not None and not same_source(source, claim.value):
            summary = f"{claim.where} names another repository than promote.yaml"
            return _disagrees(Reason.SOURCE_DISAGREES, summary, source, claim)
        certified = claim.evidence.signed_by.source_repository
        if certified is not None and not same_source(certified, claim.value):
            summary = f"{claim.where} names another repository than the certificate that signed it"
            return _disagrees(Reason.SOURCE_DISAGREES, summary, certified, claim)
    return None


def _apart(claims: Sequence[_Claim], revisions: Sequence[str]) -> Verdict | None:
    """The refusal when two things that are named are different commits, though the tag fits both."""
    named: list[tuple[str, str, tuple[str, ...]]] = [
        *((c.where, c.value, (str(c.evidence.manifest),)) for c in claims),
        *((f"the label {REVISION}", revision, ()) for revision in revisions),
    ]
    where, whole, _ = max(named, key=lambda n: len(n[1]), default=("", "", ()))
    for other, value, evidence in named:
        if not same_commit(whole, value):
            return refused(
                GATE,
                Reason.COMMIT_DISAGREES,
                f"{other} names another commit than {where}, and the tag abbreviates both",
                expected=shown(whole),
                actual=shown(value),
                evidence=evidence,
                hint="find out which of the two was built; a tag with the whole commit fits one only",
            )
    return None


def _disagrees(reason: Reason, summary: str, expected: str, claim: _Claim) -> Verdict:
    return refused(
        GATE,
        reason,
        summary,
        expected=expected,
        actual=shown(claim.value),
        evidence=(str(claim.evidence.manifest),),
        hint="this image was built from something else than its tag says: find out by whom before anything else",
    )


def _unnamed(missing: list[str], commit: str, named: Collection[Witness]) -> Verdict:
    return refused(
        GATE,
        Reason.COMMIT_UNNAMED,
        f"the commit is not named by the {missing[0]}, and gates.commit asks for it",
        expected=f"{commit} in the {' and in the '.join(missing)}",
        actual=f"{', '.join(sorted(w.value for w in named)) or 'nothing signed'}",
        hint="let the build sign what it built from: keyless, with `cosign sign -a commit=SHA`, and with a provenance",
    )
