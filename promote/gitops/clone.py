"""A GitOps repository that is named by its URL: cloned without its files, for as long as one command runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from promote.errors import Misuse
from promote.gitops.command import NETWORK, Answer, Git
from promote.gitops.faults import host_of, redacted, transport_error
from promote.gitops.objects import Objects
from promote.gitops.scratch import RECENT, Scratch
from promote.gitops.snapshot import Snapshot
from promote.model.malformed import shown

_SCP_LIKE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]*:(?!//).+")
SCHEMES = ("https", "http", "ssh", "file")
REMOTE = "origin"
"""What the place that was cloned from is called in the clone."""
# What a promotion looks at; a second conversation for the rest of it would cost three round trips more.
_NEWEST = (f"--depth={RECENT}", "--filter=blob:none")
_BORROWED = ("--shared",)
"""From a directory on this machine nothing has to be copied, and all of history is there."""
# A server of old answers "dumb": files by name, and nothing chosen.
_NO_CHOICE = re.compile(r"dumb http transport does not support|does not support (?:shallow|--depth)", re.IGNORECASE)
_NO_FILTER = re.compile(r"filtering not recognized by server", re.IGNORECASE)


def is_url(text: str) -> bool:
    """Whether `text` is a URL, scp's ``host:path``, or the directory of a bare repository."""
    path = Path(text)
    if path.is_dir():
        return (path / "HEAD").is_file() and (path / "objects").is_dir()
    return "://" in text or bool(_SCP_LIKE.fullmatch(text))


def _to_nobody(_text: str) -> None:
    """Where nobody listens."""


def clone(url: str, directory: Path, tell: Callable[[str], None] = _to_nobody) -> Path:
    """Clone `url` into `directory`, which is empty; the top of the clone, which has no file but ``.git``.

    ``.git`` is bare and on the remote's default branch, and holds the `RECENT` commits with their directories; see
    `promote.gitops.scratch` for how the rest comes.  A server that cannot leave things out sends more, which does no
    harm: `tell` is given one sentence about it.  Nothing of the repository is run: no hook, no filter, no submodule, no
    protocol but https, http, ssh and file.  Raises `Misuse` for a URL that git must not be given, a password in it
    included; `CredentialsFault` and `Fault` as a fetch does.
    """
    place = _checked(url)
    answer = _cloned(place, directory, _BORROWED if Path(place).is_dir() else _NEWEST)
    if _NO_CHOICE.search(answer.err):
        tell(f"{host_of(place)} cannot leave out what is old: all of the repository is fetched")
        answer = _cloned(place, directory, ())
    elif _NO_FILTER.search(answer.err):
        tell(f"{host_of(place)} cannot leave files out: they are fetched with the newest {RECENT} commits")
    if answer.status != 0:
        raise transport_error("clone the GitOps repository", host_of(place), answer.err)
    return directory / "repo"


def _cloned(place: str, directory: Path, how: tuple[str, ...]) -> Answer:
    # Version 2 of the protocol gives any object that is asked for by name; the user may have chosen an older one.
    settings = ["-c", f"clone.defaultRemoteName={REMOTE}", "-c", "protocol.version=2"]
    options = ["--quiet", "--bare", "--single-branch", "--no-tags", "--no-recurse-submodules", "--template=", *how]
    return Git(directory).answer([*settings, "clone", *options, "--", place, "repo/.git"], seconds=NETWORK)


@contextmanager
def newest(top: Path) -> Iterator[Snapshot | None]:
    """What the default branch of the clone at `top` holds; None when it has no commit."""
    git = Git(top)
    objects = Objects(git)
    try:
        commit = objects.commit("HEAD")
        yield None if commit is None else Snapshot(objects, commit, Scratch(git, top / ".git", REMOTE).bring)
    finally:
        objects.close()


def _checked(url: str) -> str:
    if Path(url).is_dir():
        return str(Path(url).absolute())
    shown_url = shown(redacted(url))
    if url.startswith("-") or not url.isprintable():
        raise Misuse("bad-url", f"got the repository {shown_url}, expected a URL")
    try:
        parts = urlsplit(url)
    except ValueError:  # brackets that hold no address
        raise Misuse("bad-url", f"got the repository {shown_url}, expected a URL") from None
    if "://" in url and parts.scheme not in SCHEMES:
        raise Misuse("bad-url", f"got the repository {shown_url}, expected one of {', '.join(SCHEMES)}")
    if "://" in url and parts.password is not None:
        raise Misuse(
            "password-in-url",
            f"got a password in the URL of the repository {shown_url}, expected none: others can read a command line",
            hint="use a credential helper of git, or GIT_ASKPASS",
        )
    return url
