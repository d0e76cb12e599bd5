"""Where credentials are found, in which order, and what a broken file says."""

from __future__ import annotations

import base64
import contextlib
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promote.errors import CredentialsFault, Misuse
from promote.model.reference import Repository
from promote.oci import credential_helper
from promote.oci.credential_helper import IdentityToken, Login
from promote.oci.credentials import find_credential, read_auth_file

CANARY = "canary-Pa55word"
WEB = Repository("registry.example:5000", "acme/team/web")
HUB = Repository("docker.io", "acme/web")


def auth(name: str, password: str = CANARY) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{name}:{password}".encode()).decode()}


def write(path: Path, value: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def docker(tmp_path: Path, value: object) -> dict[str, str]:
    """An environment whose docker configuration is `value`."""
    write(tmp_path / "docker" / "config.json", value)
    return {"DOCKER_CONFIG": str(tmp_path / "docker"), "PATH": f"{tmp_path}/bin{os.pathsep}{os.environ['PATH']}"}


def helper(tmp_path: Path, name: str, script: str) -> None:
    path = write(tmp_path / "bin" / f"docker-credential-{name}", f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def username(credential: object) -> str:
    assert isinstance(credential, Login)
    return credential.username


def test_nothing_anywhere_is_anonymous(tmp_path: Path) -> None:
    assert find_credential(WEB, {"HOME": str(tmp_path)}) is None
    assert find_credential(WEB, {}) is None


def test_files_are_asked_in_order(tmp_path: Path) -> None:
    places = {
        "explicit": tmp_path / "explicit.json",
        "runtime": tmp_path / "run/containers/auth.json",
        "config": tmp_path / "home/.config/containers/auth.json",
        "docker": tmp_path / "home/.docker/config.json",
    }
    for name, path in places.items():
        write(path, {"auths": {WEB.registry: auth(name)}})
    environ = {
        "REGISTRY_AUTH_FILE": str(places["explicit"]),
        "XDG_RUNTIME_DIR": str(tmp_path / "run"),
        "HOME": str(tmp_path / "home"),
    }
    assert username(find_credential(WEB, environ)) == "explicit"
    for name, path in list(places.items())[:-1]:
        assert username(find_credential(WEB, environ)) == name
        write(path, {"auths": {"other.example": auth("other")}})
    assert username(find_credential(WEB, environ)) == "docker"


def test_docker_config_replaces_the_one_in_home(tmp_path: Path) -> None:
    write(tmp_path / "home/.docker/config.json", {"auths": {WEB.registry: auth("home")}})
    environ = docker(tmp_path, {"auths": {}}) | {"HOME": str(tmp_path / "home")}
    assert find_credential(WEB, environ) is None


def test_longest_prefix_wins_in_auth_json(tmp_path: Path) -> None:
    keys = [f"{WEB.registry}/{WEB.path}", f"{WEB.registry}/acme/team", f"{WEB.registry}/acme", WEB.registry]
    file = tmp_path / "auth.json"
    for start, key in enumerate(keys):
        write(
            file,
            {
                "auths": {k: auth(k.replace(":", " ")) for k in reversed(keys[start:])}
                | {f"{WEB.registry}/acme/te": auth("no")}
            },
        )
        assert username(find_credential(WEB, {"REGISTRY_AUTH_FILE": str(file)})) == key.replace(":", " ")


def test_docker_knows_no_paths(tmp_path: Path) -> None:
    assert find_credential(WEB, docker(tmp_path, {"auths": {f"{WEB.registry}/acme": auth("path")}})) is None


@pytest.mark.parametrize(
    "key", ["https://registry.example:5000", "http://registry.example:5000/v1/", "registry.example:5000/v2/"]
)
def test_docker_keys_may_be_addresses(tmp_path: Path, key: str) -> None:
    assert username(find_credential(WEB, docker(tmp_path, {"auths": {key: auth("address")}}))) == "address"


@pytest.mark.parametrize("key", ["https://index.docker.io/v1/", "docker.io", "index.docker.io", "registry-1.docker.io"])
def test_docker_hub_has_an_old_name(tmp_path: Path, key: str) -> None:
    assert username(find_credential(HUB, docker(tmp_path, {"auths": {key: auth("hub")}}))) == "hub"


def test_another_port_is_another_registry(tmp_path: Path) -> None:
    assert find_credential(WEB, docker(tmp_path, {"auths": {"registry.example": auth("no")}})) is None


def test_password_may_hold_colons(tmp_path: Path) -> None:
    found = find_credential(WEB, docker(tmp_path, {"auths": {WEB.registry: auth("me", "a:b:c")}}))
    assert found == Login("me", "a:b:c")


def test_identity_token_is_no_password(tmp_path: Path) -> None:
    entry = auth("00000000-0000-0000-0000-000000000000", "") | {"identitytoken": CANARY}
    assert find_credential(WEB, docker(tmp_path, {"auths": {WEB.registry: entry}})) == IdentityToken(CANARY)


def test_helper_for_the_host_comes_before_auths_and_store(tmp_path: Path) -> None:
    helper(
        tmp_path, "mine", f'read server; echo "{{\\"Username\\": \\"helper $server\\", \\"Secret\\": \\"{CANARY}\\"}}"'
    )
    helper(tmp_path, "store", 'read server; echo "{\\"Username\\": \\"store $server\\", \\"Secret\\": \\"s\\"}"')
    config = {
        "auths": {WEB.registry: auth("auths"), HUB.registry: {}},
        "credHelpers": {WEB.registry: "mine"},
        "credsStore": "store",
    }
    assert find_credential(WEB, docker(tmp_path, config)) == Login(f"helper {WEB.registry}", CANARY)
    assert username(find_credential(HUB, docker(tmp_path, config))) == "store https://index.docker.io/v1/"
    del config["credHelpers"]
    assert username(find_credential(WEB, docker(tmp_path, config))) == "auths"


def test_helper_may_hold_an_identity_token(tmp_path: Path) -> None:
    helper(tmp_path, "acr", f'echo \'{{"Username": "<token>", "Secret": "{CANARY}"}}\'')
    assert find_credential(WEB, docker(tmp_path, {"credsStore": "acr"})) == IdentityToken(CANARY)


def test_helper_that_has_nothing_is_no_error(tmp_path: Path) -> None:
    helper(tmp_path, "empty", "echo credentials not found in native keychain; exit 1")
    assert find_credential(WEB, docker(tmp_path, {"credsStore": "empty"})) is None


@pytest.mark.parametrize(
    "script", [f"echo {CANARY} >&2; exit 1", f"echo {CANARY}", "echo '{\"Username\": 1}'", "exit 0"]
)
def test_helper_that_fails_is_named_and_not_quoted(tmp_path: Path, script: str) -> None:
    helper(tmp_path, "broken", script)
    with pytest.raises(CredentialsFault) as caught:
        find_credential(WEB, docker(tmp_path, {"credsStore": "broken"}))
    assert "docker-credential-broken" in caught.value.message
    assert CANARY not in repr(vars(caught.value)) + str(caught.value)


def test_helper_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(CredentialsFault, match="docker-credential-absent is not on PATH"):
        find_credential(WEB, docker(tmp_path, {"credHelpers": {WEB.registry: "absent"}}))


def test_helper_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper(tmp_path, "slow", "exec sleep 60")
    monkeypatch.setattr(credential_helper, "HELPER_SECONDS", 0.2)
    with pytest.raises(CredentialsFault, match="no answer"):
        find_credential(WEB, docker(tmp_path, {"credsStore": "slow"}))


@pytest.mark.parametrize("name", ["../evil", "a/b", "Upper", "", "-x", "a b", "$(id)", 7])
def test_helper_name_is_never_a_path(tmp_path: Path, name: object) -> None:
    marker = tmp_path / "ran"
    helper(tmp_path, "evil", f"touch {marker}")
    for config in ({"credHelpers": {WEB.registry: name}}, {"credsStore": name}):
        if name == "" and "credsStore" in config:
            continue
        with pytest.raises(Misuse, match=r"config\.json"):
            find_credential(WEB, docker(tmp_path, config))
    assert not marker.exists()


@pytest.mark.parametrize(
    "content",
    [
        CANARY,
        f'["{CANARY}"]',
        {"auths": CANARY},
        {"auths": {WEB.registry: CANARY}},
        {"auths": {WEB.registry: {"auth": CANARY}}},
        {"auths": {WEB.registry: {"auth": base64.b64encode(CANARY.encode()).decode()}}},
        {"auths": {WEB.registry: {"auth": 7}}},
        {"credHelpers": CANARY},
        f'{{"auths": {{}}, "auths": {{"{CANARY}": {{}}}}}}',
    ],
)
def test_malformed_file_is_named_and_not_quoted(tmp_path: Path, content: object) -> None:
    with pytest.raises(Misuse) as caught:
        find_credential(WEB, docker(tmp_path, content))
    assert str(tmp_path / "docker" / "config.json") in caught.value.message
    assert CANARY not in repr(vars(caught.value))


def test_auth_file_that_is_named_and_missing_is_misuse(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match="REGISTRY_AUTH_FILE"):
        find_credential(WEB, {"REGISTRY_AUTH_FILE": str(tmp_path / "absent.json")})


def test_empty_file_is_an_empty_configuration(tmp_path: Path) -> None:
    assert find_credential(WEB, docker(tmp_path, "")) is None


def test_github_token_is_for_ghcr_alone_and_last(tmp_path: Path) -> None:
    environ = {"GITHUB_TOKEN": CANARY, "GITHUB_ACTOR": "acme-bot"}
    ghcr = Repository("ghcr.io", "acme/web")
    assert find_credential(ghcr, environ) == Login("acme-bot", CANARY)
    for other in ("ghcr.io.evil.example", "ghcr.io:8443", "registry.example", "docker.io"):
        assert find_credential(Repository(other, "acme/web"), environ) is None
    stronger = environ | docker(tmp_path, {"auths": {"ghcr.io": auth("file")}})
    assert username(find_credential(ghcr, stronger)) == "file"


def test_credentials_do_not_show_themselves() -> None:
    assert CANARY not in repr(Login(CANARY, CANARY)) + repr(IdentityToken(CANARY))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_file_or_misuse(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any-auth.json"
    path.write_bytes(content)
    with contextlib.suppress(Misuse):
        read_auth_file(path, namespaced=True)
