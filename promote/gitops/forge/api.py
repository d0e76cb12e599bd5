"""JSON over HTTP to one API: the token goes there and nowhere else, no redirect is followed, every answer is capped."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

from promote.errors import CredentialsFault, Fault, PromoteError
from promote.gitops.forge.address import Token
from promote.model.malformed import shown

CONNECT, IDLE = 10.0, 60.0
"""Seconds to wait for a connection, and for the next bytes."""
WHOLE = 300.0
"""Seconds for one answer, once it began."""
LARGEST = 32 * 1024 * 1024
"""Bytes of one answer: a hundred requests with the longest bodies."""
_LARGEST_NUMBER = 2**63 - 1
_LINK = re.compile(
    r"https?://(?:[A-Za-z0-9._-]{1,253}|\[[0-9a-f:]{2,45}\])(?::[0-9]{1,5})?/[A-Za-z0-9._~:/?#&=+,;%@!$*-]{0,2000}"
)
_TRIES = 4
_LONGEST_PAUSE = 60.0
_LOOPBACK = re.compile(r"localhost|127(?:\.[0-9]{1,3}){3}|::1")


class Rejected(Fault):
    """The host understood the request and declined it; `status` is HTTP's (405, 409, 422 and the like)."""

    def __init__(self, host: str, status: int, said: str) -> None:
        super().__init__(
            "forge-rejected",
            f"{host} declines with status {status}: {said or 'no reason given'}",
            actual=said or None,
            hint="run the same command again; what is there already is found and kept",
        )
        self.status = status
        self.said = said


