"""Imports that wait until they are needed, for libraries that other libraries import and promote never uses."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from threading import RLock
from types import ModuleType
from typing import Any

_LOCK = RLock()


def defer(name: str) -> None:
    """Let ``import NAME`` find a module that is imported at its first use; nothing when it was imported before.

    importlib's own LazyLoader does not do: in Python 3.11 the import statement itself is such a use.
    """
    spec = importlib.util.find_spec(name) if name not in sys.modules else None
    if spec is None:
        return
    stand_in = ModuleType(name)
    stand_in.__spec__ = spec

    def load(attribute: str) -> Any:
        with _LOCK:
            if sys.modules.get(name) is stand_in:
                del sys.modules[name]
            return getattr(importlib.import_module(name), attribute)

    # Source: PEP 562, "Module __getattr__".
    stand_in.__dict__["__getattr__"] = load
    sys.modules[name] = stand_in
