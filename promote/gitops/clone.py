"""A working copy of a GitOps repository that is named by its URL."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from promote.errors import Misuse
from promote.gitops.command import NETWORK, Git
from promote.gitops.faults import host_of, redacted, transport_error
from promote.model.malformed import shown

_SCP_LIKE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]*:(?!//).+")
SCHEMES = ("https", "http", "ssh", "file")


def is_url(text: str) -> bool:
    """Whether `text` is a URL, scp's ``host:path``, or the directory of a bare repository."""
    path = Path(text)
    if path.is_dir():
        return (path / "HEAD").is_file() and (path / "objects").is_dir()
    return "://" in text or bool(_SCP_LIKE.fullmatch(text))


def clone(url: str, directory: Path) -> Path:
    """Clone `url` into `directory`, which is empty; returns the working copy, on the remote's default branch.

    Nothing of the repository is run: no hook, no submodule, no protocol but https, http, ssh and file.  Raises `Misuse`
    for a URL that git must not be given, a password in it included; `CredentialsFault` and `Fault` as a fetch does.
    """
    place = _checked(url)
    answer = Git(directory).answer(
        [
            "clone",
            "--quiet",
            "--no-tags",
            "--no-recurse-submodules",
            "--template=",
            "--origin=origin",
            "--",
            place,
            "repo",
        ],
        seconds=NETWORK,
    )
    if answer.status != 0:
        raise transport_error("clone the GitOps repository", host_of(place), answer.err)
    return directory / "repo"


def _checked(url: str) -> str:
    if Path(url).is_dir():
        return str(Path(url).absolute())
    shown_url = shown(redacted(url))
    if url.startswith("-") or not url.isprintable():
        raise Misuse("bad-url", f"got the repository {shown_url}, expected a URL")
    parts = urlsplit(url)
    if "://" in url and parts.scheme not in SCHEMES:
        raise Misuse("bad-url", f"got the repository {shown_url}, expected one of {', '.join(SCHEMES)}")
    if "://" in url and parts.password is not None:
        raise Misuse(
            "password-in-url",
            f"got a password in the URL of the repository {shown_url}, expected none: others can read a command line",
            hint="use a credential helper of git, or GIT_ASKPASS",
        )
    return url
