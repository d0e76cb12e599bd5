"""JSON patches fit where kustomize lets them fit, and give what kustomize gives."""

import pytest

from promote.overlays.merging import Inapplicable, patched

POD = {
    "kind": "Pod",
    "metadata": {"name": "a"},
    "spec": {"containers": [{"name": "a", "image": "a"}, {"name": "b", "image": "b"}]},
}
NEW = {"name": "n", "image": "n"}


def images(*operations):
    return [item["image"] for item in patched(POD, list(operations))["spec"]["containers"]]


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ({"op": "replace", "path": "/spec/containers/0/image", "value": "n"}, ["n", "b"]),
        ({"op": "replace", "path": "/spec/containers/-1/image", "value": "n"}, ["a", "n"]),
        ({"op": "replace", "path": "/spec/containers/-2", "value": NEW}, ["n", "b"]),
        ({"op": "add", "path": "/spec/containers/-", "value": NEW}, ["a", "b", "n"]),
        ({"op": "add", "path": "/spec/containers/2", "value": NEW}, ["a", "b", "n"]),
        ({"op": "add", "path": "/spec/containers/-1", "value": NEW}, ["a", "b", "n"]),
        ({"op": "add", "path": "/spec/containers/-3", "value": NEW}, ["n", "a", "b"]),
        ({"op": "remove", "path": "/spec/containers/-1"}, ["a"]),
        ({"op": "copy", "from": "/spec/containers/0", "path": "/spec/containers/-"}, ["a", "b", "a"]),
        ({"op": "move", "from": "/spec/containers/0", "path": "/spec/containers/-"}, ["b", "a"]),
        ({"op": "test", "path": "/spec/containers/0/image", "value": "a"}, ["a", "b"]),
        ({"op": "test", "path": "/spec/hostname", "value": None}, ["a", "b"]),
    ],
)
def test_what_an_operation_makes_of_a_list(operation, expected):
    assert images(operation) == expected


@pytest.mark.parametrize("kind", ["add", "replace"])
def test_a_key_that_is_not_there_is_set_as_one_that_is(kind):
    made = patched(POD, [{"op": kind, "path": "/spec/hostname", "value": "h"}])
    assert made["spec"]["hostname"] == "h"


@pytest.mark.parametrize("kind", ["add", "replace"])
def test_annotations_are_there_even_where_none_is_written(kind):
    made = patched(POD, [{"op": kind, "path": "/metadata/annotations/x.example~1y", "value": "v"}])
    assert made["metadata"] == {"name": "a", "annotations": {"x.example/y": "v"}}
    assert POD["metadata"] == {"name": "a"}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "add", "path": "/metadata/labels/x", "value": "v"},
        {"op": "add", "path": "/spec/containers/3", "value": NEW},
        {"op": "add", "path": "/spec/containers/-4", "value": NEW},
        {"op": "replace", "path": "/spec/containers/-", "value": NEW},
        {"op": "replace", "path": "/spec/containers/2", "value": NEW},
        {"op": "replace", "path": "/spec/containers/2/image", "value": "n"},
        {"op": "replace", "path": "/spec/nothing/here", "value": "n"},
        {"op": "remove", "path": "/spec/containers/-"},
        {"op": "remove", "path": "/spec/containers/-0"},
        {"op": "remove", "path": "/spec/hostname"},
        {"op": "move", "from": "/spec/hostname", "path": "/spec/name"},
        {"op": "test", "path": "/spec/containers/0/image", "value": "b"},
        {"op": "test", "path": "/spec/containers/5", "value": None},
        {"op": "replace", "path": "spec/hostname", "value": "n"},
        {"op": "merge", "path": "/spec", "value": {}},
    ],
)
def test_what_does_not_fit_is_said(operation):
    with pytest.raises(Inapplicable):
        patched(POD, [operation])
