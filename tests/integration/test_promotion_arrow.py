"""Every spelling of the arrow promotes; the unquoted one too, which a shell turns into a redirection."""

from __future__ import annotations

import json

import pytest
from support.git_world import isolate
from support.gitops_repo import COMMIT, DIGEST, TAG, checked_result, make, staging_overlay

OTHER = "sha256:" + "0123456789abcdef" * 4


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


@pytest.fixture
def repo(tmp_path):
    return make(tmp_path)


@pytest.mark.parametrize(
    "words",
    [
        ["staging->prod"],
        ["staging -> prod"],
        ["staging", "->", "prod"],
        ["staging→prod"],
        ["staging=>prod"],
        ["staging:prod"],
        ["--from", "staging", "--to", "prod"],
        ["--from=staging", "--to=prod"],
        ["promote", "staging->prod"],
    ],
    ids=" ".join,
)
def test_a_spelling(repo, words):
    ran = repo.run(*words, TAG, "--format", "json", "--dry-run")
    assert (ran.code, ran.json["from"], ran.json["to"]) == (0, "staging", "prod"), ran.out
    assert ran.json["releases"][0]["tag"] == TAG


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--from", "staging"], "usage"),
        (["--to", "prod", TAG], "usage"),
        (["staging"], "usage"),
        (["staging-"], "arrow-redirected"),
        (["staging->"], "usage"),
        (["->prod"], "usage"),
        (["stagign->prod"], "environment-unknown"),
        (["staging->prdo"], "environment-unknown"),
        ([TAG], "usage"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_what_is_no_arrow_is_a_usage_error_with_something_to_type(repo, words, code):
    before = repo.everything()
    ran = repo.run(*words, "--format", "json")
    assert (ran.code, ran.json["error"]["code"]) == (2, code)
    assert ran.json["error"]["hint"]
    assert repo.everything() == before


# -- the shell


def test_unquoted_it_promotes_and_leaves_no_file(repo):
    ran = repo.command(f"promote staging->prod {TAG}")
    assert ran.code == 0, ran.err
    assert not (repo.root / "prod").exists()
    assert ran.out == ""
    assert "Promoted: commit" in ran.err
    assert sum("redirection" in line for line in ran.err.splitlines()) == 1
    assert (repo.tags()[TAG], len(repo.promotions())) == (DIGEST, 1)


def test_unquoted_with_json_the_object_is_on_stderr(repo):
    ran = repo.command(f"promote staging->prod {TAG[:11]} --format json -q")
    assert ran.code == 0, ran.err
    result = checked_result(ran.err[ran.err.index("{") :])
    assert (result["to"], result["releases"][0]["tag"]) == ("prod", TAG)


def test_with_spaces_around_it(repo):
    ran = repo.command(f"promote staging -> prod {TAG}")
    assert (ran.code, (repo.root / "prod").exists()) == (0, False), ran.err


def test_unquoted_and_floating(repo):
    before = repo.everything()
    ran = repo.command("promote staging->prod latest")
    assert (ran.code, "floating-tag" in ran.err) == (14, True), ran.err
    assert repo.everything() == before


def test_unquoted_and_rebuilt(tmp_path):
    repo = make(tmp_path)
    repo.set_overlay("staging", staging_overlay("shop", TAG, OTHER))
    ran = repo.command(f"promote staging->prod {TAG}")
    assert (ran.code, "rebuilt-since-deployed" in ran.err) == (15, True), ran.err
    assert not (repo.root / "prod").exists()


def test_a_refused_command_line_leaves_no_file_either(repo):
    ran = repo.command(f"promote staging->prod web={TAG}")
    assert (ran.code, "app-unknown" in ran.err) == (2, True), ran.err
    assert not (repo.root / "prod").exists()


@pytest.mark.exhaustive
@pytest.mark.parametrize("content", ["", "somebody's notes\n"], ids=["empty", "with-content"])
def test_a_file_that_was_there_before_is_not_removed(repo, content):
    # What was in it the shell has cut off before promote began; the file itself is the user's.
    (repo.root / "prod").write_text(content)
    ran = repo.command(f"sleep 0.02; promote staging->prod {TAG}")
    assert ran.code == 0, ran.err
    assert (repo.root / "prod").read_bytes() == b""


@pytest.mark.exhaustive
def test_appending_to_a_file_leaves_its_content(repo):
    (repo.root / "prod").write_text("somebody's notes\n")
    ran = repo.command(f"promote staging->>prod {TAG}")
    assert (repo.root / "prod").read_text() == "somebody's notes\n"
    assert ran.code == 0, ran.err


def test_a_link_that_is_called_prod_is_not_followed_nor_removed(repo, tmp_path):
    precious = tmp_path / "precious"
    precious.touch()
    (repo.root / "prod").symlink_to(precious)
    ran = repo.command(f"promote staging->prod {TAG}")
    assert precious.exists()
    assert (repo.root / "prod").is_symlink()
    assert ran.code == 2


@pytest.mark.exhaustive
def test_output_to_a_file_of_another_name_is_left_in_peace(repo):
    ran = repo.command(f"promote 'staging->prod' {TAG} --format json > result.json")
    assert ran.code == 0, ran.err
    assert checked_result((repo.root / "result.json").read_text())["ok"] is True


def test_a_quoted_arrow_into_a_file_called_like_the_environment_writes_the_file(repo):
    ran = repo.command(f"promote 'staging->prod' {TAG} --format json -q > prod")
    assert ran.code == 0, ran.err
    assert checked_result((repo.root / "prod").read_text())["to"] == "prod"


def test_stdout_to_a_file_of_an_unknown_environment_is_a_usage_error(repo):
    ran = repo.command(f"promote staging->production {TAG}")
    assert ran.code == 2
    assert not repo.promotions()


@pytest.mark.exhaustive
def test_in_a_directory_below_the_repository(repo):
    below = repo.root / "overlays"
    ran = repo.command(f"cd overlays && promote staging->prod {TAG}")
    assert (ran.code, (below / "prod").exists()) == (0, False), ran.err


# -- rebuilt, in each of its forms


def test_rebuilt_when_the_target_has_the_tag_with_another_digest(repo):
    assert repo.promote(TAG).code == 0
    index = repo.layout("staging") / "index.json"
    document = json.loads(index.read_bytes())
    name = "org.opencontainers.image.ref.name"
    tagged = next(d for d in document["manifests"] if d.get("annotations", {}).get(name) == TAG)
    other = next(d for d in document["manifests"] if d["digest"] != tagged["digest"])
    tagged["digest"], tagged["size"] = other["digest"], other["size"]
    index.write_text(json.dumps(document))
    repo.configure(gates={"deployed": "off"})
    ran = repo.promote(TAG)
    error = ran.json["error"]
    assert (ran.code, ran.refused_by, error["code"]) == (15, "target", "rebuilt-at-target")
    assert (error["expected"], error["actual"]) == (other["digest"], DIGEST)


def test_rebuilt_when_staging_pins_another_digest(repo):
    repo.set_overlay("staging", staging_overlay("shop", TAG, OTHER))
    ran = repo.promote(TAG)
    error = ran.json["error"]
    assert (ran.code, ran.refused_by, error["code"]) == (15, "deployed", "rebuilt-since-deployed")
    assert (error["expected"], error["actual"]) == (OTHER, DIGEST)


@pytest.mark.parametrize("env", ["staging", "prod"])
def test_rebuilt_when_an_earlier_commit_recorded_another_digest(repo, env):
    now = repo.root / f"overlays/shop/{env}/kustomization.yaml"
    content = now.read_bytes()
    repo.set_overlay(env, staging_overlay("shop", TAG, OTHER))
    repo.set_overlay(env, content)
    ran = repo.promote(TAG)
    error = ran.json["error"]
    assert (ran.code, ran.refused_by, error["code"]) == (15, "ledger", "rebuilt-since-recorded")
    assert (error["expected"], error["actual"]) == (OTHER, DIGEST)


def test_rebuilt_when_the_certificate_names_another_commit(tmp_path):
    ran = make(tmp_path, case="bad-v3-other-commit").promote(TAG)
    error = ran.json["error"]
    assert (ran.code, ran.refused_by, error["expected"]) == (15, "commit", COMMIT)
    assert error["actual"] != COMMIT


def test_rebuilt_when_the_label_names_another_commit(tmp_path):
    other = "sha-" + "fedcba9876543210" * 2 + "fedcba98"
    repo = make(tmp_path, staging_runs=other)
    index = repo.layout("staging") / "index.json"
    index.write_text(index.read_text().replace(TAG, other))
    before = repo.everything()
    ran = repo.promote(other)
    error = ran.json["error"]
    assert (ran.code, ran.refused_by, error["code"]) == (15, "labels", "commit-disagrees")
    assert (error["expected"], error["actual"]) == (other.removeprefix("sha-"), COMMIT)
    assert repo.everything() == before


def test_what_fails_before_the_environments_are_known_is_seen_on_the_terminal(repo):
    repo.write("promote.yaml", "version: 2\n")
    ran = repo.command(f"promote staging->prod {TAG}")
    assert ran.code == 2
    assert "configuration-invalid" in ran.err
    assert "Traceback" not in ran.err
