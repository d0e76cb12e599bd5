"""What a push report means."""

import pytest

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
    assert error.hint


@pytest.mark.parametrize(
    "line",
    ["!\tabc:refs/heads/main\t[remote failure] (remote failed to report status)",
     "!\tabc:refs/heads/main\t[remote rejected] (unpacker error)",
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
