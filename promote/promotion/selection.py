"""Which release is meant: from an abbreviation, or from what the source environment runs, to one full tag."""

from __future__ import annotations

import re
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass

from promote.gates import source_tag
from promote.gates import tag as tag_gate
from promote.model.environment import App, Environment
from promote.model.malformed import shown
from promote.model.manifest import RawManifest
from promote.model.verdict import Reason, Verdict, refused
from promote.oci.store import Store
from promote.promotion.declared import Declared


@dataclass(frozen=True, slots=True)
class Selected:
    """The full tag, and its manifest where finding the tag brought it along."""

    tag: str
    manifest: RawManifest | None = None


def running(app: App, environment: Environment, declared: Declared | None) -> Selected | Verdict:
    """The one tag that `environment` runs; a refusal when it runs none, or several."""
    pins = declared.current(environment, app) if declared else ()
    tags = sorted({p.tag for p in pins if p.tag})
    if len(tags) == 1:
        return Selected(tags[0])
    if tags:
        return _ambiguous(f"{environment.name} runs several tags of {app.name}", tags)
    return refused(
        source_tag.GATE,
        Reason.NOT_DEPLOYED,
        f"the overlays of {environment.name} pin no tag of {app.name}",
        expected="one tag",
        actual="none",
        hint=f"name the tag, as in {app.name}=sha-4f2a91c",
    )


@dataclass(frozen=True, slots=True)
class Search:
    """Where to look for a tag: in the registry of an environment, and in what git says that it runs and ran.

    `asked` is the answer of the registry for the very text that is looked for, when that was asked before.
    """

    app: App
    environment: Environment
    source: Store
    declared: Declared | None
    asked: Future[RawManifest | None] | None = None


def spelled(text: str, pattern: re.Pattern[str], search: Search) -> Selected | Verdict:
    """The tag that `text` spells or begins; a refusal when it begins several, or none.

    Looked for in this order: the tag itself in the registry, what the environment runs, what it ran, all tags there.
    """
    app, environment, source, declared = search.app, search.environment, search.source, search.declared
    if pattern.fullmatch(text):
        manifest = search.asked.result() if search.asked else source.resolve(text)
        if manifest is not None:
            return Selected(text, manifest)
    if declared is not None:
        for tags in (_running_tags(app, environment, declared), _earlier_tags(app, text, environment, declared)):
            if candidates := _beginning(tags, text, pattern):
                return _one_of(candidates, text)
    if candidates := _beginning(source.tags(), text, pattern):
        return _one_of(candidates, text)
    return source_tag.judge(f"{source.repository}:{shown(text)}", None)


def _running_tags(app: App, environment: Environment, declared: Declared) -> Iterable[str]:
    return (pin.tag for pin in declared.current(environment, app) if pin.tag)


def _earlier_tags(app: App, text: str, environment: Environment, declared: Declared) -> Iterable[str]:
    return (s.pin.tag for s in declared.earlier([environment], app, text) if s.pin.tag)


def _beginning(tags: Iterable[str], text: str, pattern: re.Pattern[str]) -> list[str]:
    return sorted({tag for tag in tags if tag.startswith(text) and pattern.fullmatch(tag)})


def _one_of(candidates: list[str], text: str) -> Selected | Verdict:
    if len(candidates) == 1:
        return Selected(candidates[0])
    return _ambiguous(f"{shown(text)} is the beginning of {len(candidates)} tags", candidates)


def _ambiguous(summary: str, candidates: list[str]) -> Verdict:
    return refused(
        tag_gate.GATE,
        Reason.AMBIGUOUS_TAG,
        summary,
        expected="one tag",
        actual=", ".join(candidates[:10]) + (", …" if len(candidates) > 10 else ""),
        hint=f"give more of it, such as {candidates[0]}",
    )
