"""A cloud's own credential helper: asked for hosts of that cloud alone, after everything that somebody configured."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from promote.model.reference import Repository
from promote.oci.credential_helper import IdentityToken, Login
from promote.oci.credentials import find_credential

ECR = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"


def environment(tmp_path: Path) -> dict[str, str]:
    """One whose PATH begins with a directory of helpers."""
    (tmp_path / "bin").mkdir(exist_ok=True)
    return {"HOME": str(tmp_path), "PATH": f"{tmp_path}/bin{os.pathsep}{os.environ['PATH']}"}


def install(tmp_path: Path, name: str, script: str = "") -> Path:
    """A helper that answers with its own name and the host it was asked for, and notes each call."""
    (tmp_path / "bin").mkdir(exist_ok=True)
    path, calls = tmp_path / "bin" / f"docker-credential-{name}", tmp_path / f"{name}.calls"
    answer = f'read host; echo "$host" >> {calls}; echo "{{\\"Username\\": \\"{name}\\", \\"Secret\\": \\"$host\\"}}"'
    path.write_text(f"#!/bin/sh\n{script or answer}\n")
    path.chmod(0o755)
    return calls


@pytest.mark.parametrize(
    ("host", "helper"),
    [
        (ECR, "ecr-login"),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "ecr-login"),
        ("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "ecr-login"),
        ("public.ecr.aws", "ecr-login"),
        ("europe-west1-docker.pkg.dev", "gcr"),
        ("europe-west1-docker.pkg.dev", "gcloud"),
        ("gcr.io", "gcr"),
        ("eu.gcr.io", "gcloud"),
        ("acme.azurecr.io", "acr-env"),
    ],
)
def test_host_of_a_cloud_is_asked_of_its_helper(tmp_path: Path, host: str, helper: str) -> None:
    install(tmp_path, helper)
    assert find_credential(Repository(host, "acme/web"), environment(tmp_path)) == Login(helper, host)


@pytest.mark.parametrize(
    "host",
    [
        "registry.example",
        f"{ECR}.registry.example",
        f"x{ECR}",
        "1.dkr.ecr.eu-central-1.amazonaws.com",
        f"{ECR}:5000",
        "public.ecr.aws.example",
        "notgcr.io",
        "a.b.gcr.io",
        "docker.pkg.dev.example",
        "azurecr.io",
        "acme.azurecr.io.example",
        "ghcr.io",
        "docker.io",
    ],
)
def test_no_other_host_is_asked_of_any(tmp_path: Path, host: str) -> None:
    calls = [install(tmp_path, helper) for helper in ("ecr-login", "gcr", "gcloud", "acr-env")]
    assert find_credential(Repository(host, "acme/web"), environment(tmp_path)) is None
    assert not any(path.exists() for path in calls)


@pytest.mark.parametrize("script", ["exit 1", "echo canary-Pa55word >&2; exit 3", "echo not JSON", "echo '{}'"])
def test_helper_that_nobody_configured_and_that_fails_is_none(tmp_path: Path, script: str) -> None:
    install(tmp_path, "ecr-login", script)
    assert find_credential(Repository(ECR, "acme/web"), environment(tmp_path)) is None


def test_of_two_helpers_the_one_that_has_something_counts(tmp_path: Path) -> None:
    install(tmp_path, "gcr", "exit 1")
    install(tmp_path, "gcloud")
    assert find_credential(Repository("gcr.io", "acme/web"), environment(tmp_path)) == Login("gcloud", "gcr.io")


def test_helper_that_is_not_installed_is_none(tmp_path: Path) -> None:
    assert find_credential(Repository(ECR, "acme/web"), environment(tmp_path)) is None
    assert find_credential(Repository(ECR, "acme/web"), {"HOME": str(tmp_path)}) is None


def test_helper_may_give_an_identity_token(tmp_path: Path) -> None:
    install(tmp_path, "acr-env", """echo '{"Username": "<token>", "Secret": "refresh"}'""")
    found = find_credential(Repository("acme.azurecr.io", "acme/web"), environment(tmp_path))
    assert found == IdentityToken("refresh")


def test_what_somebody_configured_comes_first(tmp_path: Path) -> None:
    calls = install(tmp_path, "ecr-login")
    (tmp_path / ".docker").mkdir()
    configured = {"auths": {ECR: {"username": "AWS", "password": "configured"}}}
    (tmp_path / ".docker" / "config.json").write_text(json.dumps(configured))
    assert find_credential(Repository(ECR, "acme/web"), environment(tmp_path)) == Login("AWS", "configured")
    assert not calls.exists()
