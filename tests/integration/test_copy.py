"""The copy, on evidence that real cosign made, between directories and registries of both kinds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from support.image_builder import CONFIG, SIGNATURE, describe, index_of, manifest_of, put, put_image, put_index
from support.registry_server import RegistryServer, Repeated, load_layout

from promote.errors import Fault, Refusal
from promote.model.digest import Digest
from promote.model.graph import Graph
from promote.model.manifest import RawManifest
from promote.model.progress import Silent
from promote.model.reference import Repository
from promote.oci.copy import Copied, copy_image
from promote.oci.graph import gather
from promote.oci.layout import LayoutStore
from promote.oci.store import Store
from promote.oci.stores import Stores

FIXTURES = Path(__file__).parents[1] / "fixtures" / "cosign"
TAG = "sha-0123456789abcdef0123456789abcdef01234567"
CASES = ("v3-keyless", "v3-keyless-index", "v3-keyless-fallback", "v2-keyless", "v2-key-referrers")
PLACES = ("layout", "api", "fallback")


class World:
    """Stores of three kinds, and the registries behind two of them."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self.directory = directory
        self.stores = stack.enter_context(Stores({}, {}))
        self._stack = stack
        self.servers: dict[str, RegistryServer] = {}

    def server(self, side: str, place: str) -> RegistryServer:
        key = f"{side}-{place}"
        if key not in self.servers:
            self.servers[key] = self._stack.enter_context(RegistryServer(referrers=place == "api"))
        return self.servers[key]

    def source(self, place: str, case: str) -> Store:
        if place == "layout":
            return self.stores.open(Repository(f"oci:{FIXTURES / case}", "layout"))
        server = self.server("source", place)
        load_layout(FIXTURES / case / "layout", server, "acme/web")
        return self.stores.open(Repository(server.address, "acme/web"))

    def target(self, place: str) -> Store:
        if place == "layout":
            return self.stores.open(Repository(f"oci:{self.directory}/prod", "acme/web"))
        return self.stores.open(Repository(self.server("target", place).address, "acme/web"))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(tmp_path, stack)


@pytest.fixture
def layouts(tmp_path: Path) -> tuple[LayoutStore, LayoutStore]:
    return tuple(LayoutStore(Repository(f"oci:{tmp_path}/{name}", "acme/web")) for name in ("staging", "prod"))


class Told:
    """An observer that remembers, and raises at step `fail_at` and at every one after it."""

    def __init__(self, fail_at: int | None = None) -> None:
        self.steps: list[tuple[str, str]] = []
        self._fail_at = fail_at
        self._lock = threading.Lock()

    def step(self, step: str, subject: str) -> None:
        with self._lock:
            if self._fail_at is not None and len(self.steps) >= self._fail_at:
                raise KilledError
            self.steps.append((step, subject))


class KilledError(BaseException):
    """What an observer raises in place of a kill."""


class CountedStore(LayoutStore):
    """A layout that counts what is written, and says what it could not keep."""

    def __init__(self, repository: Repository) -> None:
        super().__init__(repository)
        self.wrote: Counter[str] = Counter()

    def put_blob(self, blob, content):
        super().put_blob(blob, content)
        self.wrote[str(blob.digest)] += 1

    def put_manifest(self, manifest):
        self.wrote["manifest"] += 1
        super().put_manifest(manifest)

    def put_tag(self, tag, manifest):
        self.wrote["tag"] += 1
        super().put_tag(tag, manifest)


def graph_of(store: Store, tag: str = TAG) -> Graph:
    root = store.resolve(tag)
    assert root is not None
    return gather(store, root)


def copy(source: Store, target: Store, tag: str = TAG, **more) -> Copied:
    return copy_image(source, target, graph_of(source, tag), tag, **{"observer": Silent(), **more})


def contents(graph: Graph) -> dict[Digest, tuple[bytes, str]]:
    return {n.digest: (n.manifest.content, n.manifest.media_type) for n in graph.nodes}


