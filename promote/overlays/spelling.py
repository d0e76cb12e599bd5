"""How a string is written as a YAML scalar so that every reader sees that string."""

from __future__ import annotations

import re

# What YAML 1.1 (yaml.org/type), the 1.2 core schema (section 10.3.2) and go-yaml's resolver take for something else
# than a string, read generously: underscores are dropped first (1.1 and go-yaml), case does not count.
_WORDS = frozenset({"", "~", "=", "<<", "null", "true", "false", "yes", "no", "on", "off", "y", "n", ".nan"})
_TYPED = re.compile(
    r"""[-+]?(?: 0b[01]+ | 0o?[0-7]+ | 0x[0-9a-f]+ | [0-9]+              # integers
      | (?: \.[0-9]*  | [0-9]+(?:\.[0-9]*)? ) (?: e[-+]?[0-9]+ )?         # floats; 1.2 needs no dot before the e
      | [0-9]+ (?: :[0-5]?[0-9] )+ (?: \.[0-9]* )?                       # base 60, 1.1 only
      | \.inf )
      | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2} (?: [t ].* )?                     # timestamps, 1.1 only
    """,
    re.VERBOSE | re.IGNORECASE,
)
# No indicator at the start, none of the flow indicators, no blank: plain in block and in flow context.
_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./@:+=-]*(?<!:)")


def is_string_when_plain(text: str) -> bool:
    """Whether `text`, written without quotes, is this string for readers of YAML 1.1 and of YAML 1.2."""
    if not _PLAIN.fullmatch(text) or text.lower() in _WORDS:
        return False
    return not _TYPED.fullmatch(text) and not _TYPED.fullmatch(text.replace("_", ""))


def spelled(text: str, style: str) -> str:
    """`text` in the given style (``""`` plain, or a quote); anything else, and unsafe plain text, in double quotes.

    `text` holds no quote, backslash or control character: tags, digests and image names never do.
    """
    if style == "'":
        return f"'{text}'"
    if not style and is_string_when_plain(text):
        return text
    return f'"{text}"'
