"""The reference: verbs and options from the command line, keys from the schema of promote.yaml, outputs from theirs."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import promote.config
import promote.output
from generate.errors import MADE
from promote.cli.app import EPILOG, build

CONFIG = Path(promote.config.__file__).with_name("promote.schema.json")
OUTPUTS = Path(promote.output.__file__).parent / "schemas"


def pages() -> Iterator[tuple[str, str]]:
    """Every page of the reference: its path in docs/, its text."""
    yield "reference/commands.md", "\n".join(_commands())
    yield "reference/promote-yaml.md", "\n".join(_configuration(json.loads(CONFIG.read_bytes())))
    yield "reference/outputs.md", "\n".join(_outputs())


def _commands() -> Iterator[str]:
    group = build()
    yield from (MADE, "# Verbs and options", "", str(group.help), "")
    yield from (EPILOG.partition("Exit codes: ")[2], "")
    yield "Most verbs have `--config`, `--repo`, `--format`, `--no-color` and `--debug`; each says so in its own table."
    for name, command in group.commands.items():
        yield from ("", f"## promote {name}", "")
        yield from _help(inspect.cleandoc(command.help or ""))
        options = [p for p in command.params if not getattr(p, "hidden", False)]
        yield from ("| argument or option | what it does |", "|---|---|")
        for parameter in options:
            yield f"| {_spelling(parameter)} | {_cell(parameter.help or '')}{_default(parameter)} |"
    yield ""


def _help(text: str) -> Iterator[str]:
    for paragraph in text.split("\n\n"):
        shown = paragraph.strip("\b\n")
        if shown.startswith("promote "):
            yield from ("```sh", *(row.strip() for row in shown.splitlines()), "```", "")
        else:
            yield from (" ".join(shown.split()), "")


def _spelling(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{parameter.metavar or parameter.name}`"
    metavar = f" {parameter.metavar}" if parameter.metavar and not parameter.is_flag else ""
    return _cell(f"`{', '.join(sorted(parameter.opts, key=len))}{metavar}`")


def _default(parameter: Any) -> str:
    value = getattr(parameter, "default", None)
    shown = isinstance(value, int | str) and not isinstance(value, bool) and value != ""
    return f" Default: `{getattr(value, 'value', value)}`." if shown else ""


def _configuration(schema: Mapping[str, Any]) -> Iterator[str]:
    yield from (MADE, "# Keys of promote.yaml", "")
    yield "Made from the JSON Schema that is shipped, `promote.schema.json`. What the words mean, and examples, are in"
    yield from ("[promote.yaml](../configuration.md).", "")
    yield from ("## The file", "", *_keys(schema, schema))
    for name, section in schema["$defs"].items():
        if "properties" in section:
            yield from ("", f"## {_title(name)}", "", section.get("description", ""), "", *_keys(section, schema))
    yield ""


def _keys(section: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    required = set(section.get("required", ()))
    yield from ("| key | value | default | what it says |", "|---|---|---|---|")
    for key, value in section["properties"].items():
        default = "required" if key in required else _plain(value.get("default"))
        said = value.get("description") or _described(value, schema)
        yield f"| `{key}` | {_cell(_kind(value))} | {default} | {_cell(said)} |"


def _described(value: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    name = str(value.get("$ref", "")).rpartition("/")[2]
    return str(schema["$defs"].get(name, {}).get("description", "")) if name else ""


def _plain(default: object) -> str:
    return "" if default in (None, [], {}) or isinstance(default, dict) else f"`{json.dumps(default)}`"


def _kind(value: Mapping[str, Any]) -> str:
    """The type of a value in a few words, sections as links to where they are."""
    if "$ref" in value:
        title = _title(value["$ref"].rpartition("/")[2])
        return f"[{title}](#{title.replace(' ', '-')})"
    if "const" in value or "enum" in value:
        return ", ".join(f"`{item}`" for item in value.get("enum", [value.get("const")]))
    several = [_kind(v) for v in value.get("anyOf", value.get("oneOf", ())) if v.get("type") != "null"]
    return " or ".join(dict.fromkeys(several)) if several else _kind_by_type(value)


def _kind_by_type(value: Mapping[str, Any]) -> str:
    if value.get("type") == "array":
        return f"list of {_kind(value.get('items', {}))}"
    if value.get("type") == "object":
        inner = [*value.get("patternProperties", {}).values(), value.get("additionalProperties")]
        return f"mapping of names to {next((_kind(v) for v in inner if isinstance(v, dict)), 'values')}"
    words = {"string": "text", "integer": "number", "number": "number", "boolean": "true or false"}
    return words.get(str(value.get("type")), "value")


def _title(name: str) -> str:
    words = name.removesuffix("Section")
    return "".join(f" {c.lower()}" if c.isupper() and at else c.lower() for at, c in enumerate(words))


def _outputs() -> Iterator[str]:
    yield from (MADE, "# JSON outputs", "")
    yield "With `--format json` each verb prints one object, on success and on failure, that follows a schema; they are"
    yield from (
        "shipped in the package `promote.output`, in `schemas/`, and every one of these keys is checked by them.",
        "",
    )
    for path in sorted(OUTPUTS.glob("*.json")):
        schema = json.loads(path.read_bytes())
        yield from (f"## {path.stem}", "", schema.get("description", schema.get("title", "")), "")
        yield from ("| key | value | what it says |", "|---|---|---|")
        for key, kind, said in _rows(schema, schema, ""):
            yield f"| `{key}` | {_cell(kind)} | {_cell(said)} |"
        yield ""


def _rows(
    value: Mapping[str, Any], schema: Mapping[str, Any], prefix: str, depth: int = 0
) -> Iterator[tuple[str, ...]]:
    """Each key with dots between, what it holds and what it says, as deep as objects and lists go."""
    if depth > 8:  # schemas are finite, and one that names itself would not be
        return
    target = _resolved(value, schema)
    if target.get("type") == "array" or "items" in target:
        yield from _rows(target.get("items", {}), schema, f"{prefix}[]", depth + 1)
        return
    for key, inner in target.get("properties", {}).items():
        name = f"{prefix}.{key}" if prefix else key
        resolved = _resolved(inner, schema)
        yield name, _short(resolved), inner.get("description", resolved.get("description", ""))
        yield from _rows(inner, schema, name, depth + 1)


def _resolved(value: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in value:
        value = schema["$defs"][value["$ref"].rpartition("/")[2]]
    for alternative in (*value.get("oneOf", ()), *value.get("anyOf", ())):
        inner = _resolved(alternative, schema)
        if "properties" not in value and inner.get("type") in {"object", "array"}:
            return inner
    return value


def _short(value: Mapping[str, Any]) -> str:
    if "const" in value:
        return f"`{value['const']}`"
    if "enum" in value:
        return ", ".join(f"`{item}`" for item in value["enum"])
    kind = value.get("type", "object" if "properties" in value else "value")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
