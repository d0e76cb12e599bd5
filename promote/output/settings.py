"""The effective configuration as YAML and JSON (schema promote.config/v1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from promote.model.setting import Setting, Settings, SettingsResult, flat, plain
from promote.output.json import error_object, written
from promote.output.style import Style, printable
from promote.output.text import render_error
from promote.output.yaml_text import scalar

SCHEMA = "promote.config/v1"
_COLUMN = 60
"""Where the origins stand."""


def render_yaml(result: SettingsResult, style: Style) -> str:
    """A promote.yaml that says everything."""
    return _render(result, style, None)


def render_origins(result: SettingsResult, style: Style) -> str:
    """The same, and behind each value the file and line that it is from, or that it is the default."""
    return _render(result, style, printable(result.file))


def _render(result: SettingsResult, style: Style, file: str | None) -> str:
    if result.settings is None:
        return render_error(result.error, result.exit_code, style) if result.error else ""
    lines = []
    for text, setting in _lines(result.settings, 0):
        if file is None or setting is None:
            lines.append(text)
        else:
            origin = f"{file}:{setting.line}" if setting.line else "default"
            lines.append(f"{text.ljust(_COLUMN)} {style.paint(f'# {origin}', 'dim')}")
    return "".join(f"{line}\n" for line in lines)


def _lines(settings: Settings, depth: int) -> Iterator[tuple[str, Setting | None]]:
    indent = "  " * depth
    if isinstance(settings, Mapping):
        for key, below in settings.items():
            if isinstance(below, Setting):
                yield f"{indent}{scalar(key)}: {scalar(below.value)}", below
            else:
                yield f"{indent}{scalar(key)}:", None
                yield from _lines(below, depth + 1)
    elif not isinstance(settings, Setting):
        for item in settings:
            if isinstance(item, Setting):
                yield f"{indent}- {scalar(item.value)}", item
                continue
            (first, setting), *rest = _lines(item, depth + 1)
            yield f"{indent}- {first.lstrip()}", setting
            yield from rest


def render_json(result: SettingsResult) -> str:
    """One object with a final newline, ASCII only."""
    settings = result.settings
    origins = [
        {"path": list(path), "value": setting.value, "line": setting.line}
        for path, setting in (flat(settings) if settings is not None else ())
    ]
    return written(
        {
            "schema": SCHEMA,
            "command": "config",
            "ok": result.error is None,
            "exit_code": result.exit_code,
            "file": result.file,
            "environment": result.environment,
            "configuration": None if settings is None else plain(settings),
            "settings": origins,
            "error": error_object(result.error),
        }
    )
