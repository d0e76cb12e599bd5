"""The host that a remote's URL leads to, ready to be asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from promote.gitops.forge import bitbucket, gitea, github, gitlab
from promote.gitops.forge.address import Address, Token, address, token
from promote.gitops.forge.api import Api
from promote.gitops.forge.forge import Forge

_HOSTS: Mapping[str, tuple[Callable[[Address, Api], Forge], Callable[[Address, Token], Api]]] = {
    "github": (github.GitHub, github.api),
    "gitlab": (gitlab.GitLab, gitlab.api),
    "gitea": (gitea.Gitea, gitea.api),
    "forgejo": (gitea.Gitea, gitea.api),
    "bitbucket": (bitbucket.Bitbucket, bitbucket.api),
}


@contextmanager
def connected(remote_url: str, kind: str | None, environ: Mapping[str, str]) -> Iterator[Forge]:
    """The repository at `remote_url` on its host, with the token that `environ` has for it; closed after the block.

    Nothing is asked yet.  `kind` as in `address`.  Raises `Misuse` and `CredentialsFault` as `address` and `token` do.
    """
    where = address(remote_url, kind, environ)
    forge, api = _HOSTS[where.kind]
    client = api(where, token(where, environ))
    try:
        yield forge(where, client)
    finally:
        client.close()
