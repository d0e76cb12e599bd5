"""What git said when it failed, turned into one of promote's errors: pure text in, error out, no secret through."""

from __future__ import annotations

import re

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


def is_lock_failure(stderr: str) -> bool:
    """Whether another git process held a lock: the same command is worth trying again."""
    return bool(_LOCKED.search(stderr))


def transport_error(what: str, host: str, stderr: str) -> PromoteError:
    """Why talking to `host` failed: `CredentialsFault`, `Misuse` for a forbidden protocol, else `Fault`.

    `what` completes "could not ...", for example ``fetch main``.
    """
    said = one_line(stderr)
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
    return Fault(
        "git-transport",
        f"could not {what}: no usable answer from {host}: {said or 'git gave no reason'}",
        actual=said or None,
        hint="nothing is half done; check the network and the remote's URL, then run the same command again",
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
