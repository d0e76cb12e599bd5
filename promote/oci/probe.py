"""What a registry is like, found out without writing to it: clock, referrers API, where credentials come from."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

from promote.errors import Fault
from promote.model.configuration import RegistryOptions
from promote.model.manifest import OCI_INDEX
from promote.model.reference import Repository
from promote.oci.ambient import ambient_credential
from promote.oci.answer import error_code, media_type
from promote.oci.credentials import find_in_files
from promote.oci.patience import Patience
from promote.oci.registry import Registry
from promote.oci.registry_store import RegistryStore
from promote.oci.token import PULL, PUSH

_NOBODY = f"sha256:{'0' * 64}"
_PATIENCE = Patience()


@dataclass(frozen=True, slots=True)
class Probe:
    """What a registry answered.

    `skew` is how far its clock is ahead of this one, as far as a header to the second can tell, None where it sent no
    time.  `referrers` says whether it has the referrers API, None where that could not be seen.
    """

    skew: timedelta | None
    referrers: bool | None


def probe(
    repository: Repository,
    options: RegistryOptions,
    environ: Mapping[str, str],
    *,
    push: bool,
    patience: Patience = _PATIENCE,
) -> Probe:
    """Ask the registry of `repository` whether it may be read, and written to with `push`, and look at its answers.

    Raises `CredentialsFault` when not, `Fault` when there is no telling, `Misuse` for options that cannot be.
    """
    registry = Registry(repository.registry, options, environ, patience)
    try:
        RegistryStore(registry, repository).check_access(push=push)
        before = time.time()
        access = registry.access(repository, PUSH if push else PULL)
        response = registry.ask("GET", f"{registry.origin}/v2/", access)
        return Probe(skew(response.headers.get("Date", ""), before, time.time()), _referrers(registry, repository))
    finally:
        registry.close()


def skew(date: str, before: float, after: float) -> timedelta | None:
    """How far the clock behind the header `date` (RFC 9110, 6.6.1) is ahead, asked between `before` and `after`.

    Zero within what a whole second and the time of the request leave open; None for what is no date.
    """
    try:
        there = parsedate_to_datetime(date)
    except (ValueError, TypeError, OverflowError):
        return None
    there = there if there.tzinfo else there.replace(tzinfo=UTC)
    earliest, latest = (datetime.fromtimestamp(moment, UTC) for moment in (before - 1, after))
    if there > latest:
        return there - latest
    return there - earliest if there < earliest else timedelta(0)


def credential_source(repository: Repository, environ: Mapping[str, str]) -> str | None:
    """Where the credentials for `repository` are found, never what they are; None when there are none.

    Raises as `promote.oci.credentials.find_credential`, whose order it follows.
    """
    if found := find_in_files(repository, environ):
        return _at_home(found[1], environ)
    if ambient_credential(repository.registry, environ) is None:
        return None
    return "GITHUB_TOKEN" if repository.registry == "ghcr.io" else "the cloud's credential helper"


def _at_home(path: Path, environ: Mapping[str, str]) -> str:
    home = environ.get("HOME")
    return f"~/{path.relative_to(home)}" if home and path.is_relative_to(home) else str(path)


def _referrers(registry: Registry, repository: Repository) -> bool | None:
    """Asked for what no image has: the API answers with an empty list (distribution-spec 1.1, "Listing Referrers")."""
    url = f"{registry.origin}/v2/{registry.path(repository)}/referrers/{_NOBODY}"
    try:
        response = registry.ask("GET", url, registry.access(repository, PULL))
    except Fault:
        return None  # that it may be read was asked before, so this is about the API alone
    if response.status_code == 200:
        return media_type(response) in {OCI_INDEX, "application/json"}
    if error_code(response) in {"NAME_UNKNOWN", "MANIFEST_UNKNOWN"} or response.status_code >= 500:
        return None
    return False
