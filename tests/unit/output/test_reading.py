"""A result that was written as JSON and read back is the same result."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.results import result_of as a_result

from promote.model.malformed import Malformed
from promote.model.verdict import Reason, refused
from promote.output import json as as_json
from promote.output import markdown
from promote.output.json import SCHEMA
from promote.output.reading import result_of


@settings(max_examples=40)
@given(word=st.text(min_size=1, max_size=30), code=st.sampled_from([0, 5, 12]), findings=st.booleans())
def test_result_is_read_back_whole(word: str, code: int, findings: bool) -> None:
    result = a_result(word, code, findings=findings)
    assert result_of(json.loads(as_json.render(result))) == result


@pytest.mark.parametrize("reason", Reason, ids=lambda reason: reason.code)
def test_every_reason_is_read_back(reason: Reason) -> None:
    result = a_result("word", 12)
    release = replace(result.releases[0], gates=(refused("gate", reason, "no"),))
    written = replace(result, releases=(release,))
    assert markdown.render(result_of(as_json.as_object(written))) == markdown.render(written)


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"schema": "promote.status/v1"},
        {"schema": SCHEMA},
        {"schema": SCHEMA, "releases": 1},
    ],
)
def test_anything_else_is_malformed(value: object) -> None:
    with pytest.raises(Malformed):
        result_of(value)


@pytest.mark.parametrize("since", [{"when": "yesterday"}, {"age": 10**30}, {"age": "long"}, {"when": None}])
def test_a_time_that_is_none_is_malformed(since: dict[str, object]) -> None:
    value = as_json.as_object(a_result("word", 0))
    value["releases"][0]["since"].update(since)
    with pytest.raises(Malformed):
        result_of(value)


def test_what_a_newer_promote_adds_is_left_out() -> None:
    result = a_result("word", 0)
    value = as_json.as_object(result) | {"news": 1}
    value["commit"]["news"] = 1
    assert result_of(value) == result
