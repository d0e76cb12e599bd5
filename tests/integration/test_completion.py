"""Completion as the shells ask for it: the protocol of bash, zsh and fish, and a real bash at a real prompt."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.git_world import executable, isolate
from support.gitops_repo import TAG, GitopsRepo, make, process_environment
from support.terminal import open_terminal, read_until

from promote.cli.main import run
from promote.cli.verbs import VERBS

SHELLS = ("bash", "zsh", "fish")
ROOT = Path(__file__).parents[2]
OLD = "sha-89abcdef"


@pytest.fixture(scope="module")
def one_app(tmp_path_factory) -> GitopsRepo:
    return make(tmp_path_factory.mktemp("one"), remote=False)


@pytest.fixture(scope="module")
def two_apps(tmp_path_factory) -> GitopsRepo:
    return make(tmp_path_factory.mktemp("two"), apps=("shop", "api"), remote=False)


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def asked(shell: str, line: str, cwd: Path) -> list[str]:
    """What promote offers for `line`, whose last word is under the cursor."""
    words = line.split(" ")
    variables = {
        "bash": {"COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(words) - 1)},
        "zsh": {"_TYPER_COMPLETE_ARGS": line},
        "fish": {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }[shell]
    printed = io.StringIO()
    before = signal.getsignal(signal.SIGTERM)
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.chdir(cwd),
        contextlib.redirect_stdout(printed),
        contextlib.suppress(SystemExit),
    ):
        for name, value in {"_PROMOTE_COMPLETE": f"complete_{shell}", **variables}.items():
            patch.setenv(name, value)
        run([])
    signal.signal(signal.SIGTERM, before)
    out = printed.getvalue().strip()
    if shell == "zsh":  # _arguments '*: :(("a"\n"b":"help"))'
        out = out.removeprefix("_arguments '*: :((").removesuffix("))'") if out != "_files" else ""
        rows = [json.loads(row.partition('":')[0].rstrip('"') + '"') for row in out.split("\n") if row]
        return [row.replace("\\:", ":") for row in rows]
    return [row.partition("\t")[0] for row in out.split("\n") if row]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("promote 'stag", ["staging->prod"]),
        ("promote 'staging->", ["staging->prod"]),
        ("promote staging:", ["staging:prod"]),
        ("promote nowhere", []),
        ("promote ver", ["verify"]),
        ("promote 'staging->prod' ", [TAG, OLD]),
        ("promote 'staging->prod' sha-8", [OLD]),
        ("promote promote staging:prod sha-0", [TAG]),
        ("promote 'staging->prod' shop=", [f"shop={TAG}", f"shop={OLD}"]),
        ("promote --from ", ["staging", "prod"]),
        ("promote --from staging --to p", ["prod"]),
        ("promote --from staging --to prod sha-0", [TAG]),
        ("promote 'staging->prod' --dry", ["--dry-run"]),
        ("promote --dry", ["--dry-run"]),
        ("promote verify ", ["staging", "prod"]),
        ("promote verify staging:", [f"staging:{TAG}"]),
    ],
)
def test_what_is_offered(one_app, shell, line, offered):
    # bash keeps what is before its own word breaks, and is told the rest only; here words come whole.
    assert asked(shell, line, one_app.root) == offered


def test_nothing_typed_offers_the_verbs_and_the_arrows(one_app):
    offered = asked("fish", "promote ", one_app.root)
    assert set(offered[: len(VERBS)]) == set(VERBS)
    assert offered[-1] == "staging->prod"


def test_apps_that_were_named_are_not_offered_again(two_apps):
    assert asked("fish", "promote 'staging->prod' ", two_apps.root) == ["shop", "api"]
    assert asked("fish", "promote 'staging->prod' api=sha-0123456 ", two_apps.root) == ["shop"]
    assert asked("fish", "promote 'staging->prod' shop=sha-8", two_apps.root) == [f"shop={OLD}"]


def test_another_repository_is_read_where_it_is_named(one_app, tmp_path):
    assert asked("fish", f"promote --repo {one_app.root} 'st", tmp_path) == ["staging->prod"]
    assert asked("fish", f"promote --config {one_app.root}/promote.yaml verify", tmp_path) == []


@pytest.mark.parametrize("content", [None, "a: [", 'environments: {"e\\nvil\\e[2J": {from: [x]}}\n'])
def test_without_a_promote_yaml_that_can_be_read_there_is_nothing_and_no_error(tmp_path, content):
    if content is not None:
        (tmp_path / "promote.yaml").write_text(content)
    for shell in SHELLS:
        assert asked(shell, "promote 'x", tmp_path) == []
        assert asked(shell, "promote verify ", tmp_path) == []


def test_completion_takes_no_heavy_library(one_app):
    code = (
        "import sys\nfrom promote.cli.main import run\n"
        "try:\n    run([])\nexcept SystemExit:\n    pass\n"
        "sys.stderr.write(' '.join(sorted(name.partition('.')[0] for name in sys.modules)))\n"
    )
    env = process_environment(
        _PROMOTE_COMPLETE="complete_bash", COMP_WORDS="promote\n'staging->prod'\nsha", COMP_CWORD="2"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=one_app.root, env=env, capture_output=True, text=True, check=True
    )
    assert TAG in done.stdout
    heavy = {"git", "oras", "requests", "ruamel", "sigstore", "cryptography", "rich"}
    assert not heavy & set(done.stderr.split())


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_is_shown_and_installed(tmp_path, shell):
    env = process_environment(HOME=str(tmp_path), _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    command = [sys.executable, "-m", "promote"]
    script = subprocess.run([*command, "--show-completion", shell], env=env, capture_output=True, text=True, check=True)
    assert "_PROMOTE_COMPLETE" in script.stdout
    subprocess.run([*command, "--install-completion", shell], env=env, capture_output=True, text=True, check=True)
    place = {
        "bash": ".bash_completions/promote.sh",
        "zsh": ".zfunc/_promote",
        "fish": ".config/fish/completions/promote.fish",
    }
    assert (tmp_path / place[shell]).read_text().strip() == script.stdout.strip()


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("promote stag", "'staging->prod' "),
        ("promote 'stag", "promote 'staging->prod' "),
        ("promote staging->p", "promote staging->prod "),
        ("promote staging:p", "promote staging:prod "),
        ("promote 'staging->prod' shop=sha-8", f"promote 'staging->prod' shop={OLD} "),
        ("promote verify staging:sha-0", f"promote verify staging:{TAG} "),
    ],
)
def test_a_real_bash_completes_at_its_prompt(one_app, tmp_path, typed, completed):
    executable(tmp_path / "bin/promote", f'exec "{sys.executable}" -m promote "$@"')
    shell_env = {"TERM": "dumb", "PS1": "ready> ", "INPUTRC": "/dev/null", "HISTFILE": "/dev/null"}
    env = {**process_environment(_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1"), **shell_env}
    env["PATH"] = f"{tmp_path / 'bin'}{os.pathsep}{env['PATH']}"
    ours, theirs = open_terminal(200)
    shell = subprocess.Popen(
        ["bash", "--norc", "--noprofile", "-i"],
        cwd=one_app.root,
        env=env,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        read_until(ours, lambda text: text.endswith("ready> "))
        os.write(ours, b"source <(promote --show-completion bash)\n")
        read_until(ours, lambda text: text.endswith("ready> "))
        os.write(ours, f"{typed}\t".encode())
        assert read_until(ours, lambda text: completed in text)
    finally:
        shell.kill()
        shell.wait()
        os.close(ours)
