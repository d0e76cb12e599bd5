"""Which variables git does not get to see."""

import sys

import pytest

from promote.gitops.command import Git, dropped, inherited_settings, settings_environment


def test_variables_that_lead_elsewhere_go_and_credentials_and_identities_stay():
    gone = ["GIT_DIR", "GIT_NAMESPACE", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_CONFIG_COUNT",
            "GIT_CONFIG_KEY_7", "GIT_CONFIG_VALUE_7", "GIT_CONFIG_PARAMETERS", "GIT_TRACE_CURL"]  # fmt: skip
    kept = ["GIT_SSH_COMMAND", "GIT_ASKPASS", "GIT_AUTHOR_NAME", "GIT_COMMITTER_EMAIL", "SSH_AUTH_SOCK",
            "GIT_PASSWORD", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "GIT_SSL_CAINFO", "PATH"]  # fmt: skip
    assert dropped(gone + kept) == sorted(gone)


def test_settings_travel_in_the_environment_whole():
    assert settings_environment({"filter.a=b.clean": "", "x.y": "1"}) == {
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": "filter.a=b.clean",
        "GIT_CONFIG_VALUE_0": "",
        "GIT_CONFIG_KEY_1": "x.y",
        "GIT_CONFIG_VALUE_1": "1",
    }


def test_input_and_output_are_bytes_as_they_are(tmp_path):
    content = bytes(range(256)) * 4096
    answer = Git(tmp_path).answer(["hash-object", "--stdin"], stdin=content)
    assert (answer.status, len(answer.text), answer.err) == (0, 40, "")


def test_a_command_that_takes_too_long_is_ended(tmp_path, monkeypatch):
    alias = f"!{sys.executable} -c 'import time; time.sleep(600)'"
    for name, value in settings_environment({"alias.slow": alias}).items():
        monkeypatch.setenv(name, value)
    environment = settings_environment({"alias.slow": alias})
    answer = Git(tmp_path).answer(["slow"], environment=environment, seconds=0.2)
    assert answer.status == 124
    assert "git slow did not end within 0.2 seconds" in answer.err


def test_a_missing_git_is_misuse(tmp_path, monkeypatch):
    import git as gitpython

    from promote.errors import Misuse

    monkeypatch.setattr(gitpython.Git, "GIT_PYTHON_GIT_EXECUTABLE", str(tmp_path / "no-git"))
    with pytest.raises(Misuse) as misuse:
        Git(tmp_path).answer(["version"])
    assert misuse.value.code == "git-missing"


def test_credentials_and_identities_that_ci_gives_by_variables_are_passed_on_and_nothing_else():
    given = [
        ("http.https://git.example/.extraHeader", "Authorization: Basic abc"),
        ("http.extraHeader", "X-A: 1"),
        ("http.extraHeader", "X-B: 2"),
        ("core.bare", "true"),
        ("Safe.Directory", "*"),
        ("core.fsmonitor", "touch x"),
        ("credential.helper", "!x"),
        ("user.name", "Ops"),
        ("filter.lfs.smudge", "x"),
    ]
    environ = {"GIT_CONFIG_COUNT": str(len(given))}
    for number, (key, value) in enumerate(given):
        environ |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    assert inherited_settings(environ) == [given[n] for n in (0, 1, 2, 4, 6, 7)]


@pytest.mark.parametrize("count", ["", "-1", "x", "1e9", "²", "99999999999999999999", "0"])
def test_a_number_of_settings_that_git_would_not_take_passes_nothing_on(count):
    assert inherited_settings({"GIT_CONFIG_COUNT": count}) == []


def test_what_is_passed_on_comes_after_what_is_set(tmp_path, monkeypatch):
    for name, value in settings_environment({"user.name": "Ops", "core.bare": "true"}).items():
        monkeypatch.setenv(name, value)
    asked = ["config", "--list", "--show-scope"]
    listed = Git(tmp_path).answer(asked, environment=settings_environment({"filter.x.clean": ""})).text.splitlines()
    assert [line for line in listed if line.startswith(("command\tfilter", "command\tuser"))] == [
        "command\tfilter.x.clean=",
        "command\tuser.name=Ops",
    ]
    assert "command\tcore.bare=true" not in listed
