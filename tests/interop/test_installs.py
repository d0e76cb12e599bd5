"""promote as people install it: wheel and sdist, pipx, uv and uvx, each from this tree into places of the test's own.

What it depends on comes from the package index that this machine uses, as new as pyproject.toml allows: the ranges
there are tried, and not the lock.
"""

from __future__ import annotations

import os
import re
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from harness.gitops import GIT_ENV
from harness.process import run

from promote import __version__

ROOT = Path(__file__).parents[2]
INSTALLERS = ("build==1.6.1", "pipx==1.18.4", "uv==0.13.9")
FRESH = ("--refresh-package", "promote-by-digest")
"""Else uv takes what it built of this directory the last time, unless pyproject.toml is newer."""
SHIPPED = {
    "promote/py.typed",
    "promote/config/promote.schema.json",
    "promote/output/schemas/promote.result.v1.json",
    "promote/evidence/public_good_trusted_root.json",
    "promote/demo/signed/trusted_root.json",
    "promote/demo/signed/shop/index.json",
    "promote/demo/overlays/prod/kustomization.yaml",
}
"""Files without which an installed promote would lack something; every other one is compared with the tree."""


@dataclass(frozen=True, slots=True)
class Installers:
    """pipx, uv and build in an environment of their own, and an environment that keeps all they write in `home`."""

    binaries: Path
    home: Path

    def run(self, name: str, *arguments: str | Path) -> str:
        """What an installer prints."""
        return run([self.binaries / name, *arguments], cwd=self.home, env=self.environment())

    def environment(self) -> dict[str, str]:
        """Where pipx and uv put things; what is downloaded may stay in the caches of this machine."""
        caches = {"UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR", str(Path.home() / ".cache" / "uv"))}
        pipx = {
            "PIPX_HOME": self.home / "pipx",
            "PIPX_BIN_DIR": self.home / "pipx-bin",
            "PIPX_MAN_DIR": self.home / "man",
        }
        uv = {"UV_TOOL_DIR": self.home / "uv", "UV_TOOL_BIN_DIR": self.home / "uv-bin", "UV_NO_CONFIG": "1"}
        python = {"PIPX_DEFAULT_PYTHON": sys.executable, "UV_PYTHON": sys.executable, "UV_PYTHON_DOWNLOADS": "never"}
        return {**caches, **{name: str(value) for name, value in {**pipx, **uv, **python}.items()}}


@pytest.fixture(scope="module")
def installers(tmp_path_factory) -> Installers:
    """Installed once for the module."""
    home = tmp_path_factory.mktemp("installers")
    run([sys.executable, "-m", "venv", home / "venv"])
    run([home / "venv/bin/python", "-m", "pip", "install", "--quiet", *INSTALLERS], cwd=home)
    return Installers(home / "venv/bin", home)


@pytest.fixture(scope="module")
def built(installers) -> Path:
    """A directory with the sdist of this tree, and the wheel that is built from that sdist."""
    directory = installers.home / "dist"
    installers.run("pyproject-build", "--installer=uv", f"--outdir={directory}", ROOT)
    return directory


def test_the_wheel_has_every_file_of_promote(built):
    (wheel,) = built.glob("*.whl")
    assert wheel.name == f"promote_by_digest-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        inside = {name for name in archive.namelist() if ".dist-info/" not in name}
        entry_points = archive.read(f"promote_by_digest-{__version__}.dist-info/entry_points.txt").decode()
    assert inside >= SHIPPED
    overlays = {f"promote/demo/overlays/{name}" for name in files(ROOT / "examples/overlays")}
    assert inside == {f"promote/{name}" for name in files(ROOT / "promote")} | overlays
    assert "promote = promote.cli.main:entry" in entry_points


def test_the_sdist_has_what_the_wheel_is_built_from(built):
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert inside >= {
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "requirements/run.txt",
        "examples/overlays/promote.yaml",
    }
    assert inside >= {f"promote/{name}" for name in files(ROOT / "promote")}
    assert not [name for name in inside if name.startswith((".venv", ".git/", "promote-demo"))]


def test_pipx_install(installers):
    installers.run("pipx", "install", ROOT)
    works(installers.home / "pipx-bin/promote", installers.home / "pipx-demo")


def test_uv_tool_install(installers):
    installers.run("uv", "tool", "install", *FRESH, ROOT)
    works(installers.home / "uv-bin/promote", installers.home / "uv-demo")


def test_uvx(installers):
    assert installers.run("uvx", *FRESH, "--from", ROOT, "promote", "--version") == f"promote {__version__}"


def test_the_wheel_with_the_hashed_lock(installers, built):
    """As a company installs it that wants no byte that was not reviewed."""
    environment = installers.home / "locked"
    (wheel,) = built.glob("*.whl")
    installers.run("uv", "venv", "--quiet", environment)
    into = ("pip", "install", "--quiet", f"--python={environment / 'bin/python'}")
    installers.run("uv", *into, "--require-hashes", f"--requirement={ROOT / 'requirements/run.txt'}")
    installers.run("uv", *into, "--no-deps", "--no-index", wheel)
    works(environment / "bin/promote", installers.home / "locked-demo")
    installers.run("uv", "pip", "check", f"--python={environment / 'bin/python'}")


def works(promote: Path, directory: Path) -> None:
    """Assert that an installed promote says its version and shows the whole demo, outside of the tree."""
    assert run([promote, "--version"], cwd=directory.parent) == f"promote {__version__}"
    shown = run([promote, "demo", directory], cwd=directory.parent, env=GIT_ENV)
    assert re.findall(r"\(exit code (\d+)\)", shown) == ["14", "15", "0"]


def files(directory: Path) -> set[str]:
    """The files below a directory, relative to it, without what Python compiled."""
    found = (path.relative_to(directory) for path in directory.rglob("*") if path.is_file())
    return {str(path) for path in found if "__pycache__" not in path.parts}
