"""The contract of every store, held by a directory and by a registry with and without the referrers API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.registry_server import RegistryServer
from support.store_contract import StoreContract, StoreOf

from promote.model.configuration import RegistryOptions
from promote.model.reference import Repository
from promote.oci.stores import Stores


class TestLayoutDirectory(StoreContract):
    @pytest.fixture
    def store_of(self, tmp_path: Path) -> Iterator[StoreOf]:
        with Stores({}, {}) as stores:
            yield lambda path: stores.open(Repository(f"oci:{tmp_path}/registry", path))


class _OnServer(StoreContract):
    server: RegistryServer

    @pytest.fixture
    def store_of(self, tmp_path: Path) -> Iterator[StoreOf]:
        auth_file = tmp_path / "auth.json"
        with self.server as server:
            auth_file.write_text(
                f'{{"auths": {{"{server.address}": {{"username": "promoter", "password": "right-password"}}}}}}'
            )
            options = {server.address: RegistryOptions()}
            with Stores(options, {"REGISTRY_AUTH_FILE": str(auth_file)}) as stores:
                yield lambda path: stores.open(Repository(server.address, path))


class TestRegistryWithReferrersApi(_OnServer):
    @pytest.fixture(autouse=True)
    def _server(self) -> None:
        self.server = RegistryServer(referrers=True, page_size=3)


class TestRegistryWithoutReferrersApi(_OnServer):
    @pytest.fixture(autouse=True)
    def _server(self) -> None:
        self.server = RegistryServer(referrers=False)


class TestRegistryWithTokens(_OnServer):
    @pytest.fixture(autouse=True)
    def _server(self) -> None:
        self.server = RegistryServer(auth="token", absolute_locations=True)


class TestRegistryWithPasswordThatMountsNothing(_OnServer):
    @pytest.fixture(autouse=True)
    def _server(self) -> None:
        self.server = RegistryServer(auth="basic", mount=False, referrers=False)
