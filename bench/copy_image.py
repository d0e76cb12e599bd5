"""`python -m bench.copy_image SOURCE TARGET TAG`: promote's copy alone, as a process: HOST/PATH to HOST/PATH."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from promote.model.graph import Node
from promote.model.progress import Silent
from promote.model.reference import Repository
from promote.oci.copy import copy_image, survey
from promote.oci.graph import gather
from promote.oci.scouting import AheadBlobs, Scout, access_and_tag
from promote.oci.stores import Stores

JOBS, AT_TARGET, THREADS = 10, 15, 32


def main(source_name: str, target_name: str, tag: str) -> None:
    """Resolve, gather, copy, and read everything back."""
    with Stores({}, os.environ) as stores:
        source, target = (stores.open(Repository(*name.split("/", 1))) for name in (source_name, target_name))
        source.expect(JOBS)
        target.expect(AT_TARGET)
        with ThreadPoolExecutor(THREADS) as pool:
            tagged, resolved = pool.submit(access_and_tag, target, tag), pool.submit(source.resolve, tag)
            scout, blobs = Scout(target, tag, tagged, pool.submit), AheadBlobs(source, pool.submit)
            root = resolved.result()
            if root is None:
                sys.exit(f"no {source_name}:{tag}")
            graph = gather(source, root, jobs=JOBS, met=_both(scout.meet, blobs.meet))
            seen = survey(source, target, graph, tag, jobs=JOBS, asked=scout.asked)
        copied = copy_image(source, target, graph, tag, jobs=JOBS, observer=Silent(), seen=seen, blobs=blobs)
        print(copied.manifests, copied.blobs_copied, copied.bytes)


def _both(*hearers: Callable[[Node], None]) -> Callable[[Node], None]:
    def met(node: Node) -> None:
        for hear in hearers:
            hear(node)

    return met


if __name__ == "__main__":
    main(*sys.argv[1:])
