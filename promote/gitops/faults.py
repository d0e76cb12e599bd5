"""What git said when it failed, turned into one of promote's errors: pure text in, error out, no secret through."""

from __future__ import annotations

import re
from collections.abc import Sequence

from promote.errors import CredentialsFault, Fault, Misuse, PromoteError
from promote.model.malformed import shown

# Up to the last "@" of the word: a password may itself hold "@", "/" or a quote where nobody encoded it.
_USERINFO = re.compile(r"(?<=://)\S*@")
_QUERY = re.compile(r"(://[^\s?'\"]*)\?[^\s'\"]*")
_AUTHORIZATION = re.compile(r"(?i)(authorization:\s*).*")
_HOST = re.compile(r"[a-z][a-z0-9+.-]*://([^/\s]+)", re.IGNORECASE)
_SCP_LIKE = re.compile(r"(?:[^@/\s]+@)?([^:/\s]+):(?!/?/)")

_REFUSED = re.compile(
    r"Authentication failed|could not read (?:Username|Password)|terminal prompts disabled|Permission denied \(|"
    r"requested URL returned error: 40[13]\b|\bHTTP (?:code = )?40[13]\b|HTTP Basic: Access denied|"
    r"Permission to \S+ denied|key you are authenticating with has been marked as read only|"
    r"Permission denied, please try again",
    re.IGNORECASE,
)
_LOCKED = re.compile(
    r"unable to create '?[^']*\.lock|cannot lock ref|could not lock|unable to lock|shallow file has changed|"
    r"Another git process seems to be running",
    re.IGNORECASE,
)
# What GitHub says of two Authorization headers.
_NOT_TAKEN = re.compile(r"requested URL returned error: 400\b|\bHTTP (?:code = )?400\b")
_PROTOCOL = re.compile(r"transport '[^']*' not allowed")


def redacted(text: str) -> str:
    """`text` without the userinfo and the query of any URL in it, and without any Authorization value."""
    return _AUTHORIZATION.sub(r"\1***", _QUERY.sub(r"\1?***", _USERINFO.sub("***@", text)))


def one_line(stderr: str, limit: int = 300) -> str:
    """What git wrote to stderr, as one printable line of at most `limit` characters, redacted, its hints left out."""
    lines = (line.strip() for line in re.split(r"[\r\n]+", redacted(stderr)))
    return shown("; ".join(line for line in lines if line and not line.startswith("hint:")), limit)


def host_of(url: str) -> str:
    """Who serves `url`: ``host[:port]`` without userinfo, or the path itself for a local repository."""
    if match := _HOST.match(url):
        return shown(match[1].rpartition("@")[2])
    if match := _SCP_LIKE.match(url):
        return shown(match[1])
    return shown(redacted(url))


def is_here(url: str) -> bool:
    """Whether `url` is a directory or a bundle of this machine, so that git runs what serves it."""
    return url.lower().startswith("file://") or not (_HOST.match(url) or _SCP_LIKE.match(url))


def is_lock_failure(stderr: str) -> bool:
    """Whether another git process held a lock: the same command is worth trying again."""
    return bool(_LOCKED.search(stderr))


def transport_error(what: str, host: str, stderr: str, authorizations: Sequence[str] = ()) -> PromoteError:
    """Why talking to `host` failed: `CredentialsFault`, `Misuse` for a forbidden protocol, else `Fault`.

    `what` completes "could not ...", for example ``fetch main``.  `authorizations` are the settings that give git an
    Authorization header to send, see `Settings`.
    """
    said = one_line(stderr)
    if authorizations and (_REFUSED.search(stderr) or _NOT_TAKEN.search(stderr)):
        return _header_refused(what, host, said, authorizations)
    if _REFUSED.search(stderr):
        return CredentialsFault(
            "git-credentials",
            f"could not {what}: {host} wants credentials that are missing, or refused those it was given: {said}",
            expected="credentials that may read and push",
            actual=said,
            hint=f"try `git ls-remote` and `git push --dry-run` by hand; {host} must accept git's own credentials",
        )
    if _PROTOCOL.search(stderr):
        return Misuse(
            "git-protocol",
            f"could not {what}: {said}",
            expected="a remote over https, http, ssh or a local path",
            actual=said,
            hint="change the URL of the remote with `git remote set-url`",
        )
    hint = "nothing is half done; check the network and the remote's URL, then run the same command again"
    if "git-http-push failed" in stderr:
        hint = f"{host} serves plain files, which takes no push: name a URL that does with `git remote set-url --push`"
    return Fault(
        "git-transport",
        f"could not {what}: no usable answer from {host}: {said or 'git gave no reason'}",
        actual=said or None,
        hint=hint,
    )


def _header_refused(what: str, host: str, said: str, authorizations: Sequence[str]) -> CredentialsFault:
    """Git asks no helper while its configuration gives it a header, and sends all the headers that it is given."""
    keys = shown(" and ".join(authorizations), 300)
    number = "the Authorization header" if len(authorizations) == 1 else f"{len(authorizations)} Authorization headers"
    return CredentialsFault(
        "git-credentials",
        f"could not {what}: {host} refused {number} that git's configuration gives by {keys}: {said}",
        expected="one Authorization header, of somebody who may read and push",
        actual=said,
        hint="`git config --show-origin --name-only --get-regexp extraheader` finds them: leave one that may push; "
        "actions/checkout leaves its own, but with `persist-credentials: false`",
    )


def local_error(what: str, stderr: str) -> Fault:
    """Why a git command that talks to nobody failed.  `what` completes "could not ..."."""
    said = one_line(stderr)
    return Fault(
        "git-failed",
        f"could not {what}: {said or 'git gave no reason'}",
        actual=said or None,
        hint="try `git fsck` in the repository, then run the same command again",
    )
