"""A bot that proposes whatever differs, when nothing does: it opens nothing, and that is no error."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.forge_world import forge_world
from support.git_world import isolate


@pytest.mark.parametrize("kind", ["github", "gitlab", "gitea"])
def test_no_request_is_made_where_nothing_differs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    isolate(monkeypatch, tmp_path)
    with forge_world(tmp_path, kind, monkeypatch) as world:
        first = world.repo.promote("--all", "--pull-request")
        assert first.code == 0, first.err
        (request,) = world.host.open()
        world.host.merge(request)
        branches, merged = world.branches(), world.tip()
        again = world.repo.promote("--all", "--pull-request")
        assert again.code == 0, again.out
        assert (again.json["releases"], again.json["error"]) == ([], None)
        assert (world.host.open(), world.branches(), world.tip()) == ([], branches, merged)
        required = world.repo.promote("--all", "--pull-request", "--require-change")
        assert (required.code, required.json["error"]["code"]) == (6, "nothing-changed")
        assert world.host.complaints == []