@contextmanager
def damaged(store: LayoutStore, directory: Path, digest: Digest, content: bytes | None) -> Iterator[None]:
    path = directory / "acme/web/blobs" / digest.algorithm / digest.hex
    before = path.read_bytes()
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    yield
    path.write_bytes(before)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("to", PLACES)
@pytest.mark.parametrize("origin", PLACES)
def test_everything_arrives_byte_for_byte_and_a_second_run_sends_nothing(world, origin, to, case):
    source, target = world.source(origin, case), world.target(to)
    graph = graph_of(source)
    first = copy_image(source, target, graph, TAG, observer=Silent())
    found = gather(target, target.resolve(TAG))
    assert contents(found) == contents(graph) == contents(first.arrived)
    assert {(n.digest, n.relation, n.parent, n.tag) for n in found.nodes} == {
        (n.digest, n.relation, n.parent, n.tag) for n in graph.nodes
    }
    blobs = list(graph.blobs())
    assert (first.manifests, first.manifests_sent) == (len(graph.digests), len(graph.digests))
    assert (first.blobs_copied, first.blobs_mounted, first.blobs_present) == (len(blobs), 0, 0)
    assert first.bytes == sum(blob.size for blob in blobs)

    for server in world.servers.values():
        server.forget_requests()
    second = copy_image(source, target, graph, TAG, observer=(told := Told()))
    assert told.steps == []
    assert (second.manifests_sent, second.blobs_copied, second.bytes) == (0, 0, 0)
    assert (second.manifests, second.blobs_present) == (len(graph.digests), len(blobs))
    assert contents(second.arrived) == contents(graph)
    for server in world.servers.values():
        assert {request.method for request in server.requests} <= {"GET", "HEAD"}
        assert len(server.requests) <= len(graph.digests) + len(blobs) + 6
        asked = Counter((request.method, request.target) for request in server.requests)
        assert set(asked.values()) <= {1}


def test_acts_are_ordered_blobs_images_evidence_tags_and_the_tag_last(world):
    source, target = world.source("layout", "v2-key-referrers"), world.target("api")
    graph = graph_of(source)
    copy_image(source, target, graph, TAG, jobs=1, observer=(told := Told()))
    words = [step for step, _ in told.steps]
    assert words == ["blob"] * 8 + ["manifest"] * 2 + ["evidence-tag", "tag"]
    sizes = {str(blob.digest): blob.size for blob in graph.blobs()}
    sent = [sizes[subject] for step, subject in told.steps if step == "blob"]
    assert sent == sorted(sent, reverse=True)
    assert told.steps[8] == ("manifest", str(graph.root.digest))
    assert told.steps[-1] == ("tag", f"{target.repository}:{TAG}")


def test_an_index_goes_after_its_children_and_nested_evidence_after_its_subject(layouts):
    source, target = layouts
    amd, arm = put_image(source, b"amd64"), put_image(source, b"arm64")
    root = put_index(source, amd, arm, tag="v1")
    sbom = put_image(source, b"sbom", subject=amd)
    of_sbom = put_image(source, b"note", subject=sbom)
    tagged = put_image(source, b"sbom 2", tag=root.digest.tag + ".sbom")
    of_tagged = put_image(source, b"note 2", subject=tagged)
    told = Told()
    copied = copy(source, target, "v1", observer=told)
    order = [subject for step, subject in told.steps if step == "manifest"]

    def at(manifest: RawManifest) -> int:
        return order.index(str(manifest.digest))

    assert max(at(amd), at(arm)) < at(root) < min(at(sbom), at(tagged))
    assert at(sbom) < at(of_sbom)
    assert at(tagged) < at(of_tagged)
    assert copied.manifests_sent == 7
    assert gather(target, target.resolve("v1")).digests == graph_of(source, "v1").digests


