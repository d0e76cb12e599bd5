"""`python -m bench.copy_image SOURCE TARGET TAG`: promote's copy alone, as a process: HOST/PATH to HOST/PATH."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor

from promote.model.progress import Silent
from promote.model.reference import Repository
from promote.oci.copy import copy_image
from promote.oci.graph import gather
from promote.oci.stores import Stores


def main(source_name: str, target_name: str, tag: str) -> None:
    """Resolve, gather, copy, and read everything back."""
    with Stores({}, os.environ) as stores:
        source, target = (stores.open(Repository(*name.split("/", 1))) for name in (source_name, target_name))
        with ThreadPoolExecutor() as pool:
            allowed, resolved = pool.submit(target.check_access, push=True), pool.submit(source.resolve, tag)
        allowed.result()
        root = resolved.result()
        if root is None:
            sys.exit(f"no {source_name}:{tag}")
        copied = copy_image(source, target, gather(source, root), tag, observer=Silent())
        print(copied.manifests, copied.blobs_copied, copied.bytes)


if __name__ == "__main__":
    main(*sys.argv[1:])
