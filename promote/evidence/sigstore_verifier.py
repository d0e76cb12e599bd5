"""sigstore-python's verifier on a trusted root.  Importing this module costs what importing sigstore costs."""

from __future__ import annotations

import tempfile

from sigstore.errors import Error
from sigstore.models import TrustedRoot
from sigstore.verify import Verifier

from promote.errors import Misuse
from promote.model.malformed import shown


def verifier_of(root: bytes) -> Verifier:
    """The verifier of a trusted_root.json, which can be given to sigstore-python as a file only; raises `Misuse`."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        file.write(root)
        file.flush()
        try:
            return Verifier(trusted_root=TrustedRoot.from_file(file.name))
        except (Error, ValueError) as problem:
            raise Misuse(
                "bad-trust-root",
                f"sigstore cannot read the trusted root: {shown(str(problem))}",
                hint="`cosign trusted-root create` writes such a file",
            ) from None
