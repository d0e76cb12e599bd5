"""`python -m bench.verify_layout DIRECTORY TAG KEY`: gather and verify what one directory holds, as a process."""

from __future__ import annotations

import sys
from pathlib import Path

from promote.evidence.signers import Conditions
from promote.evidence.verify import verify
from promote.model.policy import KeySigner, LogDemand, LogRule, Trust
from promote.model.reference import LAYOUT, Repository
from promote.oci.graph import gather
from promote.oci.stores import Stores


def main(directory: str, tag: str, key: str) -> None:
    """Print how many attestations by the holder of `key` are valid."""
    trust = Trust((KeySigner(key, Path(key).read_bytes()),))
    with Stores({}, {}) as stores:
        store = stores.open(Repository(f"{LAYOUT}{directory}", "acme/shop"))
        root = store.resolve(tag)
        if root is None:
            sys.exit(f"no {tag}")
        found = verify(gather(store, root), store, trust, Conditions(LogRule(LogDemand.PROMISE)))
    print(len(found.attestations()))


if __name__ == "__main__":
    main(*sys.argv[1:])
