"""A real build is a program: what it is given, and what becomes of one that fails."""

import json
import stat

import pytest
from support.overlay_files import BASE, overlay, promote

from promote.errors import Refusal
from promote.overlays.oracle import Builder, find_builder

TEXT = "resources: [../base]\nimages: [{name: shop, newTag: v1}]\n"


def program(directory, script):
    """A builder that is a shell script; $1 is the directory."""
    path = directory / "kustomize"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IEXEC)
    return Builder("kustomize build", (str(path),))


def test_it_gets_the_files_of_the_overlay_and_nothing_of_this_process(tmp_path, monkeypatch):
    monkeypatch.setenv("REGISTRY_TOKEN", "secret")
    monkeypatch.setenv("GIT_ASKPASS", "/bin/false")
    seen = tmp_path / "seen"
    builder = program(
        tmp_path, f'cd "$1/.." && find . -type f | sort > {seen}; env >> {seen}; pwd >> {seen}; cat base/d.yaml'
    )
    rendering = builder.build(overlay(TEXT, **{"else/secret.yaml": "x: y"}), "o")
    lines = seen.read_text().splitlines()
    assert lines[:3] == ["./base/d.yaml", "./base/kustomization.yaml", "./o/kustomization.yaml"]
    assert not any(line.startswith(("REGISTRY_TOKEN", "GIT_ASKPASS")) or "else" in line for line in lines)
    assert list(rendering.objects) == ["Deployment web"]
    assert not (tmp_path / "tree").exists()


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo 'Error: it is broken' >&2; exit 1", "kustomize build failed: Error: it is broken"),
        ("exit 3", "kustomize build failed: exit 3"),
        ("echo '{a: [b'", "kustomize build gave what cannot be read"),
    ],
)
def test_a_build_that_fails_leaves_a_doubt_and_no_verdict_of_its_own(tmp_path, script, words):
    found = promote(overlay(TEXT), builder=program(tmp_path, script))[1]
    assert words in found.doubts[0]
    assert (found.by, len(found.images)) == ("", 1)


def test_an_overlay_that_builds_no_longer_is_refused(tmp_path):
    builder = program(tmp_path, f'grep -q sha- "$1/kustomization.yaml" && exit 1; cat {tmp_path}/d.yaml')
    (tmp_path / "d.yaml").write_text(BASE["base/d.yaml"])
    with pytest.raises(Refusal, match="would no longer build") as caught:
        promote(overlay(TEXT), builder=builder)
    assert caught.value.code == "no-effect"


def test_what_a_program_renders_is_what_counts(tmp_path):
    tree = overlay(TEXT)
    same = tmp_path / "same.yaml"
    same.write_text(BASE["base/d.yaml"])
    with pytest.raises(Refusal) as caught:
        promote(tree, builder=program(tmp_path, f"cat {same}"))
    assert caught.value.code == "left-over"


def test_the_first_program_on_path_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_builder() is None
    for name in ("kubectl", "kustomize"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
        found = find_builder()
        verb = {"kubectl": "kustomize", "kustomize": "build"}[name]
        assert found == Builder(f"{name} {verb}", (str(tmp_path / name), verb))


def test_output_is_read_as_data(tmp_path):
    builder = program(tmp_path, "printf '%s' '" + json.dumps({"kind": "Pod", "metadata": {"name": "p\n"}}) + "'")
    assert list(builder.build(overlay(TEXT), "o").objects) == ["Pod p\n"]