@pytest.mark.parametrize("to", PLACES)
@pytest.mark.parametrize("case", [pytest.param("v3-keyless-index", marks=pytest.mark.exhaustive), "v2-key-referrers"])
def test_stopped_before_any_act_it_has_no_tag_and_the_next_run_finishes(world, to, case):
    source = world.source("layout", case)
    graph = graph_of(source)
    copy_image(source, world.target(to), graph, TAG, jobs=1, observer=(whole := Told()))
    for at in range(len(whole.steps)):
        target = (
            CountedStore(Repository(f"oci:{world.directory}/{at}", "acme/web"))
            if to == "layout"
            else world.stores.open(Repository(world.server("target", to).address, f"acme/web-{at}"))
        )
        with pytest.raises(KilledError):
            copy_image(source, target, graph, TAG, jobs=1, observer=Told(at))
        assert target.resolve(TAG) is None
        copy_image(source, target, graph, TAG, jobs=4, observer=Silent())
        assert contents(gather(target, target.resolve(TAG))) == contents(graph)
        if to == "layout":
            assert {target.wrote[str(blob.digest)] for blob in graph.blobs()} == {1}
        else:
            puts = world.servers[f"target-{to}"].count("PUT", f"acme/web-{at}/blobs/uploads/")
            assert puts == len(list(graph.blobs()))


@pytest.mark.parametrize("origin", PLACES)
@pytest.mark.parametrize("to", PLACES)
@pytest.mark.parametrize(
    "damage", [lambda b: b[:-1], lambda b: b[:-1] + bytes([b[-1] ^ 1]), lambda b: b + b"~", lambda b: b""]
)
def test_damaged_content_at_the_source_never_arrives_and_neither_does_the_tag(world, origin, to, damage):
    content = os.urandom(700_000)
    if origin == "layout":
        source = LayoutStore(Repository(f"oci:{world.directory}/staging", "acme/web"))
        root = put_image(source, content, tag="v1")
        path = world.directory / "staging/acme/web/blobs/sha256" / Digest.of(content).hex
        path.write_bytes(damage(content))
    else:
        server = world.server("source", origin)
        source = world.stores.open(Repository(server.address, "acme/web"))
        root = put_image(source, content, tag="v1")
        server.repository("acme/web").blobs[str(Digest.of(content))] = damage(content)
    target = world.target(to)
    with pytest.raises(Fault) as caught:
        copy(source, target, "v1")
    assert caught.value.exit_code == 3
    assert not target.has_blob(Digest.of(content))
    assert target.resolve("v1") is None
    assert target.manifest(root.digest) is None


def test_the_first_error_is_raised_and_the_rest_is_given_up(layouts, tmp_path):
    source, target = layouts
    put_image(source, *(str(n).encode() * 1000 for n in range(40)), tag="v1")
    graph = graph_of(source, "v1")
    largest = max(graph.blobs(), key=lambda blob: blob.size)
    told = Told()
    with damaged(source, tmp_path / "staging", largest.digest, b"short"), pytest.raises(Fault) as caught:
        copy_image(source, target, graph, "v1", jobs=1, observer=told)
    assert caught.value.code == "content-mismatch"
    assert len(told.steps) == 1


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("case", CASES)
def test_within_one_registry_no_blob_byte_moves(world, place, case):
    if place == "layout":
        staging = LayoutStore(Repository(f"oci:{world.directory}/all", "acme/staging"))
        copy(world.source("layout", case), staging)
        prod = LayoutStore(Repository(f"oci:{world.directory}/all", "acme/prod"))
    else:
        server = world.server("source", place)
        staging = world.source(place, case)
        prod = world.stores.open(Repository(server.address, "acme/prod"))
        server.forget_requests()
    graph = graph_of(staging)
    copied = copy_image(staging, prod, graph, TAG, observer=Silent())
    assert (copied.blobs_mounted, copied.blobs_copied, copied.bytes) == (len(list(graph.blobs())), 0, 0)
    assert contents(gather(prod, prod.resolve(TAG))) == contents(graph)
    if place != "layout":
        assert server.count("PUT", "/blobs/") == 0
        evidence = {str(blob.digest) for node in graph.evidence for blob in node.manifest.parsed.layers}
        read = {r.target.rpartition("/")[2] for r in server.requests if r.method == "GET" and "/blobs/" in r.target}
        assert read == evidence  # from the target, to be verified there


