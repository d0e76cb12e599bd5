"""Which host a remote leads to, where its API is, and which token may go there."""

from __future__ import annotations

import pytest

from promote.errors import CredentialsFault, Misuse
from promote.gitops.forge.address import Address, address, token

GHES = {
    "GITHUB_SERVER_URL": "https://git.acme.example",
    "GITHUB_API_URL": "https://git.acme.example/api/v3",
    "GITHUB_GRAPHQL_URL": "https://git.acme.example/api/graphql",
}


@pytest.mark.parametrize(
    ("url", "kind", "api", "path"),
    [
        ("https://github.com/acme/deploy.git", "github", "https://api.github.com", "acme/deploy"),
        ("https://***@github.com/acme/deploy", "github", "https://api.github.com", "acme/deploy"),
        ("git@github.com:acme/deploy.git", "github", "https://api.github.com", "acme/deploy"),
        ("ssh://***@github.com:22/acme/deploy.git", "github", "https://api.github.com", "acme/deploy"),
        ("https://GitHub.com/acme/deploy/", "github", "https://api.github.com", "acme/deploy"),
        ("https://acme.ghe.com/acme/deploy.git", "github", "https://api.acme.ghe.com", "acme/deploy"),
        ("git@gitlab.com:acme/team/deploy.git", "gitlab", "https://gitlab.com/api/v4", "acme/team/deploy"),
        ("https://codeberg.org/acme/deploy", "forgejo", "https://codeberg.org/api/v1", "acme/deploy"),
        ("git@bitbucket.org:acme/deploy.git", "bitbucket", "https://api.bitbucket.org/2.0", "acme/deploy"),
    ],
)
def test_a_well_known_host_needs_no_word(url, kind, api, path):
    where = address(url, None, {})
    assert (where.kind, where.api, where.path) == (kind, api, path)


@pytest.mark.parametrize(
    ("url", "kind", "api"),
    [
        ("https://git.acme.example:8443/acme/deploy.git", "gitlab", "https://git.acme.example:8443/api/v4"),
        ("ssh://***@git.acme.example:2222/acme/deploy.git", "gitea", "https://git.acme.example/api/v1"),
        ("http://git.acme.example/acme/deploy.git", "gitea", "https://git.acme.example/api/v1"),
        ("http://127.0.0.1:3000/acme/deploy.git", "gitea", "http://127.0.0.1:3000/api/v1"),
        ("https://git.acme.example/acme/deploy.git", "github", "https://git.acme.example/api/v3"),
    ],
)
def test_the_api_of_another_host_is_on_that_host_and_over_tls_but_on_this_machine(url, kind, api):
    assert address(url, kind, {}).api == api


@pytest.mark.parametrize(
    ("environ", "kind"),
    [
        (GHES, "github"),
        ({**GHES, "GITEA_ACTIONS": "true"}, "gitea"),
        ({**GHES, "FORGEJO_ACTIONS": "true"}, "gitea"),
        ({"CI_SERVER_URL": "https://git.acme.example"}, "gitlab"),
    ],
)
def test_the_ci_system_tells_what_its_own_host_is(environ, kind):
    assert address("https://git.acme.example/acme/deploy.git", None, environ).kind == kind


def test_the_addresses_of_the_ci_system_are_taken_for_its_own_host_alone():
    environ = {
        **GHES,
        "GITHUB_API_URL": "https://api.acme.example",
        "GITHUB_GRAPHQL_URL": "https://api.acme.example/gql",
    }
    own = address("git@git.acme.example:acme/deploy.git", None, environ)
    assert (own.api, own.graphql) == ("https://api.acme.example", "https://api.acme.example/gql")
    other = address("https://github.com/acme/deploy.git", None, environ)
    assert (other.api, other.graphql) == ("https://api.github.com", "https://api.github.com/graphql")
    assert address("https://else.example/acme/deploy", "github", environ).api == "https://else.example/api/v3"


@pytest.mark.parametrize(
    "url", ["http://evil.example", "ftp://a.example", "https://a.example?x=", "https://u@a.example"]
)
def test_an_api_that_a_token_must_not_go_to_is_not_taken(url):
    where = address("https://git.acme.example/acme/deploy", None, {**GHES, "GITHUB_API_URL": url})
    assert where.api == "https://git.acme.example/api/v3"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/srv/deploy.git",
        "../deploy",
        "file:///srv/deploy.git",
        "ext::sh",
        "https://github.com/deploy",
        "https://github.com/acme/deploy/more",
        "https://github.com/acme/..%2f..%2fuser",
        "https://github.com/acme/de ploy",
        "https://github.com/acme/deploy?x=/",
        "https://[::1/acme/deploy",
        "https://github.com:99999/acme/deploy",
    ],
)
def test_what_is_no_repository_on_a_host_is_exit_2(url):
    if url.endswith("?x=/"):
        assert address(url, None, {}).path == "acme/deploy"
        return
    with pytest.raises(Misuse) as misuse:
        address(url, None, {})
    assert misuse.value.code == "forge-unknown"


