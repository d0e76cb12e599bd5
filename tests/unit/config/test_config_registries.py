"""`registries`: how many requests at a time, and in which time."""

from __future__ import annotations

import pytest

from promote.config.load import load

HEAD = "version: 1\napps:\n  web: {image: acme/web}\nenvironments:\n  prod: {registry: b.example}\n"


@pytest.mark.parametrize(("rate", "a_second"), [("50/s", 50.0), ("90/m", 1.5), ("1800/h", 0.5)])
def test_limits_of_a_registry(tmp_path, rate, a_second):
    (tmp_path / "promote.yaml").write_text(f"{HEAD}registries: {{b.example: {{concurrency: 4, rate: {rate}}}}}\n")
    options = load(tmp_path / "promote.yaml").registries["b.example"]
    assert (options.concurrency, options.rate) == (4, a_second)


def test_a_registry_has_no_limits_unless_it_says_so(tmp_path):
    (tmp_path / "promote.yaml").write_text(f"{HEAD}registries: {{b.example: {{plain_http: true}}}}\n")
    options = load(tmp_path / "promote.yaml").registries["b.example"]
    assert (options.concurrency, options.rate) == (None, None)
