"""A result as Markdown: everything a reviewer needs is in it, in an order that reads."""

from __future__ import annotations

import pytest
from support.results import DIGEST, result_of

from promote.model.release import Edit
from promote.model.result import CommitResult, CopyResult, ErrorResult, ReleaseResult, Result
from promote.model.verdict import Reason, passed, refused
from promote.output.markdown import MOST_LINES, code, render

GATES = (passed("tag", "names a commit"),)
EDIT = Edit("overlays/prod/kustomization.yaml", 7, "newTag: a", "newTag: b")
COPY = CopyResult(0, "r.example/acme/web:sha-0123456", DIGEST, 5, 9, 1, 2, 34_000, (DIGEST,), seconds=1.5)


def promoted(**more) -> Result:
    release = ReleaseResult("web", "sha-0123456", DIGEST, f"s/web@{DIGEST}", True, GATES, (COPY,), (EDIT,))
    return Result(
        **({"command": "promote", "exit_code": 0, "source": "staging", "target": "prod", "releases": (release,)} | more)
    )


def test_a_promotion_has_its_gates_its_diff_its_evidence_and_its_commit():
    report = render(promoted(commit=CommitResult("c" * 40, "main", True, "left alone")))
    for part in (
        "## promote: `web` `staging` → `prod`\n",
        "**Promoted**\n",
        f"- digest `{DIGEST}`\n",
        "| ✅ pass | `tag` | `names a commit` |\n",
        "```diff\n@@ overlays/prod/kustomization.yaml @@\n- newTag: a\n+ newTag: b\n```\n",
        "5 manifests; blobs: 9 sent, 1 mounted, 2 there already; 33.2 KiB in 1.5 s",
        f"| `{DIGEST}` |\n",
        f"- commit `{'c' * 40}` on `main`, pushed and read back\n- `left alone`\n- next: whatever applies `main`",
    ):
        assert part in report, part
    assert report.endswith("\n\n<sub>Written by promote.</sub>\n")


def test_a_refusal_says_what_was_expected_what_was_got_why_it_matters_and_what_to_do():
    no = refused("sbom", Reason.NO_SBOM, "there is none", expected="one", actual="none", hint="cosign attest")
    release = ReleaseResult("web", "sha-0123456", DIGEST, None, False, (no,))
    error = ErrorResult("no-sbom", "there is none", "one", "none", "cosign attest")
    report = render(promoted(exit_code=13, releases=(release,), error=error))
    assert "**Refused (exit 13, `no-sbom`)**" in report
    row = "| ❌ **refused** | `sbom` | `there is none`<br>expected `one`<br>got `none`<br>why: nobody could say later"
    assert row in report
    assert "- `there is none`\n- do: `cosign attest`\n- Nothing was written anywhere.\n" in report


@pytest.mark.parametrize(
    ("of", "said"),
    [
        (promoted(dry_run=True), "**Dry run: this would be promoted**"),
        (promoted(releases=()), "**Nothing to do**"),
        (promoted(releases=(ReleaseResult("web", "t", DIGEST, None, False, GATES),)), "**Already promoted"),
        (promoted(command="verify", target=None), "**Verified: every gate"),
        (
            promoted(exit_code=3, error=ErrorResult("a-code", "It is so", None, None, None)),
            "**Failed (exit 3, `a-code`)**",
        ),
        (promoted(commit=CommitResult("c" * 40, "main", False)), "committed here, not pushed"),
    ],
)
def test_what_happened_is_said_in_bold(of, said):
    assert said in render(of)


def test_findings_are_listed():
    assert "| `invalid` | `signed signed` | `signed` | `signed signed` |" in render(result_of("signed", 0))


def test_many_edits_are_cut():
    edits = tuple(Edit(f"overlays/{n}/kustomization.yaml", 1, "a", "b") for n in range(MOST_LINES))
    release = ReleaseResult("web", "t", DIGEST, None, True, GATES, (), edits)
    assert f"\nand {2 * MOST_LINES} more lines\n" in render(promoted(releases=(release,)))


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("a", "`a`"),
        ("a`b", "``a`b``"),
        ("`a", "`` `a ``"),
        ("a|b", "`a\\x7cb`"),
        (" a", "`  a `"),
        ("", "(empty)"),
        ("x" * 500, f"`{'x' * 399}…`"),
    ],
)
def test_code(text, span):
    assert code(text) == span
