"""The `fields:` and `effect:` of promote.yaml."""

from __future__ import annotations

import pytest

from promote.config.fields import steps
from promote.config.load import load
from promote.errors import Misuse
from promote.model.environment import App, FieldForm, ImageField

APPS = "apps: {web: {image: acme/web}, api: {image: acme/api}}\n"


@pytest.fixture
def read(tmp_path):
    def reading(fields: str, *, overlays: str = '["o/{app}"]', apps: str = APPS, rest: str = ""):
        path = tmp_path / "promote.yaml"
        prod = f"environments:\n  prod: {{registry: a.example, overlays: {overlays}, fields: {fields}}}\n"
        path.write_text(f"version: 1\n{apps}{prod}{rest}")
        return load(path)

    return reading


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("spec.image", ("spec", "image")),
        ("a[0].b[name=x.y].c", ("a", "[0]", "b", "[name=x.y]", "c")),
        (r"metadata.annotations.acme\.example/image", ("metadata", "annotations", "acme.example/image")),
        ("[0]", ("[0]",)),
        ("a..b", None),
        (".a", None),
        ("a.", None),
        ("a.[0]", None),
        ("a[", None),
        ("a]b", None),
        ("", None),
    ],
)
def test_a_path_is_cut_into_steps(path, expected):
    assert steps(path) == expected


def test_fields_are_of_the_place_and_of_their_app(read):
    fields = "[{file: cr.yaml, path: spec.image}, {file: v.yaml, path: tag, value: tag@digest, app: web}]"
    (place,) = read(fields).environments["prod"].places
    whole = ImageField("cr.yaml", ("spec", "image"))
    assert place.fields == (whole, ImageField("v.yaml", ("tag",), FieldForm.TAG_AND_DIGEST, "web"))
    assert place.fields_of(App("api", "acme/api")) == (whole,)


@pytest.mark.parametrize(
    ("fields", "overlays", "words"),
    [
        ("[{file: /x, path: a}]", '["o/{app}"]', "expected a file in the overlay"),
        ("[{file: ../x, path: a}]", '["o/{app}"]', "expected a file in the overlay"),
        ("[{file: x, path: a..b}]", '["o/{app}"]', "expected keys with dots between them"),
        ("[{file: x, path: a, app: wbe}]", '["o/{app}"]', "expected an app of this file: api, web"),
        ("[{file: x, path: a, value: tag}]", '["o/{app}"]', "expected a field for the digest in the same file too"),
        ("[{file: x, path: a, value: digest}]", '["o/{app}"]', "expected a field for the tag in the same file too"),
        ("[{file: x, path: a, value: tag@digest}]", "[o]", "has no app, expected one"),
        ("[{file: x, path: a}]", "[]", "has no overlay"),
        ("[{file: x}]", "[o]", "path"),
        ("[{file: x, path: a, value: name}]", "[o]", "value"),
    ],
)
def test_what_is_wrong_with_a_field_is_said(read, fields, overlays, words):
    with pytest.raises(Misuse) as caught:
        read(fields, overlays=overlays)
    assert words in caught.value.message


def test_an_effect_is_checked_unless_it_is_required(read):
    assert not read("[]").gates["prod"].effect_required
    assert not read("[]", rest="gates: {effect: checked}\n").gates["prod"].effect_required
    assert read("[]", rest="gates: {effect: required}\n").gates["prod"].effect_required
