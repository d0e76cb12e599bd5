"""From a repository's name to its store."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from promote.errors import Misuse
from promote.model.configuration import RegistryOptions
from promote.model.reference import Repository
from promote.oci.stores import Stores


def test_no_http_is_imported_for_a_directory(tmp_path: Path) -> None:
    script = f"""
import sys
from promote.oci.stores import Stores
from promote.model.reference import Repository
assert Stores({{}}, {{}}).open(Repository("oci:{tmp_path}", "acme/web")).resolve("latest") is None
print(sorted({{"oras", "requests", "urllib3", "stamina"}} & set(sys.modules)))
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_repositories_of_a_registry_share_its_client() -> None:
    with Stores({}, {}) as stores:
        one, two, other = (
            stores.open(Repository(host, path))
            for host, path in (("a.example", "x"), ("a.example", "y"), ("b.example", "x"))
        )
        assert vars(one)["_registry"] is vars(two)["_registry"]
        assert vars(one)["_registry"] is not vars(other)["_registry"]


@pytest.mark.parametrize(
    ("host", "options", "origin"),
    [
        ("127.0.0.1:5000", RegistryOptions(), "http://127.0.0.1:5000"),
        ("localhost", RegistryOptions(), "http://localhost"),
        ("[::1]:5000", RegistryOptions(), "http://[::1]:5000"),
        ("127.0.0.1:5000", RegistryOptions(plain_http=False), "https://127.0.0.1:5000"),
        ("registry.example", RegistryOptions(), "https://registry.example"),
        ("registry.example", RegistryOptions(plain_http=True), "http://registry.example"),
        ("docker.io", RegistryOptions(), "https://registry-1.docker.io"),
    ],
)
def test_address_of_a_registry(host: str, options: RegistryOptions, origin: str) -> None:
    with Stores({host: options}, {}) as stores:
        assert vars(stores.open(Repository(host, "acme/web")))["_registry"].origin == origin


def test_docker_hub_keeps_its_own_images_under_library() -> None:
    with Stores({}, {}) as stores:
        assert vars(stores.open(Repository("docker.io", "alpine")))["_path"] == "library/alpine"
        assert vars(stores.open(Repository("docker.io", "acme/web")))["_path"] == "acme/web"
        assert vars(stores.open(Repository("registry.example", "alpine")))["_path"] == "alpine"


def test_ca_bundle_that_is_missing_is_misuse(tmp_path: Path) -> None:
    options = {"registry.example": RegistryOptions(ca=tmp_path / "absent.pem")}
    with Stores(options, {}) as stores, pytest.raises(Misuse, match=r"absent\.pem"):
        stores.open(Repository("registry.example", "acme/web"))
