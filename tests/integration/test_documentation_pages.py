"""The pages that are made are those that are there, every code has its page, and every transcript is a real one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from generate import errors, outputs, reference, walk
from support.output_scenes import SCENES as OUTPUTS
from support.refusal_scenes import NO_SCENE, SCENES
from support.walk import commands, recorded

import promote.explanations
from promote import errors as tree
from promote.cli.verbs import VERBS
from promote.explanations import explanations
from promote.model.lint import Rule
from promote.model.verdict import Reason

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
TRANSCRIPTS = Path(promote.explanations.__file__).parent / "transcripts"
AT_FIRST = {"Misuse": 2, "Fault": 3, "CredentialsFault": 4, "Refusal": None, "PromoteError": None}
"""The classes whose first argument is the code, and the exit code that comes with them."""
GIVEN_ON = {
    "cli/gitread.py": {"environment-unknown", "app-unknown"},
    "insight/concerns.py": {"registry-moved", "registry-missing"},
    "gitops/forge/api.py": {"forge-rejected"},
    "model/lint.py": {rule.code for rule in Rule},
    "promotion/checkup.py": {"trust-root-ended", "git-old"},
    "promotion/registry_checks.py": {"clock-skew", "layout-unusable"},
    "errors.py": {"superseded", "nothing-changed"},
}
"""Modules that put a code together, and the codes that come of it."""


def literals(node: ast.expr) -> Iterator[str | None]:
    """The strings that an argument can be; None where it is something else.  The code of a Reason is none of either."""
    if isinstance(node, ast.IfExp):
        yield from (*literals(node.body), *literals(node.orelse))
    elif not (isinstance(node, ast.Attribute) and node.attr == "code"):
        yield node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def handing_on(module: ast.Module) -> set[str]:
    """The functions of a module that take a code first and make an error with it."""
    functions = (node for node in ast.walk(module) if isinstance(node, ast.FunctionDef))
    return {f.name for f in functions if [a.arg for a in f.args.args if a.arg != "self"][:1] == ["code"]}


@cache
def raised() -> tuple[tuple[str, str | None, int | None], ...]:
    """Each error that the source makes: module, code (None: put together), and the exit code where that is certain."""
    package = Path(promote.__file__).parent
    modules = {path: ast.parse(path.read_text()) for path in sorted(package.rglob("*.py"))}
    return tuple(
        (path.relative_to(package).as_posix(), code, exit_code)
        for path, module in modules.items()
        for code, exit_code in _made_in(module)
    )


def _made_in(module: ast.Module) -> Iterator[tuple[str | None, int | None]]:
    through = {name for name in handing_on(module) if name.startswith("_")}
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and node.args and isinstance(node.func, ast.Name):
            name = node.func.id
            handed = through and name in AT_FIRST and _is_name(node.args[0], "code")
            if (name in AT_FIRST or name in through) and not handed:
                yield from ((code, AT_FIRST.get(name)) for code in literals(node.args[0]))


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def test_every_code_has_an_explanation_and_every_explanation_a_code():
    codes = {code for _, code, _ in raised() if code} | {reason.code for reason in Reason}
    codes |= set().union(*GIVEN_ON.values())
    assert sorted(codes - set(explanations())) == []
    assert sorted(set(explanations()) - codes) == []


def test_a_code_that_is_no_literal_comes_from_a_module_that_is_known():
    assert {module for module, code, _ in raised() if code is None} - set(GIVEN_ON) == set()


def test_the_exit_code_of_an_explanation_is_the_one_that_promote_ends_with():
    known = explanations()
    assert [r.code for r in Reason if known[r.code].exit_code != r.exit_code] == []
    wrong = {code for _, code, exit_code in raised() if code and exit_code and known[code].exit_code != exit_code}
    assert wrong == set()
    assert tree.Superseded("x").exit_code == known["superseded"].exit_code


@pytest.mark.exhaustive
@pytest.mark.parametrize("code", SCENES)
def test_the_transcript_of_a_code_is_what_a_run_prints(code):
    assert (TRANSCRIPTS / f"{code}.txt").read_text() == errors.scene(code)


def test_every_transcript_is_of_a_run_that_ended_with_its_code():
    assert [p.stem for p in TRANSCRIPTS.iterdir() if not errors.ends_with(p.read_text(), p.stem)] == []


@pytest.mark.exhaustive
def test_every_output_is_what_a_run_prints():
    assert (DOCS / "every-output.md").read_text() == outputs.page()


def test_every_verb_has_its_output_shown():
    assert sorted({*OUTPUTS} | {"demo"}) == sorted(VERBS)  # the demo is in the first ten minutes


def test_a_code_is_explained_in_one_file():
    named = [line for file in TRANSCRIPTS.parent.glob("*.toml") for line in file.read_text().splitlines()]
    codes = [line for line in named if line.startswith("[")]
    assert sorted(codes) == sorted(set(codes))


def test_every_transcript_has_its_scene_and_every_code_is_shown_or_says_why_not():
    assert sorted(p.stem for p in TRANSCRIPTS.iterdir()) == sorted(SCENES)
    assert sorted([*SCENES, *NO_SCENE]) == sorted(explanations())
    assert not [reason.code for reason in Reason if reason.exit_code >= 10 and reason.code in NO_SCENE]


def test_the_pages_are_those_that_are_made():
    made = dict([*errors.pages(), *reference.pages()])
    assert [
        path for path, text in made.items() if not (DOCS / path).is_file() or (DOCS / path).read_text() != text
    ] == []
    there = {p.relative_to(DOCS).as_posix() for d in ("errors", "reference") for p in (DOCS / d).iterdir()}
    assert there | {*errors.SINGLE} == set(made)


def test_the_first_ten_minutes_are_those_of_the_tutorial():
    shown = recorded((DOCS / "first-ten-minutes.md").read_text())
    wanted = commands(walk.TUTORIAL.read_text())
    told = iter(shown)
    assert [c for c in wanted if not any(said.startswith(c) for said, _ in told)] == []
    assert [code for _, code in shown if code] == [11, 13, 15]


def test_every_page_that_is_linked_is_there():
    pages = [*DOCS.rglob("*.md"), *ROOT.glob("*.md")]
    gone = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert gone == []


def test_every_transcript_that_ends_in_an_error_says_what_to_do():
    silent = {
        path.stem
        for path in TRANSCRIPTS.glob("*.txt")
        if not (text := path.read_text()).endswith("echo $?\n0\n") and not re.search(r"^ +do +\S", text, re.MULTILINE)
    }
    assert silent == set()