def test_a_registry_that_will_not_mount_is_sent_the_bytes(world):
    source = world.source("api", "v3-keyless")
    server = world.server("source", "api")
    server.mount = False
    prod = world.stores.open(Repository(server.address, "acme/prod"))
    copied = copy(source, prod)
    assert (copied.blobs_mounted, copied.blobs_copied) == (0, 9)
    assert contents(graph_of(prod)) == contents(graph_of(source))


def test_from_a_repository_to_itself_nothing_is_sent(layouts):
    source, _ = layouts
    put_image(source, b"layer", tag="v1")
    copied = copy_image(source, source, graph_of(source, "v1"), "v1", observer=(told := Told()))
    assert told.steps == []
    assert copied.manifests_sent == 0


@pytest.mark.parametrize("to", ["api", "fallback"])
def test_a_target_with_holes_under_its_tag_is_repaired(world, to):
    source, target = world.source("layout", "v3-keyless-index"), world.target(to)
    graph = graph_of(source)
    copy_image(source, target, graph, TAG, observer=Silent())
    repository = world.server("target", to).repository("acme/web")
    child = graph.root.manifest.parsed.children[0].digest
    layer = next(iter(graph.blobs())).digest
    del repository.manifests[str(child)], repository.blobs[str(layer)]
    again = copy_image(source, target, graph, TAG, observer=(told := Told()))
    assert told.steps == [("blob", str(layer)), ("manifest", str(child))]
    assert (again.blobs_copied, again.manifests_sent) == (1, 1)


def test_a_referrer_that_is_there_and_not_listed_is_put_again(world):
    source, target = world.source("layout", "v3-keyless"), world.target("fallback")
    graph = graph_of(source)
    copy_image(source, target, graph, TAG, observer=Silent())
    del world.server("target", "fallback").repository("acme/web").tags[graph.root.digest.tag]
    again = copy_image(source, target, graph, TAG, observer=Silent())
    assert (again.manifests_sent, again.blobs_copied) == (4, 0)
    assert gather(target, target.resolve(TAG)).digests == graph.digests


def test_a_registry_that_says_yes_and_keeps_nothing_is_found_out(layouts):
    source, target = layouts
    root = put_image(source, b"layer", tag="v1")
    put_image(source, b"signature", subject=root)

    class Forgetful(LayoutStore):
        def put_manifest(self, manifest):
            if manifest.parsed.subject is None:
                super().put_manifest(manifest)

    with pytest.raises(Fault) as caught:
        copy(source, Forgetful(target.repository), "v1")
    assert caught.value.code == "not-arrived"


def test_a_tag_that_names_another_image_is_refused_before_anything_is_sent(layouts):
    source, target = layouts
    ours, theirs = put_image(source, b"ours", tag="v1"), put_image(target, b"theirs", tag="v1")
    with pytest.raises(Refusal) as caught:
        copy_image(source, target, graph_of(source, "v1"), "v1", observer=(told := Told()))
    assert (caught.value.code, caught.value.exit_code) == ("rebuilt-at-target", 15)
    assert (caught.value.expected, caught.value.actual) == (str(ours.digest), str(theirs.digest))
    assert told.steps == []
    assert target.resolve("v1") == theirs


def signatures(store: LayoutStore, tag: str, *names: str) -> RawManifest:
    """A ``.sig`` manifest as cosign writes it: equal payloads, the signatures in the annotations."""
    payload = put(store, b"payload", SIGNATURE)
    layers = [describe(b"payload", SIGNATURE, annotations={"dev.cosignproject.cosign/signature": n}) for n in names]
    manifest = manifest_of(layers, config=put(store, b"{}", CONFIG))
    assert store.has_blob(payload.digest)
    store.put_tag(tag, manifest)
    return manifest


