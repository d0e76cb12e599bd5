"""Applying a plan: copy, read back, verify again where it arrived, then commit and push.

The order is what makes a killed run harmless: the target tag is written after everything it names, git after every tag,
and each step looks before it acts, so that the same command finishes what was begun.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from promote.errors import Fault, Superseded
from promote.gitops.push import Change
from promote.gitops.snapshot import Snapshot
from promote.model.digest import Digest
from promote.model.environment import Place
from promote.model.graph import Graph
from promote.model.release import Pin, Release
from promote.model.result import CopyResult
from promote.model.verdict import Outcome, first_stop
from promote.oci.copy import copy_image
from promote.oci.known_blobs import KnownBlobs
from promote.oci.store import Blobs
from promote.promotion import edits, holds, inspection
from promote.promotion.attest import Attesting, attesting
from promote.promotion.declared import Declared
from promote.promotion.delivering import Delivered, deliver
from promote.promotion.message import commit_message
from promote.promotion.parallel import in_parallel
from promote.promotion.planned import Plan, PlannedRelease
from promote.promotion.workplace import Workplace


@dataclass(frozen=True)
class Applied:
    """What was done: `copies` for each release in order, one a place; `delivered` is None without overlays."""

    copies: tuple[tuple[CopyResult, ...], ...]
    delivered: Delivered | None


def apply(workplace: Workplace, plan: Plan) -> Applied:
    """Do what `plan` says; every release of it may be promoted, and `check_working_copy` was called.

    Raises `Fault` when something did not arrive or no longer verifies where it arrived, `Superseded` when somebody else
    promoted the same app and environment meanwhile.
    """
    target = plan.request.target
    jobs = [(planned, i) for planned in plan.releases for i in range(len(target.places_of(planned.app)))]
    signing = attesting(workplace, target)
    done = iter(in_parallel(lambda job: _copy(workplace, plan, signing, *job), jobs, jobs=4))
    copies = tuple(tuple(islice(done, len(target.places_of(planned.app)))) for planned in plan.releases)
    return Applied(copies, _commit(workplace, plan))


def check_working_copy(workplace: Workplace, plan: Plan) -> None:
    """Raise `Misuse` when a local commit could not take the working files along, because the user changed them.

    Asked before any copy, and in a dry run too; a commit that is pushed never looks at the working files.
    """
    if plan.declared is not None and (plan.declared.git.remote_url is None or not workplace.push):
        plan.declared.git.check_local(sorted({file.path for planned in plan.releases for file in planned.edits}))


def check_attesting(workplace: Workplace, plan: Plan) -> None:
    """Raise `CredentialsFault` or `Misuse` when the verdict is to be signed and could not be.

    Asked before any copy, and in a dry run too.
    """
    if (signing := attesting(workplace, plan.request.target)) is not None:
        signing.check()


def _copy(
    workplace: Workplace, plan: Plan, signing: Attesting | None, planned: PlannedRelease, index: int
) -> CopyResult:
    place: Place = plan.request.target.places_of(planned.app)[index]
    source = workplace.store(plan.request.origin(planned.app), planned.app)
    target = workplace.store(place, planned.app)
    if planned.graph is None or planned.release is None:
        raise AssertionError("a release without a graph was planned to be applied")
    seen = planned.surveys[index].result() if planned.surveys else None
    copied = copy_image(
        source,
        target,
        planned.graph,
        planned.tag,
        jobs=workplace.jobs,
        observer=workplace.observer,
        seen=seen,
        blobs=planned.blobs,
    )
    evidence = _verify_again(workplace, plan, planned, KnownBlobs(target, copied.contents), copied.arrived)
    image = planned.graph.root.manifest
    return CopyResult(
        place=plan.request.target.places.index(place),
        target=f"{target.repository}:{planned.tag}",
        digest=str(planned.release.digest),
        manifests=copied.manifests,
        blobs_copied=copied.blobs_copied,
        blobs_mounted=copied.blobs_mounted,
        blobs_present=copied.blobs_present,
        bytes=copied.bytes,
        seconds=round(copied.seconds, 3),
        evidence=tuple(str(digest) for digest in evidence),
        attestation=signing.attest(place, planned.app, image, evidence) if signing else None,
    )


def _verify_again(
    workplace: Workplace, plan: Plan, planned: PlannedRelease, target: Blobs, arrived: Graph
) -> tuple[Digest, ...]:
    """The digests of the evidence that verifies at the target; raises `Fault` when a gate no longer passes there."""
    gates = workplace.configuration.gates[plan.request.target.name]
    trust = workplace.configuration.trust.within(planned.app.name, plan.request.target.name)
    findings = inspection.find_evidence(target, arrived, trust, gates, workplace.jobs, now=workplace.now)
    stop = first_stop(
        inspection.judge_evidence(planned.subject(gates), arrived, findings, gates, trust, now=workplace.now)
    )
    if stop is not None:
        raise Fault(
            "arrival-unverified",
            f"{target.repository}:{planned.tag} arrived, and its evidence does not verify there: {stop.summary}",
            expected=stop.expected,
            actual=stop.actual,
            hint="look at the target registry, then run the same command again; nothing was committed",
        )
    return tuple(sorted({e.manifest for e in findings.accepted}))


def _commit(workplace: Workplace, plan: Plan) -> Delivered | None:
    declared = plan.declared
    if declared is None or not any(place.overlays for place in plan.request.target.places):
        return None
    releases = [planned.release for planned in plan.releases if planned.release is not None]
    tags = workplace.configuration.gates[plan.request.target.name].tag
    before = {r.app.name: declared.current(plan.request.target, r.app) for r in releases}

    lifted = {p.release.digest for p in plan.releases if p.release is not None and p.hold is not None}

    def change(snapshot: Snapshot) -> Change | None:
        now = Declared(workplace.configuration, declared.git, snapshot.commit, snapshot, declared.parsed)
        if snapshot.commit != declared.tip:
            _check_not_held(workplace, plan, now)
        for release in releases:
            _check_not_superseded(release, before[release.app.name], now.current(plan.request.target, release.app))
        prefix, target = declared.git.prefix, plan.request.target
        scene = edits.Scene(workplace.configuration, target, snapshot, prefix, declared.parsed)
        files = edits.of_releases(scene, releases, workplace.builder)
        return Change(files, commit_message(plan.request, releases, before, tags, lifted)) if files else None

    return deliver(workplace, declared, plan.request.target.name, releases, change)


def _check_not_held(workplace: Workplace, plan: Plan, now: Declared) -> None:
    """Raise `Superseded` when the branch moved, and a rollback from this very release came with it."""
    if plan.request.lift is not None:
        return
    claims = holds.claimed(now)
    for planned in plan.releases:
        release = planned.release
        if release is None:
            continue
        verdict, _ = holds.judge(now, claims, plan.request.target, release, arrived=False, lift=None, now=workplace.now)
        if verdict.outcome is Outcome.REFUSE:
            raise Superseded(verdict.summary, expected=verdict.expected, actual=verdict.actual)


def _check_not_superseded(release: Release, before: tuple[Pin, ...], now: tuple[Pin, ...]) -> None:
    theirs = {(p.tag, p.digest) for p in now} - {(p.tag, p.digest) for p in before} - {(release.tag, release.digest)}
    if theirs:
        tag, digest = min(theirs, key=str)
        raise Superseded(
            f"somebody else promoted {release.app.name} while this promotion ran",
            expected=f"{release.tag}@{release.digest}",
            actual=f"{tag}@{digest}",
        )
