"""Imports that wait until they are needed, for libraries that other libraries import and promote never uses."""

from __future__ import annotations

import importlib.util
import sys


def defer(name: str) -> None:
    """Let ``import NAME`` find a module that is executed at its first use; nothing when it was imported before.

    Source: importlib, "Implementing lazy imports".
    """
    if name in sys.modules:
        return
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        return
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
