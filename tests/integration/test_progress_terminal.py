"""Progress where it is seen: on a real terminal, and in a log."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from support.git_world import isolate
from support.gitops_repo import FIXTURES, TAG, make, process_environment
from support.terminal import run_in_terminal

COLOURS = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "LINES")
PROMOTE = [sys.executable, "-m", "promote"]
ROOT = Path(__file__).parents[2]
COPY = """
import sys
from pathlib import Path
from promote.cli.live import Live
from promote.model.reference import Repository
from promote.oci.copy import copy_image
from promote.oci.graph import gather
from promote.oci.layout import LayoutStore
from promote.output.style import Style
source, target = (LayoutStore(Repository("oci:" + place, "acme/shop")) for place in sys.argv[1:3])
with Live(sys.stderr, Style(width=80), height=50, patience=0.0) as live:
    copy_image(source, target, gather(source, source.resolve(sys.argv[3]), jobs=1), sys.argv[3], jobs=1, observer=live)
"""


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)
    for name in COLOURS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def environment(**more: str) -> dict[str, str]:
    return process_environment(TERM="xterm", **more)


def test_gates_are_shown_as_they_are_decided_and_then_only_the_report_is(tmp_path):
    repo = make(tmp_path)
    shown = run_in_terminal([*PROMOTE, "staging->prod", TAG], cwd=repo.root, env=environment(), columns=100)
    assert shown.code == 0
    seen, left = shown.raw, shown.screen
    assert seen.count("staging runs it") == 2  # while it ran, and in the report
    assert [line for line in left if "staging runs it" in line] == ["  pass     deployed        staging runs it"]
    assert left[0].startswith("copied        oci:../registries/prod/acme/shop:")
    assert "9 blobs, 33.4 KiB in " in left[0]
    assert left[1] == "promote shop staging -> prod"
    assert not [line for line in left if line.startswith("working-copy")]


def test_with_a_file_for_stdout_the_terminal_has_progress_alone(tmp_path):
    repo = make(tmp_path)
    out = tmp_path / "out.json"
    arguments = [*PROMOTE, "staging->prod", TAG, "--format", "json"]
    shown = run_in_terminal(arguments, cwd=repo.root, env=environment(), stdout=out)
    result = json.loads(out.read_bytes())
    assert (shown.code, result["exit_code"]) == (0, 0)
    (line,) = [line for line in shown.screen if line]
    (copy,) = result["releases"][0]["copies"]
    assert f": {copy['blobs_copied']} blobs, 33.4 KiB in {copy['seconds']:.1f} s (" in line
    assert copy["bytes"] == 34_178
    assert line.endswith(f"{copy['blobs_mounted']} mounted, {copy['blobs_present']} skipped")


def test_a_verbose_run_keeps_what_it_showed(tmp_path):
    repo = make(tmp_path)
    shown = run_in_terminal([*PROMOTE, "staging->prod", TAG, "-v"], cwd=repo.root, env=environment(), columns=100)
    assert len([line for line in shown.screen if line.startswith("blob ")]) == 9
    assert len([line for line in shown.screen if "staging runs it" in line]) == 2


def test_a_quiet_run_shows_the_report_alone(tmp_path):
    repo = make(tmp_path)
    shown = run_in_terminal([*PROMOTE, "verify", "staging", "-q"], cwd=repo.root, env=environment(), columns=200)
    assert shown.code == 0
    assert shown.raw.count("staging runs it") == 1
    assert shown.screen[0] == "verify shop staging"


def test_a_dumb_terminal_gets_lines_without_controls(tmp_path):
    repo = make(tmp_path)
    env = process_environment(TERM="dumb")
    shown = run_in_terminal([*PROMOTE, "staging->prod", TAG], cwd=repo.root, env=env, columns=200)
    assert shown.code == 0
    assert "\x1b" not in shown.raw
    assert [line.split()[0] for line in shown.screen[:5]] == ["tag", "copied", "commit", "push", "working-copy"]


@pytest.mark.exhaustive
def test_without_colour_there_is_none_on_a_terminal_either(tmp_path):
    repo = make(tmp_path)
    coloured = run_in_terminal([*PROMOTE, "verify", "staging"], cwd=repo.root, env=environment())
    for more in ({"NO_COLOR": "1"}, {"CLICOLOR": "0"}):
        plain = run_in_terminal([*PROMOTE, "verify", "staging"], cwd=repo.root, env=environment(**more))
        assert "\x1b[32m" in coloured.raw
        assert "\x1b[32m" not in plain.raw
        assert plain.screen == coloured.screen


@pytest.mark.exhaustive
@pytest.mark.parametrize("columns", [60, 80, 132])
def test_lines_are_broken_for_the_terminal_and_digests_are_not(tmp_path, columns):
    repo = make(tmp_path)
    shown = run_in_terminal([*PROMOTE, "verify", "staging"], cwd=repo.root, env=environment(), columns=columns)
    long = [line for line in shown.screen if len(line) > columns]
    assert all(len(line.split()) == 1 for line in long), long
    assert "sha256:9173569091b2ea94019f5e7cfb47448a29c0647348af2c5f318e9c2d866ea30e" in shown.raw


def test_each_blob_has_its_bar_while_it_moves_and_none_is_left(tmp_path):
    case = FIXTURES / "v3-keyless" / "layout"
    source = tmp_path / "staging" / "acme" / "shop"
    source.parent.mkdir(parents=True)
    source.symlink_to(case)
    command = [sys.executable, "-c", COPY, str(tmp_path / "staging"), str(tmp_path / "prod"), TAG]
    shown = run_in_terminal(command, cwd=tmp_path, env=environment())
    assert shown.code == 0, shown.raw
    assert "all 9" in shown.raw
    assert "━" in shown.raw
    (line,) = [line for line in shown.screen if line]
    assert line.startswith("copied ")


@pytest.mark.exhaustive
def test_an_interrupt_leaves_no_bar_behind(tmp_path):
    code = (
        "import sys\nfrom promote.cli.live import Live\nfrom promote.model.progress import Blob, Cargo\n"
        "from promote.output.style import Style\n"
        "try:\n"
        "    with Live(sys.stderr, Style(width=80), patience=0.0) as live:\n"
        "        live.expects(Cargo('t', 1, 10, 0))\n"
        "        live.moves(Blob('t', 'sha256:' + 'a' * 64, 10), 5)\n"
        "        raise KeyboardInterrupt\n"
        "except KeyboardInterrupt:\n"
        "    sys.stderr.write('interrupted\\n')\n"
    )
    shown = run_in_terminal([sys.executable, "-c", code], cwd=tmp_path, env=environment())
    assert "aaaaaaaaaaaa" in shown.raw
    assert [line for line in shown.screen if line] == ["interrupted"]
    assert shown.raw.rfind("\x1b[?25h") > shown.raw.rfind("\x1b[?25l")
