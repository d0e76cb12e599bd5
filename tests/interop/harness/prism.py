"""Prism with GitHub's published description: as a host that answers with its examples, or between promote and one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.process import free_port, server
from harness.tools import forges

ASKED = re.compile(r"/zen|/repos/\{owner\}/\{repo\}(/(pulls|issues)(/.*)?)?")
"""Paths of a repository, its pull requests and its issues."""
DESCRIPTION = "node_modules/@octokit/openapi/generated/api.github.com.json"


@contextmanager
def mock(tools: Mapping[str, Path], log: Path) -> Iterator[str]:
    """The URL of a host that answers as the examples of the description do."""
    with _running(tools, "mock", [], log) as url:
        yield url


@dataclass(frozen=True, slots=True)
class Proxy:
    """Prism between promote and a host: what either side says otherwise than described is an error for the other."""

    url: str
    log: Path

    def violations(self) -> list[str]:
        """What the description had against requests and answers, as Prism's log has it."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [line for line in lines if "iolation" in line or "terminated with error" in line]


@contextmanager
def proxy(tools: Mapping[str, Path], upstream: str, log: Path) -> Iterator[Proxy]:
    """Stand before `upstream`, which need not be up yet."""
    with _running(tools, "proxy", ["--errors", upstream], log) as url:
        yield Proxy(url, log)


@contextmanager
def _running(tools: Mapping[str, Path], command: str, rest: list[str], log: Path) -> Iterator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    argv = [tools["node"], tools["prism"], command, "--host", "127.0.0.1", "--port", str(port)]
    with server([*argv, _of_use(log.with_suffix(".json")), *rest], ready=f"{url}/zen", log=log):
        yield url


def _of_use(target: Path) -> Path:
    """The description of what a repository's requests are asked by, written to `target`.

    Prism takes half a minute to read all thousand operations on a busy machine.  One that is left out is refused by it,
    as one is that GitHub does not have.
    """
    described = json.loads((forges() / DESCRIPTION).read_bytes())
    paths = {path: what for path, what in described["paths"].items() if ASKED.fullmatch(path)}
    components: dict[str, dict[str, Any]] = {}
    found = _named_in(paths)
    while found:
        section, name = found.pop()
        if name not in components.setdefault(section, {}):
            components[section][name] = described["components"][section][name]
            found |= _named_in(components[section][name])
    kept = {key: described[key] for key in ("openapi", "info", "servers")}
    target.write_text(json.dumps({**kept, "paths": paths, "components": components}))
    return target


def _named_in(part: Any) -> set[tuple[str, str]]:
    """The components, by section and name, that a part of the description refers to."""
    return set(re.findall(r'"#/components/([^/"]+)/([^/"]+)', json.dumps(part)))
