"""What was signed names the commit, and the repository, that the tag names."""

from __future__ import annotations

from collections.abc import Iterator

from promote.gates.labels import same_commit, same_source
from promote.gates.signature import PROVENANCE
from promote.model.digest import Digest
from promote.model.evidence import Evidence, Findings, Kind
from promote.model.malformed import shown
from promote.model.verdict import Reason, Verdict, passed, refused, skipped

GATE = "commit"


def judge(digest: Digest, commit: str, source: str | None, findings: Findings) -> Verdict:
    """Pass when every accepted piece of evidence that names a commit or a repository names the expected one.

    Looked at: the certificate's source digest and source repository, the signed annotation ``commit``, and the git
    commit that a provenance resolved.  What is absent is no refusal.
    """
    named = 0
    for evidence in findings.accepted:
        for where, claimed in _commits(evidence, digest):
            named += 1
            if not same_commit(commit, claimed):
                return _disagrees(
                    Reason.COMMIT_DISAGREES, f"{where} names another commit than the tag", commit, claimed, evidence
                )
        claimed_source = evidence.signed_by.source_repository
        if source is not None and claimed_source is not None and not same_source(source, claimed_source):
            return _disagrees(
                Reason.SOURCE_DISAGREES,
                "the signer's certificate names another repository than promote.yaml",
                source,
                claimed_source,
                evidence,
            )
    if not named:
        return skipped(GATE, "nothing that was signed names a commit")
    return passed(GATE, "everything signed that names a commit names the commit of the tag")


def _commits(evidence: Evidence, digest: Digest) -> Iterator[tuple[str, str]]:
    if evidence.signed_by.source_commit is not None:
        yield "the signer's certificate", evidence.signed_by.source_commit
    if evidence.kind is Kind.SIGNATURE and evidence.subject == digest and "commit" in evidence.annotations:
        yield "the signed annotation commit", evidence.annotations["commit"]
    if evidence.predicate_type in PROVENANCE:
        yield from (("the provenance", c) for c in _resolved_commits(evidence.predicate))


def _resolved_commits(predicate: object) -> Iterator[str]:
    # SLSA v1: buildDefinition.resolvedDependencies[].digest.gitCommit; the first git dependency is the source itself,
    # later ones may be other repositories that the build checked out.
    definition = predicate.get("buildDefinition") if isinstance(predicate, dict) else None
    dependencies = definition.get("resolvedDependencies") if isinstance(definition, dict) else None
    for dependency in dependencies if isinstance(dependencies, list) else []:
        found = dependency.get("digest") if isinstance(dependency, dict) else None
        commit = found.get("gitCommit") if isinstance(found, dict) else None
        if isinstance(commit, str):
            yield commit
            return


def _disagrees(reason: Reason, summary: str, expected: str, actual: str, evidence: Evidence) -> Verdict:
    return refused(
        GATE,
        reason,
        summary,
        expected=expected,
        actual=shown(actual),
        evidence=(str(evidence.manifest),),
        hint="this image was built from something else than its tag says: find out by whom before anything else",
    )
