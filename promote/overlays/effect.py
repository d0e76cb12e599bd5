"""Whether an edit has its effect and no other: what the overlay renders, before and after.

The commit is what a cluster obeys, and a text that looks right may do nothing (a base sets `newName`, and the entry
still says the old name) or too much (a name that is a regular expression, a component that environments share).  So the
two renderings may differ by exactly the images of this release, and every container of the app must end in its digest.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import islice

from promote.errors import Refusal
from promote.model.malformed import shown
from promote.overlays.changes import check_changes, check_left_over, differences, images_of, running, runs_nowhere
from promote.overlays.charts import ChartImage
from promote.overlays.deployers import NamedImage
from promote.overlays.entries import Entry
from promote.overlays.fields import PartField
from promote.overlays.kustomize import kustomization_file
from promote.overlays.manifests import split_reference
from promote.overlays.objects import CONTAINERS, leaves
from promote.overlays.oracle import Builder
from promote.overlays.parsed import Parsed
from promote.overlays.question import Effect, Question
from promote.overlays.refusals import ambiguous, no_effect, too_much_effect
from promote.overlays.render import render
from promote.overlays.rendering import Rendering
from promote.overlays.sites import Site, overlay_directory, sites
from promote.overlays.tree import Tree

Renderer = Callable[[Tree, str], Rendering]
"""Makes the rendering of a directory in a tree."""

MAX_WARNINGS = 20
_DECIDABLE = frozenset({"no-effect", "too-much-effect", "left-over"})
"""Refusals that a real build may take back."""


def check_effect(
    before: Tree, after: Tree, question: Question, build: Renderer | None = None, parsed: Parsed | None = None
) -> Effect:
    """The effect of the change from `before` to `after`, as `build` (default: `render`) renders them.

    Raises `Refusal` (exit 16): ``no-effect`` when no entry about the image matches anything, ``too-much-effect`` when
    anything else would change, ``left-over`` when a container would go on running another release, and
    ``overlay-ambiguous`` for a path that leads out of the repository.  Where something cannot be followed it is a doubt
    instead, but what was seen still refuses.
    """
    directory = overlay_directory(question.overlay)
    if kustomization_file(after, directory) is None:
        return Effect(blind=(f"{shown(directory or '.')} has no kustomization to build",))
    parsed = parsed or Parsed()
    build = build or partial(render, parsed=parsed)
    now = build(after, directory)
    if now.escaping:
        hint = "take the file into the repository, or the path out of the kustomization"
        raise ambiguous(directory or ".", [], f"got {now.escaping[0]}", hint=hint)
    then = now if before is after else build(before, directory)
    if now.blind and not then.blind:
        raise no_effect(
            f"{shown(directory or '.')} would no longer build: {now.blind[0]}",
            expected="an overlay that builds after the edit as before",
            actual=now.blind[0],
            hint="edit this overlay by hand once, and report it with its files: a bug of promote",
        )
    there = tuple(sites(after, parsed.finder, question.overlay, question.names, question.fields))
    # Where fields are named no pin is looked for in components, but their entries must match something all the same.
    every = tuple(sites(after, parsed.finder, question.overlay, question.names)) if question.fields else there
    idle = _idle(every, now)
    images = tuple(f"{where} {path}" for where, path in running(question, now))
    doubts = [*now.doubts, *_deployed(there)]
    if not (now.blind or doubts or images or any(images_of(now.objects))):
        doubts.append("nothing that it builds on has a container image")
    if not now.blind:
        check_changes(directory, question, then, now)
        check_left_over(directory, question, now)
        if not (images or doubts):
            raise runs_nowhere(directory, question, now)
    warnings = [*(idle if not doubts else ()), *_mentions(question, now)]
    blind = (*now.blind, *then.blind)
    return Effect(images, _once(warnings), _once(blind), _once(doubts), now.by)


def _once(notes: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(notes))


def verified_effect(
    before: Tree, after: Tree, question: Question, builder: Builder | None, parsed: Parsed | None = None
) -> Effect:
    """`check_effect` by `builder` where it can build the overlay, else by `render`; raises as that does.

    A build that would need the network is never begun: what only that could tell stays a doubt.
    """
    problem: Refusal | None = None
    seen = Effect()
    try:
        seen = check_effect(before, after, question, parsed=parsed)
    except Refusal as refusal:
        problem = refusal
    if builder is not None and not seen.blind and (problem is None or problem.code in _DECIDABLE):
        built = _built_effect(before, after, question, builder, parsed)
        if not built.blind:
            return replace(built, warnings=_once((*seen.warnings, *built.warnings)))
        seen = replace(seen, doubts=(*built.blind, *seen.doubts))
    if problem is not None:
        raise problem
    return seen


def _built_effect(before: Tree, after: Tree, question: Question, builder: Builder, parsed: Parsed | None) -> Effect:
    """`check_effect` by `builder`, whose two builds, where there is a change, run at the same time."""
    if before is after:
        return check_effect(before, after, question, builder.build, parsed)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="build") as pool:
        then = pool.submit(builder.build, before, overlay_directory(question.overlay))

        def build(tree: Tree, directory: str) -> Rendering:
            return then.result() if tree is before else builder.build(tree, directory)

        return check_effect(before, after, question, build, parsed)


def check_untouched(
    before: Tree,
    after: Tree,
    overlay: str,
    files: Collection[str],
    parsed: Parsed | None = None,
    *,
    whose: str = "of another environment",
) -> None:
    """That `overlay`, of which nobody asked for a change, renders as before; raises ``too-much-effect``.

    `files` are those that change; `whose` says what the overlay is, after "is".
    """
    directory = overlay_directory(overlay)
    parsed = parsed or Parsed()
    then, now = render(before, directory, parsed), render(after, directory, parsed)
    for where, path, old, new in differences(then.objects, now.objects):
        both = ", ".join(sorted(shown(file) for file in files))
        raise too_much_effect(
            f"{shown(directory or '.')} is {whose} and would change too, through {both}: "
            f"{shown(where)} {shown(path)} from {shown(old or 'nothing')} to {shown(new or 'nothing')}",
            expected=old,
            actual=new,
            hint="give the overlay an `images:` entry of its own; where it shares the file on purpose, promote to its "
            "environment too, or name the app in its `apps` in promote.yaml",
        )


def _idle(named: Iterable[Site], now: Rendering) -> list[str]:
    """A note for each entry in `named` that matches nothing; raises ``no-effect`` when none does and all is known."""
    if now.by:
        return []  # a program's output does not tell which entry did what; what it left over is refused
    entries = [site.what for site in named if isinstance(site.what, Entry)]
    idle = [e for e in entries if (e.file, e.line) in now.met and (e.file, e.line) not in now.matched]
    is_known = not (now.doubts or now.blind) and any(now.met.values())
    if idle and len(idle) == len(entries) and is_known:
        entry = idle[-1]
        name, met = shown(entry.text("name") or ""), now.met[entry.file, entry.line]
        there = ", ".join(shown(n) for n in sorted(met)) or "no image"
        raise no_effect(
            f"{shown(entry.file)}:{entry.line}: the images entry for {name} matches nothing, it is applied to {there}",
            expected=name,
            actual=there,
            hint="let `name` be what the base renders, which is the base's newName where it has one",
        )
    return [f"{shown(e.file)}:{e.line} matches no image: {shown(e.text('name') or '')}" for e in idle]


def _deployed(there: Iterable[Site]) -> Iterator[str]:
    """A doubt for each pin whose effect another program has: Helm, Flux, Argo CD, an operator."""
    for site in there:
        if isinstance(site.what, ChartImage | NamedImage | PartField) or _is_loose(site):
            yield f"what is made of {shown(site.file)}:{site.line} is not rendered here"


def _is_loose(site: Site) -> bool:
    """Whether a whole reference stands where no list of containers is, and no JSON patch (a list at the top)."""
    path = site.scalars[0].path if site.scalars else ()
    is_patch = any(step.startswith("[") for step in path[1:2])
    in_list = any(step.partition("/")[0] in CONTAINERS for step in path)
    return not (isinstance(site.what, Entry) or is_patch or in_list)


def _mentions(question: Question, now: Rendering) -> Iterator[str]:
    """Where another release is still named outside of containers: variables, annotations, ConfigMaps, other objects."""
    digests = {pin.digest.hex for pin in question.old if pin.digest and pin.digest != question.target.digest}
    tags = {pin.tag for pin in question.old if pin.tag and pin.tag != question.target.tag}
    needles = (
        digests | {tag for tag in tags if len(tag) >= 10} | {f"{name}:{t}" for name in question.known for t in tags}
    )
    containers = {(where, path) for where, path, _ in images_of(now.objects)}
    found = (
        f"{shown(where)} {shown(path)} still names {shown(hit)}"
        for where, data in now.objects.items()
        for path, text in leaves(data).items()
        if text and (where, path) not in containers and (hit := _mentioned(question, needles, path, text))
    )
    return islice(found, MAX_WARNINGS)


def _mentioned(question: Question, needles: Collection[str], path: str, text: str) -> str | None:
    """What `text` says of another release: a part of the old one in it, or a reference to the image that it is."""
    hit = next((needle for needle in needles if needle in text), None)
    if hit or not question.is_about(text) or question.is_right(text):
        return hit
    is_reference = split_reference(text).name != text or path.lower().endswith("image")
    return text if is_reference else None
