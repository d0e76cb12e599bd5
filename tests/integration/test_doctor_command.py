"""`promote doctor`: each thing that a promotion needs, good and broken, with its fix and exit code; nothing written."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest
from support.git_world import executable, isolate
from support.gitops_repo import GitopsRepo, make, serve, tree_hashes
from support.in_process import schema
from support.registry_server import Answer, RegistryServer

SECRET = "right-password"


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)
    for name in ("REGISTRY_AUTH_FILE", "DOCKER_CONFIG", "XDG_RUNTIME_DIR", "GITHUB_TOKEN", "SIGSTORE_ID_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def examined(repo: GitopsRepo, *arguments: str) -> dict[str, Any]:
    ran = repo.run("doctor", *arguments, "--format", "json", "--quiet")
    value: dict[str, Any] = json.loads(ran.out)
    schema("doctor").validate(value)
    assert value["exit_code"] == ran.code
    assert SECRET not in ran.out + ran.err
    first = next((c for c in value["checks"] if c["health"] in {"bad", "unknown"}), None)
    assert value["ok"] is (first is None)
    if first is not None:
        assert (value["exit_code"], value["error"]["code"]) == (first["exit_code"], first["code"])
        assert first["hint"]
    return value


def check(value: dict[str, Any], area: str, about: str = "") -> dict[str, Any]:
    found = [c for c in value["checks"] if c["area"] == area and about in c["about"]]
    assert len(found) == 1, found
    return found[0]


def test_a_world_that_is_whole_is_good_and_stays_as_it_is(tmp_path):
    repo = make(tmp_path)
    before = tree_hashes(tmp_path / "registries") | tree_hashes(tmp_path / "server")
    value = examined(repo)
    assert value["exit_code"] == 0
    areas = {c["area"] for c in value["checks"]}
    assert areas == {"config", "trust", "identity", "overlay", "registry", "git", "kustomize"}
    assert check(value, "git", "push")["message"].endswith("may be written (tried as a dry run)")
    assert check(value, "kustomize")["health"] == "note"
    assert tree_hashes(tmp_path / "registries") | tree_hashes(tmp_path / "server") == before
    assert repo.run("doctor").out.endswith("Nothing here would stop a promotion.\n")


def test_a_fix_that_several_lines_in_a_row_need_is_said_below_the_last(tmp_path):
    repo = make(tmp_path)
    repo.write("overlays/shop/base/kustomization.yaml", "resources: []\n")
    for env in ("staging", "prod"):
        repo.set_overlay(env, "resources: [../base]\n")
    lines = repo.run("doctor").out.splitlines()
    notes = [line for line in lines if line.startswith("note     overlay")]
    fixes = [i for i, line in enumerate(lines) if "do  nothing where an app does not run" in line]
    assert (len(notes), len(fixes)) == (2, 1)
    assert lines[fixes[0] - 1] == notes[-1]
    assert all(c["hint"] for c in examined(repo)["checks"] if c["area"] == "overlay")


def test_registries_tell_access_features_clock_and_mounts(tmp_path):
    with RegistryServer(referrers=True) as server, RegistryServer(referrers=False) as other:
        serve(server, "v3-keyless")
        repo = make(tmp_path, staging=server.address, prod=other.address)
        value = examined(repo)
        assert value["exit_code"] == 0
        assert "may be read (staging), anonymously" in check(value, "registry", server.address)["message"]
        assert "read and written (prod)" in check(value, "registry", other.address)["message"]
        assert check(value, "referrers", server.address)["health"] == "good"
        assert check(value, "clock", server.address)["health"] == "good"
        assert {r.method for s in (server, other) for r in s.requests} == {"GET"}
        repo.config["environments"]["prod"]["registry"] = server.address
        repo.write_config()
        assert "for staging->prod" in check(examined(repo), "mount")["message"]


def test_a_registry_without_the_referrers_api_is_no_problem(tmp_path):
    with RegistryServer(referrers=False) as server:
        serve(server, "v3-keyless")
        found = check(examined(make(tmp_path, staging=server.address)), "referrers")
        assert (found["health"], "fallback tag" in found["message"]) == ("note", True)


def test_credentials_are_missing_wrong_or_found_and_never_shown(tmp_path):
    with RegistryServer(auth="token") as server:
        serve(server, "v3-keyless")
        repo = make(tmp_path, staging=server.address)
        missing = examined(repo)
        assert (missing["exit_code"], missing["error"]["code"]) == (4, "credentials-missing")
        assert f"docker login {server.address}" in check(missing, "registry", server.address)["hint"]
        auth = tmp_path / ".docker" / "config.json"
        auth.parent.mkdir()
        login = {"username": server.username, "password": "wrong"}
        auth.write_text(json.dumps({"auths": {server.address: login}}))
        assert examined(repo)["error"]["code"] == "credentials-refused"
        auth.write_text(json.dumps({"auths": {server.address: login | {"password": SECRET}}}))
        found = examined(repo)
        assert found["exit_code"] == 0
        assert check(found, "registry", server.address)["message"].endswith("credentials from ~/.docker/config.json")
        auth.write_text("[]")
        assert (examined(repo)["exit_code"], examined(repo)["error"]["code"]) == (2, "auth-file-malformed")


def test_a_registry_that_nobody_reaches_is_unknown_and_the_rest_is_looked_at(tmp_path):
    with RegistryServer() as server:
        address = server.address
    value = examined(make(tmp_path, staging=address))
    assert value["exit_code"] == 3
    assert check(value, "registry", address)["health"] == "unknown"
    assert check(value, "git", "push")["health"] == "good"


def test_a_clock_that_is_wrong(tmp_path, monkeypatch):
    date = "Sat, 01 Jan 2000 00:00:00 GMT"
    monkeypatch.setattr("support.registry_server._Handler.date_time_string", lambda *_: date)
    with RegistryServer() as server:
        serve(server, "v3-keyless")
        value = examined(make(tmp_path, staging=server.address))
    assert (value["exit_code"], check(value, "clock")["code"]) == (3, "clock-skew")
    assert "behind this machine" in check(value, "clock")["message"]


@pytest.mark.parametrize(
    ("broken", "area", "code", "exit_code"),
    [
        ({"trust": {"root": "trust/trusted_root.json"}}, "trust", "no-signers", 2),
        ({"trust": {"root": "overlays/shop/prod/kustomization.yaml", "signers": [{"issuer": "i", "identity": "x"}]}},
         "trust", "bad-trust-root", 2),
        ({"trust": {"signers": [{"key": "promote.yaml"}]}}, "config", "configuration-invalid", 2),
        ({"git": {"branch": "gone"}}, "git", "branch-missing", 2),
        ({"git": {"remote": "gone"}}, "git", "remote-missing", 2),
        ({"apps": {"shop": {"image": "acme/shop", "names": ["other"]}}}, "overlay", None, 0),
    ],
    ids=["signers", "root", "key", "branch", "remote", "names"],
)  # fmt: skip
def test_what_is_wrong_in_promote_yaml(tmp_path, broken, area, code, exit_code):
    repo = make(tmp_path)
    repo.config.update(broken)
    repo.write_config()
    value = examined(repo)
    assert value["exit_code"] == exit_code
    if code is not None:
        assert code in [c["code"] for c in value["checks"] if c["area"] == area]
    else:
        assert {c["health"] for c in value["checks"] if c["area"] == area} == {"note"}


def test_an_overlay_that_is_not_there_or_cannot_be_read(tmp_path):
    repo = make(tmp_path)
    repo.write("overlays/shop/prod/kustomization.yaml", "images: [\n")
    assert (examined(repo)["exit_code"], examined(repo)["error"]["code"]) == (16, "overlay-ambiguous")
    (repo.root / "overlays/shop/prod/kustomization.yaml").unlink()
    assert examined(repo)["error"]["code"] == "no-overlay"


def test_without_promote_yaml_the_programs_are_looked_at(tmp_path):
    repo = make(tmp_path)
    (repo.root / "promote.yaml").unlink()
    value = examined(repo)
    assert (value["exit_code"], value["error"]["code"]) == (2, "configuration-missing")
    assert [c["area"] for c in value["checks"]] == ["config", "git", "kustomize"]


def test_a_push_that_the_server_refuses(tmp_path):
    repo = make(tmp_path)
    shutil.rmtree(tmp_path / "server")
    value = examined(repo)
    assert check(value, "git", "push")["health"] in {"bad", "unknown"}
    assert value["exit_code"] == 3


def test_a_key_that_signs_verdicts_is_tried(tmp_path):
    repo = make(tmp_path)
    repo.write("key.pem", "no key")
    repo.config["environments"]["prod"]["attest"] = {"key": "key.pem"}
    repo.write_config()
    found = check(examined(repo), "identity", "prod")
    assert (found["health"], found["code"]) == ("bad", "bad-key")


def test_an_identity_that_is_not_there_names_the_permission(tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.delenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", raising=False)
    repo = make(tmp_path)
    repo.config["environments"]["prod"]["attest"] = True
    repo.write_config()
    value = examined(repo)
    assert (value["exit_code"], value["error"]["code"]) == (4, "identity-missing")
    assert "id-token: write" in value["error"]["hint"]


def test_the_version_of_kustomize_is_asked(tmp_path, monkeypatch):
    from promote.overlays.oracle import Builder

    program = executable(tmp_path / "bin" / "kustomize", "echo v5.4.3")
    monkeypatch.setattr("promote.overlays.oracle.find_builder", lambda: Builder("kustomize build", (str(program),)))
    assert check(examined(make(tmp_path)), "kustomize")["message"] == "kustomize build, version 5.4.3"


def test_text_has_a_line_and_a_fix_for_what_stops(tmp_path):
    repo = make(tmp_path)
    repo.config["trust"] = {}
    repo.write_config()
    ran = repo.run("doctor")
    assert ran.code == 2
    rows = ran.out.splitlines()
    at = next(i for i, row in enumerate(rows) if row.startswith("bad      trust"))
    assert rows[at + 1].startswith(" " * 20 + "do  ")
    assert rows[at].endswith(f"({check(examined(repo), 'trust', 'signers')['code']})")
    assert rows[-1] == "1 thing would stop a promotion, the first with exit code 2."
    assert "| bad | trust |" in repo.run("doctor", "--format", "markdown").out.replace("`", "")


def test_what_comes_from_outside_is_disarmed(tmp_path):
    said = Answer(400, {"Content-Length": "22"}, b"\x1b[31m::error::##[group]")
    with RegistryServer(faults=[lambda request: said if request.path.startswith("/v2/") else None]) as server:
        ran = make(tmp_path, staging=server.address).run("doctor", "--quiet")
    assert ran.code == 3
    assert "\x1b" not in ran.out
    assert not [row for row in ran.out.splitlines() if row.lstrip().startswith("::")]
