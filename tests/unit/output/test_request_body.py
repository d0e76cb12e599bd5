"""The body of a pull request: trailers last, nothing in them that a host would act on, never too long."""

from __future__ import annotations

import pytest

from promote.gitops import trailers
from promote.model.result import CommitResult, Result
from promote.output.request_body import render

RESULT = Result("promote", 0, source="staging", target="prod", commit=CommitResult("a" * 40, "b", True, base="main"))


def message(reason: str) -> str:
    return trailers.message("promote(prod): shop", ["shop: x -> y"], [(trailers.ID, "1f"), (trailers.REASON, reason)])


def test_the_trailers_are_the_last_paragraph():
    body = render(RESULT, message("because"), 65_536)
    assert body.rpartition("\n\n")[2] == "Promote-Id: 1f\nPromote-Reason: because\n"


@pytest.mark.parametrize(
    "reason",
    [
        "closes #12",
        "fixes https://github.com/acme/web/issues/1",
        "@acme",
        "<img src=x>",
        "[a](b)",
        "~label",
        "!7",
        "**bold** words",
        "_x_",
        "a `code` b",
    ],
)
def test_a_value_that_a_host_could_act_on_stands_in_a_code_span(reason):
    last = render(RESULT, message(reason), 65_536).splitlines()[-1]
    name, value = last.split(": ", 1)
    assert name == "Promote-Reason"
    assert value.startswith("`")
    assert value.endswith("`")
    assert trailers.parse(last)[0][0] == "Promote-Reason"


def test_a_report_that_is_too_long_gives_way_to_the_trailers():
    body = render(RESULT, message("because"), 200)
    assert len(body) <= 200
    assert body.endswith("Promote-Reason: because\n")
    assert len(render(RESULT, message("because"), 100)) <= 100
