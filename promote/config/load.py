"""Reading promote.yaml: from a file to a `Configuration`, or all of its problems at once."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from promote.config.attestors import attestors
from promote.config.document import MAX_BYTES, Document, parse
from promote.config.fields import fields
from promote.config.gates import gates
from promote.config.gates_section import GatesSection
from promote.config.overlays import overlays
from promote.config.schema import EnvironmentSection, File, GitSection, PlaceSection, known_keys
from promote.config.trust import check_demands, trust
from promote.errors import Misuse
from promote.model.configuration import Configuration, GitOptions, RegistryOptions
from promote.model.digest import Digest
from promote.model.environment import App, Environment, Place
from promote.model.malformed import Malformed, shown
from promote.model.reference import LAYOUT, is_host, join_registry

FILE_NAME = "promote.yaml"
LONGEST = 500
"""How many characters one problem may take."""


class Problems:
    """Collects what is wrong, each with its line, so that nobody fixes five errors in five runs."""

    def __init__(self, document: Document, shown_path: str) -> None:
        self._document = document
        self._path = shown_path
        self._found: list[tuple[int, str]] = []

    def add(self, where: tuple[str | int, ...], sentence: str) -> None:
        """Note one problem at a place in the file."""
        dotted = ".".join(str(step) for step in where)
        said = shown(f"{dotted}: {sentence}" if dotted else sentence, LONGEST)
        entry = (self._document.line(where), said)
        if entry not in self._found:
            self._found.append(entry)

    def raise_any(self) -> None:
        """Raise one `Misuse` that names every problem, if there is one."""
        if self._found:
            lines = [f"{self._path}:{line}: {text}" for line, text in sorted(self._found)]
            count = "1 problem" if len(lines) == 1 else f"{len(lines)} problems"
            raise Misuse(
                "configuration-invalid",
                f"{self._path} has {count}: " + "; ".join(lines),
                hint=f"correct {self._path} and run the same command again",
            )


def find(start: Path) -> Path:
    """The promote.yaml of `start` or of the nearest directory above it, up to the repository's top; raises `Misuse`."""
    for directory in (start, *start.parents):
        if (directory / FILE_NAME).is_file():
            return directory / FILE_NAME
        if (directory / ".git").exists():
            break
    raise Misuse(
        "configuration-missing",
        f"got no {FILE_NAME} in {start} or above it, expected one at the root of the GitOps repository",
        hint="name the file with --config FILE, or run inside the GitOps repository",
    )


def load(path: Path) -> Configuration:
    """The checked configuration in `path`; raises `Misuse` with every problem, or `Misuse` when it cannot be read."""
    path = path.absolute()
    content = _read(path, "promote.yaml")
    try:
        document = parse(content)
    except Malformed as problem:
        raise Misuse("configuration-invalid", f"{path.name}: {problem}", hint=f"correct {path.name}") from None
    problems = Problems(document, path.name)
    file = _validated(document, problems)
    apps = {name: App(name, a.image, tuple(a.names), a.source) for name, a in file.apps.items()}
    environments = {
        name: _environment(name, section, path.parent, apps, problems) for name, section in file.environments.items()
    }
    for name, environment in environments.items():
        for i, source in enumerate(environment.promoted_from):
            if source not in environments:
                problems.add(("environments", name, "from", i), _unknown("environment", source, list(environments)))

    def read(where: tuple[str | int, ...], name: str, what: str) -> bytes:
        try:
            return _read(path.parent / name, what)
        except Misuse as problem:
            problems.add(where, problem.message)
            return b""

    found = trust(file, read, problems.add, _unknown)
    demanded = {name: gates(file.gates, section.gates) for name, section in file.environments.items()}
    for name, section in file.environments.items():
        own = ("environments", name, "gates") if section.gates.model_fields_set else ("gates",)
        check_demands(demanded[name], own, found, problems.add, _unknown)
    configuration = Configuration(
        path=path,
        apps=apps,
        environments=environments,
        trust=found,
        gates=demanded,
        default_gates=gates(file.gates, GatesSection()),
        git=_git(file.git),
        registries=_registries(file, path.parent, problems),
        attestors=attestors(file, path.parent, found.root, read, problems.add),
        digest=Digest.of(content),
    )
    problems.raise_any()
    return configuration


def _git(section: GitSection) -> GitOptions:
    return GitOptions(
        section.branch,
        section.remote,
        section.delivery,
        section.forge,
        tuple(section.labels),
        section.auto_merge,
        whole_history=section.history == "whole",
    )


def _validated(document: Document, problems: Problems) -> File:
    if not isinstance(document.value, dict):
        problems.add((), f"got {type(document.value).__name__}, expected a mapping with version, apps and environments")
        problems.raise_any()
    try:
        return File.model_validate(document.value)
    except ValidationError as invalid:
        for error in invalid.errors(include_url=False):
            problems.add(_yaml_path(document.value, error["loc"]), _sentence(dict(error)))
    problems.raise_any()
    raise AssertionError("unreachable: a ValidationError has at least one error")


