"""Values of Helm charts: the images that they name, by the conventions that charts follow."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from promote.overlays.manifests import ContainerImage, Reference, image_here, split_reference
from promote.overlays.nodes import Alias, Mapping, Node, Scalar, Sequence, resolved
from promote.overlays.target import Target

_KEYS = ("registry", "repository", "name", "tag", "digest")


@dataclass(frozen=True, slots=True)
class ChartImage:
    """An image in parts: a mapping with `repository` (or `name`), and any of `registry`, `tag` and `digest`.

    The scalars are what stands behind each key.  `indirect` are the lines of aliases, of keys that are there twice and
    of a repository that has a tag of its own: such an image can be read, not edited.
    """

    line: int
    mapping: Mapping
    fields: dict[str, tuple[Scalar, Scalar]]
    indirect: tuple[int, ...]

    def text(self, key: str) -> str | None:
        """The string behind `key`, None when absent, null or empty."""
        pair = self.fields.get(key)
        return (pair[1].text or None) if pair else None

    @property
    def reference(self) -> Reference:
        """The image as most charts put it together: ``registry/repository:tag@digest``."""
        tag, at, digest = (self.text("tag") or "").partition("@")
        return Reference(self._names[0], tag or None, self.text("digest") or (digest if at else None))

    @property
    def siblings(self) -> dict[str, tuple[str, ...]]:
        """For each key that may be missing, the keys that it is written after, the first that is there."""
        return {"tag": ("repository", "name", "registry", "digest"), "digest": ("tag", "repository", "name")}

    def is_about(self, names: Collection[str]) -> bool:
        """Whether the repository, with or without the registry, is one of `names`."""
        return any(name in names for name in self._names)

    def wanted(self, target: Target) -> dict[str, str]:
        """What the keys shall be.

        A chart that has no key `digest` would not know one, so the digest then goes where the tag is, which is right
        for every chart that writes ``repository:tag``.
        """
        wanted = {"tag": target.tag, "digest": str(target.digest)} if "digest" in self.fields else {}
        return {**self._named(target), **(wanted or {"tag": target.version})}

    def _named(self, target: Target) -> dict[str, str]:
        key = "repository" if "repository" in self.fields else "name"
        if target.pull_name is None or key not in self.fields:
            return {}
        host, _, path = target.pull_name.partition("/")
        return {"registry": host, key: path} if self.text("registry") else {key: target.pull_name}

    @property
    def _names(self) -> tuple[str, ...]:
        registry = self.text("registry")
        repository = split_reference(self.text("repository") or self.text("name") or "").name
        return (f"{registry}/{repository}", repository) if registry else (repository,)


def chart_images(root: Node | None) -> Iterator[ChartImage | ContainerImage]:
    """Every image in the values `root`: in parts, or whole behind a key that ends with ``image``, at any depth."""
    stack: list[Node | None] = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, Sequence):
            stack.extend(reversed(node.items))
        elif isinstance(node, Mapping):
            if _is_whole(node):
                yield chart_image(node, ())
            for key, value in node.pairs:
                if isinstance(key, Scalar) and key.value.lower().endswith("image"):
                    yield from _behind(value)
            stack.extend(value for _, value in reversed(node.pairs))


def chart_image(mapping: Mapping, indirect: tuple[int, ...]) -> ChartImage:
    """`mapping` as an image in parts."""
    fields: dict[str, tuple[Scalar, Scalar]] = {}
    for name in _KEYS:
        pairs = mapping.all(name)
        indirect += tuple(key.line for key, _ in pairs) if len(pairs) > 1 else ()
        for key, value in pairs:
            scalar = resolved(value)
            if isinstance(value, Alias) or not isinstance(scalar, Scalar):
                indirect = (*indirect, key.line, value.line)
            if isinstance(scalar, Scalar):
                fields[name] = (key, scalar)
    for merge, _ in mapping.all("<<"):
        indirect = (*indirect, merge.line)
    for name in ("repository", "name"):
        if name in fields and split_reference(fields[name][1].value).tag:
            indirect = (*indirect, fields[name][1].line)
    first = next((fields[k] for k in ("repository", "name", "tag") if k in fields), None)
    return ChartImage(first[1].line if first else mapping.line, mapping, fields, indirect)


def _is_whole(mapping: Mapping) -> bool:
    """Whether `mapping` is an image whatever the key before it: a repository beside a tag or a digest."""
    return bool(mapping.all("repository") and mapping.all("tag", "digest"))


def _behind(value: Node) -> Iterator[ChartImage | ContainerImage]:
    """The image behind a key that is called one."""
    node = resolved(value)
    if isinstance(node, Mapping):
        lines = (value.line, node.line) if isinstance(value, Alias) else ()
        if node.all("repository", "name") and (lines or not _is_whole(node)):
            yield chart_image(node, lines)
    elif image := image_here(value):
        yield image
