"""A layer larger than memory, in a process of its own whose memory is its own."""

from __future__ import annotations

import subprocess
import sys

import pytest
from support.image_builder import CONFIG, describe, manifest_of, put
from support.registry_server import BLOCK, RegistryServer, Repeated

from promote.model.digest import Digest
from promote.model.manifest import Descriptor
from promote.model.reference import Repository
from promote.oci.stores import Stores

GIB = 1024 * 1024 * 1024
COPY = """
import re, sys
from pathlib import Path
from promote.model.progress import Silent
from promote.model.reference import Repository
from promote.oci.copy import copy_image
from promote.oci.graph import gather
from promote.oci.stores import Stores
with Stores({}, {}) as stores:
    source, target = (stores.open(Repository(host, 'acme/web')) for host in sys.argv[1:3])
    copied = copy_image(source, target, gather(source, source.resolve('v1')), 'v1', observer=Silent())
# Not of getrusage, which remembers the process that this one was forked from.
peak = re.search(r'VmHWM:\\s+(\\d+) kB', Path('/proc/self/status').read_text())[1]
print(copied.blobs_copied, copied.bytes, peak)
"""


@pytest.mark.exhaustive
@pytest.mark.alone
def test_six_gibibytes_are_copied_in_less_than_150_mebibytes() -> None:
    size = 6 * GIB
    layer = Repeated(bytes(range(256)) * 4096, size)
    digest = Digest.parse(layer.digest)
    with RegistryServer() as source, RegistryServer(forget_above=BLOCK) as target, Stores({}, {}) as stores:
        staging = stores.open(Repository(source.address, "acme/web"))
        config = put(staging, b"{}", CONFIG)
        source.repository("acme/web").blobs[str(digest)] = layer
        staging.put_tag("v1", manifest_of([Descriptor(describe(b"").media_type, digest, size)], config=config))
        command = [sys.executable, "-c", COPY, source.address, target.address]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
        blobs, sent, peak = map(int, run.stdout.split())
        assert (blobs, sent) == (2, size + 2)
        assert peak < 150 * 1024
        kept = target.repository("acme/web").blobs[str(digest)]
        assert isinstance(kept, Repeated)
        assert kept.size == size
        assert target.count("PUT", str(digest)) == 1
        assert "v1" in target.repository("acme/web").tags
