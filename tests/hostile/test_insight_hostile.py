"""What stands in a repository's commits and files is somebody else's text: it steers no terminal and no verdict."""

from __future__ import annotations

import os
import subprocess

import pytest
from support.git_insight import Deploy, kustomization, promotion
from support.git_world import git, isolate
from support.release_world import tag


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


@pytest.fixture
def deploy(tmp_path) -> Deploy:
    return Deploy(tmp_path / "deploy")


def test_names_and_reasons_steer_no_terminal_no_table_and_no_build_log(deploy):
    reason = "\x1b[2Jgone \u202e ::error::no | `code` <b> @acme/all ##[error]"
    said = promotion("web", "prod", 1).replace("because 1", reason)
    deploy.set("prod", 1, message=said, author="\x1b]0;title\x07Mallory | `x` <m@example.com>")
    for verb in ("status", "history"):
        for form in ("text", "markdown"):
            out = deploy.run(verb, "--format", form).out
            assert not any(c in out for c in "\x1b\x07\u202e")
            assert "##[" not in out
            assert not any(line.lstrip().startswith("::") for line in out.splitlines())
        assert deploy.run(verb, "--format", "json").out.isascii()


def test_a_tag_and_a_digest_of_any_text_are_shown_and_never_believed(deploy):
    text = kustomization("web", 1).replace(tag(1), "a\\x1b[31m\\nb").replace("sha256:", "md5:")
    deploy.write("overlays/web/prod/kustomization.yaml", text)
    deploy.commit()
    ran = deploy.run("status", "prod", "--format", "json")
    assert [(r["tag"], r["digest"]) for r in ran.rows] == [("a\x1b[31m\nb", None)]
    assert "\x1b" not in deploy.run("status", "prod").out


def test_paths_that_look_like_options_or_are_no_utf8_do_no_harm(deploy):
    deploy.set("prod", 1)
    odd = deploy.root / "overlays/web/prod" / os.fsdecode(b"--output=x\xff")
    odd.write_bytes(b"x\n")
    deploy.commit("odd name")
    odd.unlink()
    deploy.set("prod", 2)
    assert [r["tag"] for r in deploy.history("prod")] == [tag(2), tag(1)]


def test_an_older_promote_yaml_that_points_outside_is_not_followed(deploy):
    deploy.set("prod", 1)
    for overlay in ("../../../etc", "-x", "a/.git/b", "overlays/\u202e"):
        deploy.config["environments"]["prod"]["overlays"] = [overlay]
        deploy.configure()
        deploy.commit("odd")
    deploy.config["environments"]["prod"]["overlays"] = ["overlays/{app}/prod"]
    deploy.configure()
    deploy.commit("right again")
    assert [r["tag"] for r in deploy.history("prod")] == [tag(1)]


def test_a_commit_without_a_date_that_any_calendar_has_is_in_its_place(deploy):
    deploy.set("prod", 1)
    parent, who = deploy.head, "A <a@b> 99999999999999999 +0000"
    deploy.write("overlays/web/prod/kustomization.yaml", kustomization("web", 2))
    git(deploy.root, "add", "-A")
    tree = git(deploy.root, "write-tree")
    raw = f"tree {tree}\nparent {parent}\nauthor {who}\ncommitter {who}\n\nx\n"
    oid = git(deploy.root, "hash-object", "-t", "commit", "-w", "--stdin", "--literally", stdin=raw.encode())
    git(deploy.root, "update-ref", "refs/heads/main", oid)
    newest, oldest = deploy.history("prod")
    assert (newest["commit"], newest["when"]) == (oid, "1970-01-01T00:00:00Z")
    assert newest["notes"] == ["its date is before that of an older commit"]
    assert oldest["tag"] == tag(1)


def test_reading_runs_nothing_that_the_repository_configures(deploy, tmp_path):
    deploy.set("prod", 1)
    marker = tmp_path / "ran"
    deploy.write(".gitattributes", "*.yaml diff=evil filter=evil textconv=evil\n")
    deploy.commit("attributes")
    for key in ("diff.external", "diff.evil.command", "diff.evil.textconv", "filter.evil.smudge", "core.fsmonitor"):
        subprocess.run(["git", "config", key, f"touch {marker}"], cwd=deploy.root, check=True)
    marker.unlink(missing_ok=True)
    assert [r["tag"] for r in deploy.history("prod")] == [tag(1)]
    assert deploy.status("prod")[0]["tag"] == tag(1)
    assert not marker.exists()
