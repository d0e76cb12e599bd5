"""Values as YAML that cannot end early, whatever is in them."""

from __future__ import annotations

import re

_PLAIN = re.compile(r"[a-zA-Z/][a-zA-Z0-9._/-]*")
_COMMAND = re.compile(r"##(?=\w*\[)")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})
"""What a reader of YAML 1.1 takes for a truth value or null."""


def quoted(text: str) -> str:
    """A YAML double-quoted scalar of ASCII alone (YAML 1.2, 5.7): it cannot end early, whatever is in `text`.

    What build logs obey anywhere in a line (``##[command]``) is written with an escape.
    """
    inner = "".join(c if " " <= c <= "~" and c not in '"\\' else _escaped(c) for c in text)
    return '"' + _COMMAND.sub(r"\\U00000023#", inner) + '"'


def scalar(value: object) -> str:
    """`value` as it reads best: text in quotes where it needs them; `value` is no collection that has items."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value if _PLAIN.fullmatch(value) and value.lower() not in _WORDS else quoted(value)
    if value is None:
        return "null"
    if isinstance(value, dict):
        return "{}"
    return "[]" if isinstance(value, list | tuple) else str(value)


def _escaped(character: str) -> str:
    return f"\\{character}" if character in '"\\' else f"\\U{ord(character):08x}"
