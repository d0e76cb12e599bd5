"""Which host a remote's URL leads to, where its API is, and the token that may be sent there."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from promote.errors import CredentialsFault, Misuse
from promote.model.malformed import shown

KINDS = ("github", "gitlab", "gitea", "forgejo", "bitbucket")
_KNOWN = {
    "github.com": "github",
    "gitlab.com": "gitlab",
    "bitbucket.org": "bitbucket",
    "gitea.com": "gitea",
    "codeberg.org": "forgejo",
}
_SCP_LIKE = re.compile(r"(?:[^@/\s]+@)?([^:/\s@]+):(?!//)(.+)")
_LOOPBACK = re.compile(r"(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]+)?")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?|\[[0-9a-f:]+\](?::[0-9]{1,5})?")
_SEGMENT = re.compile(r"[A-Za-z0-9_.~-]+")


@dataclass(frozen=True, slots=True)
class Address:
    """One repository on one host.

    `kind` is one of `KINDS`, `host` ``host[:port]``, `api` and `graphql` (GitHub's alone) URLs without a slash at the
    end, `path` the repository's path there, such as ``acme/deploy``.
    """

    kind: str
    host: str
    api: str
    path: str
    graphql: str = ""


@dataclass(frozen=True, slots=True)
class Token:
    """What proves who asks: the value of an Authorization header, and the secret in it, to be kept out of errors."""

    authorization: str = field(repr=False)
    secret: str = field(repr=False)


def address(remote_url: str, kind: str | None, environ: Mapping[str, str]) -> Address:
    """Where the repository at `remote_url` (without userinfo) has its API.

    `kind` None: told by the host's name, or by the variables of the CI system that runs there.  The API is always on
    the remote's own host, or where that host's CI says (``GITHUB_API_URL``), and spoken to over TLS unless the remote
    is plain HTTP on this machine.  Raises `Misuse` where the URL leads to no such host or nobody can tell which it is.
    """
    scheme, host, path = _parsed(remote_url)
    kind = kind or _KNOWN.get(host) or _of_ci(host, environ)
    if kind is None:
        raise Misuse(
            "forge-unknown",
            f"cannot tell what kind of host {shown(host)} is, expected one of {', '.join(KINDS)}",
            expected=", ".join(KINDS),
            actual=shown(host),
            hint="say it in promote.yaml, for example `git: {forge: gitea}`",
        )
    nested = kind == "gitlab"
    if len(path) < 2 or (len(path) > 2 and not nested) or not all(map(_SEGMENT.fullmatch, path)):
        raise _unusable(remote_url)
    origin = f"{'http' if scheme == 'http' and _LOOPBACK.fullmatch(host) else 'https'}://{host}"
    api, graphql = _api(kind, host, origin, environ)
    return Address(kind, host, api, "/".join(path), graphql)


def token(where: Address, environ: Mapping[str, str]) -> Token:
    """The token for `where`, from the variables that its own tools read; raises `CredentialsFault`."""
    names = _token_names(where, environ)
    secret = next((environ[name].strip() for name in names if environ.get(name, "").strip()), None)
    if where.kind == "gitlab" and _is_of_a_job(secret, environ):
        raise _of_a_job(where, names[0])
    if secret is None or not (secret.isascii() and secret.isprintable() and " " not in secret):
        raise CredentialsFault(
            "forge-token-missing",
            f"got no usable token for {where.host}, expected one in {' or '.join(names)}",
            expected=f"a token in {' or '.join(names)}",
            hint=f"set {names[0]} to a token that may write contents and pull requests of {where.path}",
        )
    if where.kind in ("gitea", "forgejo"):
        return Token(f"token {secret}", secret)
    mail = environ.get("BITBUCKET_EMAIL", "").strip()
    if where.kind == "bitbucket" and mail:
        # An API token of a person goes with the e-mail address; an access token of a repository goes alone.
        encoded = base64.b64encode(f"{mail}:{secret}".encode()).decode("ascii")
        return Token(f"Basic {encoded}", secret)
    return Token(f"Bearer {secret}", secret)


def _is_of_a_job(secret: str | None, environ: Mapping[str, str]) -> bool:
    """Whether all that a job of GitLab's CI was given is its own token; the prefix is GitLab's for such tokens."""
    own = environ.get("CI_JOB_TOKEN", "").strip()
    return bool(own) if secret is None else secret == own or secret.startswith("glcbt-")


def _of_a_job(where: Address, name: str) -> CredentialsFault:
    # GitLab's documentation, "CI/CD job token", "Job token access": of merge requests it may read, and that is all.
    return CredentialsFault(
        "forge-token-missing",
        f"got the token of the CI job for {where.host}, which may not open merge requests, expected one in {name}",
        expected=f"a token in {name} with scope api",
        actual="CI_JOB_TOKEN",
        hint=f"set {name} to a project access token of {where.path} with scope api and role Developer or above",
    )


def _parsed(remote_url: str) -> tuple[str, str, list[str]]:
    """Scheme, ``host[:port]`` of the web server, and the segments of the path."""
    try:
        parts = urlsplit(remote_url)
        scheme, host, port, path = parts.scheme, parts.hostname or "", parts.port, parts.path
    except ValueError:
        raise _unusable(remote_url) from None
    if "://" not in remote_url:
        match = _SCP_LIKE.fullmatch(remote_url)
        if match is None:
            raise _unusable(remote_url)
        scheme, host, port, path = "ssh", match[1].lower(), None, match[2]
    if ":" in host:
        host = f"[{host}]"
    if port is not None and scheme in ("https", "http"):  # ssh's port says nothing about the web server's
        host = f"{host}:{port}"
    if scheme not in ("https", "http", "ssh") or not _HOST.fullmatch(host):
        raise _unusable(remote_url)
    return scheme, host, path.strip("/").removesuffix(".git").split("/")


def _unusable(remote_url: str) -> Misuse:
    return Misuse(
        "forge-unknown",
        f"got the remote {shown(remote_url)}, expected a repository on a host that takes pull requests",
        expected="https://HOST/OWNER/REPOSITORY or git@HOST:OWNER/REPOSITORY",
        actual=shown(remote_url),
        hint="set git.delivery to push, or the remote's URL with `git remote set-url`",
    )


def _of_ci(host: str, environ: Mapping[str, str]) -> str | None:
    """What the CI system that runs this says about its own host."""
    if host == _host_in(environ, "CI_SERVER_URL"):
        return "gitlab"
    if host == _host_in(environ, "GITHUB_SERVER_URL"):
        return "gitea" if _is_gitea(environ) else "github"
    return "github" if host.endswith(".ghe.com") else None


def _is_gitea(environ: Mapping[str, str]) -> bool:
    # The runners of Gitea and Forgejo set GitHub's variables too, and these.
    return "true" in (environ.get("GITEA_ACTIONS"), environ.get("FORGEJO_ACTIONS"))


def _host_in(environ: Mapping[str, str], name: str) -> str | None:
    try:
        return urlsplit(environ.get(name, "")).netloc.lower().rpartition("@")[2] or None
    except ValueError:
        return None


def _api(kind: str, host: str, origin: str, environ: Mapping[str, str]) -> tuple[str, str]:
    if kind == "github":
        return _github_api(host, origin, environ)
    if kind == "gitlab":
        own = environ.get("CI_API_V4_URL") if host == _host_in(environ, "CI_SERVER_URL") else None
        return _safe(own) or f"{origin}/api/v4", ""
    if kind in ("gitea", "forgejo"):
        return f"{origin}/api/v1", ""
    if host == "bitbucket.org":
        return "https://api.bitbucket.org/2.0", ""
    if _LOOPBACK.fullmatch(host):
        return f"{origin}/2.0", ""
    raise Misuse(
        "forge-unknown",
        f"got {host} with forge bitbucket, expected bitbucket.org: Bitbucket Data Center has another API",
        expected="bitbucket.org",
        actual=host,
        hint="set git.delivery to push",
    )


def _github_api(host: str, origin: str, environ: Mapping[str, str]) -> tuple[str, str]:
    if host == "github.com":
        return "https://api.github.com", "https://api.github.com/graphql"
    if host == _host_in(environ, "GITHUB_SERVER_URL") and not _is_gitea(environ):
        api, graphql = _safe(environ.get("GITHUB_API_URL")), _safe(environ.get("GITHUB_GRAPHQL_URL"))
    else:
        api = graphql = None
    if host.endswith(".ghe.com"):
        return api or f"https://api.{host}", graphql or f"https://api.{host}/graphql"
    return api or f"{origin}/api/v3", graphql or f"{origin}/api/graphql"


def _safe(url: str | None) -> str | None:
    """`url` without a slash at its end, None unless a token may go there: over TLS, or to this machine."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    plain = parts.scheme == "http" and _LOOPBACK.fullmatch(parts.netloc)
    usable = (parts.scheme == "https" or plain) and _HOST.fullmatch(parts.netloc.lower()) and not parts.query
    return url.rstrip("/") if usable else None


def _token_names(where: Address, environ: Mapping[str, str]) -> tuple[str, ...]:
    if where.kind == "github":
        own = where.host == "github.com" or where.host.endswith(".ghe.com")
        if own or where.host == _host_in(environ, "GITHUB_SERVER_URL"):
            return "GH_TOKEN", "GITHUB_TOKEN"
        return "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"  # github.com's token is not for every server
    return {
        "gitlab": ("GITLAB_TOKEN",),
        "gitea": ("GITEA_TOKEN", "FORGEJO_TOKEN"),
        "forgejo": ("FORGEJO_TOKEN", "GITEA_TOKEN"),
        "bitbucket": ("BITBUCKET_TOKEN",),
    }[where.kind]
