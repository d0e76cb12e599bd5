"""`promote lint [PATHS]`: images in overlays that are not pinned."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from promote.cli.options import Config, Debug, NoColor
from promote.errors import Misuse, PromoteError
from promote.model.malformed import shown

if TYPE_CHECKING:  # --help would pay for them
    from promote.insight.lint import CommitTags
    from promote.model.lint import LintResult, Rule
    from promote.model.result import ErrorResult

EXIT_CODE = 14


class LintFormat(StrEnum):
    """How the findings are written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    JUNIT = "junit"
    GITHUB = "github"


def lint(  # noqa: PLR0917 - typer reads the options from the signature
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATHS]...", help="Files and directories to report; default: all.", show_default=False),
    ] = None,
    config: Config = None,
    ignore: Annotated[
        list[str] | None, typer.Option("--ignore", metavar="RULE", help="Leave this rule out; may be repeated.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Fail for warnings and notes too.")] = False,
    format: Annotated[  # noqa: A002 - the name of the option
        LintFormat, typer.Option("--format", metavar="FORMAT", help="text, json, sarif, junit or github, on stdout.")
    ] = LintFormat.TEXT,
    no_color: NoColor = False,
    debug: Debug = False,  # noqa: ARG001 - read by the entry point
) -> None:
    """Refuse images in overlays that float or have no digest, as kustomize would render them.

    All overlays of the repository are read, with or without a promote.yaml, and nothing else is asked: no network.

    promote lint overlays --format github
    """
    from promote.cli.gitread import told
    from promote.model.lint import LintResult

    try:
        result = _linted(paths or [], config, ignore or [], strict=strict)
    except PromoteError as error:
        result = LintResult(error.exit_code, error=told(error))
    _write(result, format, no_color=no_color)
    raise typer.Exit(result.exit_code)


def _linted(paths: list[Path], config: Path | None, ignored: list[str], *, strict: bool) -> LintResult:
    from promote.insight.lint import lint as linted
    from promote.insight.working_files import WorkingFiles, kustomized
    from promote.model.lint import Level, LintResult, Rule
    from promote.overlays.tree import is_within, normalised

    _check_rules(ignored)
    start = Path.cwd()
    root = _top(Path(os.path.commonpath([_absolute(path) for path in paths])) if paths else start)
    wanted = [normalised(_absolute(path).relative_to(root).as_posix()) or "" for path in paths] or [""]
    found = linted(WorkingFiles(root), tuple(kustomized(root)), _commit_tags(root, config))
    findings = tuple(
        f
        for f in found.findings
        if f.rule.code not in ignored and any(is_within(f.file, path) or f.overlay == path for path in wanted)
    )
    overlays = tuple(o for o in found.overlays if any(is_within(o, path) or is_within(path, o) for path in wanted))
    failing = [f for f in findings if strict or f.rule.level is Level.ERROR]
    if not failing:
        return LintResult(0, overlays, findings)
    only_unread = all(f.rule is Rule.OVERLAY_UNREADABLE for f in failing)
    return LintResult(3 if only_unread else EXIT_CODE, overlays, findings, _error(failing[0].rule, len(failing)))


def _error(first: Rule, count: int) -> ErrorResult:
    from promote.model.result import ErrorResult

    found = "1 finding" if count == 1 else f"{count} findings"
    return ErrorResult(
        code=first.code,
        message=f"{found} in the overlays, expected every image with a tag and a digest",
        expected="every image with a tag and a digest",
        actual=found,
        hint=first.fix,
    )


def _absolute(path: Path) -> Path:
    if not path.exists():
        raise Misuse(
            "usage", f"got {shown(str(path))}, expected a file or a directory", hint="name what is there, or nothing"
        )
    return path.resolve()


def _top(start: Path) -> Path:
    """The repository that `start` is in, by its .git or promote.yaml; `start` itself in none."""
    from promote.config.outline import FILE_NAME

    first = start.resolve() if start.is_dir() else start.resolve().parent
    for directory in (first, *first.parents):
        if (directory / ".git").exists() or (directory / FILE_NAME).is_file():
            return directory
    return first


def _check_rules(ignored: list[str]) -> None:
    from promote.model.lint import Rule

    known = [rule.code for rule in Rule]
    for code in ignored:
        if code not in known:
            raise Misuse("usage", f"got --ignore {shown(code)}, expected one of {', '.join(known)}")


def _commit_tags(root: Path, config: Path | None) -> CommitTags:
    """The tags that promote.yaml demands of its apps' images; none without one."""
    from promote.config.outline import FILE_NAME
    from promote.insight.lint import CommitTags

    if config is None and not (root / FILE_NAME).is_file():
        return CommitTags()
    from promote.config.load import load

    configuration = load(config or root / FILE_NAME)
    forms = tuple({gates.tag.pattern: gates.tag for gates in configuration.gates.values()}.values())
    names = {name for app in configuration.apps.values() for name in configuration.image_names(app)}
    return CommitTags(dict.fromkeys(names, forms))


def _write(result: LintResult, form: LintFormat, *, no_color: bool) -> None:
    if form is LintFormat.TEXT:
        from promote.output.lint import render_text
        from promote.output.style import style_for

        text = render_text(result, style_for(sys.stdout, os.environ, wanted=not no_color))
    elif form is LintFormat.SARIF:
        from promote.output import sarif

        text = sarif.render(result)
    elif form is LintFormat.JUNIT:
        from promote.output import junit

        text = junit.render(result)
    else:
        from promote.output.lint import render_github, render_json

        text = render_json(result) if form is LintFormat.JSON else render_github(result)
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader is gone; the exit code still tells how it went, and Python must not complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
