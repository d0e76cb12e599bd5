"""What is asked of an edit of one overlay, and the answer."""

from __future__ import annotations

from dataclasses import dataclass

from promote.model.release import Pin
from promote.overlays.manifests import split_reference
from promote.overlays.sites import Fields
from promote.overlays.target import Target


@dataclass(frozen=True, slots=True)
class Effect:
    """What an edit of one overlay does.

    `images` are the containers that run the release afterwards, as ``OBJECT PATH``.  `warnings` are left-over
    references to the old release where no container has them, and entries that match nothing.  `blind` says what the
    renderer could not take in at all, `doubts` what else is not verified.  `by` is the program that built the overlay,
    empty for `render`.
    """

    images: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    blind: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    by: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of an overlay: is every image called one of `names` that of `target` now, and nothing else other.

    `old` are the pins before the edit.
    """

    overlay: str
    names: frozenset[str]
    target: Target
    fields: Fields = ()
    old: tuple[Pin, ...] = ()

    @property
    def known(self) -> frozenset[str]:
        """Every name of the image: the one that it is pulled by, or else those that pins give it, among them."""
        return self.names | ({self.target.pull_name} if self.target.pull_name else {pin.name for pin in self.old})

    def is_about(self, image: str) -> bool:
        """Whether `image` is one of the app."""
        return split_reference(image).name in self.known

    def was_about(self, image: str) -> bool:
        """Whether `image` was one of the app, by a name that a pin gave it among others."""
        return self.is_about(image) or split_reference(image).name in {pin.name for pin in self.old}

    def is_right(self, image: str) -> bool:
        """Whether `image` is the release."""
        name = split_reference(image).name
        return name in self.known and image == self.target.reference(name)
