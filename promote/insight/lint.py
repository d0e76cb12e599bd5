"""`promote lint`: which images of the overlays are not pinned, as a cluster would get them.

What counts is what an overlay renders, so that a base that leaves the tag to its overlays is no finding; what a
rendering does not show (values of Helm charts, objects of Flux and Argo CD) is judged where it stands.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from promote.errors import Refusal
from promote.model.digest import Digest
from promote.model.lint import FLOATING, LintFinding, Rule
from promote.model.malformed import Malformed, shown
from promote.overlays.charts import chart_images
from promote.overlays.deployers import ValuesText, deployed_images
from promote.overlays.kustomize import FILE_NAMES, Kustomization, read_kustomization
from promote.overlays.manifests import Reference, container_images, split_reference
from promote.overlays.nodes import Document
from promote.overlays.objects import image_holders
from promote.overlays.parsed import Parsed
from promote.overlays.reader import Finder
from promote.overlays.render import render
from promote.overlays.rendering import Rendering
from promote.overlays.tree import Tree, join

_VARIABLE = re.compile(r"\$\{|\$\(|\{\{|\$[A-Z_]")


@dataclass(frozen=True, slots=True)
class CommitTags:
    """The images whose tags must name a commit, by name, each with the forms that will do."""

    patterns: Mapping[str, Collection[re.Pattern[str]]] = field(default_factory=dict, hash=False)

    def refuses(self, reference: Reference) -> bool:
        """Whether `reference` is one of them and its tag names no commit in any of the forms."""
        forms = self.patterns.get(reference.name)
        return bool(forms) and not any(form.fullmatch(reference.tag or "") for form in forms or ())


@dataclass(frozen=True, slots=True)
class Linted:
    """The overlays that were read, and what was found in them by file and line."""

    overlays: tuple[str, ...]
    findings: tuple[LintFinding, ...]


def lint(tree: Tree, directories: Collection[str], commit_tags: CommitTags) -> Linted:
    """What is wrong with the kustomizations in `directories`, normalised and relative to the tree's root.

    A kustomization that another of them uses is a base, and is judged as its overlays render it.  A finding that
    several overlays share is reported for the first.
    """
    run = _Run(tree, commit_tags)
    layers = {directory: run.layer(directory) for directory in sorted(directories)}
    used = {below for layer in layers.values() if layer for below in (*layer.directories, *layer.components)}
    overlays = tuple(d for d in layers if d not in used) or tuple(layers)  # in a circle everything is used
    found: dict[tuple[Rule, str, int, str | None], LintFinding] = {}
    for overlay in overlays:
        for finding in run.overlay(overlay):
            found.setdefault((finding.rule, finding.file, finding.line, finding.image), finding)
    for finding in run.unparsed:
        found.setdefault((finding.rule, finding.file, finding.line, finding.message), finding)
    ordered = sorted(found.values(), key=lambda f: (f.file, f.line, f.rule.code, f.image or "", f.message))
    return Linted(overlays, tuple(ordered))


def verdict(reference: Reference, commit_tags: CommitTags) -> Rule | None:
    """What is wrong with one reference; None when it is pinned."""
    if _VARIABLE.search(f"{reference.name}:{reference.tag}@{reference.digest}"):
        return Rule.IMAGE_UNRESOLVED
    return _of_digest(reference, commit_tags) if reference.digest else _of_tag(reference, commit_tags)


def _of_tag(reference: Reference, commit_tags: CommitTags) -> Rule:
    """What is wrong with a reference without a digest."""
    if not reference.tag:
        return Rule.TAG_MISSING
    if FLOATING.fullmatch(reference.tag):
        return Rule.FLOATING_TAG
    return _demanded(reference, commit_tags) or Rule.DIGEST_MISSING


def _of_digest(reference: Reference, commit_tags: CommitTags) -> Rule | None:
    """What is wrong with a reference with a digest; None when it is pinned."""
    try:
        Digest.parse(reference.digest or "")
    except Malformed:
        return Rule.DIGEST_MALFORMED
    if not reference.tag:
        return Rule.DIGEST_ONLY
    floats = Rule.FLOATING_TAG_PINNED if FLOATING.fullmatch(reference.tag) else None
    return _demanded(reference, commit_tags) or floats


def _demanded(reference: Reference, commit_tags: CommitTags) -> Rule | None:
    return Rule.TAG_NOT_A_COMMIT if commit_tags.refuses(reference) else None


@dataclass(frozen=True, slots=True)
class _Named:
    """One place that names an image.  `is_rendered`: a rendering shows what becomes of it."""

    file: str
    line: int
    reference: Reference
    is_rendered: bool


@dataclass(slots=True)
class _Run:
    """One run of the linter: what was read is kept, because overlays share bases."""

    tree: Tree
    commit_tags: CommitTags
    unparsed: list[LintFinding] = field(default_factory=list)
    _layers: dict[str, Kustomization | None] = field(default_factory=dict)
    _files: dict[str, tuple[_Named, ...]] = field(default_factory=dict)
    _parsed: Parsed = field(default_factory=Parsed)
    _said: set[str] = field(default_factory=set)

    def layer(self, directory: str) -> Kustomization | None:
        """The kustomization in `directory`; None, and a finding, for one that cannot be read."""
        if directory not in self._layers:
            try:
                self._layers[directory] = read_kustomization(self.tree, self._parsed.finder, directory)
            except Refusal as problem:
                self._layers[directory] = None
                names = (join(directory, name) or name for name in FILE_NAMES)
                file = next((name for name in names if self.tree.read(name) is not None), directory)
                self._unparsed(file, directory, problem)
        return self._layers[directory]

    def overlay(self, directory: str) -> Iterator[LintFinding]:
        """What is wrong with one overlay and all that it takes in."""
        layers = list(self._closure(directory))
        named = [named for layer in layers for named in self._named(layer)]
        rendering = render(self.tree, directory, self._parsed)
        images = {h.image for data in rendering.objects.values() for h in image_holders(data)}
        for image in sorted(images):
            reference = split_reference(image)
            if rule := verdict(reference, self.commit_tags):
                for file, line in _blamed(layers, named, rendering, reference):
                    yield _finding(rule, file, line, directory, reference)
        yield from self._unrendered(directory, layers, named, rendering)
        yield from self._unseen(directory, layers, rendering)

    def _closure(self, directory: str) -> Iterator[Kustomization]:
        """The kustomization of `directory` and all that it uses, each once, the outermost first."""
        waiting, seen = [directory], {directory}
        while waiting:
            layer = self.layer(waiting.pop(0))
            if layer is not None:
                yield layer
                new = [d for d in dict.fromkeys((*layer.directories, *layer.components)) if d not in seen]
                seen.update(new)
                waiting += new

    def _unrendered(
        self, directory: str, layers: list[Kustomization], named: list[_Named], rendering: Rendering
    ) -> Iterator[LintFinding]:
        """Images that no rendering shows: those of values and deployers, and pins of what was not seen."""
        for one in named:
            if not one.is_rendered and (rule := verdict(one.reference, self.commit_tags)):
                yield _finding(rule, one.file, one.line, directory, one.reference)
        for layer in layers:
            for entry in layer.entries:
                pins = entry.text("newTag") or entry.text("digest")
                if pins and (entry.file, entry.line) not in rendering.matched:
                    rule = verdict(entry.reference, self.commit_tags)
                    if rule:
                        yield _finding(rule, entry.file, entry.line, directory, entry.reference)

    def _unseen(self, directory: str, layers: list[Kustomization], rendering: Rendering) -> Iterator[LintFinding]:
        if not layers:
            return  # it is unparsed, which says more
        for note in dict.fromkeys((*rendering.blind, *rendering.doubts, *rendering.escaping)):
            if note not in self._said:
                yield LintFinding(Rule.OVERLAY_UNSEEN, layers[0].file, 1, directory, note)

    def _named(self, layer: Kustomization) -> Iterator[_Named]:
        """Every place of the files of `layer` that names an image, entries of `images:` left out."""
        for file in dict.fromkeys(layer.files):
            if file not in self._files:
                self._files[file] = tuple(self._in_manifests(file, layer.directory))
            yield from self._files[file]
        for file in layer.value_files:
            if file not in self._files:
                self._files[file] = tuple(self._in_values(file, layer.directory))
            yield from self._files[file]
        for values in layer.values:
            yield from (_Named(layer.file, i.line, i.reference, is_rendered=False) for i in chart_images(values))
        for scalar in layer.inline:
            try:
                inner = Finder().inside(layer.file, b"", scalar)
            except Refusal as problem:
                self._unparsed(layer.file, layer.directory, problem)
                continue
            yield from (
                _Named(layer.file, i.line, i.reference, is_rendered=True) for d in inner for i in container_images(d)
            )

    def _in_manifests(self, file: str, overlay: str) -> Iterator[_Named]:
        for document in self._documents(file, overlay):
            yield from (_Named(file, i.line, i.reference, is_rendered=True) for i in container_images(document))
            try:
                found = list(deployed_images(file, document))
            except Refusal as problem:
                self._unparsed(file, overlay, problem)
                continue
            for one in found:
                if not isinstance(one, ValuesText):
                    yield _Named(file, one.line, one.reference, is_rendered=False)
                    continue
                for inner in self._inside(file, overlay, one):
                    yield from (_Named(file, i.line, i.reference, is_rendered=False) for i in chart_images(inner.root))

    def _in_values(self, file: str, overlay: str) -> Iterator[_Named]:
        for document in self._documents(file, overlay):
            yield from (_Named(file, i.line, i.reference, is_rendered=False) for i in chart_images(document.root))

    def _inside(self, file: str, overlay: str, text: ValuesText) -> tuple[Document, ...]:
        try:
            return Finder().inside(file, b"", text.scalar)
        except Refusal as problem:
            self._unparsed(file, overlay, problem)
            return ()

    def _documents(self, file: str, overlay: str) -> tuple[Document, ...]:
        try:
            return self._parsed.finder.documents(file, self.tree.read(file) or b"")
        except Refusal as problem:
            self._unparsed(file, overlay, problem)
            return ()

    def _unparsed(self, file: str, overlay: str, problem: Refusal) -> None:
        self._said.add(problem.message)
        line = re.search(r":([0-9]+):", problem.message.removeprefix(shown(file)))
        where = int(line[1]) if line else 1
        self.unparsed.append(LintFinding(Rule.OVERLAY_UNREADABLE, file, max(where, 1), overlay, problem.message))


def _blamed(
    layers: list[Kustomization], named: list[_Named], rendering: Rendering, reference: Reference
) -> list[tuple[str, int]]:
    """Where `reference` comes from: the outermost entry of `images:` that made it, else every place that says it.

    Where nothing says it in full, everything that has its name; failing that, the overlay itself.
    """
    for layer in layers:
        for entry in reversed(layer.entries):
            if (entry.file, entry.line) in rendering.matched and entry.reference.name == reference.name:
                return [(entry.file, entry.line)]
    rendered = [one for one in named if one.is_rendered]
    exact = [(one.file, one.line) for one in rendered if one.reference == reference]
    alike = [(one.file, one.line) for one in rendered if one.reference.name == reference.name]
    return exact or alike or [(layers[0].file, 1)]


def _finding(rule: Rule, file: str, line: int, overlay: str, reference: Reference) -> LintFinding:
    tag = f":{reference.tag}" if reference.tag is not None else ""
    digest = f"@{reference.digest}" if reference.digest is not None else ""
    image = f"{reference.name}{tag}{digest}"
    said = {
        Rule.TAG_MISSING: "has neither tag nor digest",
        Rule.FLOATING_TAG: f"has the floating tag {shown(reference.tag)}",
        Rule.TAG_NOT_A_COMMIT: f"has the tag {shown(reference.tag)}, which names no commit",
        Rule.DIGEST_MISSING: "has a tag and no digest",
        Rule.DIGEST_MALFORMED: f"has {shown(reference.digest)} for a digest",
        Rule.FLOATING_TAG_PINNED: f"has a digest and the floating tag {shown(reference.tag)}",
        Rule.DIGEST_ONLY: "has a digest and no tag",
        Rule.IMAGE_UNRESOLVED: "has a variable in it",
    }
    return LintFinding(rule, file, line, overlay, f"{shown(image, 300)} {said[rule]}", image)
