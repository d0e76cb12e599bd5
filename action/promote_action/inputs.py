"""The inputs of the action as arguments of promote.

Inputs come in variables, are never seen by a shell, and are never taken for options: a value stands behind `--name=`
or after `--`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PREFIX = "PROMOTE_INPUT_"
FORMATS = ("text", "markdown", "json")
VALUES = ("config", "repo", "jobs")
"""Options with a value that every verb has."""


class Wrong(ValueError):
    """An input that cannot be meant; the message says what was got and what was expected."""


@dataclass(frozen=True, slots=True)
class Verb:
    """What a verb takes: the input that comes first, inputs with words after it, options with a value, and flags.

    Each of the words is given to the option `each` where there is one.
    """

    first: str
    example: str
    words: str | None = None
    each: str | None = None
    values: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    optional: bool = False


VERBS = {
    "promote": Verb(
        "promotion",
        "staging->prod",
        "release",
        values=("reason", "lift"),
        flags=("all", "dry-run", "no-push", "require-change", "pull-request"),
    ),
    "verify": Verb("reference", "staging or staging:sha-4f2a91c", flags=("explain",)),
    "rollback": Verb(
        "environment",
        "prod",
        "release",
        values=("to", "reason"),
        flags=("dry-run", "no-push", "require-change", "pull-request"),
    ),
    "status": Verb("environment", "prod", "release", each="app", flags=("check",), optional=True),
}
"""The verbs that the action runs, by the word for `command`."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the inputs ask for: a verb, promote's arguments without `--format`, and how the log is written."""

    verb: str
    arguments: tuple[str, ...]
    positional: tuple[str, ...]
    log: str
    summary: bool

    def command_line(self, form: str) -> list[str]:
        """The arguments of promote, with its result in `form`."""
        return [*self.arguments, f"--format={form}", "--", *self.positional]


def read(environ: Mapping[str, str]) -> Asked:
    """What the variables ask for; raises `Wrong`."""
    name = _value(environ, "command") or "promote"
    verb = VERBS.get(name)
    if verb is None:
        raise Wrong(f"got command: {name!a}, expected one of {', '.join(VERBS)}")
    _refuse_foreign(environ, name, verb)
    arguments = [name, *(f"--{key}={value}" for key in (*VALUES, *verb.values) if (value := _value(environ, key)))]
    arguments += [f"--{flag}" for flag in verb.flags if _flag(environ, flag)]
    first = _value(environ, verb.first)
    if not first and not verb.optional:
        raise Wrong(f"got no {verb.first}, expected one such as {verb.example}")
    words = _value(environ, verb.words).split() if verb.words else []
    if verb.each:
        arguments += [f"--{verb.each}={word}" for word in words]
        words = []
    if environ.get("RUNNER_DEBUG") == "1":  # what GitHub sets when a job is run again with debug logging
        arguments.append("--verbose")
    log = _value(environ, "format") or "text"
    if log not in FORMATS:
        raise Wrong(f"got format: {log!a}, expected one of {', '.join(FORMATS)}")
    positional = (first, *words) if first else ()
    return Asked(name, tuple(arguments), positional, log, _flag(environ, "summary", otherwise=True))


def _refuse_foreign(environ: Mapping[str, str], name: str, verb: Verb) -> None:
    """An input that this verb would not look at is a mistake: what it asked for would silently not be done."""
    taken = {verb.first, *((verb.words,) if verb.words else ()), *verb.values, *verb.flags}
    for other in VERBS.values():
        inputs = (other.first, *((other.words,) if other.words else ()), *other.values, *other.flags)
        for key in inputs:
            if key not in taken and _value(environ, key) not in ("", "false"):
                whose = ", ".join(n for n, v in VERBS.items() if key in (v.first, v.words, *v.values, *v.flags))
                raise Wrong(f"got {key} with command: {name}, expected it with {whose} alone")


def _flag(environ: Mapping[str, str], name: str, *, otherwise: bool = False) -> bool:
    value = _value(environ, name)
    if value not in ("", "true", "false"):
        raise Wrong(f"got {name}: {value!a}, expected true or false")
    return value == "true" if value else otherwise


def _value(environ: Mapping[str, str], name: str) -> str:
    return environ.get(PREFIX + name.upper().replace("-", "_"), "").strip()
