"""Real registries on 127.0.0.1, each kept while a block runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from harness.process import free_port, server

DISTRIBUTION = """\
version: 0.1
log: {{level: error}}
storage:
  filesystem: {{rootdirectory: {storage}}}
  delete: {{enabled: true}}
http: {{addr: "127.0.0.1:{port}"}}
"""


@contextmanager
def distribution2(tools: Mapping[str, Path], directory: Path) -> Iterator[str]:
    """Debian's registry, distribution 2.8: no referrers API.  Its ``host:port``."""
    with _distribution(tools["docker-registry"], directory) as host:
        yield host


@contextmanager
def distribution3(tools: Mapping[str, Path], directory: Path) -> Iterator[str]:
    """Distribution 3: no referrers API either.  Its ``host:port``."""
    with _distribution(tools["registry3"], directory) as host:
        yield host


@contextmanager
def ggcr(tools: Mapping[str, Path], directory: Path) -> Iterator[str]:
    """The registry of go-containerregistry, in memory, with the referrers API.  Its ``host:port``."""
    with _refregistry(tools["refregistry"], directory) as host:
        yield host


@contextmanager
def ggcr_without_referrers(tools: Mapping[str, Path], directory: Path) -> Iterator[str]:
    """The same as its project ships it, without that API.  Its ``host:port``."""
    with _refregistry(tools["refregistry"], directory, "without-referrers") as host:
        yield host


@contextmanager
def _refregistry(binary: Path, directory: Path, *options: str) -> Iterator[str]:
    host = f"127.0.0.1:{free_port()}"
    directory.mkdir(parents=True, exist_ok=True)
    with server([binary, host, *options], ready=f"http://{host}/v2/", log=directory / "registry.log"):
        yield host


@contextmanager
def _distribution(binary: Path, directory: Path) -> Iterator[str]:
    """A distribution registry with its storage under `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    port = free_port()
    config = directory / "config.yml"
    config.write_text(DISTRIBUTION.format(storage=directory / "storage", port=port))
    with server(
        [binary, "serve", config],
        ready=f"http://127.0.0.1:{port}/v2/",
        log=directory / "registry.log",
        env={"OTEL_TRACES_EXPORTER": "none"},  # distribution 3 looks for a collector unless told otherwise
    ):
        yield f"127.0.0.1:{port}"


REGISTRIES = {
    "distribution2": distribution2,
    "distribution3": distribution3,
    "ggcr": ggcr,
    "ggcr_without_referrers": ggcr_without_referrers,
}
"""Every registry by the name that tests use."""
