"""What a push report means."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote.errors import CredentialsFault, Fault, Misuse, Refusal
from promote.gitops.command import Answer
from promote.gitops.porcelain import Outcome, push_error, read_push, says_up_to_date


def report(line: str, status: int = 1, err: str = "error: failed to push some refs"):
    return read_push(Answer(status, f"To host\n{line}\nDone\n".encode(), err))


@pytest.mark.parametrize(
    "reason",
    [
        "[rejected] (fetch first)",
        "[rejected] (non-fast-forward)",
        "[rejected] (stale info)",
        "[remote rejected] (cannot lock ref 'refs/heads/main': is at 1 but expected 2)",
        "[remote rejected] (failed to update ref)",
        "[remote rejected] (incorrect old value provided)",
    ],
)
def test_a_branch_that_moved_is_worth_another_try(reason):
    assert report(f"!\tabc:refs/heads/main\t{reason}").outcome is Outcome.MOVED


@pytest.mark.parametrize(
    "reason",
    ["pre-receive hook declined", "hook declined", "protected branch hook declined", "branch is currently checked out",
     "push declined due to repository rule violations", "something nobody has seen"],
)  # fmt: skip
def test_a_rule_of_the_server_is_final(reason):
    declined = report(
        f"!\tabc:refs/heads/main\t[remote rejected] ({reason})", err="remote: error: GH006: no\r\nerror: x"
    )
    assert declined.outcome is Outcome.DECLINED
    error = push_error(declined, "main", "host")
    assert isinstance(error, Refusal)
    assert (error.code, error.exit_code) == ("push-declined", 10)
    assert reason in error.message
    assert "GH006" in error.message
    assert "rules that protect main" in error.hint
    assert "git.branch" in error.hint
    assert error.hint.endswith("or use --pull-request")


def test_a_declined_branch_of_ones_own_has_a_remedy_of_its_own():
    declined = report("!\tabc:refs/heads/promote/prod/shop/1\t[remote rejected] (pre-receive hook declined)")
    assert push_error(declined, "promote/prod/shop/1", "host", remedy="do that").hint == "do that"


def test_lines_in_which_a_server_says_nothing_are_left_out_of_the_reason():
    err = "remote: \nremote: error:\nremote:error: \t\nremote: error: Not allowed to push\nremote: to main\nerror: x"
    declined = report("!\tabc:refs/heads/main\t[remote rejected] (pre-receive hook declined)", err=err)
    assert declined.reason == (
        "[remote rejected] pre-receive hook declined; remote: error: Not allowed to push; remote: to main"
    )


@pytest.mark.parametrize(
    "line",
    ["!\tabc:refs/heads/main\t[remote failure] (remote failed to report status)",
     "!\tabc:refs/heads/main\t[remote rejected] (unpacker error)",
     "!\tabc:refs/heads/main\t[remote rejected] (missing necessary objects)",
     "!\tabc:refs/heads/main\t[remote rejected] (Internal Server Error)",
     " \tabc:refs/heads/main\t1111111..2222222",
     ""],
)  # fmt: skip
def test_a_broken_conversation_is_not_an_answer(line):
    broken = report(line, err="fatal: the remote end hung up unexpectedly")
    assert broken.outcome is Outcome.UNKNOWN
    assert type(push_error(broken, "main", "host")) is Fault


@pytest.mark.parametrize("line", [" \tabc:refs/heads/main\t1..2", "=\tabc:refs/heads/main\t[up to date]"])
def test_only_exit_status_0_with_a_report_has_landed(line):
    assert report(line, status=0, err="").outcome is Outcome.LANDED
    assert report("", status=0, err="").outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("out", "status", "there"),
    [
        ("=\tabc:refs/heads/main\t[up to date]\nDone\n", 0, True),
        ("=\tabc:refs/heads/main\t[up to date]\n", 1, False),
        (" \tabc:refs/heads/main\t1234567..89abcde\nDone\n", 0, False),
        ("!\tabc:refs/heads/main\t[rejected] (fetch first)\n", 1, False),
        ("", 0, False),
    ],
)
def test_only_an_equal_sign_of_a_push_that_ended_well_says_that_the_branch_is_there(out, status, there):
    assert says_up_to_date(Answer(status, f"To host\n{out}".encode(), "")) is there


def test_refused_credentials_and_forbidden_protocols_are_told_apart():
    refused = report("", err="fatal: Authentication failed for 'https://bot:pw@host/x.git/'")
    error = push_error(refused, "main", "host")
    assert isinstance(error, CredentialsFault)
    assert "pw@" not in error.message
    assert isinstance(push_error(report("", err="fatal: transport 'ext' not allowed"), "main", "host"), Misuse)


COMMIT = "4f2a91c0" * 5
REFSPEC = f"{COMMIT}:refs/heads/main"
TOLD = st.one_of(
    st.sampled_from([REFSPEC, f"{'0' * 40}:refs/heads/main", f"{COMMIT}:refs/heads/other", ":refs/heads/main", ""]),
    st.text(max_size=12),
)
LINE = st.builds(
    "{}{}{}{}{}{}".format,
    st.sampled_from([" ", "+", "-", "*", "!", "=", "X", "", "  "]),
    st.sampled_from(["\t", "\t", " ", ""]),
    TOLD,
    st.sampled_from(["\t", "\t", " "]),
    st.sampled_from(
        ["1111111..2222222", "[up to date]", "[rejected]", "[remote rejected]", "[new branch]", "[deleted]"]
    ),
    st.one_of(st.just(""), st.text(max_size=12).map(" ({})".format), st.just(" (stale info)")),
)
PORCELAIN = st.lists(st.one_of(LINE, st.sampled_from(["To host", "Done", ""]), st.text(max_size=20)), max_size=5)


@given(PORCELAIN, st.sampled_from([0, 0, 1, 128, 141, -9]), st.text(max_size=40))
@settings(max_examples=400)
def test_nothing_is_called_landed_but_what_git_reports_of_this_very_push(lines, status, err):
    answer = Answer(status, "\n".join(lines).encode("utf-8", "surrogatepass"), err)
    good = [f"{flag}\t{REFSPEC}\t" for flag in " +*="]
    reported = [line for line in re.split(r"\n", answer.out.decode("utf-8", "replace")) if line[1:2] == "\t"]
    if read_push(answer, REFSPEC).outcome is Outcome.LANDED:
        assert status == 0
        assert any(line.startswith(tuple(good)) for line in reported)
        assert not any(line.startswith("!\t") and "\t[" in line[2:] for line in reported if line.count("\t") == 2)
    if says_up_to_date(answer):
        assert status == 0
        assert any(line.startswith("=\t") for line in reported)


@given(st.lists(LINE, max_size=4), st.sampled_from([1, 128]))
@settings(max_examples=200)
def test_a_push_that_failed_has_not_landed_whatever_was_printed(lines, status):
    assert read_push(Answer(status, "\n".join(lines).encode(), ""), REFSPEC).outcome is not Outcome.LANDED


def test_another_reference_or_commit_than_was_sent_is_no_answer():
    for told in (f"{'0' * 40}:refs/heads/main", f"{COMMIT}:refs/heads/other"):
        answer = Answer(0, f"To host\n \t{told}\t1111111..2222222\nDone\n".encode(), "")
        assert read_push(answer, REFSPEC).outcome is Outcome.UNKNOWN
    assert read_push(Answer(0, f"To host\n \t{REFSPEC}\t1..2\nDone\n".encode(), ""), REFSPEC).outcome is Outcome.LANDED


def test_a_push_that_one_url_took_and_another_one_did_not_is_looked_into():
    out = f"To a\n \t{REFSPEC}\t1..2\nDone\nTo b\n!\t{REFSPEC}\t[remote rejected] (pre-receive hook declined)\nDone\n"
    assert read_push(Answer(1, out.encode(), ""), REFSPEC).outcome is Outcome.UNKNOWN
