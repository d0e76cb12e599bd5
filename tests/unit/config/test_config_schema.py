"""The shipped schema of promote.yaml is the one that the models make, and agrees with them."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import jsonschema
import pytest
import yaml

import promote.config.schema
from promote.config.schema import File, json_schema, known_keys

SHIPPED = Path(promote.config.schema.__file__).parent / "promote.schema.json"
EXAMPLE = Path(__file__).parents[3] / "examples" / "overlays" / "promote.yaml"
FULL = {
    "version": 1,
    "apps": {"web": {"image": "acme/web", "names": ["web"], "source": "https://github.com/acme/web"}},
    "environments": {
        "staging": {"registry": "oci:registries/staging", "pull": "r.example/acme", "overlays": ["overlays/staging"]},
        "prod": {
            "from": ["staging"],
            "places": [
                {"registry": "eu.example/acme", "overlays": ["overlays/{app}/prod-eu"]},
                {"registry": "us.example/acme", "overlays": ["overlays/{app}/prod-us"]},
            ],
            "gates": {"deployed": "current", "sbom": "off"},
        },
    },
    "trust": {
        "root": "sigstore",
        "signers": [{"issuer": "https://i.example", "identity": "me"}, {"key": "keys/c.pub"}],
    },
    "gates": {
        "tag": "sha-(?P<commit>[0-9a-f]{7,64})",
        "signature": {"annotations": {"repo": "acme/web"}, "log": "proof", "accept": ["signature", "provenance"]},
        "sbom": {"min_packages": 1},
        "attestations": [{"type": "slsaprovenance1"}],
        "deployed": "ever",
    },
    "git": {"branch": "main", "remote": "origin", "delivery": "push"},
    "registries": {"registry.internal:5000": {"plain_http": True, "ca": "certs/ca.pem"}},
}


def test_the_shipped_schema_is_the_one_of_the_models():
    text = json.dumps(json_schema(), indent=2) + "\n"
    assert SHIPPED.read_text() == text, f"write json.dumps(json_schema(), indent=2) to {SHIPPED.name}"


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("document", [FULL, yaml.safe_load(EXAMPLE.read_text())], ids=["everything", "the example"])
def test_what_may_be_written_is_valid_by_both(document):
    jsonschema.validate(document, json_schema())
    File.model_validate(document)


def broken(*path, value):
    document = copy.deepcopy(FULL)
    node = document
    for step in path[:-1]:
        node = node[step]
    if value is None:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return document


@pytest.mark.parametrize(
    "document",
    [
        broken("version", value=2),
        broken("apps", value={}),
        broken("app", value={}),
        broken("apps", "web", "imagee", value="x"),
        broken("apps", "web", "image", value=None),
        broken("apps", "web", "image", value=7),
        broken("environments", "prod", "places", 0, "registry", value=None),
        broken("environments", "prod", "registry", value="x.example"),
        broken("environments", "staging", "registry", value=None),
        broken("environments", "Prod!", value={"registry": "x.example"}),
        broken("gates", "deployed", value="sometimes"),
        broken("gates", "signature", value="on"),
        broken("gates", "signature", "log", value="maybe"),
        broken("gates", "sbom", "min_packages", value=-1),
        broken("trust", "signers", 0, "issuer", value=None),
        broken("git", "delivery", value="pigeon"),
        broken("registries", "registry.internal:5000", "plain_http", value="yes"),
    ],
    ids=lambda d: str(next(f"{k}={v}"[:60] for k, v in d.items() if FULL.get(k) != v)),
)
def test_what_may_not_be_written_is_refused_by_both(document):
    assert list(jsonschema.Draft202012Validator(json_schema()).iter_errors(document))
    with pytest.raises(ValueError):
        File.model_validate(document)


def test_every_section_forbids_unknown_keys():
    open_ones = [n for n, d in json_schema()["$defs"].items() if d.get("additionalProperties") is not False]
    assert open_ones == []


def test_every_key_is_offered_as_a_correction():
    def keys(node):
        if isinstance(node, dict):
            yield from node.get("properties", {})
            for value in node.values():
                yield from keys(value)
        elif isinstance(node, list):
            for value in node:
                yield from keys(value)

    assert set(known_keys()) == set(keys(json_schema()))
