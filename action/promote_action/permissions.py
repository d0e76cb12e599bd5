"""What the workflow lacks when credentials were missing or refused, as the YAML to add.

A token of a job may do what `permissions` says and no more, and what is not named there it may not do at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_PUSH = """\
The token of this job may not push. Add to the job:

    permissions:
      contents: write

A protected branch needs the token of an app that may push to it, as github-token, or pull-request: true. Where the
checkout kept credentials of its own (persist-credentials), git used those and not the action's."""
_REQUEST = """\
The token of this job may not open pull requests. Add to the job:

    permissions:
      contents: write
      pull-requests: write

or give the action a token of an app as github-token; "Allow GitHub Actions to create and approve pull requests" must be
on in the repository's settings where the job's own token is used."""
_PACKAGES = """\
The token of this job may not read or write these packages. Add to the job:

    permissions:
      packages: write

and give this repository write access in the settings of the package; images of another organisation need a token of
their own, by docker login."""
_READING = """\
The token of this job may not read these packages. Add to the job:

    permissions:
      packages: read

and give this repository read access in the settings of the package; images of another organisation need a token of
their own, by docker login."""
_REGISTRY = """\
The registry wants credentials that the job does not have. Add before promote a step such as:

    - run: docker login --username "$USERNAME" --password-stdin registry.example <<< "$PASSWORD"
      env:
        USERNAME: ${{ vars.REGISTRY_USERNAME }}
        PASSWORD: ${{ secrets.REGISTRY_PASSWORD }}"""
_IDENTITY = """\
promote.yaml says attest: true, and the job may not ask for an OIDC token. Add to the job:

    permissions:
      id-token: write

A workflow that another one calls needs it in both; pull requests from forks never have it."""

READERS = ("verify", "status")
"""The verbs that write nothing anywhere: whoever runs them needs no more than to read."""

_BY_CODE = {
    "git-credentials": _PUSH,
    "forge-credentials": _REQUEST,
    "forge-token-missing": _REQUEST,
    "identity-missing": _IDENTITY,
}


def advice(result: Mapping[str, Any]) -> str | None:
    """What to add to the workflow after the error of `result`; None when credentials are not what was wrong."""
    error = result.get("error") or {}
    if found := _BY_CODE.get(error.get("code", "")):
        return found
    if error.get("code") in ("credentials-missing", "credentials-refused"):
        if "ghcr.io" not in str(error.get("message")):
            return _REGISTRY
        return _READING if result.get("command") in READERS else _PACKAGES
    return None
