"""One run of the action: promote is a process of its own, and what it printed becomes outputs and reports."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from promote.model.malformed import Malformed
from promote.model.result import Result
from promote.output import markdown, text
from promote.output.reading import result_of
from promote.output.style import Style
from promote_action import outputs, overlay, permissions, summary
from promote_action.annotations import Places, annotations_of
from promote_action.commands import command, mask, stopped
from promote_action.inputs import PREFIX, Asked, Wrong, read

USAGE = 2
ASKPASS = Path(__file__).parents[1] / "askpass.sh"


def main(environ: Mapping[str, str]) -> int:
    """Do what the inputs ask for; returns promote's exit code."""
    for line in mask({**environ, "GITHUB_TOKEN": _token(environ)}):
        print(line)
    try:
        asked = read(environ)
    except Wrong as wrong:
        print(command("error", str(wrong), title="promote: usage (exit 2)"))
        outputs.write(environ, outputs.of({}, USAGE) | {"error": "usage"})
        return USAGE
    with stopped(sys.stdout):
        code, printed = _run(asked.command_line("json"), environ)
        value = _object(printed)
        result = _result(value)
        if result is None:
            print(_told(asked, environ))
        else:
            print(_log(asked.log, result, printed))
    outputs.write(environ, outputs.of(value, code))
    _report(asked, environ, value, result, code)
    return code


def _report(asked: Asked, environ: Mapping[str, str], value: dict[str, Any], result: Result | None, code: int) -> None:
    """Annotations and summary."""
    lacking = permissions.advice(value)
    if lacking:
        print(command("error", lacking, title="promote: the workflow lacks a permission or a login"))
    if result is not None:
        repository = overlay.top(_directory(environ))
        places = _places(asked, environ, result, repository)
        for line in annotations_of(result, places, _prefix(environ, repository)):
            print(line)
        written = summary.of(result, lacking)
    else:
        if code:
            error = value.get("error") or {"message": f"promote ended with exit code {code}"}
            print(command("error", error["message"], title=f"promote: exit {code}"))
        written = _run(asked.command_line("markdown"), environ, quiet=True)[1] if value else ""
    if asked.summary:
        summary.write(environ, written)


def _run(arguments: Sequence[str], environ: Mapping[str, str], *, quiet: bool = False) -> tuple[int, str]:
    """Exit code and standard output of promote; it is told when the job is cancelled, and then finishes its step."""
    process = subprocess.Popen(
        [sys.executable, "-I", "-m", "promote", *arguments],
        cwd=_workspace(environ),
        env=_environment(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if quiet else None,
    )

    def forward(number: int, _frame: FrameType | None) -> None:
        process.send_signal(number)

    before = {number: signal.signal(number, forward) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        printed, _ = process.communicate()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return process.returncode, printed.decode("utf-8", "replace")


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The job's variables without the action's own, and without what would steer Python."""
    kept = {name: value for name, value in environ.items() if not name.startswith((PREFIX, "PYTHON"))}
    kept.pop("PROMOTE_JOB_TOKEN", None)
    token = _token(environ)
    if not token:
        return kept
    # Asked by git only where the checkout left no credentials (gitcredentials(7)).
    return {"GIT_ASKPASS": str(ASKPASS), **kept, "GITHUB_TOKEN": token}


def _token(environ: Mapping[str, str]) -> str:
    """GitHub's token: the input, else the one that the job set itself, else the job's own."""
    names = (f"{PREFIX}GITHUB_TOKEN", "GITHUB_TOKEN", "PROMOTE_JOB_TOKEN")
    return next((environ[name].strip() for name in names if environ.get(name, "").strip()), "")


def _object(printed: str) -> dict[str, Any]:
    """What promote printed; an empty object when it printed none, as when it was killed."""
    try:
        value = json.loads(printed)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _result(value: dict[str, Any]) -> Result | None:
    """The result of a verb that has one; None for `status`, and when nothing was printed."""
    try:
        return result_of(value)
    except Malformed:
        return None


def _log(form: str, result: Result, printed: str) -> str:
    if form == "json":
        return printed
    if form == "markdown":
        return markdown.render(result)
    return text.render(result, Style(colour=not os.environ.get("NO_COLOR")))


def _told(asked: Asked, environ: Mapping[str, str]) -> str:
    """What `status` says in the format of the log; it reads git alone, so that to ask twice costs nothing."""
    return _run(asked.command_line(asked.log), environ)[1] if asked.verb == "status" else ""


def _places(asked: Asked, environ: Mapping[str, str], result: Result, repository: Path | None) -> Places:
    """Where the refused apps are pinned; none when nothing was refused or the target is not known."""
    if result.error is None or not result.releases or result.target is None or repository is None:
        return {}
    where = [argument for argument in asked.arguments if argument.startswith(("--config=", "--repo="))]
    apps = [f"--app={app}" for app in dict.fromkeys(release.app for release in result.releases)]
    _, printed = _run(["status", *where, *apps, "--format=json", "--", result.target], environ, quiet=True)
    return overlay.lines(repository, _object(printed))


def _workspace(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("GITHUB_WORKSPACE") or Path.cwd())


def _directory(environ: Mapping[str, str]) -> Path:
    return (_workspace(environ) / environ.get(f"{PREFIX}REPO", "").strip()).resolve()


def _prefix(environ: Mapping[str, str], repository: Path | None) -> str:
    """From the workspace to the repository, empty when it is not below."""
    workspace = _workspace(environ).resolve()
    below = repository is not None and repository.is_relative_to(workspace)
    return str(repository.relative_to(workspace)) if below and repository is not None else ""
