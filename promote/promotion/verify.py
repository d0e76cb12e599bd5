"""`promote verify`: the gates that need no target, on any reference."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

from promote.errors import Misuse, PromoteError, Refusal
from promote.gates import labels, source_tag
from promote.gates import tag as tag_gate
from promote.model.configuration import Configuration
from promote.model.digest import Digest
from promote.model.environment import App, Environment
from promote.model.malformed import Malformed, shown
from promote.model.manifest import RawManifest
from promote.model.policy import Gates, Trust
from promote.model.progress import watcher
from promote.model.reference import LAYOUT, Repository
from promote.model.release import Release
from promote.model.result import ErrorResult, ReleaseResult, Result
from promote.model.verdict import Reason, Verdict, first_stop, refused, skipped, unknown
from promote.oci.store import Store
from promote.promotion import inspection, records, selection, twins
from promote.promotion.declared import Declared, look
from promote.promotion.docket import Docket
from promote.promotion.outcome import error_of_verdict, exit_code_of_verdict
from promote.promotion.request import environment as environment_named
from promote.promotion.workplace import Workplace

ORDER = (tag_gate.GATE, source_tag.GATE, *records.GATES, labels.GATE, *inspection.GATES)


@dataclass(frozen=True, slots=True)
class Target:
    """One image to verify.  `tag` and `digest` may both be None: whatever `environment` runs."""

    app: App
    repository: Repository
    gates: Gates
    trust: Trust
    tag: str | None = None
    digest: Digest | None = None
    environment: Environment | None = None


def targets(configuration: Configuration, text: str) -> tuple[Target, ...]:
    """What `text` asks to verify: ``ENV``, ``ENV:TAG``, ``HOST/REPO:TAG``, ``HOST/REPO@DIGEST``, ``oci:DIR/REPO:TAG``.

    Raises `Misuse` when it is none of these.
    """
    name, _, tag = text.partition(":")
    if name in configuration.environments or ("/" not in text and "@" not in text):
        env = environment_named(configuration, name)
        gates, trust = configuration.gates[env.name], configuration.trust
        return tuple(
            Target(
                app,
                env.places_of(app)[0].repository(app),
                gates,
                trust.within(app.name, env.name),
                tag or None,
                None,
                env,
            )
            for app in configuration.apps.values()
            if tag or not env.lacks(app)
        )
    repository, tag_text, digest = reference(text)
    for env in configuration.environments.values():
        for app in configuration.apps.values():
            if any(place.repository(app) == repository for place in env.places):
                trust = configuration.trust.within(app.name, env.name)
                return (Target(app, repository, configuration.gates[env.name], trust, tag_text, digest),)
    stranger, trust = App(repository.path, repository.path), configuration.trust.within(repository.path, None)
    return (Target(stranger, repository, configuration.default_gates, trust, tag_text, digest),)


def reference(text: str) -> tuple[Repository, str | None, Digest | None]:
    """Repository, tag and digest (one of the two at least) of ``HOST/REPO:TAG`` and its kin; raises `Misuse`."""
    try:
        return _parse(text)
    except Malformed as problem:
        raise Misuse(
            "reference-malformed",
            f"got the reference {shown(text)!r}: {problem}",
            expected="ENV, ENV:TAG, HOST/REPO:TAG, HOST/REPO@DIGEST or oci:DIR/REPO:TAG",
            actual=shown(text),
        ) from None


def _parse(text: str) -> tuple[Repository, str | None, Digest | None]:
    rest, at, digest_text = text.partition("@")
    digest = Digest.parse(digest_text) if at else None
    slash, colon = rest.rfind("/"), rest.rfind(":")
    tag = rest[colon + 1 :] if colon > slash else None
    name = rest[:colon] if colon > slash else rest
    if tag is None and digest is None:
        raise Malformed("reference", text, "a tag or a digest")
    if name.startswith(LAYOUT):
        path = PurePosixPath(name.removeprefix(LAYOUT))
        repository = Repository(f"{LAYOUT}{path.parent}", path.name)
    else:
        host, slash_text, path_text = name.partition("/")
        if not slash_text:
            raise Malformed("reference", text, "HOST/REPO:TAG")
        repository = Repository(host, path_text)
    if tag is not None:
        repository.tag(tag)
    return repository, tag, digest


@dataclass
class Examined:
    """One target as far as it was judged."""

    target: Target
    tag: str
    docket: Docket
    digest: Digest | None = None
    error: PromoteError | None = None


def verify(workplace: Workplace, text: str) -> Result:
    """Judge what `text` names; raises `Misuse` when it names nothing."""
    return outcome(examine(workplace, text))


def examine(workplace: Workplace, text: str) -> tuple[Examined, ...]:
    """Each image that `text` names, judged; raises `Misuse` when it names nothing."""
    asked = targets(workplace.configuration, text)
    declared = look(workplace) if any(t.environment for t in asked) else None
    examined = [_examine(workplace, target, declared) for target in asked]
    if len(examined) > 1 and asked[0].tag is not None:
        # ENV:TAG with several apps means those that have this tag there.
        examined = [e for e in examined if e.digest is not None or e.error is not None] or examined[:1]
    return tuple(examined)


def outcome(examined: tuple[Examined, ...]) -> Result:
    """The result of what was examined, which is one image at least."""
    stopped = next((e for e in examined if e.error or first_stop(e.docket.verdicts())), None)
    environment = examined[0].target.environment
    return Result(
        command="verify",
        exit_code=_exit_code(stopped) if stopped else 0,
        source=environment.name if environment else None,
        releases=tuple(_result(e) for e in examined),
        error=_error(stopped) if stopped else None,
    )


def _examine(workplace: Workplace, target: Target, declared: Declared | None) -> Examined:
    hear = partial(watcher(workplace.observer).judged, target.app.name)
    examined = Examined(target, target.tag or "", Docket(ORDER, hear))
    try:
        manifest = _find(workplace, target, declared, examined)
        if manifest is not None and examined.docket.open:
            _judge(workplace, target, declared, examined, manifest)
    except Refusal as refusal:
        examined.docket.add(inspection.refusal_of_evidence(refusal))
    except PromoteError as fault:
        examined.error = fault
        examined.docket.add(unknown(examined.docket.next_gate(), fault.message, actual=fault.actual, hint=fault.hint))
    return examined


def _find(workplace: Workplace, target: Target, declared: Declared | None, examined: Examined) -> RawManifest | None:
    store = workplace.stores.open(target.repository)
    if target.tag is None and target.digest is not None:
        examined.docket.add(skipped(tag_gate.GATE, "a digest was given and no tag"))
        return _sourced(examined, store.manifest(target.digest), str(target.repository.digest(target.digest)))
    selected = _select(target, declared, store)
    if isinstance(selected, Verdict):
        examined.docket.add(selected)
        return None
    examined.tag = selected.tag
    examined.docket.add(tag_gate.judge(selected.tag, target.gates.tag))
    if not examined.docket.open:
        return None
    manifest = selected.manifest or store.resolve(selected.tag)
    return _sourced(examined, manifest, f"{target.repository}:{selected.tag}")


def _select(target: Target, declared: Declared | None, store: Store) -> selection.Selected | Verdict:
    if target.tag is None and target.environment is not None:
        return selection.running(target.app, target.environment, declared)
    tag = target.tag or ""
    if target.environment is None or not tag_gate.may_abbreviate(tag, target.gates.tag):
        return selection.Selected(tag)
    search = selection.Search(target.app, target.environment, store, declared)
    return selection.spelled(tag, target.gates.tag, search)


def _sourced(examined: Examined, manifest: RawManifest | None, reference: str) -> RawManifest | None:
    examined.docket.add(source_tag.judge(reference, manifest.digest if manifest else None))
    if manifest is None:
        return None
    wanted = examined.target.digest
    if wanted is not None and wanted != manifest.digest:
        examined.docket.add(
            refused(
                source_tag.GATE,
                Reason.DIGEST_DIFFERS,
                f"the tag was rebuilt, or the digest is another image's: {reference} names other content",
                expected=str(wanted),
                actual=str(manifest.digest),
                hint="verify the digest alone, or the tag alone, to see what each is",
            )
        )
        return None
    examined.digest = manifest.digest
    return manifest


def _judge(
    workplace: Workplace, target: Target, declared: Declared | None, examined: Examined, manifest: RawManifest
) -> None:
    store, jobs, trust = workplace.stores.open(target.repository), workplace.jobs, target.trust
    release = Release(target.app, examined.tag, manifest.digest)
    if target.environment is not None:
        recorded = records.look_up(workplace.configuration, declared, target.environment, release, target.gates)
        others = twins.recorded(records.namesakes(recorded, release, target.gates))
        examined.docket.add(*records.judge(recorded, target.environment, release, target.gates))
    else:
        others = ()
        examined.docket.add(*(skipped(gate, "no environment was named") for gate in records.GATES))
    if not examined.docket.open:
        return
    graph = inspection.look(store, manifest, jobs)
    platforms = inspection.read_platforms(store, graph, jobs)
    commit = tag_gate.commit_of(examined.tag, target.gates.tag)
    named, contents = [p.labels for p in platforms], tuple(p.contents for p in platforms)
    revisions = tuple(n.revision for n in named if n.revision is not None)
    others += twins.tagged(store, manifest.digest, examined.tag, target.gates.tag, revisions)
    found = twins.examine(store, others, trust, target.gates, jobs, now=workplace.now)
    subject = inspection.Subject(target.app, manifest, commit, contents, found, revisions)
    examined.docket.add(inspection.judge_labels(subject, named, target.gates))
    if examined.docket.open:
        findings = inspection.find_evidence(store, graph, trust, target.gates, jobs, now=workplace.now)
        examined.docket.add(
            *inspection.judge_evidence(subject, graph, findings, target.gates, trust, now=workplace.now)
        )


def _result(examined: Examined) -> ReleaseResult:
    repository, digest = examined.target.repository, examined.digest
    return ReleaseResult(
        app=examined.target.app.name,
        tag=examined.tag,
        digest=str(digest) if digest else None,
        source=f"{repository}@{digest}" if digest else None,
        changed=False,
        gates=examined.docket.verdicts(),
    )


def _exit_code(examined: Examined) -> int:
    if examined.error is not None:
        return examined.error.exit_code
    stop = first_stop(examined.docket.verdicts())
    return exit_code_of_verdict(stop) if stop else 1


def _error(examined: Examined) -> ErrorResult | None:
    if examined.error is not None:
        e = examined.error
        return ErrorResult(e.code, e.message, e.expected, e.actual, e.hint)
    stop = first_stop(examined.docket.verdicts())
    return error_of_verdict(stop) if stop else None
