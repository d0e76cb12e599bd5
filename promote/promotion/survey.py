"""What a repository of manifests says by itself: its apps, environments and registries, for a first promote.yaml."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from promote.errors import Misuse
from promote.model.environment import OverlayEntry
from promote.model.malformed import shown
from promote.model.policy import COMMIT_TAG
from promote.model.proposal import Proposal, ProposedApp, ProposedEnvironment
from promote.promotion.arrangement import Arrangement, arranged, staged
from promote.promotion.own_apps import OwnApp, called, own, tag_form
from promote.promotion.sequence import in_order, sources
from promote.promotion.sightings import Looker, Sightings, split_name

_MOST_NAMED = 6
"""How many things of a kind a note names; the rest are counted."""


def survey(root: Path) -> Proposal:
    """A proposal from the overlays below `root` alone: nobody signs in it, and no registry was asked.

    Raises `Misuse` where there is no overlay with an image, `Fault` for too many directories.
    """
    looker = Looker(root)
    seen = looker.look()
    if not seen.images:
        raise _nothing(root, seen)
    found, strangers = own(seen.images)
    apps = called(found)
    stages = staged(apps)
    names = frozenset(name for app in found for name in app.names)
    unreadable = {overlay for overlay in stages if not looker.is_readable(overlay, names)}
    readable = {overlay: name for overlay, name in stages.items() if overlay not in unreadable}
    fit = arranged(_within(apps, readable), readable)
    if not fit.apps:
        raise _nothing(root, seen)
    notes = [
        "Nobody is trusted yet: `promote init --from IMAGE --force` proposes who signed one, or write trust.signers."
    ]
    environments = tuple(_environments(fit))
    notes += _strays(fit, environments)
    if len(environments) > 1 and not any(e.promoted_from for e in environments):
        notes.append("No name says which environment comes first: write `from` for each that is promoted into.")
    form = tag_form(fit.apps.values())
    if form is None:
        notes.append("Most tags name no commit, as sha-4f2a91c does: the tag gate will refuse them (exit 14).")
    notes += _left_out(apps, strangers, stages, unreadable)
    return Proposal(
        reference=None,
        digest=None,
        apps=tuple(_proposed(name, app, environments) for name, app in sorted(fit.apps.items())),
        environments=environments,
        root=None,
        signers=(),
        notes=tuple(notes),
        tag=form.pattern if form is not None and form is not COMMIT_TAG else None,
    )


def _nothing(root: Path, seen: Sightings) -> Misuse:
    where = shown(str(root.resolve().name))
    if seen.values:
        return Misuse(
            "no-overlays-found",
            f"got values of Helm such as {shown(seen.values[0])} and no image in an overlay below {where}",
            expected="an image in a kustomization, or in a values.yaml in a directory of each environment",
            actual=f"{len(seen.values)} files of values, which promote.yaml names one by one",
            hint="write `overlays` and `fields` for these files, as `promote explain no-overlays-found` shows",
        )
    if not seen.kustomized:
        return Misuse(
            "no-overlays-found",
            f"got no kustomization below {where}, expected at least one overlay with an image",
            hint="run it in the GitOps repository, or name an image that your build signed with --from",
        )
    count = len(seen.kustomized)
    said = "1 kustomization" if count == 1 else f"{count} kustomizations"
    return Misuse(
        "no-overlays-found",
        f"got {said} below {where} and no image in an overlay, expected one in a manifest, `images:` or Helm values",
        hint="see what could not be read with `promote lint`, or name an image that your build signed with --from",
    )


def _within(apps: Mapping[str, OwnApp], overlays: Collection[str]) -> dict[str, OwnApp]:
    """`apps` as they are seen in `overlays`, without those that are not."""
    found = {
        name: OwnApp(app.image, tuple(s for s in app.sightings if s.overlay in overlays)) for name, app in apps.items()
    }
    return {name: app for name, app in found.items() if app.sightings}


def _proposed(name: str, app: OwnApp, environments: Iterable[ProposedEnvironment]) -> ProposedApp:
    """`app` with the names that promote.yaml would not know by itself."""
    registries = {place for e in environments for place in (e.registry, *(registry for registry, _ in e.more))}
    known = {app.image, *(f"{registry}/{app.image}" for registry in registries)}
    return ProposedApp(name, app.image, tuple(sorted(app.names - known)), None)


def _environments(fit: Arrangement) -> Iterator[ProposedEnvironment]:
    """The environments in the order of promotion."""
    for name in in_order(fit.overlays):
        pulled = _registries(fit, name)
        every = Counter(registry for counts in pulled.values() for registry in counts.elements())
        usual = _usual(every)
        places: dict[str, list[OverlayEntry]] = {usual: []}
        for entry, counts in pulled.items():
            places.setdefault(_usual(counts), []).append(entry)
        (first, own_overlays), *more = ((registry, tuple(mine)) for registry, mine in places.items() if mine)
        guessed = not any(split_name(s.pulled)[0] for s in fit.sightings(name))
        yield ProposedEnvironment(
            name, first, None, own_overlays, sources(name, fit.overlays), guessed=guessed, more=tuple(more)
        )


def _strays(fit: Arrangement, environments: Iterable[ProposedEnvironment]) -> Iterator[str]:
    """Which environments pull images from registries that are none of their places."""
    found: dict[tuple[str, ...], list[str]] = {}
    for environment in environments:
        known = {environment.registry, *(registry for registry, _ in environment.more)}
        pulled = {r for counts in _registries(fit, environment.name).values() for r in counts}
        if strays := tuple(sorted(pulled - known)):
            found.setdefault(strays, []).append(environment.name)
    for strays, names in found.items():
        pull = "pulls" if len(names) == 1 else "pull"
        yield f"{_some(names)} {pull} some images from {_some(strays)}: a place has one registry for all its apps."


def _usual(registries: Counter[str]) -> str:
    """The most common one, of several the first by name."""
    return min(registries, key=lambda registry: (-registries[registry], registry))


def _registries(fit: Arrangement, environment: str) -> dict[OverlayEntry, Counter[str]]:
    """How many images each entry of `environment` pulls from which registry."""
    return {
        entry: Counter(app.registry(seen) for app, seen in found) for entry, found in fit.overlays[environment].items()
    }


def _left_out(
    apps: Mapping[str, OwnApp],
    strangers: Collection[str],
    stages: Collection[str],
    unreadable: Collection[str],
) -> Iterator[str]:
    """What was found and is not proposed, one sentence for each reason."""
    everywhere = {overlay for app in apps.values() for overlay in app.overlays}
    if aside := sorted(everywhere - set(stages)):
        yield f"Left out, because their names say no environment: {_some([overlay or '.' for overlay in aside])}."
    if unreadable:
        yield f"Left out, because they cannot be read (`promote lint` says why): {_some(sorted(unreadable))}."
    if strangers:
        yield f"Left out, because they look like other people's images: {_some(strangers)}."


def _some(names: Collection[str]) -> str:
    """The first of `names`, and how many there are besides."""
    listed = [shown(name) for name in names]
    more = len(listed) - _MOST_NAMED
    return f"{', '.join(listed[:_MOST_NAMED])} and {more} more" if more > 0 else ", ".join(listed)