def _yaml_path(value: Any, loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
    # pydantic's location also names the member of a union that was tried; keep only what is in the file.
    path: list[str | int] = []
    for i, step in enumerate(loc):
        in_mapping = isinstance(value, dict) and step in value
        in_list = isinstance(value, list) and isinstance(step, int) and step < len(value)
        is_missing_key = isinstance(value, dict) and i == len(loc) - 1 and step != "[key]"
        if in_mapping or in_list:
            value = value[step]
        if in_mapping or in_list or is_missing_key:
            path.append(step)
    return tuple(path)


def _sentence(error: Mapping[str, Any]) -> str:
    kind, got = error["type"], error.get("input")
    if kind == "extra_forbidden":
        return _unknown("key", str(error["loc"][-1]), known_keys())
    if kind == "missing":
        return "missing, expected a value"
    message = str(error["msg"]).removeprefix("Value error, ")
    if kind == "value_error":
        return message
    return f"got {shown(got, 60)}, expected otherwise: {message[0].lower()}{message[1:]}"


def _unknown(what: str, name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known)
    close.sort(key=lambda word: sorted(word) != sorted(name))  # letters that changed places are the likeliest mistake
    return f"unknown {what} {shown(name, 60)!r}" + (f", did you mean {close[0]!r}?" if close else "")


def _environment(
    name: str, section: EnvironmentSection, root: Path, apps: Mapping[str, App], problems: Problems
) -> Environment:
    sections = section.all_places()
    places = []
    for i, place_section in enumerate(sections):
        where: tuple[str | int, ...] = ("environments", name)
        if section.places is not None:
            where = (*where, "places", i)
        places.append(_place(place_section, where, root, apps, problems))
    return Environment(name, tuple(places), tuple(section.from_))


def _place(
    section: PlaceSection, where: tuple[str | int, ...], root: Path, apps: Mapping[str, App], problems: Problems
) -> Place:
    registry, pull = section.registry, section.pull
    if registry.startswith(LAYOUT):
        directory = registry.removeprefix(LAYOUT)
        registry = f"{LAYOUT}{_near(root / directory)}"
        if not directory:
            problems.add((*where, "registry"), "got 'oci:', expected oci:DIRECTORY")
    else:
        pull = pull or registry
    for key, value in (("registry", registry), ("pull", pull)):
        if value and not value.startswith(LAYOUT) and not is_host(value.split("/")[0]):
            problems.add((*where, key), f"got {shown(value)!r}, expected HOST[:PORT][/PREFIX]")
    for app in apps.values():
        try:
            if not registry.startswith(LAYOUT):
                join_registry(registry, app.image)
            join_registry("localhost", app.image)
        except Malformed as problem:
            problems.add(("apps", app.name, "image"), f"got {problem.got}, expected {problem.expected}")
    entries = overlays(section, where, apps, problems.add, _unknown)
    return Place(registry, pull, entries, fields(section, entries, where, apps, problems.add))


def _near(directory: Path) -> Path:
    """`directory` as a person here would write it: relative when it is below the working directory."""
    here = Path.cwd()
    return directory.relative_to(here) if directory.is_relative_to(here) else directory


def _registries(file: File, root: Path, problems: Problems) -> dict[str, RegistryOptions]:
    result = {}
    for host, section in file.registries.items():
        if not is_host(host):
            problems.add(("registries", host), f"got {shown(host)!r}, expected HOST[:PORT]")
        ca = root / section.ca if section.ca else None
        if ca is not None and not ca.is_file():
            problems.add(("registries", host, "ca"), f"got no file {section.ca}, expected PEM certificates")
        result[host] = RegistryOptions(section.plain_http, ca, section.concurrency, _a_second(section.rate))
    return result


def _a_second(rate: str | None) -> float | None:
    """``90/m`` as 1.5."""
    if rate is None:
        return None
    count, _, unit = rate.partition("/")
    return int(count) / {"s": 1, "m": 60, "h": 3600}[unit]


def _read(path: Path, what: str) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as problem:
        raise Misuse(
            "file-unreadable",
            f"got {problem.strerror} for {shown(path.name)}, expected {what}",
            hint=f"look at it with `ls -l {shown(str(path))}`",
        ) from None
    if len(content) > MAX_BYTES:
        raise Misuse(
            "file-too-large",
            f"got {shown(path.name)} of more than {MAX_BYTES} bytes, expected {what} of at most {MAX_BYTES}",
            expected=f"at most {MAX_BYTES} bytes",
            actual="more",
            hint=f"see what it is with `ls -l {shown(str(path))}`",
        )
    return content
