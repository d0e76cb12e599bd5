"""Who signs promote's verdicts: the `attest` of each environment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from promote.config.schema import AttestKeySection, AttestSigstoreSection, File
from promote.model import strict_json
from promote.model.attestor import AmbientAttestor, Attestor, KeyAttestor
from promote.model.malformed import Malformed

Where = tuple[str | int, ...]
Read = Callable[[Where, str, str], bytes]
"""Reads the file that promote.yaml names somewhere and says what it is to hold; notes a problem where it cannot."""


def attestors(
    file: File, root: Path, trusted_root: bytes | None, read: Read, add: Callable[[Where, str], None]
) -> dict[str, Attestor]:
    """The attestor of each environment that wants one.

    Paths are relative to `root`; `trusted_root` is that of trust.root, None for the public-good one.  Problems go to
    `add`.  A private key is not read here: most commands sign nothing.
    """
    found: dict[str, Attestor] = {}
    for name, environment in file.environments.items():
        where, attest = ("environments", name, "attest"), environment.attest
        if isinstance(attest, AttestKeySection):
            if not (root / attest.key).is_file():
                add((*where, "key"), f"got no file {attest.key}, expected a private key in PEM")
            found[name] = KeyAttestor(attest.key, root / attest.key)
        elif isinstance(attest, AttestSigstoreSection):
            config = _object(attest.signing_config, (*where, "signing_config"), "a signing configuration", read, add)
            own_root = trusted_root
            if attest.trusted_root is not None:
                own_root = _object(attest.trusted_root, (*where, "trusted_root"), "a trusted_root.json", read, add)
            if own_root is None:
                add(where, "has a signing_config and no trusted_root, expected the root that it belongs to")
            found[name] = AmbientAttestor(config, own_root)
        elif attest:
            found[name] = AmbientAttestor()
    return found


def _object(name: str, where: Where, what: str, read: Read, add: Callable[[Where, str], None]) -> bytes:
    content = read(where, name, what)
    try:
        if content:
            strict_json.loads_object(content, what)
    except Malformed as problem:
        add(where, f"{name} is not {what}: {problem}")
    return content
