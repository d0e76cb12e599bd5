"""The patches of a kustomization: which objects they are for, and what they make of them."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from promote.errors import Refusal
from promote.model.malformed import shown
from promote.overlays.kustomize import Kustomization
from promote.overlays.merging import Inapplicable, merged, patched
from promote.overlays.objects import Data, Resource, list_at, mapping_at, text_of
from promote.overlays.rendering import Means
from promote.overlays.selectors import UnknownSelector, is_selected

_SELECTOR = re.compile(r"[A-Za-z0-9._/|-]*(?:\.\*[A-Za-z0-9._/|-]*){0,3}")
"""Selectors of patches that are safe to run as regular expressions."""


@dataclass(frozen=True, slots=True)
class _Scope:
    """What a patch is for, and which parts of an object's identity it keeps (kustomize's `options` of a patch)."""

    target: dict[str, Data] = field(default_factory=dict)
    keeps_kind: bool = True
    keeps_name: bool = True

    def changes(self, patch: dict[str, Data]) -> dict[str, Data]:
        """`patch` without what it may not change."""
        kept = {"kind", "apiVersion"} if self.keeps_kind else set()
        named = {"name", "namespace"} if self.keeps_name else {"namespace"}
        metadata = {key: value for key, value in mapping_at(patch, "metadata").items() if key not in named}
        return {**{key: value for key, value in patch.items() if key not in kept}, "metadata": metadata}


def _scope(patch: Data) -> _Scope:
    options = mapping_at(patch, "options")
    allowed = {key for key in options if text_of(options, key) == "true"}
    return _Scope(mapping_at(patch, "target"), "allowKindChange" not in allowed, "allowNameChange" not in allowed)


@dataclass(frozen=True, slots=True)
class Patches:
    """Applies the patches of a layer."""

    means: Means

    def apply(self, layer: Kustomization, data: Data, found: list[Resource]) -> None:
        """Every patch of a layer applied to `found`."""
        for item in list_at(data, "patchesstrategicmerge"):
            self._apply(layer, item, _Scope(), found)
        for patch in (*list_at(data, "patches"), *list_at(data, "patchesjson6902")):
            self._apply(layer, text_of(patch, "path") or text_of(patch, "patch"), _scope(patch), found)

    def _apply(self, layer: Kustomization, item: Data, scope: _Scope, found: list[Resource]) -> None:
        """One patch, given as a path or as its text."""
        is_text = isinstance(item, str) and ("\n" in item or item.lstrip().startswith(("{", "[")))
        path = None if is_text else self.means.path(layer, item)
        content = item.encode("utf-8", "replace") if is_text else self.means.tree.read(path) if path else None
        if content is None:
            self.means.miss(layer, item)
            return
        try:
            documents = self.means.parsed.finder.documents(path or layer.file, content)
        except Refusal as problem:
            self.means.doubt(problem.message)
            return
        for document in documents:
            self._apply_one(layer, self.means.budget.data(document.root), scope, found)

    def _apply_one(self, layer: Kustomization, patch: Data, scope: _Scope, found: list[Resource]) -> None:
        target = scope.target
        wanted = target or _identity(patch)
        is_named = bool(target or text_of(wanted, "name"))
        hit = [r for r in found if is_named and self._is_meant(r, wanted, is_exact=not target)]
        if not hit and patch and not target:  # a target that selects nothing is no error to kustomize
            self.means.doubt(f"{shown(layer.file)} has a patch that fits no object here")
        for resource in hit:
            try:
                if isinstance(patch, list):
                    resource.data = patched(resource.data, patch)
                elif text_of(patch, "$patch") == "delete":
                    found.remove(resource)
                elif isinstance(patch, dict):
                    resource.data = merged(resource.data, scope.changes(patch), by_name=resource.is_core)
                resource.ids.append(resource.id)
            except Inapplicable as problem:
                self.means.doubt(f"{shown(layer.file)} has a patch that does not fit {shown(wanted)}: {problem}")

    def _is_meant(self, resource: Resource, target: Data, *, is_exact: bool) -> bool:
        """Whether a patch for `target` is for `resource`, by any name that it ever had."""
        metadata = mapping_at(resource.data, "metadata")
        for key, values in (("labelSelector", "labels"), ("annotationSelector", "annotations")):
            if not self._is_selected(text_of(target, key), mapping_at(metadata, values)):
                return False
        tests = [(text_of(target, key), {getattr(resource, key)}) for key in ("group", "version", "kind")]
        tests += [(text_of(target, "name"), {n for n, _ in resource.ids})]
        tests += [(text_of(target, "namespace"), {n or "default" for _, n in resource.ids})]
        return all(self._fits(pattern, texts, is_exact=is_exact) for pattern, texts in tests)

    def _is_selected(self, selector: str, values: dict[str, Data]) -> bool:
        """Whether `selector` chooses an object with these labels or annotations."""
        if selector and self.means.is_relabelled:
            self.means.doubt(f"a patch chooses its objects by {shown(selector)}, after a transformer of labels")
        try:
            return is_selected(selector, values)
        except UnknownSelector:
            self.means.doubt(f"a patch chooses its objects by {shown(selector)}")
            return False

    def _fits(self, pattern: str, texts: Collection[str], *, is_exact: bool) -> bool:
        if not pattern or pattern in texts:
            return True
        if is_exact:
            return False
        if len(pattern) > 256 or not _SELECTOR.fullmatch(pattern):
            self.means.doubt(f"a patch chooses its objects by the pattern {shown(pattern)}")
            return False
        return any(len(text) <= 256 and re.fullmatch(pattern, text) for text in texts)


def _identity(patch: Data) -> dict[str, Data]:
    """What a strategic merge patch is for: the object that it names."""
    metadata = mapping_at(patch, "metadata")
    return {
        "kind": text_of(patch, "kind"),
        "group": text_of(patch, "apiVersion").rpartition("/")[0],
        "version": text_of(patch, "apiVersion").rpartition("/")[2],
        "name": text_of(metadata, "name"),
        "namespace": text_of(metadata, "namespace"),
    }
