"""What differs between two renderings of an overlay, and what of that is a refusal."""

from __future__ import annotations

from collections.abc import Iterator

from promote.errors import Refusal
from promote.model.malformed import shown
from promote.overlays.manifests import split_reference
from promote.overlays.objects import Data, image_holders, leaves
from promote.overlays.question import Question
from promote.overlays.refusals import left_over, no_effect, too_much_effect
from promote.overlays.rendering import Rendering
from promote.overlays.target import Target


def check_changes(directory: str, question: Question, then: Rendering, now: Rendering) -> None:
    """That all that changed is an image of this app that became the release, or a value that says the release.

    Raises `Refusal` ``too-much-effect`` (exit 16) with the object, the path and both values.
    """
    containers = {(where, path) for where, path, _ in (*images_of(then.objects), *images_of(now.objects))}
    for where, path, old, new in differences(then.objects, now.objects):
        if (where, path) in containers:
            fine = old is not None and new is not None and question.was_about(old) and question.is_right(new)
        else:
            fine = new is not None and _says(question.target, new)
        if not fine:
            there = f"{shown(directory or '.')}: {shown(where)} {shown(path)}"
            raise too_much_effect(
                f"{there} would change from {shown(old or 'nothing')} to {shown(new or 'nothing')}, "
                f"expected only images called {', '.join(sorted(question.known))} to change",
                expected=old,
                actual=new,
                hint="let the `name` of the images entry fit this image alone; kustomize takes it for a pattern",
            )


def running(question: Question, now: Rendering) -> tuple[tuple[str, str], ...]:
    """Object and path of every container that runs the release; where there is none, of every text that says it.

    Such a text is a field that `configurations` add to what `images:` rewrites, as for an object of an operator.
    """
    found = tuple((where, path) for where, path, image in images_of(now.objects) if question.is_right(image))
    return found or tuple(
        (where, path)
        for where, data in now.objects.items()
        for path, text in sorted(leaves(data).items())
        if text and question.is_right(text)
    )


def runs_nowhere(directory: str, question: Question, now: Rendering) -> Refusal:
    """The refusal of an overlay in which no container runs the release."""
    there = ", ".join(sorted({shown(image) for _, _, image in images_of(now.objects)}))
    return no_effect(
        f"{shown(directory or '.')} renders no image called {', '.join(sorted(question.known))}, it renders {there}",
        expected=question.target.version,
        actual=there,
        hint="let `name` of the images entry be what the base renders, which is the base's newName where it has one",
    )


def _says(target: Target, text: str) -> bool:
    """Whether `text` is a part of the release: what Helm values, objects of Argo CD and copies by replacement hold."""
    if target.tag in text or str(target.digest) in text:
        return True
    name = target.pull_name or ""
    return bool(name) and text in {name, name.partition("/")[0], name.partition("/")[2]}


def check_left_over(directory: str, question: Question, now: Rendering) -> None:
    """That no container goes on running another release of the app; raises `Refusal` ``left-over`` (exit 16).

    A container that something unseen may still change is not judged.
    """
    for where, path, image in images_of(now.objects):
        if question.is_about(image) and not question.is_right(image) and not _is_blind_to(now, path):
            wanted = question.target.reference(split_reference(image).name)
            there = f"{shown(directory or '.')}: {shown(where)} {shown(path)}"
            raise left_over(
                f"{there} would still be {shown(image)}, expected {wanted}",
                expected=wanted,
                actual=shown(image),
            )


def _is_blind_to(now: Rendering, path: str) -> bool:
    """Whether what stands at `path` may be changed by something that this rendering does not follow."""
    return bool(now.doubts) and "ephemeralContainers" not in path


def images_of(objects: dict[str, Data]) -> Iterator[tuple[str, str, str]]:
    """Object, path and reference of every container image."""
    for where, data in objects.items():
        for holder in image_holders(data):
            yield where, holder.path, holder.image


def differences(then: dict[str, Data], now: dict[str, Data]) -> Iterator[tuple[str, str, str | None, str | None]]:
    """Object, path, and what is there before and after, for every scalar that differs."""
    for where in dict.fromkeys((*then, *now)):
        one, other = then.get(where), now.get(where)
        if one == other:
            continue
        old, new = leaves(one), leaves(other)
        for path in dict.fromkeys((*old, *new)):
            if old.get(path) != new.get(path):
                yield where, path, old.get(path), new.get(path)