def test_an_evidence_tag_that_has_more_is_kept_and_one_that_has_less_is_replaced(layouts):
    source, target = layouts
    root = put_image(source, b"image", tag="v1")
    sig, att = root.digest.tag + ".sig", root.digest.tag + ".att"
    signatures(source, sig, "ci")
    more = signatures(target, sig, "production", "ci")
    grown = signatures(source, att, "ci", "release")
    signatures(target, att, "ci")
    copied = copy_image(source, target, graph_of(source, "v1"), "v1", observer=(told := Told()))
    assert target.resolve(sig) == more
    assert target.resolve(att) == grown
    assert {n.digest for n in copied.arrived.evidence} == {more.digest, grown.digest}
    assert [subject for step, subject in told.steps if step == "evidence-tag"] == [f"{target.repository}:{att}"]
    copy_image(source, target, graph_of(source, "v1"), "v1", observer=(again := Told()))
    assert again.steps == []


def test_an_evidence_tag_with_other_signatures_is_refused_with_both_digests(layouts):
    source, target = layouts
    root = put_image(source, b"image", tag="v1")
    sig = root.digest.tag + ".sig"
    ours, theirs = signatures(source, sig, "ci"), signatures(target, sig, "production")
    with pytest.raises(Refusal) as caught:
        copy(source, target, "v1")
    assert (caught.value.code, caught.value.exit_code) == ("evidence-tag-differs", 10)
    assert (caught.value.expected, caught.value.actual) == (str(ours.digest), str(theirs.digest))
    assert caught.value.hint
    assert target.resolve("v1") is None
    assert target.resolve(sig) == theirs


def test_a_layer_that_lives_elsewhere_is_copied_where_it_is_and_left_out_where_it_is_not(layouts):
    source, target = layouts
    kind = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
    here, elsewhere = put(source, b"here", kind), describe(b"elsewhere", kind)
    root = manifest_of([here, elsewhere], config=put(source, b"{}", CONFIG))
    source.put_tag("v1", root)
    copied = copy(source, target, "v1")
    assert (copied.blobs_copied, target.has_blob(here.digest), target.has_blob(elsewhere.digest)) == (2, True, False)
    assert target.resolve("v1").digest == root.digest
    assert copy(source, target, "v1").manifests_sent == 0


def test_a_missing_blob_is_an_error_and_nothing_gets_the_tag(layouts):
    source, target = layouts
    root = manifest_of([describe(b"absent")], config=put(source, b"{}", CONFIG))
    source.put_tag("v1", root)
    with pytest.raises(Fault) as caught:
        copy(source, target, "v1")
    assert caught.value.code == "content-absent"
    assert target.resolve("v1") is None


def test_an_image_whose_parts_need_its_evidence_still_ends(layouts):
    source, target = layouts
    first = put_image(source, b"first")
    between = put_image(source, b"between", subject=first)
    second = put_image(source, b"second", subject=between)
    root = index_of(first, second)
    source.put_tag("v1", root)
    assert copy(source, target, "v1").manifests == 4
    assert gather(target, target.resolve("v1")).digests == graph_of(source, "v1").digests


def test_evidence_tags_that_name_each_other_or_the_image_still_end(layouts):
    source, target = layouts
    root = put_image(source, b"image", tag="v1")
    first, second = put_image(source, b"first"), put_image(source, b"second")
    source.put_tag(root.digest.tag + ".sbom", first)
    source.put_tag(first.digest.tag + ".sig", second)
    source.put_tag(second.digest.tag + ".sig", first)
    source.put_tag(first.digest.tag + ".att", root)
    graph = graph_of(source, "v1")
    assert copy(source, target, "v1").manifests == 3
    assert set(gather(target, target.resolve("v1")).nodes) == set(graph.nodes)
    copy_image(source, target, graph, "v1", observer=(again := Told()))
    assert again.steps == []


def test_an_evidence_tag_at_the_target_that_cannot_be_read_is_a_fault(world):
    source, target = world.source("layout", "v2-keyless"), world.target("api")
    graph = graph_of(source)
    repository = world.server("target", "api").repository("acme/web")
    repository.add_manifest(b"{}", graph.root.manifest.media_type, graph.root.digest.tag + ".sig")
    with pytest.raises(Fault) as caught:
        copy_image(source, target, graph, TAG, observer=(told := Told()))
    assert caught.value.code == "manifest-malformed"
    assert told.steps == []


