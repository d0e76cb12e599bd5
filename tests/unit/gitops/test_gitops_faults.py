"""Errors of git in promote's words."""

import pytest

from promote.errors import CredentialsFault, Fault
from promote.gitops.faults import host_of, is_here, is_lock_failure, one_line, redacted, transport_error


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://bot:pw@git.example:8443/acme/deploy.git", "git.example:8443"),
        ("https://bot:p@w@git.example/acme", "git.example"),
        ("ssh://git@git.example/acme", "git.example"),
        ("git@git.example:acme/deploy.git", "git.example"),
        ("git.example:acme", "git.example"),
        ("/srv/deploy.git", "/srv/deploy.git"),
        ("../deploy.git", "../deploy.git"),
        ("file:///srv/deploy.git", "file:///srv/deploy.git"),
    ],
)
def test_the_host_is_named_without_userinfo(url, host):
    assert host_of(url) == host


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("'https://u:p@h/x': 401", "'https://***@h/x': 401"),
        ("https://u:p/q@h/x", "https://***@h/x"),
        ("https://h/x?access_token=t0ken&x=1 failed", "https://h/x?*** failed"),
        ("Authorization: Basic abc\nnext", "Authorization: ***\nnext"),
        ("nothing here", "nothing here"),
    ],
)
def test_secrets_are_taken_out(text, clean):
    assert redacted(text) == clean


def test_what_git_said_is_one_printable_line_without_hints():
    assert one_line("error: a\x1b[31m\r\nhint: do this\n\nfatal: b\n") == "error: a\\x1b[31m; fatal: b"
    assert len(one_line("x" * 5000)) == 300


@pytest.mark.parametrize(
    "said",
    [
        "fatal: Authentication failed for 'https://h/'",
        "fatal: could not read Username for 'https://h': terminal prompts disabled",
        "fatal: unable to access 'https://h/': The requested URL returned error: 403",
        "git@h: Permission denied (publickey).",
        "ERROR: Permission to acme/deploy.git denied to bot.",
        "ERROR: The key you are authenticating with has been marked as read only.",
        "remote: HTTP Basic: Access denied",
    ],
)
def test_refused_credentials_are_exit_4(said):
    error = transport_error("fetch main", "h", said)
    assert isinstance(error, CredentialsFault)
    assert "h wants credentials" in error.message


@pytest.mark.parametrize(
    "said",
    [
        "fatal: unable to access 'https://h/': Could not resolve host: h",
        "fatal: unable to access 'https://h/': The requested URL returned error: 503",
        "Host key verification failed.",
        "fatal: '/srv/403/x.git' does not appear to be a git repository",
        "",
    ],
)
def test_everything_else_is_exit_3_and_not_credentials(said):
    error = transport_error("fetch main", "h", said)
    assert type(error) is Fault
    assert (error.code, error.exit_code) == ("git-transport", 3)


def test_a_lock_of_another_process_is_recognised():
    assert is_lock_failure("fatal: Unable to create '/x/.git/index.lock': File exists.")
    assert is_lock_failure("error: cannot lock ref 'refs/heads/main': is at 1 but expected 2")
    assert not is_lock_failure("fatal: not a git repository")


KEYS = ("http.https://h/.extraheader", "http.extraheader")


@pytest.mark.parametrize("status", [400, 401, 403])
@pytest.mark.parametrize("keys", [KEYS, KEYS[:1]])
def test_a_header_of_the_configuration_that_is_refused_is_named_with_where_to_find_it(status, keys):
    said = f"fatal: unable to access 'https://h/': The requested URL returned error: {status}"
    error = transport_error("push main", "h", said, keys)
    assert isinstance(error, CredentialsFault)
    assert error.code == "git-credentials"
    assert all(key in error.message for key in keys)
    assert ("2 Authorization headers" in error.message) is (len(keys) == 2)
    assert "persist-credentials: false" in (error.hint or "")
    assert "--name-only" in (error.hint or "")  # without it the command would print the secret


def test_a_bad_request_without_a_header_of_the_configuration_is_no_credentials_fault():
    said = "fatal: unable to access 'https://h/': The requested URL returned error: 400"
    assert type(transport_error("push main", "h", said)) is Fault


@pytest.mark.parametrize(
    ("url", "here"),
    [("/srv/a.git", True), ("../a.git", True), ("file:///srv/a.git", True), ("FILE:///srv/a", True), ("./a:b", True),
     ("/srv/a:b.git", True), ("h:a.git", False), ("git@h:a.git", False), ("https://h/a", False), ("ssh://h/a", False)],
)  # fmt: skip
def test_a_repository_of_this_machine_is_told_from_that_of_another(url, here):
    assert is_here(url) is here
