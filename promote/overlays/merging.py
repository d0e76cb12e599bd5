"""Patches on plain data: strategic merges as far as containers are concerned, and JSON patches (RFC 6902)."""

from __future__ import annotations

import copy
import re

from promote.overlays.objects import Data, text_of

_BY_NAME = frozenset({"containers", "initContainers", "ephemeralContainers", "volumes", "env"})
"""Lists that Kubernetes' own kinds merge by `name` (patchMergeKey of PodSpec and Container); others are replaced."""


class Inapplicable(ValueError):
    """A patch that does not fit the object; kustomize ends the build with an error."""


def merged(target: Data, patch: Data, *, by_name: bool) -> Data:
    """`target` with the strategic merge `patch` applied; `by_name` is for kinds whose lists of containers merge."""
    if not isinstance(target, dict) or not isinstance(patch, dict):
        return copy.deepcopy(patch)
    if text_of(patch, "$patch") == "replace":
        return {key: copy.deepcopy(value) for key, value in patch.items() if key != "$patch"}
    found = dict(target)
    for key, value in patch.items():
        if key.startswith("$"):
            continue
        if value is None or text_of(value, "$patch") == "delete":
            found.pop(key, None)
        elif by_name and key in _BY_NAME and isinstance(value, list) and isinstance(found.get(key), list):
            found[key] = _merged_lists(found[key], value)
        elif isinstance(value, dict) and isinstance(found.get(key), dict):
            found[key] = merged(found[key], value, by_name=by_name)
        else:
            found[key] = _without_directives(value)
    return found


def _merged_lists(target: list[Data], patch: list[Data]) -> list[Data]:
    """New items come first, as kustomize has them."""
    if any(text_of(item, "$patch") == "replace" for item in patch):
        return [copy.deepcopy(item) for item in patch if not text_of(item, "$patch")]
    found = list(target)
    new: list[Data] = []
    for item in patch:
        name = text_of(item, "name")
        index = next((i for i, there in enumerate(found) if name and text_of(there, "name") == name), None)
        if text_of(item, "$patch") == "delete":
            found = [there for there in found if text_of(there, "name") != name]
        elif index is None:
            new.append(_without_directives(item))
        else:
            found[index] = merged(found[index], item, by_name=True)
    return new + found


def _without_directives(data: Data) -> Data:
    if isinstance(data, dict):
        return {k: _without_directives(v) for k, v in data.items() if not k.startswith("$") and v is not None}
    return [_without_directives(item) for item in data] if isinstance(data, list) else data


def patched(target: Data, operations: list[Data]) -> Data:
    """`target` after the operations of a JSON patch; raises `Inapplicable`."""
    data = copy.deepcopy(target)
    for operation in operations:
        kind, path = text_of(operation, "op"), _steps(text_of(operation, "path"))
        if kind == "test":
            if _tested(data, path) != operation.get("value"):
                raise Inapplicable(f"its test of {text_of(operation, 'path')} fails")
        elif kind in {"add", "replace"}:
            _annotate(data, path)
            data = _set(data, path, copy.deepcopy(operation.get("value")), is_new=kind == "add")
        elif kind == "remove":
            data = _remove(data, path)
        elif kind in {"copy", "move"}:
            source = _steps(text_of(operation, "from"))
            value = copy.deepcopy(_get(data, source))
            data = _set(_remove(data, source) if kind == "move" else data, path, value, is_new=True)
        else:
            raise Inapplicable("it has an operation that RFC 6902 does not know")
    return data


def _annotate(data: Data, path: list[str]) -> None:
    """Give `data` the annotations that an object always has while kustomize builds it, if `path` leads into them."""
    if path[:2] == ["metadata", "annotations"] and len(path) > 2 and isinstance(data, dict):
        metadata = data.get("metadata")
        if isinstance(metadata, dict) and metadata.get("annotations") is None:
            metadata["annotations"] = {}


def _tested(data: Data, path: list[str]) -> Data:
    """What a test compares: a key that its mapping does not have is null to kustomize (evanphx/json-patch v4)."""
    parent = _get(data, path[:-1]) if path else None
    return None if isinstance(parent, dict) and path[-1] not in parent else _get(data, path)


def _steps(pointer: str) -> list[str]:
    if pointer and not pointer.startswith("/"):
        raise Inapplicable("it has a path that is no JSON pointer")
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _get(data: Data, steps: list[str]) -> Data:
    for step in steps:
        if isinstance(data, dict) and step in data:
            data = data[step]
        elif isinstance(data, list):
            data = data[_index(step, len(data) - 1)]
        else:
            raise Inapplicable(f"nothing is at {step}")
    return data


def _set(data: Data, steps: list[str], value: Data, *, is_new: bool) -> Data:
    if not steps:
        return value
    parent, last = _get(data, steps[:-1]), steps[-1]
    if isinstance(parent, dict):
        parent[last] = value  # kustomize replaces what is not there as well (evanphx/json-patch v4)
    elif isinstance(parent, list) and is_new:
        parent.insert(len(parent) if last == "-" else _index(last, len(parent)), value)
    elif isinstance(parent, list):
        parent[_index(last, len(parent) - 1)] = value
    else:
        raise Inapplicable(f"nothing is at {last}")
    return data


def _remove(data: Data, steps: list[str]) -> Data:
    if not steps:
        raise Inapplicable("it removes the whole object")
    parent, last = _get(data, steps[:-1]), steps[-1]
    if isinstance(parent, list):
        del parent[_index(last, len(parent) - 1)]
    elif isinstance(parent, dict) and last in parent:
        del parent[last]
    else:
        raise Inapplicable(f"nothing is at {last}")
    return data


def _index(step: str, most: int) -> int:
    """The index that `step` says, at most `most`; a negative one counts from the end (evanphx/json-patch v4)."""
    if re.fullmatch("-[1-9][0-9]{0,5}", step, re.ASCII) and int(step[1:]) <= most + 1:
        return most + 1 - int(step[1:])
    if not (step.isascii() and step.isdigit()) or len(step) > 6 or int(step) > most:
        raise Inapplicable(f"the list has no item {step}")
    return int(step)
