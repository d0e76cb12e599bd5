"""A promote.yaml that nobody has reviewed yet: what was found, as data."""

from __future__ import annotations

from dataclasses import dataclass

from promote.model.environment import OverlayEntry


@dataclass(frozen=True, slots=True)
class ProposedSigner:
    """A certificate identity whose signatures hold.  `made` are the kinds and predicate types that it signed."""

    issuer: str
    identity: str
    made: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProposedApp:
    """An app: its `image` is a repository path under a registry, `names` what manifests call it besides.

    `source` is the source repository that certificates name, None where nobody says.
    """

    name: str
    image: str
    names: tuple[str, ...]
    source: str | None


@dataclass(frozen=True, slots=True)
class ProposedEnvironment:
    """An environment as overlay directories suggest it.

    `registry` is where its images are pushed, `pull` what manifests say instead (None: the registry).  `guessed` says
    that no overlay names the registry.  `more` are further places, each a registry and its overlays.
    """

    name: str
    registry: str
    pull: str | None
    overlays: tuple[OverlayEntry, ...]
    promoted_from: tuple[str, ...]
    guessed: bool
    more: tuple[tuple[str, tuple[OverlayEntry, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """What to write, and what a person has to know of it.

    `reference` is the image it was made from, at `digest`; both None when overlays alone were looked at.  `root` is the
    trusted_root.json that was used, None for the public-good one.  `notes` say what could not be proposed, one sentence
    each.  `tag` is the form of the commit tags where they have another than the usual one.
    """

    reference: str | None
    digest: str | None
    apps: tuple[ProposedApp, ...]
    environments: tuple[ProposedEnvironment, ...]
    root: str | None
    signers: tuple[ProposedSigner, ...]
    notes: tuple[str, ...] = ()
    tag: str | None = None
