"""The proposed promote.yaml loads as it is, and nothing from outside can say more in it than its own value."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from promote.config.load import load
from promote.model.environment import OverlayEntry
from promote.model.policy import KeylessSigner
from promote.model.proposal import Proposal, ProposedApp, ProposedEnvironment, ProposedSigner
from promote.output.proposal import SCHEMA_LINE, render

DIGEST = "sha256:" + "a" * 64
EVIL = '"\n    - issuer: evil\n# \x1b]0;owned\x07 \u2028\u202e\ud7ff\U0001f600 \\" *x &y !!z'
STAGING = ProposedEnvironment(
    "staging", "registry.example", None, (OverlayEntry("overlays/staging"),), (), guessed=False
)
PROD = ProposedEnvironment(
    "prod",
    "registry.example",
    "eu.example",
    (OverlayEntry("overlays/prod"), OverlayEntry("")),
    ("staging",),
    guessed=True,
)
SIGNER = ProposedSigner(
    "https://issuer.example", "https://github.com/acme/web/x@y", ("signature", "https://spdx.dev/Document")
)


def app(names=("web",), source="https://github.com/acme/web") -> ProposedApp:
    return ProposedApp("web", "acme/web", names, source)


def proposal(**more) -> Proposal:
    values = {
        "reference": "registry.example/acme/web:sha-0123456",
        "digest": DIGEST,
        "apps": (app(),),
        "environments": (STAGING, PROD),
        "root": None,
        "signers": (SIGNER,),
        "notes": (),
    }
    return Proposal(**(values | more))


def test_it_loads_as_it_is(tmp_path: Path):
    (tmp_path / "promote.yaml").write_text(render(proposal()))
    found = load(tmp_path / "promote.yaml")
    assert found.apps["web"].source == "https://github.com/acme/web"
    assert found.environments["prod"].promoted_from == ("staging",)
    assert found.environments["prod"].places[0].overlays == (OverlayEntry("overlays/prod"), OverlayEntry("."))
    assert found.environments["prod"].places[0].pull == "eu.example"
    assert found.trust.signers == (KeylessSigner(SIGNER.issuer, SIGNER.identity),)


def test_what_is_wider_than_a_line_is_broken_and_still_loads(tmp_path: Path):
    overlays = tuple(OverlayEntry(f"clusters/a-cluster-with-a-long-name-{n}/overlays/prod") for n in range(9))
    names = tuple(f"registry-{n}.example/a/long/path/to/acme/web" for n in range(5))
    wide = ProposedEnvironment(
        "prod", "eu.example", None, overlays[:4], ("staging",), guessed=False, more=(("us.example", overlays[4:]),)
    )
    text = render(proposal(apps=(app(names),), environments=(STAGING, wide), notes=("much to say " * 30,)))
    assert max(len(line) for line in text.splitlines() if DIGEST not in line) <= 120  # digests are never broken
    (tmp_path / "promote.yaml").write_text(text)
    found = load(tmp_path / "promote.yaml")
    assert found.apps["web"].names == names
    assert [place.overlays for place in found.environments["prod"].places] == [overlays[:4], overlays[4:]]
    assert [place.registry for place in found.environments["prod"].places] == ["eu.example", "us.example"]


def test_the_form_of_tags_is_a_gate(tmp_path: Path):
    (tmp_path / "promote.yaml").write_text(render(proposal(tag=r"main-(?P<commit>[0-9a-f]{7,64})")))
    assert load(tmp_path / "promote.yaml").gates["prod"].tag.fullmatch("main-4f2a91c")


def test_it_begins_with_the_schema_and_tells_to_review():
    text = render(proposal(notes=("No signed SBOM.",)))
    assert text.startswith(f"{SCHEMA_LINE}\n")
    assert "# NOTE: No signed SBOM.\n" in text
    assert "nobody is trusted until" in text
    assert text.count("# review") >= 4
    assert "# made: signature, https://spdx.dev/Document" in text


def test_without_a_signer_nobody_is_trusted(tmp_path: Path):
    (tmp_path / "promote.yaml").write_text(render(proposal(signers=(), apps=(app((), None),))))
    found = load(tmp_path / "promote.yaml")
    assert found.trust.signers == ()
    assert found.apps["web"].source is None


@pytest.mark.parametrize("word", [EVIL, "off", "null", "1e3", "~", "", " x ", "é", "\x7f", "a: b", "#c", "%d", "\t"])
def test_what_comes_from_outside_stays_one_value(word):
    check(word)


@given(st.text(max_size=30).filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text)))
@settings(max_examples=80)
def test_any_text_stays_one_value(word):
    check(word)


def check(word: str) -> None:
    text = render(
        proposal(
            reference=word, apps=(app((word,), word or None),), root=word or None, notes=(word,),
            signers=(ProposedSigner(word, word, (word,)),),
        )
    )  # fmt: skip
    assert all(line.isprintable() for line in text.split("\n"))
    for read in (yaml.safe_load, YAML(typ="safe", pure=True).load):
        value = read(text)
        assert value["trust"]["signers"] == [{"issuer": word, "identity": word}]
        assert value["apps"]["web"]["names"] == [word]
        assert value["trust"]["root"] == (word or "sigstore")
        assert set(value) == {"version", "apps", "environments", "trust"}
