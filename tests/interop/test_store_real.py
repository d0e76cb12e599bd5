"""The contract of every store, held on the real registries; a directory holds it in the integration tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from support.store_contract import StoreContract, StoreOf

from promote.model.reference import Repository
from promote.oci.stores import Stores


class _OnRegistry(StoreContract):
    name: str

    @pytest.fixture
    def store_of(self, registries: Mapping[str, str]) -> Iterator[StoreOf]:
        with Stores({}, {}) as stores:
            yield lambda path: stores.open(Repository(registries[self.name], path))


class TestDistribution2(_OnRegistry):
    name = "distribution2"


class TestDistribution3(_OnRegistry):
    name = "distribution3"


class TestGoContainerregistry(_OnRegistry):
    name = "ggcr"


class TestGoContainerregistryWithoutReferrers(_OnRegistry):
    name = "ggcr_without_referrers"