def test_an_unknown_host_and_a_data_center_are_exit_2():
    for kind in (None, "bitbucket"):
        with pytest.raises(Misuse) as misuse:
            address("https://git.acme.example/acme/deploy.git", kind, {})
        assert misuse.value.code == "forge-unknown"
    assert "Bitbucket Data Center has another API" in misuse.value.message
    assert misuse.value.hint == "set git.delivery to push"


def at(kind: str, host: str) -> Address:
    return Address(kind, host, f"https://{host}", "acme/deploy")


@pytest.mark.parametrize(
    ("where", "environ", "authorization"),
    [
        (at("github", "github.com"), {"GITHUB_TOKEN": "a", "GH_TOKEN": "b"}, "Bearer b"),
        (at("github", "github.com"), {"GITHUB_TOKEN": "a\n"}, "Bearer a"),
        (at("github", "git.acme.example"), {**GHES, "GITHUB_TOKEN": "a"}, "Bearer a"),
        (at("github", "git.acme.example"), {"GITHUB_TOKEN": "a", "GH_ENTERPRISE_TOKEN": "e"}, "Bearer e"),
        (at("gitlab", "gitlab.com"), {"GITLAB_TOKEN": "a"}, "Bearer a"),
        (at("gitea", "git.acme.example"), {"FORGEJO_TOKEN": "a"}, "token a"),
        (at("forgejo", "codeberg.org"), {"FORGEJO_TOKEN": "a", "GITEA_TOKEN": "b"}, "token a"),
        (at("bitbucket", "bitbucket.org"), {"BITBUCKET_TOKEN": "a"}, "Bearer a"),
        (at("bitbucket", "bitbucket.org"), {"BITBUCKET_TOKEN": "a", "BITBUCKET_EMAIL": "b@c"}, "Basic YkBjOmE="),
    ],
)
def test_each_host_has_the_token_of_its_own_tools(where, environ, authorization):
    found = token(where, environ)
    assert found.authorization == authorization
    assert authorization not in repr(found)


@pytest.mark.parametrize(
    ("where", "environ"),
    [
        (at("github", "github.com"), {}),
        (at("github", "github.com"), {"GITHUB_TOKEN": " "}),
        (at("github", "github.com"), {"GITHUB_TOKEN": "a\nX-Evil: b"}),
        (at("github", "evil.example"), {"GITHUB_TOKEN": "a", "GH_TOKEN": "b"}),
        (at("gitlab", "gitlab.com"), {"CI_JOB_TOKEN": "a"}),
        (at("bitbucket", "bitbucket.org"), {"GITHUB_TOKEN": "a"}),
    ],
)
def test_a_token_of_another_host_or_none_is_exit_4_and_is_not_told(where, environ):
    with pytest.raises(CredentialsFault) as fault:
        token(where, environ)
    assert (fault.value.exit_code, fault.value.code) == (4, "forge-token-missing")
    assert "X-Evil" not in str(vars(fault.value))


@pytest.mark.parametrize(
    "environ",
    [
        {"CI_JOB_TOKEN": "job"},
        {"CI_JOB_TOKEN": "job", "GITLAB_TOKEN": " "},
        {"CI_JOB_TOKEN": "job", "GITLAB_TOKEN": "job"},
        {"GITLAB_TOKEN": "glcbt-64_abc"},
    ],
)
def test_the_token_of_a_gitlab_job_is_refused_by_name_for_it_may_only_read(environ):
    with pytest.raises(CredentialsFault) as fault:
        token(at("gitlab", "gitlab.com"), environ)
    assert "the token of the CI job" in fault.value.message
    assert "project access token" in fault.value.hint
    assert not {"job", "glcbt-64_abc"} & set(str(vars(fault.value)).split("'"))


def test_another_token_beside_that_of_a_gitlab_job_is_taken():
    both = {"CI_JOB_TOKEN": "job", "GITLAB_TOKEN": "glpat-1"}
    assert token(at("gitlab", "gitlab.com"), both).authorization == "Bearer glpat-1"
    assert token(at("github", "github.com"), {"CI_JOB_TOKEN": "x", "GITHUB_TOKEN": "x"}).authorization == "Bearer x"
