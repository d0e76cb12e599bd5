"""Whatever a predicate is, reading it ends in an SBOM or in a reason."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from promote.sbom.document import read
from promote.sbom.package import Sbom, Unreadable

KEYS = ["spdxVersion", "packages", "name", "bomFormat", "specVersion", "components", "purl", "Data", "externalRefs"]
WORDS = ["SPDX-2.3", "CycloneDX", "1.6", "purl", "pkg:pypi/x", "https://spdx.org/rdf/3.0/x"]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(WORDS)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*KEYS, "@context"]), inner, max_size=5)
    ),
    max_leaves=20,
)
TYPES = st.sampled_from(["https://spdx.dev/Document", "https://cyclonedx.org/bom/v1.6"])


@settings(max_examples=150, deadline=None, derandomize=True)
@given(predicate_type=TYPES, predicate=VALUES)
def test_any_value_is_read_or_named(predicate_type: str, predicate: object) -> None:
    for shape in (predicate, {"Data": predicate, "Timestamp": 1}):
        result = read(predicate_type, shape)
        assert isinstance(result, Sbom | Unreadable)
        if isinstance(result, Unreadable):
            assert result.summary.isprintable()


@settings(max_examples=150, deadline=None, derandomize=True)
@given(predicate_type=TYPES, body=st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6))
def test_any_body_of_a_document_is_read_or_named(predicate_type: str, body: dict) -> None:
    for head in ({"spdxVersion": "SPDX-2.3"}, {"bomFormat": "CycloneDX", "specVersion": "1.6"}):
        result = read(predicate_type, body | head)
        assert isinstance(result, Sbom | Unreadable)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(text=st.text(max_size=60))
def test_any_text_is_read_or_named(text: str) -> None:
    assert isinstance(read("https://spdx.dev/Document", text), Unreadable)


def test_depth_is_bounded_in_text_and_does_not_matter_in_a_value() -> None:
    deep: dict = {"name": "x"}
    for _ in range(5000):
        deep = {"name": "x", "components": [deep]}
    document = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [deep]}
    result = read("https://cyclonedx.org/bom", document)
    assert isinstance(result, Sbom)
    assert len(result.packages) == 5001
    text = '{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": ' + "[" * 100_000 + "]" * 100_000 + "}"
    refused = read("https://cyclonedx.org/bom", text)
    assert isinstance(refused, Unreadable)
    assert refused.reason == "malformed"


def test_control_characters_do_not_reach_a_message() -> None:
    for predicate in ({"spdxVersion": "\x1b[2J"}, {"\x1b[2J": 1}, "\x1b[2J"):
        result = read("https://spdx.dev/Document", predicate)
        assert isinstance(result, Unreadable)
        assert result.summary.isprintable()


def test_many_packages_are_counted_one_by_one() -> None:
    packages = [{"name": f"p{n}", "versionInfo": "1"} for n in range(20_000)]
    result = read("https://spdx.dev/Document", json.dumps({"spdxVersion": "SPDX-2.3", "packages": packages}))
    assert isinstance(result, Sbom)
    assert len(result.packages) == 20_000
