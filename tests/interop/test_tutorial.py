"""The whole tutorial, typed into a shell with the real cosign and crane, up to a promotion of an own image."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from harness.process import free_port

sys.path.append(str(Path(__file__).parents[2] / "docs"))

from generate.walk import INSTEAD, TUTORIAL
from support.walk import commands, typed


def test_a_newcomer_comes_to_a_refused_and_an_accepted_promotion_of_an_own_image(
    tmp_path: Path, tools: Mapping[str, Path]
) -> None:
    port = free_port()
    lines = [line.replace(":5000", f":{port}") for line in commands(TUTORIAL.read_text())]
    directories = [str(tools[name].parent) for name in ("cosign", "crane")]
    path = os.pathsep.join([*directories, str(Path(sys.executable).parent), os.environ["PATH"]])
    ran = typed(lines, tmp_path, INSTEAD, PATH=path)
    assert [r.code for r in ran if r.code] == [11, 13, 15], [r for r in ran if r.code]
    promotions = [r for r in ran if r.command == "promote 'staging->prod'"]
    assert [r.code for r in promotions] == [0, 11, 13, 0]
    assert "Promoted: commit " in promotions[-1].output
    assert "1 file" not in ran[-1].output
