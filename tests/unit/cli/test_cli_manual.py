"""The manual page is the one that the command line gives: `make man` writes it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from promote.cli.verbs import VERBS

MAN = Path(__file__).parents[3] / "docs" / "man"


def generated() -> str:
    spec = importlib.util.spec_from_file_location("manual", MAN / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.page()


def test_the_page_is_up_to_date():
    assert (MAN / "promote.1").read_text() == generated()


def test_every_verb_is_in_it_and_no_line_is_markup_by_accident():
    page = generated()
    for verb in VERBS:
        assert f"\n.SS promote {verb}" in page
    macros = {line.split(" ")[0] for line in page.splitlines() if line.startswith((".", "'"))}
    assert macros == {'.\\"', ".TH", ".SH", ".SS", ".B", ".I", ".TP", ".PP", ".nf", ".fi", ".br"}
