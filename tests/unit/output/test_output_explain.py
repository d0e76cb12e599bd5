"""Findings as text: every part that is there, in its order, and nothing that steers a terminal."""

from __future__ import annotations

import pytest
from support.gitops_repo import checked_result

from promote.model.result import FindingResult, ReleaseResult, Result
from promote.model.verdict import passed
from promote.output import explain, text
from promote.output import json as as_json
from promote.output.style import Style

DIGEST, IMAGE = "sha256:" + "a" * 64, "sha256:" + "b" * 64
ACCEPTED = FindingResult(
    verdict="accepted", manifest=DIGEST, subject=IMAGE, storage="cosign .sig tag", kind="signature",
    signed_by="key sha256:00", log="promise", time="2026-01-01T00:00:00Z", annotations={"repo": "acme/web", "a": "b"},
)  # fmt: skip
FOREIGN = FindingResult(
    verdict="foreign", manifest=DIGEST, subject=IMAGE, kind="attestation", predicate_type="https://spdx.dev/Document",
    signed_by="somebody", reason="signed by somebody", expected="one", actual="another",
)  # fmt: skip
IGNORED = FindingResult(verdict="ignored", manifest=DIGEST, subject=IMAGE, reason="a manifest of no type")
ALL = (ACCEPTED, FOREIGN, IGNORED)


def result(findings) -> Result:
    release = ReleaseResult("web", "sha-0123456", IMAGE, "r/web", False, (passed("tag", "fine"),), findings=findings)
    return Result(command="verify", exit_code=0, releases=(release,))


def test_each_finding_is_shown_whole():
    shown = [line.split() for line in explain.lines(ALL, Style())]
    assert shown[1] == ["accepted", "signature"]
    assert ["-a", "a", "b"] in shown
    assert ["-a", "repo", "acme/web"] in shown
    assert ["foreign", "attestation", "https://spdx.dev/Document"] in shown
    assert ["expected", "one"] in shown
    assert ["got", "another"] in shown
    assert ["ignored", "something"] in shown
    assert shown[-1] == ["why", "a", "manifest", "of", "no", "type"]


def test_nothing_found_says_so():
    assert list(explain.lines((), Style()))[1:] == ["  nothing at all"]


def test_they_are_in_the_text_where_they_were_asked_for_only():
    assert "beside the image" in text.render(result(ALL), Style())
    assert "beside the image" in text.render(result(()), Style())
    assert "beside the image" not in text.render(result(None), Style())


def test_the_json_says_the_same():
    (release,) = checked_result(as_json.render(result(ALL)))["releases"]
    assert [f["verdict"] for f in release["findings"]] == ["accepted", "foreign", "ignored"]
    assert release["findings"][0]["annotations"] == {"repo": "acme/web", "a": "b"}
    assert (release["findings"][1]["expected"], release["findings"][1]["actual"]) == ("one", "another")
    assert checked_result(as_json.render(result(None)))["releases"][0]["findings"] is None


@pytest.mark.parametrize("colour", [False, True])
def test_hostile_text_stays_on_its_line(colour):
    evil = "\x1b]0;owned\x07\nREFUSED\r\u202e"
    finding = FindingResult("invalid", evil, evil, evil, evil, evil, evil, evil, evil, {evil: evil}, evil, evil, evil)
    for line in explain.lines((finding,), Style(colour=colour)):
        plain = line.replace("\x1b[31;1m", "").replace("\x1b[1m", "").replace("\x1b[0m", "")
        assert plain.isprintable()
        assert not plain.startswith("REFUSED")
