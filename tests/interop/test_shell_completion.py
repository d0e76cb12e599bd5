"""Completion in a real zsh at its prompt and in a real fish: verbs, environments, arrows, apps and tags.

The same of bash is in tests/integration/test_completion.py, because bash is everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from harness.promote import nobody
from harness.shells import Shells
from support.gitops_repo import TAG, GitopsRepo, make, process_environment

from promote.cli.verbs import VERBS

OLD = "sha-89abcdef"
HOSTILE = (
    "p$(touch pwned-a)",
    "p\\$(touch pwned-b)",
    "p\\\\$(touch pwned-c)",
    "p`touch pwned-d`",
    "p\\`touch pwned-e\\`",
    "p'; touch pwned-f; '",
    'p"; touch pwned-g; "',
    'p\\"; touch pwned-h; "',
    "p))'; touch pwned-i; '((",
    "p*",
    "p\\n(touch pwned-j)",
    "p\n; touch pwned-k",
    "p\x1b]0;evil\x07",
)
"""Names of environments that promote would refuse, and that a shell would run if it ever evaluated them."""


@pytest.fixture
def shells(tools: Mapping[str, Path], tmp_path: Path) -> Shells:
    home = tmp_path / "home"
    home.mkdir()
    return Shells(tools, process_environment(**nobody(home), LANG="C.UTF-8"), home)


@pytest.fixture(scope="module")
def one_app(tmp_path_factory: pytest.TempPathFactory) -> GitopsRepo:
    return make(tmp_path_factory.mktemp("one"), remote=False)


@pytest.fixture(scope="module")
def two_apps(tmp_path_factory: pytest.TempPathFactory) -> GitopsRepo:
    return make(tmp_path_factory.mktemp("two"), apps=("shop", "api"), remote=False)


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("promote ver", "promote verify "),
        ("promote verify sta", "promote verify staging "),
        ("promote verify staging:", f"promote verify staging:{TAG} "),
        ("promote stag", "promote staging-\\>prod "),
        ("promote 'stag", "promote 'staging->prod' "),
        ("promote staging:", "promote staging:prod "),
        ("promote 'staging->prod' sha-8", f"promote 'staging->prod' {OLD} "),
        ("promote 'staging->prod' shop=sha-8", f"promote 'staging->prod' shop={OLD} "),
        ("promote --from staging --to p", "promote --from staging --to prod "),
        ("promote status p", "promote status prod "),
        ("promote rollback pr", "promote rollback prod "),
        ("promote 'staging->prod' --dry", "promote 'staging->prod' --dry-run "),
    ],
)
def test_zsh_completes_what_is_typed(shells: Shells, one_app: GitopsRepo, typed: str, completed: str) -> None:
    assert shells.zsh(typed, one_app.root).line == completed


def test_zsh_offers_all_that_there_are(shells: Shells, one_app: GitopsRepo, two_apps: GitopsRepo) -> None:
    first = shells.zsh("promote ", one_app.root).offered
    assert set(first) == {*VERBS, "staging->prod"}
    assert set(shells.zsh("promote verify ", one_app.root).offered) == {"staging", "prod"}
    assert set(shells.zsh("promote 'staging->prod' ", one_app.root).offered) == {TAG, OLD}
    assert set(shells.zsh("promote 'staging->prod' ", two_apps.root).offered) == {"shop", "api"}


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("promote ver", {"verify"}),
        ("promote verify ", {"staging", "prod"}),
        ("promote verify staging:", {f"staging:{TAG}"}),
        ("promote stag", {"staging->prod"}),
        ("promote 'stag", {"staging->prod"}),
        ("promote staging:", {"staging:prod"}),
        ("promote 'staging->prod' ", {TAG, OLD}),
        ("promote 'staging->prod' shop=sha-8", {f"shop={OLD}"}),
        ("promote --from staging --to ", {"staging", "prod"}),
        ("promote rollback ", {"staging", "prod"}),
        ("promote 'staging->prod' --dry", {"--dry-run"}),
    ],
)
def test_fish_offers(shells: Shells, one_app: GitopsRepo, typed: str, offered: set[str]) -> None:
    assert set(shells.fish(typed, one_app.root)) == offered


def test_fish_offers_the_verbs_and_the_apps(shells: Shells, one_app: GitopsRepo, two_apps: GitopsRepo) -> None:
    assert set(shells.fish("promote ", one_app.root)) == {*VERBS, "staging->prod"}
    assert set(shells.fish("promote 'staging->prod' ", two_apps.root)) == {"shop", "api"}
    assert set(shells.fish("promote 'staging->prod' api=sha-0123456 ", two_apps.root)) == {"shop"}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_a_shell_would_run_is_not_offered(shells: Shells, tmp_path: Path, name: str) -> None:
    """zsh evaluates what it is offered, so that a press of the tabulator in a foreign checkout would be enough."""
    work = foreign(tmp_path / "work", name)
    assert shells.zsh("promote verify p", work).line == "promote verify place "
    assert list(tmp_path.rglob("pwned*")) == []


def test_none_of_them_is_offered_as_an_app_or_in_an_arrow(shells: Shells, tmp_path: Path) -> None:
    work = foreign(tmp_path / "work", *HOSTILE)
    assert shells.zsh("promote --from place --to place ", work).offered == ("web",)
    assert shells.zsh("promote place:", work).offered == ()
    assert shells.fish("promote verify p", work) == ("place",)
    assert sorted(path.name for path in work.iterdir()) == ["promote.yaml"]


def foreign(work: Path, *names: str) -> Path:
    """A directory whose promote.yaml has environments and apps of these names, and of plain ones."""
    work.mkdir()
    others = {name: {"registry": "oci:other", "from": ["place"]} for name in names}
    value = {
        "version": 1,
        "apps": {name: {"image": "acme/web"} for name in (*names, "web")},
        "environments": {"place": {"registry": "oci:place"}, **others},
    }
    (work / "promote.yaml").write_text(yaml.safe_dump(value))
    return work
