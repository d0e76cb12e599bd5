"""A library that waits for its first use."""

from __future__ import annotations

import subprocess
import sys

import pytest

from promote.oci.deferred_import import defer


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A library that says when it is executed."""
    code = "import sys\nsys.executed = getattr(sys, 'executed', 0) + 1\nANSWER = 42\n"
    (tmp_path / "slow_to_import.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    yield "slow_to_import"
    sys.modules.pop("slow_to_import", None)
    if hasattr(sys, "executed"):
        del sys.executed


def test_importing_it_does_not_execute_it(library):
    defer(library)
    import slow_to_import

    assert slow_to_import.__name__ == library
    assert not hasattr(sys, "executed")


def test_using_it_executes_it_once(library):
    defer(library)
    import slow_to_import

    assert [slow_to_import.ANSWER, slow_to_import.ANSWER] == [42, 42]
    from slow_to_import import ANSWER

    assert (ANSWER, sys.executed) == (42, 1)


def test_a_library_that_is_there_is_left_alone(library):
    import slow_to_import

    defer(library)
    assert sys.modules[library] is slow_to_import


def test_a_library_that_is_not_installed_is_no_error():
    defer("a_library_that_nobody_installed")
    assert "a_library_that_nobody_installed" not in sys.modules


def test_what_it_lacks_is_an_attribute_error(library):
    defer(library)
    import slow_to_import

    with pytest.raises(AttributeError):
        _ = slow_to_import.QUESTION


def test_a_registry_is_opened_without_jsonschema():
    script = (
        "import sys\n"
        "from promote.model.reference import Repository\n"
        "from promote.oci.stores import Stores\n"
        "Stores({}, {}).open(Repository('127.0.0.1:1', 'acme/web'))\n"
        "assert 'jsonschema.validators' not in sys.modules, 'executed'\n"
        "import jsonschema\n"
        "jsonschema.validate(1, {'type': 'integer'})\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
