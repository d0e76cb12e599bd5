"""Credentials that the place where promote runs has by itself: a GitHub job's token, a cloud's identity.

A cloud's own credential helper is asked where it is installed, for hosts of that cloud and for no other.  Nobody
configured it, so that one that fails, such as outside of the cloud, is the same as none:
what is public is read without.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping

from promote.errors import CredentialsFault
from promote.oci.credential_helper import IdentityToken, Login, ask_helper

_HELPERS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    # awslabs/amazon-ecr-credential-helper
    (
        re.compile(r"[0-9]{12}\.dkr\.ecr(?:-fips)?\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?|public\.ecr\.aws"),
        ("ecr-login",),
    ),
    # GoogleCloudPlatform/docker-credential-gcr, and the one of the gcloud command
    (re.compile(r"(?:[a-z0-9-]+\.)?gcr\.io|[a-z0-9-]+-docker\.pkg\.dev"), ("gcr", "gcloud")),
    # chrismellard/docker-credential-acr-env
    (re.compile(r"[a-z0-9-]+\.azurecr\.(?:io|cn|us)"), ("acr-env",)),
)


def ambient_credential(host: str, environ: Mapping[str, str]) -> Login | IdentityToken | None:
    """What `environ` has for `host`: ``GITHUB_TOKEN`` for ghcr.io alone, or a cloud's helper; None for nothing."""
    if host == "ghcr.io" and (token := environ.get("GITHUB_TOKEN")):
        return Login(environ.get("GITHUB_ACTOR") or "x-access-token", token)
    for hosts, helpers in _HELPERS:
        if hosts.fullmatch(host):
            for name in helpers:
                if found := _asked(name, host, environ):
                    return found
    return None


def _asked(name: str, host: str, environ: Mapping[str, str]) -> Login | IdentityToken | None:
    if not environ.get("PATH") or not shutil.which(f"docker-credential-{name}", path=environ["PATH"]):
        return None
    try:
        return ask_helper(name, host, environ)
    except CredentialsFault:
        return None
