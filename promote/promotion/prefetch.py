"""What the gates will ask the registries if all goes well, asked while git still answers.

Reads only.  An answer that no gate comes to want is dropped, and an error is raised where its answer is used, so that
verdicts and their order are what they would be without.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from promote.model.environment import App
from promote.model.graph import Graph, Node
from promote.model.manifest import RawManifest
from promote.oci.graph import gather
from promote.oci.scouting import AheadBlobs, Scout, access_and_tag
from promote.oci.sending import QUESTIONS, acts
from promote.oci.store import Store
from promote.promotion.request import Request
from promote.promotion.twins import Namesake, other_spelling, tagged
from promote.promotion.workplace import Workplace

APPS = 4
"""For how many apps at once: more of them fill the time by themselves."""


@dataclass(frozen=True)
class Prefetch:
    """Answers on their way, for one full `tag`: its manifest and graph at the source, its manifest at each place.

    `other` is what the source has under the tag's other spelling, None where only the image's labels may tell that.
    `blobs` are the source's, those of them ahead that an image is judged by; `scouts` ask each place for what the graph
    is found to have.
    """

    tag: str
    manifest: Future[RawManifest | None]
    graph: Future[Graph | None]
    at_target: tuple[Future[RawManifest | None], ...]
    other: Future[tuple[Namesake, ...]] | None
    blobs: AheadBlobs
    scouts: tuple[Scout, ...]


def prefetch(workplace: Workplace, request: Request, app: App, tag: str, pattern: re.Pattern[str]) -> Prefetch:
    """Begin to ask; `tag` has the form of a whole commit tag by `pattern`."""
    source = workplace.store(request.origin(app), app)
    targets = [workplace.store(place, app) for place in request.target.places_of(app)]
    start, few, jobs = workplace.background.start, workplace.background.narrow, workplace.jobs
    source.expect(jobs)
    for target in targets:
        target.expect(acts(jobs))
    manifest = start(source.resolve, tag)
    at_target = tuple(start(access_and_tag, target, tag) for target in targets)
    blobs = AheadBlobs(source, few(jobs).start)
    scouts = tuple(
        Scout(target, tag, named, few(QUESTIONS * jobs).start) for target, named in zip(targets, at_target, strict=True)
    )
    hearers = (blobs.meet, *(scout.meet for scout in scouts))
    graph = start(_graph, source, manifest, hearers, jobs)
    other = start(_other, source, manifest, tag, pattern) if other_spelling(tag, pattern, ()) else None
    return Prefetch(tag, manifest, graph, at_target, other, blobs, scouts)


def _other(
    source: Store, manifest: Future[RawManifest | None], tag: str, pattern: re.Pattern[str]
) -> tuple[Namesake, ...]:
    root = manifest.result()
    return () if root is None else tagged(source, root.digest, tag, pattern, ())


def _graph(
    source: Store, manifest: Future[RawManifest | None], hearers: Sequence[Callable[[Node], None]], jobs: int
) -> Graph | None:
    root = manifest.result()

    def met(node: Node) -> None:
        for hear in hearers:
            hear(node)

    return None if root is None else gather(source, root, jobs=jobs, met=met)
