"""The refusals of this room, one function a kind; all lead to exit code 16 (design, section 3)."""

from __future__ import annotations

from collections.abc import Iterable

from promote.errors import Refusal
from promote.model.malformed import shown

EXIT_CODE = 16


def no_overlay(message: str, *, expected: str, actual: str, hint: str) -> Refusal:
    """Nothing to edit: no such overlay, or an overlay that does not use the image."""
    return Refusal("no-overlay", message, exit_code=EXIT_CODE, expected=expected, actual=actual, hint=hint)


def ambiguous(file: str, lines: Iterable[int], problem: str, *, hint: str) -> Refusal:
    """An edit of `file` that could change something else, or nothing; `lines` are one-based."""
    where = ":".join([shown(file), ",".join(str(line) for line in sorted(set(lines)))]).rstrip(":")
    return Refusal(
        "overlay-ambiguous",
        f"{where}: {problem}, expected one plain value that can be replaced by itself",
        exit_code=EXIT_CODE,
        hint=hint,
    )


def unreadable(file: str, line: int, column: int, problem: str) -> Refusal:
    """A file that is not YAML which can be edited safely; `line` and `column` are one-based."""
    return Refusal(
        "overlay-ambiguous",
        f"{shown(file)}:{line}:{column}: got {shown(problem)}, expected YAML that can be edited value by value",
        exit_code=EXIT_CODE,
        hint=f"look at line {line} of {shown(file)}; `kustomize build` may accept more than can be edited safely",
    )


def too_large(file: str, size: int, limit: int) -> Refusal:
    """A file of `size` bytes, where at most `limit` are read or edited."""
    return Refusal(
        "overlay-ambiguous",
        f"{shown(file)}:1:1: got {size} bytes, expected at most {limit}",
        exit_code=EXIT_CODE,
        hint="split the file, or let an `images:` entry of the kustomization pin the image",
    )


def no_effect(message: str, *, expected: str, actual: str, hint: str) -> Refusal:
    """An edit that would change the text and not what the overlay renders."""
    return Refusal("no-effect", message, exit_code=EXIT_CODE, expected=expected, actual=actual, hint=hint)


def left_over(message: str, *, expected: str, actual: str) -> Refusal:
    """A container that would go on running another release."""
    hint = "pin this container in the overlay too, or take its name out of `names` in promote.yaml"
    return Refusal("left-over", message, exit_code=EXIT_CODE, expected=expected, actual=actual, hint=hint)


def too_much_effect(message: str, *, expected: str | None, actual: str | None, hint: str) -> Refusal:
    """An edit that would change what nobody asked to change."""
    return Refusal("too-much-effect", message, exit_code=EXIT_CODE, expected=expected, actual=actual, hint=hint)
