"""The password in the URL of a remote, kept out of the command lines that git starts its helpers with.

Git hands the whole URL to git-remote-http as an argument, which everybody on the machine can read.  GitLab's runners
leave such a URL in the checkout.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit, urlunsplit

_USERNAME = "PROMOTE_GIT_USERNAME"
_PASSWORD = "PROMOTE_GIT_PASSWORD"  # noqa: S105 - the name of a variable
# A shell's own printf: no argument of a process.  What git would have it store or erase is not its business.
_HELPER = f"""!f() {{ test "$1" = get && printf 'username=%s\\npassword=%s\\n' "${_USERNAME}" "${_PASSWORD}"; }}; f"""


@dataclass(frozen=True, slots=True)
class Hidden:
    """Settings, full key and value in their order, and variables of the environment for git; never to be shown."""

    settings: tuple[tuple[str, str], ...] = ()
    environment: tuple[tuple[str, str], ...] = field(default=(), repr=False)


NOTHING = Hidden()


def hidden(urls: Iterable[str]) -> Hidden:
    """What lets git use `urls`, the first of which that has a password gives it, without a password in an argument.

    Each URL with that password on that host is replaced by one without userinfo (git-config(1), "url.<base>.insteadOf")
    and the password offered to that host alone, when it asks, as git itself would.  A URL that is none, or of another
    scheme than http and https, is left as it is.
    """
    found = [(url, parted) for url in urls if (parted := _parted(url)) is not None]
    if not found:
        return NOTHING
    host, (_, username, password) = _host(found[0][0]), found[0][1]
    if "\n" in username + password or "\0" in username + password:  # a helper answers in lines
        return NOTHING
    same = [(url, parts[0]) for url, parts in found if _host(url) == host and parts[1:] == (username, password)]
    replaced = tuple((f"url.{without}.insteadOf", url) for url, without in dict(same).items())
    # The empty one takes away the helpers before it: git would not have asked them either.
    helpers = ((f"credential.{host}.helper", ""), (f"credential.{host}.helper", _HELPER))
    return Hidden((*replaced, *helpers), ((_USERNAME, username), (_PASSWORD, password)))


def _parted(url: str) -> tuple[str, str, str] | None:
    """`url` without its userinfo, the user name and the password; None where it has no password."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    userinfo, at, host = parts.netloc.rpartition("@")
    username, colon, password = userinfo.partition(":")
    if parts.scheme not in ("http", "https") or not at or not colon or not host:
        return None
    without = urlunsplit((parts.scheme, host, parts.path, parts.query, parts.fragment))
    return without, unquote(username), unquote(password)


def _host(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