def test_five_processes_copy_into_one_layout_and_no_entry_is_lost(tmp_path):
    staging = LayoutStore(Repository(f"oci:{tmp_path}/staging", "acme/web"))
    shared = os.urandom(300_000)
    for n in range(5):
        root = put_image(staging, shared, str(n).encode(), tag=f"v{n}")
        for m in range(4):
            put_image(staging, f"evidence {n} {m}".encode(), subject=root)
    program = (
        "import sys\n"
        "from promote.model.progress import Silent\n"
        "from promote.model.reference import Repository\n"
        "from promote.oci.copy import copy_image\n"
        "from promote.oci.graph import gather\n"
        "from promote.oci.layout import LayoutStore\n"
        "source, target = (LayoutStore(Repository(f'oci:{d}', 'acme/web')) for d in sys.argv[1:3])\n"
        "graph = gather(source, source.resolve(sys.argv[3]))\n"
        "sys.stdin.readline()\n"
        "copy_image(source, target, graph, sys.argv[3], jobs=4, observer=Silent())\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "staging"), str(tmp_path / "prod")]
    running = [subprocess.Popen([*command, f"v{n}"], stdin=subprocess.PIPE, stderr=subprocess.PIPE) for n in range(5)]
    try:
        for process in running:
            process.stdin.write(b"\n")
            process.stdin.flush()
        errors = [process.communicate(timeout=60)[1] for process in running]
    finally:
        for process in running:
            process.kill()
            process.wait()
    assert errors == [b""] * 5
    prod = LayoutStore(Repository(f"oci:{tmp_path}/prod", "acme/web"))
    assert {t for t in prod.tags() if not t.startswith("sha256-")} == {f"v{n}" for n in range(5)}
    for n in range(5):
        assert contents(graph_of(prod, f"v{n}")) == contents(graph_of(staging, f"v{n}"))
    assert not list((tmp_path / "prod/acme/web").glob(".promote-*"))


PEAK = """
import re, sys
from pathlib import Path
from promote.model.progress import Silent
from promote.model.reference import Repository
from promote.oci.copy import copy_image
from promote.oci.graph import gather
from promote.oci.layout import LayoutStore
source, target = (LayoutStore(Repository(f'oci:{d}', 'acme/web')) for d in sys.argv[1:3])
# Not of getrusage, which remembers the process that this one was forked from.
peak = lambda: int(re.search(r'VmHWM:\\s+(\\d+) kB', Path('/proc/self/status').read_text())[1])
graph = gather(source, source.resolve('v1'))
before = peak()
print(copy_image(source, target, graph, 'v1', observer=Silent()).bytes, peak() - before)
"""


def test_memory_does_not_grow_with_the_layer(tmp_path):
    size = 256 * 1024 * 1024
    source = LayoutStore(Repository(f"oci:{tmp_path}/staging", "acme/web"))
    layer = Repeated(os.urandom(1024 * 1024), size)
    config = put(source, b"{}", CONFIG)
    digest = Digest.parse(layer.digest)
    (tmp_path / "staging/acme/web/blobs/sha256").mkdir(exist_ok=True)
    with (tmp_path / "staging/acme/web/blobs/sha256" / digest.hex).open("wb") as file:
        file.writelines(layer.blocks(0))
    source.put_tag("v1", manifest_of([replace(describe(b""), digest=digest, size=size)], config=config))
    command = [sys.executable, "-c", PEAK, str(tmp_path / "staging"), str(tmp_path / "prod")]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    copied, grown = map(int, run.stdout.split())
    assert copied == size + 2
    assert grown * 1024 < 16 * 1024 * 1024
    for side in ("staging", "prod"):
        (tmp_path / side / "acme/web/blobs/sha256" / digest.hex).unlink()


def test_the_copied_layout_lists_the_image_and_the_fallback_by_tag_and_referrers_without(world):
    copy(world.source("layout", "v3-keyless"), world.target("layout"))
    entries = json.loads((world.directory / "prod/acme/web/index.json").read_text())["manifests"]
    assert sorted("annotations" in entry for entry in entries) == [False, False, False, False, True, True]
