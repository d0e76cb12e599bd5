"""From a repository's name to its store."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from promote.model.configuration import RegistryOptions
from promote.model.reference import Repository
from promote.oci.deferred_import import defer
from promote.oci.patience import Patience
from promote.oci.store import Store

if TYPE_CHECKING:
    from promote.oci.registry import Registry


_PATIENCE = Patience()


class Stores:
    """Opens repositories; every store of one registry shares its connections and tokens.  A context manager.

    `options` are by ``host[:port]``.  `environ` is where registries' credentials, proxies and CA bundles are found.
    """

    def __init__(
        self, options: Mapping[str, RegistryOptions], environ: Mapping[str, str], patience: Patience = _PATIENCE
    ) -> None:
        self._patience = patience
        self._options = options
        self._environ = environ
        self._lock = threading.Lock()
        self._registries: dict[str, Registry] = {}

    def __enter__(self) -> Stores:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self, repository: Repository) -> Store:
        """The store of `repository`; nothing is asked of anybody yet.  Raises `Misuse` for options that cannot be."""
        if repository.is_layout:
            from promote.oci.layout import LayoutStore  # noqa: PLC0415 - and no HTTP where there is none

            return LayoutStore(repository)
        # Late, because oras and requests take longer to import than most commands to run.  A third of that is
        # jsonschema, with which oras checks manifests of its own making.
        defer("jsonschema")
        from promote.oci.registry import Registry  # noqa: PLC0415
        from promote.oci.registry_store import RegistryStore  # noqa: PLC0415

        host = repository.registry
        with self._lock:
            if host not in self._registries:
                options = self._options.get(host, RegistryOptions())
                self._registries[host] = Registry(host, options, self._environ, self._patience)
            return RegistryStore(self._registries[host], repository)

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            for registry in self._registries.values():
                registry.close()
            self._registries.clear()
