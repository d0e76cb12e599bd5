"""What the pages say of promote is so: every command parses, every promote.yaml is valid, every name exists."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, ClassVar

import jsonschema
import pytest
import yaml
from support.documentation import (
    DOCS,
    LINK,
    ROOT,
    anchors,
    arguments,
    blocks,
    named_commands,
    pages,
    prose,
    typed_commands,
    words,
    written_pages,
)
from support.git_world import isolate
from support.gitops_repo import make
from support.registry_server import self_signed

import promote.config
from promote.cli.app import build
from promote.cli.verbs import VERBS, with_verb
from promote.explanations import explanations, transcript

PACKAGE = Path(promote.__file__).parent
SCHEMA = json.loads((Path(promote.config.__file__).parent / "promote.schema.json").read_bytes())
LEAST: dict[str, Any] = {
    "version": 1,
    "apps": {"shop": {"image": "acme/shop"}},
    "environments": {"prod": {"registry": "registry.example"}},
    "trust": {"signers": [{"key": "cosign.pub"}]},
}
"""What a snippet of one section is put into."""
OTHERS = {
    "pull-request", "github-api", "test-result", "import-key-pair", "foo-bar", "docker-credential-ecr-login",
    "docker-credential-gcr", "docker-credential-acr-env", "ecr-login", "acr-env", "rev-parse", "cat-file",
    "promote-demo", "dry-run", "no-push", "require-change", "github-token", "continue-on-error", "refused-by",
    "exit-code", "promote-credentials", "rfc3161-client", "hash-object", "commit-tree", "promote-image", "promote-lint",
    "oci-push",
}  # fmt: skip
"""Words with a hyphen that are no codes: of the Action, of git, of other tools."""


class Yaml(yaml.SafeLoader):
    """YAML as promote reads it: a date is text."""

    yaml_implicit_resolvers: ClassVar = {
        first: [(tag, pattern) for tag, pattern in found if not tag.endswith(":timestamp")]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


NAMED = re.compile(r"`promote ([^`\n]+)`|^ +do +promote (.*)$", re.MULTILINE)
UNIQUE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)+")
PLACES = ("promote", "tests", "docs", "bench", "examples", "action", "requirements", ".github", ".ci")


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def problem(line: list[str], *, whole: bool) -> str | None:
    """What is wrong with a command line; one that is not `whole` may lack words."""
    if any(word.startswith(("[-", "[E")) for word in line):  # a synopsis
        line, whole = [word.strip("[]") for word in line], False
    verb, *rest = with_verb(line)
    if verb.startswith("-"):
        return None if verb.split("=")[0] in GROUP else f"no option {verb}"
    try:
        COMMANDS[verb].make_context(verb, [*rest], resilient_parsing=not whole)
    except Exception as error:  # noqa: BLE001 - typer carries its own click or imports it, by version
        return str(error)
    known = {o for p in COMMANDS[verb].params for o in (*p.opts, *p.secondary_opts)} | {"-h", "--help"}
    return next((f"{verb} has no {w}" for w in rest if w.startswith("-") and w.split("=")[0] not in known), None)


TREE = build()
COMMANDS = TREE.commands
GROUP = {option for parameter in TREE.params for option in parameter.opts} | {"-h", "--help"}


@pytest.mark.parametrize("page", written_pages(), ids=name)
def test_every_command_line_parses(page):
    wrong = [(line, said) for line in typed_commands(page) if (said := problem(line, whole=True))]
    wrong += [(line, said) for line in named_commands(page) if (said := problem(line, whole=False))]
    assert wrong == []


def test_a_wrong_command_line_would_be_found():
    assert problem(["verify", "--explian", "staging"], whole=True)
    assert problem(["verify", "--explian"], whole=False)
    assert problem(["explain", "--dry-run"], whole=False)
    assert problem(["verify"], whole=True)
    assert not problem(["verify"], whole=False)
    assert sum(1 for page in written_pages() for _ in typed_commands(page)) > 20


def test_every_command_that_promote_itself_names_parses():
    told = [text for e in explanations().values() for text in (e.means, e.got, e.expected, e.do, e.why or "")]
    told += [shown for code in explanations() if (shown := transcript(code))]
    told.append((DOCS / "every-output.md").read_text())
    lines = [arguments(f"promote {a or b}") for text in told for a, b in NAMED.findall(text)]
    assert [(line, said) for line in lines if (said := problem(line, whole=False))] == []
    assert len(lines) > 20


@pytest.mark.parametrize("page", written_pages(), ids=name)
def test_every_promote_yaml_is_valid(page):
    check = jsonschema.Draft202012Validator(SCHEMA)
    wrong = []
    for block in blocks(page, "yaml"):
        value = yaml.load(block, Yaml)
        if isinstance(value, dict) and value.keys() & {*SCHEMA["properties"]} and not value.keys() & {"jobs", "on"}:
            wrong += [error.message for error in check.iter_errors(LEAST | value)]
    assert wrong == []


@pytest.mark.parametrize("page", written_pages(), ids=name)
def test_every_code_exists(page):
    known = {*explanations(), *OTHERS}
    assert sorted({w for w in words(page) if UNIQUE.fullmatch(w)} - known) == []


@pytest.mark.parametrize("page", written_pages(), ids=name)
def test_every_key_of_promote_yaml_exists(page):
    dotted = {w for w in words(page) if re.fullmatch(r"[a-z_]+(?:\.[a-z_]+)+", w)}
    assert [w for w in dotted if w.split(".")[0] in SCHEMA["properties"] and not in_schema(w.split("."), SCHEMA)] == []


@pytest.mark.parametrize(
    "page", [p for p in written_pages() if any("version: 1" in b for b in blocks(p, "yaml"))], ids=name
)
def test_every_whole_promote_yaml_is_read_by_promote(page, tmp_path):
    for block in (b for b in blocks(page, "yaml") if b.startswith(("version: 1\n", "# yaml-language-server"))):
        repo = make(tmp_path, case="v3-key", remote=False)
        for key in re.findall(r"key: ([\w./-]+)", block):
            repo.write(key, (repo.root / "trust" / "key.pub").read_bytes())
        for bundle in re.findall(r"ca: ([\w./-]+)", block):
            repo.write(bundle, self_signed(tmp_path)[1].read_bytes())
        repo.write("promote.yaml", block)
        ran = repo.run("config", "show")
        assert ran.code == 0, ran.out


def in_schema(steps: list[str], value: dict[str, Any]) -> bool:
    while "$ref" in value:
        value = SCHEMA["$defs"][value["$ref"].rpartition("/")[2]]
    if not steps:
        return True
    inside = [*value.get("anyOf", ()), *value.get("oneOf", ()), *([value["items"]] if "items" in value else ())]
    named = value.get("properties", {}).get(steps[0])
    return bool(named is not None and in_schema(steps[1:], named)) or any(in_schema(steps, way) for way in inside)


@pytest.mark.parametrize("page", written_pages(), ids=name)
def test_every_file_that_is_named_exists(page):
    named = {w for w in words(page) if re.fullmatch(r"\.?[\w*.-]+(?:/[\w*.{}-]+)+/?", w)}
    ours = {w for w in named if w.split("/")[0] in PLACES and "ENVIRONMENT" not in w}
    ours |= {f"promote/{w}" for w in named if (PACKAGE / w.split("/")[0]).is_dir() and w.endswith(".py")}
    assert sorted(w for w in ours if not [*ROOT.glob(w)]) == []


def test_every_link_leads_to_a_page_and_a_heading():
    known = {page: anchors(page) for page in pages()}
    wrong = []
    for page in known:
        for link in (link for link in LINK.findall(prose(page)) if "://" not in link and "mailto:" not in link):
            where, _, anchor = link.partition("#")
            target = (page.parent / where).resolve() if where else page
            if not target.exists() or (anchor and target in known and anchor not in known[target]):
                wrong.append(f"{name(page)}: {link}")
    assert wrong == []


def test_every_page_is_in_the_navigation():
    listed = (ROOT / "mkdocs.yml").read_text().partition("\nnav:")[2]
    pages_of_docs = {p.relative_to(DOCS).as_posix() for p in DOCS.rglob("*.md")}
    whole = set(re.findall(r": ([\w/-]+/)$", listed, re.MULTILINE))
    missing = {p for p in pages_of_docs if p not in listed and not any(p.startswith(d) for d in whole)}
    assert sorted(p for p in missing if not p.startswith("errors/")) == []


def test_the_architecture_names_every_room_and_no_other():
    rooms = {p.name for p in PACKAGE.iterdir() if (p / "__init__.py").is_file()}
    named = re.findall(r"^\| `(\w+)` \|", (DOCS / "architecture.md").read_text(), re.MULTILINE)
    assert sorted(named) == sorted(rooms)


def test_every_verb_is_in_the_readme_or_in_a_how_to():
    found = {line[0] for page in written_pages() for line in (*typed_commands(page), *named_commands(page))}
    assert sorted(set(VERBS) - found - {"promote"}) == []
