"""Signed evidence for two image digests names one commit of one app: the commit was built twice."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from promote.gates import commit as commit_gate
from promote.gates.labels import same_commit, same_source
from promote.model.digest import Digest
from promote.model.evidence import Evidence, Findings
from promote.model.malformed import shown
from promote.model.verdict import Reason, Verdict, refused


@dataclass(frozen=True, slots=True)
class Twin:
    """Another digest of the app that git or the registry calls by this commit.

    `where` says who does, and by which tag; `findings` what is signed about the digest.
    """

    digest: Digest
    where: str
    findings: Findings


def judge(
    digest: Digest, commit: str, images: Collection[Digest], findings: Findings, twins: Sequence[Twin]
) -> Verdict | None:
    """The refusal when something signed names `commit` for a digest that is not one of this release's `images`.

    That is a statement by the build that calls two digests by one name, or another digest that git recorded, or the
    source registry has, under another tag of the commit and that the build signed too.  None when nothing does.
    """
    for evidence in findings.accepted:
        strangers = [other for other in evidence.others if other not in images]
        if strangers and commit_gate.by_the_build(evidence) and commit_gate.names_commit(evidence, digest, commit):
            return _refused(digest, strangers[0], "one statement names two images of the commit", evidence, commit)
    whole = max((c for c in _named(digest, findings) if same_commit(commit, c)), key=len, default=commit)
    for twin in twins:
        for evidence in twin.findings.accepted:
            if evidence.subject == twin.digest and _is_same_build(evidence, whole, findings):
                where = f"both are signed, and {twin.where}"
                return _refused(digest, twin.digest, where, evidence, commit)
    return None


def _named(digest: Digest, findings: Findings) -> Iterator[str]:
    """The commits that are named, as long as they are written."""
    for evidence in findings.accepted:
        yield from commit_gate.commits_named(evidence, digest)


def _is_same_build(evidence: Evidence, commit: str, findings: Findings) -> bool:
    if not commit_gate.by_the_build(evidence) or not commit_gate.names_commit(evidence, evidence.subject, commit):
        return False
    theirs = evidence.signed_by.source_repository
    ours = [r for e in findings.accepted if (r := e.signed_by.source_repository) is not None]
    return theirs is None or not ours or any(same_source(theirs, r) for r in ours)


def _refused(digest: Digest, other: Digest, where: str, evidence: Evidence, commit: str) -> Verdict:
    return refused(
        commit_gate.GATE,
        Reason.REBUILT_SIGNED_TWICE,
        f"the commit was built twice: {shown(where, 300)}",
        expected=f"{commit} signed for {digest} alone",
        actual=f"signed for {other} too",
        evidence=(str(evidence.manifest),),
        hint="build a new commit and promote that: of two builds nobody knows which one was tested",
    )
