"""Why a value must not be touched: each guard raises `Refusal` with both places, or lets it pass."""

from __future__ import annotations

import re
from collections.abc import Sequence

from promote.model.malformed import shown
from promote.overlays.entries import Entry
from promote.overlays.manifests import is_encrypted
from promote.overlays.nodes import Alias, Mapping, Node, Scalar, contains
from promote.overlays.reader import BREAK
from promote.overlays.refusals import ambiguous
from promote.overlays.sites import Site
from promote.overlays.splice import Source

_TEMPLATE = re.compile(r"\{\{|\{%|\$\{")


def refuse_duplicates(found: Sequence[Site]) -> None:
    """Two entries of one name in one file: kustomize lets the last win, and a reader sees the first."""
    seen: dict[tuple[str, str | None], Entry] = {}
    for site in found:
        if isinstance(site.what, Entry):
            key = (site.file, site.what.text("name"))
            if key in seen:
                lines = [seen[key].line, site.line]
                problem = f"got two images entries for {shown(key[1] or '')}"
                raise ambiguous(site.file, lines, problem, hint="keep one of them; kustomize lets the last win")
            seen[key] = site.what


def refuse_indirect(file: str, lines: tuple[int, ...], what: str) -> None:
    """A value that stands elsewhere; `lines` are where, () when it is written out."""
    if lines:
        hint = "write the value out where it is used: changing an anchor changes everything that uses it"
        raise ambiguous(
            file,
            lines,
            f"got an {what} that is not written out there (alias, merge key, second key or list)",
            hint=hint,
        )


def refuse_shared(file: str, aliases: tuple[Alias, ...], changing: Sequence[Node]) -> None:
    """A value that an alias of the same document uses again."""
    for alias in {id(alias.target): alias for alias in aliases}.values():
        shared = next((node for node in changing if contains(alias.target, node)), None)
        if shared is not None:
            problem = f"got a value that line {alias.line} uses again through *{shown(alias.name, 40)}"
            hint = "write the value out where it is used: changing an anchor changes everything that uses it"
            raise ambiguous(file, [shared.line, alias.line], problem, hint=hint)


def refuse_template(source: Source, node: Mapping | Scalar) -> None:
    """Text of Helm, Jinja or envsubst: what is written is not what runs."""
    spans = [n.span for n in _scalars(node) if n.span]
    before, after = min(s for s, _ in spans), max(e for _, e in spans)
    first = max(source.text.rfind("\n", 0, before), source.text.rfind("\r", 0, before)) + 1
    last = BREAK.search(source.text, after)
    hit = _TEMPLATE.search(source.text, first, last.start() if last else len(source.text))
    if hit:
        line = len(BREAK.findall(source.text[: hit.start()])) + 1
        hint = "point `overlays` in promote.yaml at plain kustomize files, not at a template of them"
        raise ambiguous(source.file, [line], f"got a template ({hit[0]})", hint=hint)


def _scalars(node: Mapping | Scalar) -> list[Scalar]:
    if isinstance(node, Scalar):
        return [node]
    return [part for pair in node.pairs for part in pair if isinstance(part, Scalar)]


def refuse_encrypted(site: Site) -> None:
    """A document of SOPS: an edit would break its MAC."""
    if is_encrypted(site.document) or (site.block and is_encrypted(site.block.document)):
        hint = "keep images out of encrypted files: an edit would break the file's MAC"
        raise ambiguous(site.file, [site.line], "got a document that SOPS encrypted", hint=hint)
