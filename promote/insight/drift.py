"""Drift: whether the registries still have what git declares.  The one question of status that asks the network."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from promote.errors import PromoteError
from promote.model.configuration import Configuration
from promote.model.digest import Digest
from promote.model.malformed import Malformed
from promote.model.standing import Comparison, Drift, Standing
from promote.oci.store import Store
from promote.oci.stores import Stores

Question = tuple[str, str, int, str | None, Digest | None]


def compare(
    standings: Sequence[Standing], configuration: Configuration, stores: Stores, jobs: int
) -> tuple[Standing, ...]:
    """`standings` with what the registry of each one's place says, asked by `jobs` threads; what is the same, once.

    Rows that pin nothing are as they were.  A registry that cannot be asked is `UNKNOWN` with the reason, and hides no
    other.
    """
    questions = {s: _question(s) for s in standings if s.tag or s.digest}
    distinct = list(dict.fromkeys(questions.values()))

    def ask(question: Question) -> Comparison:
        app, environment, place, tag, digest = question
        try:
            where = configuration.environments[environment].places[place].repository(configuration.apps[app])
            return _compared(stores.open(where), tag, digest)
        except PromoteError as error:
            return Comparison(Drift.UNKNOWN, reason=error.message)
        except Malformed as problem:
            return Comparison(Drift.UNKNOWN, reason=str(problem))

    with ThreadPoolExecutor(max_workers=max(1, min(jobs, len(distinct))), thread_name_prefix="promote") as pool:
        answers = dict(zip(distinct, pool.map(ask, distinct), strict=True))
    return tuple(replace(s, registry=answers[questions[s]]) if s in questions else s for s in standings)


def _question(standing: Standing) -> Question:
    return standing.app, standing.environment, standing.place, standing.tag, standing.digest


def _compared(store: Store, tag: str | None, digest: Digest | None) -> Comparison:
    if tag is None:
        if digest is not None and store.has_manifest(digest):
            return Comparison(Drift.NONE, digest)
        return Comparison(Drift.MISSING, reason=f"{store.repository} has no {digest}")
    manifest = store.resolve(tag)
    if manifest is None:
        return Comparison(Drift.MISSING, reason=f"{store.repository} has no tag {tag}")
    if digest is not None and manifest.digest != digest:
        return Comparison(Drift.MOVED, manifest.digest, f"{store.repository} has {manifest.digest} under {tag}")
    return Comparison(Drift.NONE, manifest.digest)
