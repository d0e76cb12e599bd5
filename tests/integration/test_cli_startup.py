"""Help and version are light, and help shows what to type."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from promote import __version__
from promote.cli.verbs import VERBS

HEAVY = {
    "sigstore",
    "git",
    "oras",
    "requests",
    "urllib3",
    "ruamel",
    "yaml",
    "pydantic",
    "pydantic_core",
    "cryptography",
    "rich",
    "stamina",
    "jwt",
    "tuf",
}
OF_TYPER = {"pydantic", "pydantic_core"}
"""What typer itself takes to read the options of a verb, help among them."""
CODE = """
import json, sys
from promote.cli.main import run
code = run(sys.argv[1:])
sys.stderr.write(json.dumps([code, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


def started(*arguments: str) -> tuple[str, set[str]]:
    """What a process prints, and the packages that it imported."""
    done = subprocess.run([sys.executable, "-c", CODE, *arguments], capture_output=True, text=True, check=True)
    code, modules = json.loads(done.stderr)
    assert code == 0
    return done.stdout, set(modules)


@pytest.mark.parametrize("verb", [None, *VERBS])
def test_help_imports_nothing_heavy_and_shows_an_example(verb):
    out, modules = started(*([verb] if verb else []), "--help")
    assert modules & HEAVY <= (OF_TYPER if verb else set())
    example = {
        None: "promote 'staging->prod'",
        "promote": "promote 'staging->prod'",
        "verify": "promote verify staging",
        "init": "promote init --from registry.example/acme/web:sha-4f2a91c",
        "demo": "promote demo",
    }
    assert example.get(verb, f"promote {verb}") in out


def test_version_imports_next_to_nothing():
    out, modules = started("--version")
    assert out == f"promote {__version__}\n"
    assert modules & (HEAVY | {"typer", "click", "asyncio", "http", "email", "inspect"}) == set()


def test_no_arguments_is_the_help():
    assert started()[0] == started("--help")[0]


def test_help_names_every_verb_and_the_exit_codes():
    out, _ = started("--help")
    for verb in VERBS:
        assert verb in out
    assert "10-16" in out


def test_a_usage_error_imports_nothing_heavy():
    code = CODE.replace("sys.stderr.write", "sys.stdout.write")
    done = subprocess.run([sys.executable, "-c", code, "--nonsense"], capture_output=True, text=True, check=True)
    found, modules = json.loads(done.stdout.splitlines()[-1])
    assert found == 2
    assert set(modules) & HEAVY <= OF_TYPER