class Api:
    """One API below `base`, a URL without a slash at its end.  `headers` go with every request.  Close it."""

    def __init__(
        self, base: str, token: Token, headers: Mapping[str, str], *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.base = base
        self.host = urlsplit(base).netloc
        self._token = token
        self._sleep = sleep
        self._session = requests.Session()
        # The session would take netrc's password for better than the token, and netrc's host may be another's.
        self._session.trust_env = False
        self._session.headers.clear()
        self._session.headers.update(
            {"User-Agent": "promote", "Accept-Encoding": "identity", "Accept": "application/json", **headers}
        )
        self._session.headers["Authorization"] = token.authorization
        bundle = (os.environ.get(name) for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"))
        self._verify: str | bool = next((name for name in bundle if name), True)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def get(self, path: str, query: Mapping[str, str | int] | None = None) -> Any:
        """What is at `path`, asked for again while the host is not there or too busy."""
        for attempt in range(1, _TRIES + 1):
            status, headers, body = self._exchange("GET", self.base + path, query, None)
            if attempt == _TRIES or (pause := _pause(status, headers, attempt)) is None:
                break
            self._sleep(pause)
        return self._judged(status, headers, body)

    def send(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        """Write once; sent again only where the host said that it was too busy to begin (429)."""
        return self._write(method, self.base + path, body)

    def ask(self, url: str, query: str, variables: Mapping[str, Any]) -> Any:
        """One GraphQL operation at `url`, which is on the host of this API; ``{"data": .., "errors": ..}`` as it is."""
        return self._write("POST", url, {"query": query, "variables": variables})

    def unusable(self, what: str) -> Fault:
        """The error for an answer that is not what it should be."""
        return Fault(
            "forge-answer",
            f"{self.host} gives an answer that cannot be used: {what}",
            actual=what,
            hint="check git.forge in promote.yaml, and what stands between here and the host",
        )

    def text(self, answer: Any, *path: str) -> str:
        """The text at `path` in `answer`; raises `Fault`."""
        return str(self._at(answer, path, str))

    def optional(self, answer: Any, *path: str) -> str:
        """As `text`, and ``""`` where nothing or null is at `path`."""
        return "" if within(answer, *path) is None else self.text(answer, *path)

    def number(self, answer: Any, *path: str) -> int:
        """The number at `path` in `answer`, as hosts count things: 1 or more; raises `Fault`."""
        number = int(self._at(answer, path, int))
        if not 1 <= number <= _LARGEST_NUMBER:
            raise self.unusable(f"{'.'.join(path)} is out of range, expected 1 to {_LARGEST_NUMBER}")
        return number

    def items(self, answer: Any) -> list[Any]:
        """`answer`, which must be a list; raises `Fault`."""
        if not isinstance(answer, list):
            raise self.unusable(f"got {type(answer).__name__}, expected a list")
        return answer

    def link(self, answer: Any, *path: str) -> str:
        """The address for people at `path` in `answer`; raises `Fault`.

        It is printed, and put into Markdown and comments: http or https, a host without userinfo before it, and none of
        the characters that end a link there.  Another host than the API's is let pass, as servers behind a proxy have.
        """
        url = self.text(answer, *path)
        if not _LINK.fullmatch(url):
            raise self.unusable(f"{'.'.join(path)} is {shown(url)}, expected a URL")
        return url

    def said_by(self, errors: Any) -> str:
        """What GraphQL's `errors` say, as one printable line without the token."""
        told = [e.get("message") for e in errors if isinstance(e, dict)] if isinstance(errors, list) else []
        return self._safe("; ".join(text for text in told if isinstance(text, str)))

    def _at(self, answer: Any, path: tuple[str, ...], kind: type) -> Any:
        value = within(answer, *path)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self.unusable(f"{'.'.join(path)} is {type(value).__name__}, expected {kind.__name__}")
        return value

    def _write(self, method: str, url: str, body: Mapping[str, Any] | None) -> Any:
        for attempt in range(1, _TRIES + 1):
            status, headers, answer = self._exchange(method, url, None, body)
            pause = _pause(status, headers, attempt) if status in (403, 429) else None
            if attempt == _TRIES or pause is None:
                break
            self._sleep(pause)
        return self._judged(status, headers, answer)

    def _exchange(
        self, method: str, url: str, query: Mapping[str, str | int] | None, body: Mapping[str, Any] | None
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body; status 0 with no body where a GET found nobody."""
        loopback = _LOOPBACK.fullmatch(urlsplit(url).hostname or "")
        try:
            with self._session.request(
                method,
                url,
                params=query,
                json=body,
                timeout=(CONNECT, IDLE),
                allow_redirects=False,
                stream=True,
                verify=self._verify,
                proxies={} if loopback else requests.utils.get_environ_proxies(url),
            ) as response:
                return response.status_code, response.headers, self._body(response)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as problem:
            if method == "GET":
                return 0, {}, self._safe(str(problem)).encode()
            raise self._silent(str(problem)) from None

    def _body(self, response: requests.Response) -> bytes:
        content, end = bytearray(), time.monotonic() + WHOLE
        # Not `iter_content`: it waits for whole blocks, which a host that sends a byte now and then never fills.
        while block := response.raw.read1(64 * 1024, decode_content=True):
            content += block
            if len(content) > LARGEST:
                raise self.unusable(f"more than {LARGEST} bytes")
            if time.monotonic() > end:
                raise TimeoutError(f"the answer was not there in {WHOLE:g} seconds")
        return bytes(content)

    def _judged(self, status: int, headers: Mapping[str, str], body: bytes) -> Any:
        if status == 0:
            raise self._silent(body.decode())
        if 200 <= status < 300:
            try:
                return json.loads(body) if body.strip() else None
            except (ValueError, RecursionError):
                raise self.unusable("it is not JSON") from None
        raise self._error(status, headers, self._said(body))

    def _error(self, status: int, headers: Mapping[str, str], said: str) -> PromoteError:
        if status == 429 or status >= 500 or (status == 403 and _is_limit(headers)):
            return self._silent(f"status {status}: {said}")
        if status in (401, 403, 404):
            return CredentialsFault(
                "forge-credentials",
                f"{self.host} refuses the token, or shows it no such repository (status {status}): {said}",
                expected="a token that may read and write pull requests of this repository",
                actual=f"status {status}: {said}",
                hint="check the token's rights, its expiry, and the remote's URL",
            )
        if 300 <= status < 400:
            return self.unusable(
                f"it redirects (status {status}), and the token goes nowhere else; was the repo moved?"
            )
        return Rejected(self.host, status, said)

    def _silent(self, why: str) -> Fault:
        said = self._safe(why)
        return Fault(
            "forge-transport",
            f"no usable answer from {self.host}: {said}",
            actual=said,
            hint="run the same command again; what is there already is found and kept",
        )

    def _said(self, body: bytes) -> str:
        """What the host says about a failure, as one printable line."""
        try:
            answer = json.loads(body[: 64 * 1024])
            told = answer if isinstance(answer, dict) else {}
            parts = [told.get(key) for key in ("message", "error", "error_description", "errors")]
            # Bitbucket's is an object: {"type": "error", "error": {"message": ..}}.
            parts = [part["message"] if isinstance(part, dict) and "message" in part else part for part in parts]
            said = "; ".join(part if isinstance(part, str) else json.dumps(part) for part in parts if part)
        except (ValueError, RecursionError):  # the latter also of what was read, and is too deep to be written
            return ""
        return self._safe(said)

    def _safe(self, text: str) -> str:
        for secret in (self._token.secret, self._token.authorization):
            text = text.replace(secret, "***")
        return shown(text, 300)


def within(answer: Any, *path: str) -> Any:
    """What is at `path` in `answer`, None where nothing is."""
    for name in path:
        answer = answer.get(name) if isinstance(answer, dict) else None
    return answer


def _is_limit(headers: Mapping[str, str]) -> bool:
    """Whether a 403 is GitHub's way to say "too many": its documentation, "Rate limits for the REST API"."""
    return "Retry-After" in headers or headers.get("X-RateLimit-Remaining") == "0"


def _pause(status: int, headers: Mapping[str, str], attempt: int) -> float | None:
    """Seconds until it is worth asking again; None when it is not."""
    if not (status in (0, 429, 500, 502, 503, 504) or (status == 403 and _is_limit(headers))):
        return None
    told = headers.get("Retry-After", "")
    pause = float(told) if re.fullmatch(r"[0-9]{1,6}", told) else 0.5 * 2**attempt
    return pause if pause <= _LONGEST_PAUSE else None
