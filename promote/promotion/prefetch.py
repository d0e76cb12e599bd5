"""What the gates will ask the registries if all goes well, asked while git still answers.

Reads only.  An answer that no gate comes to want is dropped, and an error is raised where its answer is used, so that
verdicts and their order are what they would be without.
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass

from promote.model.environment import App
from promote.model.graph import Graph
from promote.model.manifest import RawManifest
from promote.oci.graph import gather
from promote.oci.store import Store
from promote.promotion.request import Request
from promote.promotion.workplace import Workplace

APPS = 4
"""For how many apps at once: more of them fill the time by themselves."""


@dataclass(frozen=True)
class Prefetch:
    """Answers on their way, for one full `tag`: its manifest and graph at the source, its manifest at each place."""

    tag: str
    manifest: Future[RawManifest | None]
    graph: Future[Graph | None]
    at_target: tuple[Future[RawManifest | None], ...]


def prefetch(workplace: Workplace, request: Request, app: App, tag: str) -> Prefetch:
    """Begin to ask; `tag` has the form of a whole commit tag."""
    source = workplace.store(request.origin(app), app)
    targets = [workplace.store(place, app) for place in request.target.places]
    start = workplace.background.start
    manifest = start(source.resolve, tag)
    at_target = tuple(start(access_and_tag, target, tag) for target in targets)
    return Prefetch(tag, manifest, start(_graph, source, manifest, workplace.jobs), at_target)


def access_and_tag(target: Store, tag: str) -> RawManifest | None:
    """What `tag` names at `target`, which may be written to; raises `CredentialsFault` when it may not."""
    target.check_access(push=True)
    return target.resolve(tag)


def _graph(source: Store, manifest: Future[RawManifest | None], jobs: int) -> Graph | None:
    root = manifest.result()
    return None if root is None else gather(source, root, jobs=jobs)
