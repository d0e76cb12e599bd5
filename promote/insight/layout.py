"""Where each app's pins are, by environment: as promote.yaml says now, and as an older one said."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from promote.errors import Misuse, Refusal
from promote.gitops.names import checked_directory
from promote.model.configuration import Configuration
from promote.model.environment import App, Environment, ImageField, OverlayEntry, Place
from promote.model.malformed import Malformed
from promote.overlays.nodes import Mapping as YamlMapping
from promote.overlays.nodes import Node, Scalar, Sequence, resolved
from promote.overlays.reader import Finder
from promote.overlays.tree import join


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """One app in one overlay of one environment, by its position in today's promote.yaml: what is followed.

    `place` and `overlay` count from zero.
    """

    environment: str
    app: str
    place: int
    overlay: int


@dataclass(frozen=True, slots=True)
class Where:
    """The directory that holds a slot's pins, relative to the top of the repository, and what the image is called.

    `fields` are places in it that promote.yaml names one by one.
    """

    directory: str
    names: frozenset[str]
    fields: tuple[ImageField, ...] = ()


Layout = Mapping[Slot, Where]


def layout(configuration: Configuration, prefix: str, environments: Collection[str], apps: Collection[str]) -> Layout:
    """The slots of `apps` in `environments`, in the order of promote.yaml, which lies in the directory `prefix`.

    A directory that leaves the repository is left out; so is one that a place names twice.
    """
    names = {name: configuration.image_names(configuration.apps[name]) for name in apps}
    found: dict[Slot, Where] = {}
    for environment in environments:
        for number, place in enumerate(configuration.environments[environment].places):
            for app in apps:
                seen: set[str] = set()
                for position, overlay in enumerate(place.overlays_of(configuration.apps[app])):
                    directory = join(prefix, overlay)
                    if directory is not None and directory not in seen:
                        seen.add(directory)
                        found[Slot(environment, app, number, position)] = Where(
                            directory, names[app], place.fields_of(configuration.apps[app])
                        )
    return found


def earlier(newer: Layout, configuration: Configuration, prefix: str, content: bytes) -> Layout:
    """`newer` as the older promote.yaml `content` would have had it.

    A slot that the older file knows (the environment by name, the app by name or image, place and overlay by position)
    is where that file says; any other stays where it is, so that an app or environment that only got another name keeps
    its history.  Whatever the image was called counts.  A file that cannot be read changes nothing.
    """
    older = _read(configuration, content)
    if older is None:
        return newer
    there = layout(older, prefix, older.environments, older.apps)
    # A place that got one more overlay keeps those that it had, whatever their position is now.
    kept = {(slot.environment, slot.app, where.directory) for slot, where in there.items()}
    by_image = {app.image: name for name, app in older.apps.items()}
    found: dict[Slot, Where] = {}
    for slot, where in newer.items():
        name = slot.app if slot.app in older.apps else by_image.get(configuration.apps[slot.app].image, "")
        then = there.get(replace(slot, app=name))
        if then is None or not _may_be_asked_for(then.directory):
            found[slot] = where
        else:
            stays = (slot.environment, name, where.directory) in kept
            directory = where.directory if stays else then.directory
            found[slot] = replace(where, directory=directory, names=where.names | then.names)
    return found


def _may_be_asked_for(directory: str) -> bool:
    """Whether git may be given `directory`: an older promote.yaml was checked by nobody."""
    try:
        checked_directory(directory)
    except Misuse:
        return False
    return True


def _read(configuration: Configuration, content: bytes) -> Configuration | None:
    """`configuration` with the apps, environments and overlays of an older promote.yaml; None when it has none.

    Read without the schema: what else a promote of another age wrote there is nobody's concern here.
    """
    try:
        root = resolved(next((d.root for d in Finder().documents("promote.yaml", content)), None))
        apps = {name: _app(name, node) for name, node in _pairs(_child(root, "apps"))}
        environments = {name: _environment(name, node) for name, node in _pairs(_child(root, "environments"))}
        older = replace(configuration, apps=apps, environments=environments)
        for app in apps.values():
            older.image_names(app)
    except (Refusal, Malformed):
        return None
    return older if apps and environments else None


def _app(name: str, node: Node) -> App:
    return App(name, _text(_child(node, "image")) or name, tuple(_texts(_child(node, "names"))))


def _environment(name: str, node: Node) -> Environment:
    places = _child(node, "places")
    items = places.items if isinstance(places, Sequence) else [node]
    return Environment(name, tuple(_place(item) for item in items), ())


def _place(node: Node) -> Place:
    registry = _text(_child(node, "registry")) or "localhost"
    if registry.startswith("oci:"):
        registry = "oci:/"  # where the directory was does not matter: manifests never name it
    return Place(registry, _text(_child(node, "pull")), tuple(_entries(_child(node, "overlays"))))


def _entries(node: Node | None) -> Iterator[OverlayEntry]:
    for item in map(resolved, _items(node)):
        if isinstance(item, YamlMapping):
            if (path := _text(_child(item, "path"))) is not None:
                yield OverlayEntry(path, tuple(_texts(_child(item, "apps"))))
        elif (text := _text(item)) is not None:
            yield OverlayEntry(text)


def _child(node: Node | None, key: str) -> Node | None:
    mapping = resolved(node)
    found = mapping.all(key) if isinstance(mapping, YamlMapping) else []
    return resolved(found[0][1]) if found else None


def _pairs(node: Node | None) -> Iterator[tuple[str, Node]]:
    if isinstance(node, YamlMapping):
        yield from ((key.value, value) for key, value in node.pairs if isinstance(key, Scalar))


def _text(node: Node | None) -> str | None:
    return node.text if isinstance(node, Scalar) else None


def _texts(node: Node | None) -> Iterator[str]:
    yield from (text for item in _items(node) if (text := _text(resolved(item))))


def _items(node: Node | None) -> list[Node]:
    if isinstance(node, Sequence):
        return list(node.items)
    return [node] if node is not None else []
