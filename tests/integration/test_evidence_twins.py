"""A commit that was built twice, where git knows nothing of it: the source registry has the other build."""

from __future__ import annotations

import pytest
from support.git_world import isolate
from support.gitops_repo import COMMIT
from support.registry_server import Answer, RegistryServer
from support.twins import LONGER, SHORT, WHOLE, push, signed, world

OTHER = f"/v2/acme/shop/manifests/sha-{COMMIT[:7]}"


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


@pytest.mark.parametrize(("promoted", "other"), [(WHOLE, SHORT), (SHORT, WHOLE), (LONGER, WHOLE)])
def test_two_digests_that_the_registry_has_for_the_commit_are_both_signed(tmp_path, promoted, other):
    with RegistryServer() as server:
        repo = world(tmp_path, server)
        here, twin = push(server, signed("v3-key"), promoted), push(server, signed("v3-keyless-index"), other)
        head = repo.commits()
        ran = repo.promote(promoted)
        error = ran.json["error"]
        assert (ran.code, error["code"], ran.refused_by) == (15, "rebuilt-signed-twice", "commit"), ran.out
        assert str(here) in error["expected"]
        assert str(twin) in error["actual"]
        assert f"acme/shop has it as {other}" in error["message"]
        assert (repo.tags(), repo.commits()) == ({}, head)
        assert not repo.layout("prod").exists()
        verified = repo.verify(f"staging:{promoted}")
        assert (verified.code, verified.json["error"]["code"]) == (15, "rebuilt-signed-twice")


@pytest.mark.parametrize(
    "twin",
    [None, signed("v3-key"), signed("v3-keyless-index", None), signed("v3-keyless-index", "f" * 40)],
    ids=["no such tag", "the same digest", "signed for no commit", "signed for another commit"],
)
def test_one_request_is_made_and_what_proves_nothing_refuses_nothing(tmp_path, twin):
    with RegistryServer() as server:
        repo = world(tmp_path, server)
        push(server, signed("v3-key"), WHOLE)
        if twin is not None:
            push(server, twin, SHORT)
        assert repo.promote(WHOLE).code == 0
        assert [r.path for r in server.requests].count(OTHER) == 1
        assert server.count("GET", "/tags/list") == 0


def test_a_registry_that_does_not_answer_the_question_is_no_pass(tmp_path):
    with RegistryServer() as server:
        repo = world(tmp_path, server)
        push(server, signed("v3-key"), WHOLE)
        server.faults.append(lambda request: Answer(500) if request.path == OTHER else None)
        ran = repo.promote(WHOLE)
        assert ran.code == 3, ran.out
        assert (repo.tags(), repo.promotions()) == ({}, [])
