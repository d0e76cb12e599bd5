"""The nouns: valid by construction, one meaning, nothing from outside taken as it comes."""

from __future__ import annotations

import json

import pytest

from promote.model import strict_json
from promote.model.digest import Digest
from promote.model.environment import App, Environment, OverlayEntry, Place
from promote.model.graph import Graph, Node, Relation
from promote.model.malformed import Malformed, shown
from promote.model.manifest import (
    DOCKER_INDEX,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    Manifest,
    RawManifest,
)
from promote.model.reference import Repository, check_tag, is_host, join_registry
from promote.model.verdict import Outcome, Reason, Verdict, first_stop, passed, refused, skipped, unknown

HEX = "0123456789abcdef" * 4
SHA256 = f"sha256:{HEX}"
DESCRIPTOR = {"mediaType": "application/octet-stream", "digest": SHA256, "size": 3}


# -- digests


@pytest.mark.parametrize("text", [SHA256, f"sha512:{HEX * 2}"])
def test_a_digest_is_what_it_spells(text):
    assert str(Digest.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sha256:",
        HEX,
        f"sha256:{HEX[:-1]}",
        f"sha256:{HEX}0",
        f"sha256:{HEX.upper()}",
        f"SHA256:{HEX}",
        f"sha512:{HEX}",
        f"md5:{HEX[:32]}",
        f"sha256:{HEX}\n",
        f" {SHA256}",
        f"sha256:{HEX[:-1]}g",
        f"sha256+b64:{HEX}",
        None,
        7,
        b"sha256:",
        ["sha256"],
    ],
)
def test_what_is_no_digest_is_refused(text):
    with pytest.raises(Malformed):
        Digest.parse(text)


def test_a_digest_is_computed_and_compared():
    digest = Digest.of(b"abc")
    assert (digest.matches(b"abc"), digest.matches(b"abd")) == (True, False)
    assert (digest.short, digest.tag) == (digest.hex[:12], f"sha256-{digest.hex}")
    long = Digest.of(b"abc", "sha512")
    assert (long.matches(b"abc"), long.tag) == (True, f"sha512-{long.hex[:64]}")


# -- references


@pytest.mark.parametrize("host", ["a", "a.b", "a.b:5000", "127.0.0.1:80", "[::1]:5000", "A-b.example"])
def test_a_host(host):
    assert is_host(host)


@pytest.mark.parametrize(
    "host",
    ["", "-a", "a-", "a..b", "a:", "a:123456", "a/b", "a b", "u:p@a", "https://a", "a\n", "a.", ":5000", "x" * 256],
)
def test_what_is_no_host(host):
    assert not is_host(host)


@pytest.mark.parametrize("path", ["a", "a/b", "a-b/c.d/e_f", "a__b", "a---b"])
def test_a_repository(path):
    assert str(Repository("r.example", path)) == f"r.example/{path}"


@pytest.mark.parametrize(
    "path",
    ["", "/a", "a/", "a//b", "A", "a/../b", "../a", ".", "a/.b", "a b", "a:b", "a@b", "a___b", "a\n", "ä", "a" * 256],
)
def test_what_is_no_repository(path):
    with pytest.raises(Malformed):
        Repository("r.example", path)


@pytest.mark.parametrize("registry", ["", "oci:", "oci:\0", "a/b", "https://a", "u@a"])
def test_what_is_no_registry(registry):
    with pytest.raises(Malformed):
        Repository(registry, "a")


@pytest.mark.parametrize(
    ("tag", "good"),
    [
        ("sha-0123456", True),
        ("_x", True),
        ("A.b-c_d", True),
        ("a" * 128, True),
        ("a" * 129, False),
        ("", False),
        ("-a", False),
        (".a", False),
        ("a/b", False),
        ("a:b", False),
        ("a b", False),
        ("a\n", False),
        ("ä", False),
    ],
)
def test_a_tag(tag, good):
    if good:
        assert check_tag(tag) == tag
        return
    with pytest.raises(Malformed):
        check_tag(tag)


def test_references_in_a_repository():
    repository = join_registry("r.example:5000/pre/fix", "acme/web")
    assert str(repository) == "r.example:5000/pre/fix/acme/web"
    assert str(repository.tag("a")) == f"{repository}:a"
    assert str(repository.digest(Digest.parse(SHA256))) == f"{repository}@{SHA256}"
    assert not repository.is_layout
    layout = join_registry("oci:/x y/z", "acme/web")
    assert (layout.is_layout, str(layout)) == (True, "oci:/x y/z/acme/web")
    with pytest.raises(Malformed):
        repository.tag("a/b")


def test_a_place():
    web = App("web", "acme/web")
    place = Place("r.example", "mirror.example/p", (OverlayEntry("overlays/{app}/prod"), OverlayEntry("all")))
    assert place.overlays_of(web) == ("overlays/web/prod", "all")
    assert place.pull_name(web) == "mirror.example/p/acme/web"
    assert Place("oci:/x", None, ()).pull_name(web) is None
    assert Environment("prod", (place,)).promoted_from == ()


def test_an_app_is_kept_where_an_overlay_is_for_it_and_where_nothing_is_said():
    web, api, job = (App(name, f"acme/{name}") for name in ("web", "api", "job"))
    own = Place("eu.example", None, (OverlayEntry("eu/{app}", ("web",)),))
    both = Place("us.example", None, (OverlayEntry("us", ("web", "api")),))
    mirror = Place("mirror.example", None, ())
    assert (own.overlays_of(web), own.overlays_of(api)) == (("eu/web",), ())
    split = Environment("prod", (own, both))
    assert [split.places_of(app) for app in (web, api, job)] == [(own, both), (both,), (own, both)]
    assert [split.lacks(app) for app in (web, api, job)] == [False, False, True]
    mirrored = Environment("prod", (own, mirror))
    assert [(mirrored.places_of(app), mirrored.lacks(app)) for app in (web, api)] == [
        ((own, mirror), False), ((mirror,), True),
    ]  # fmt: skip
    assert not Environment("prod", (mirror,)).lacks(web)


# -- what comes from outside is shown on one printable line


@pytest.mark.parametrize(
    "text",
    [
        "\x1b[31m",
        "a\nb",
        "a\rb",
        "\x07",
        "\u202e",
        "\u2066",
        "\u200b",
        "\ud800",
        "\x9b",
        "\u2028",
        "\ufeff",
        "\x00",
        "\u00ad",
    ],
)
def test_what_steers_a_terminal_is_escaped(text):
    assert shown(text).isprintable()
    assert shown(text) != text


def test_what_is_long_is_cut():
    assert shown("x" * 120) == "x" * 120
    assert shown("x" * 121) == "x" * 119 + "…"
    assert len(shown("\x1b" * 10_000, 50)) == 50
    assert shown(b"\x00") == r"b'\x00'"
    assert shown("grün ✓") == "grün ✓"


# -- JSON


@pytest.mark.parametrize(
    "text",
    [
        b'{"a": 1, "a": 2}',
        b'{"x": {"a": 1, "\\u0061": 2}}',
        b"[1] x",
        b"",
        b"\xef\xbb\xbf{}",
        b"\xff",
        b"NaN",
        b"[Infinity]",
        b"{'a': 1}",
        b"[1,]",
        b"[" * 65 + b"]" * 65,
        b"[" * 100_000,
        b'"\x00"',
        b"-",
        b"1" * 5000,
    ],
)
def test_json_with_no_or_more_than_one_meaning_is_refused(text):
    with pytest.raises(Malformed):
        strict_json.loads(text)


def test_json_with_one_meaning():
    assert strict_json.loads(b'{"a": {"a": [1, 1.5, null, true, "x"]}, "A": 2}') == {
        "a": {"a": [1, 1.5, None, True, "x"]},
        "A": 2,
    }
    assert strict_json.loads("[" * 64 + "]" * 64)
    assert strict_json.loads_object(b"{}") == {}
    with pytest.raises(Malformed):
        strict_json.loads_object(b"[]")


# -- manifests


def manifest(**more) -> bytes:
    return json.dumps(
        {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": DESCRIPTOR, "layers": [DESCRIPTOR]} | more
    ).encode()


def index(**more) -> bytes:
    return json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [DESCRIPTOR]} | more).encode()


def test_a_manifest_and_an_index():
    parsed = Manifest.parse(manifest(subject=DESCRIPTOR, artifactType="x", annotations={"a": "b"}), OCI_MANIFEST)
    assert (len(parsed.blobs), parsed.children, parsed.artifact_type, dict(parsed.annotations)) == (
        2,
        (),
        "x",
        {"a": "b"},
    )
    assert parsed.subject is not None
    parsed = Manifest.parse(index(), OCI_INDEX)
    assert (parsed.is_index, parsed.blobs, len(parsed.children)) == (True, (), 1)
    raw = RawManifest(manifest(), OCI_MANIFEST)
    assert raw.digest.matches(raw.content)
    assert (raw.descriptor.size, raw.descriptor.media_type) == (len(raw.content), OCI_MANIFEST)


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (manifest(), OCI_INDEX),
        (manifest(), DOCKER_MANIFEST),
        (manifest(), "text/plain"),
        (index(), DOCKER_INDEX),
        (manifest(schemaVersion=1), OCI_MANIFEST),
        (manifest(schemaVersion="2"), OCI_MANIFEST),
        (manifest(manifests=[]), OCI_MANIFEST),
        (index(layers=[]), OCI_INDEX),
        (index(config=DESCRIPTOR), OCI_INDEX),
        (manifest(layers=None), OCI_MANIFEST),
        (manifest(layers={}), OCI_MANIFEST),
        (manifest(layers=[7]), OCI_MANIFEST),
        (manifest(config=None), OCI_MANIFEST),
        (manifest(subject=[]), OCI_MANIFEST),
        (manifest(subject={"digest": SHA256}), OCI_MANIFEST),
        (manifest(artifactType=7), OCI_MANIFEST),
        (manifest(annotations=[]), OCI_MANIFEST),
        (manifest(annotations={"a": 1}), OCI_MANIFEST),
        (manifest(layers=[DESCRIPTOR | {"size": -1}]), OCI_MANIFEST),
        (manifest(layers=[DESCRIPTOR | {"size": True}]), OCI_MANIFEST),
        (manifest(layers=[DESCRIPTOR | {"size": 1.5}]), OCI_MANIFEST),
        (manifest(layers=[DESCRIPTOR | {"size": 2**63}]), OCI_MANIFEST),
        (manifest(layers=[DESCRIPTOR | {"digest": "sha256:x"}]), OCI_MANIFEST),
        (manifest(layers=[DESCRIPTOR | {"mediaType": ""}]), OCI_MANIFEST),
        (index(manifests=[DESCRIPTOR | {"platform": "linux"}]), OCI_INDEX),
        (b"[]", OCI_MANIFEST),
        (b" " * (4 * 1024 * 1024 + 1), OCI_MANIFEST),
    ],
)
def test_a_manifest_with_two_meanings_or_none_is_refused(content, media_type):
    with pytest.raises(Malformed):
        Manifest.parse(content, media_type)


def test_a_descriptor_survives_the_way_through_json():
    platform = {"os": "linux", "architecture": "arm", "variant": "v7"}
    value = DESCRIPTOR | {"artifactType": "x", "annotations": {"a": "b"}, "platform": platform}
    parsed = Descriptor.parse(value)
    assert parsed.platform == "linux/arm/v7"
    assert parsed.as_json() == value
    assert Descriptor.parse(DESCRIPTOR).as_json() == DESCRIPTOR


def test_the_images_and_the_evidence_of_a_graph():
    child = RawManifest(manifest(), OCI_MANIFEST)
    inner = RawManifest(index(manifests=[child.descriptor.as_json()]), OCI_INDEX)
    root = RawManifest(index(manifests=[inner.descriptor.as_json()]), OCI_INDEX)
    referrer = RawManifest(manifest(subject=root.descriptor.as_json()), OCI_MANIFEST)
    graph = Graph(
        (
            Node(root, Relation.ROOT),
            Node(inner, Relation.CHILD, root.digest),
            Node(child, Relation.CHILD, inner.digest),
            Node(referrer, Relation.REFERRER, root.digest),
        )
    )
    assert [n.digest for n in graph.images] == [root.digest, inner.digest, child.digest]
    assert [n.digest for n in graph.evidence] == [referrer.digest]
    assert len(list(graph.blobs())) == 1
    assert len(graph.digests) == 4


# -- verdicts


def test_the_first_refusal_decides_and_else_the_first_unknown():
    no, other = refused("a", Reason.NO_SBOM, "no"), refused("b", Reason.NO_SIGNATURE, "no")
    dark, fine, left = unknown("c", "?"), passed("d", "yes"), skipped("e", "left out")
    assert first_stop([fine, left]) is None
    assert first_stop([fine, dark, left]) is dark
    assert first_stop([dark, no, other]) is no
    assert (no.code, fine.code, dark.code, left.code) == ("no-sbom", "ok", "unreadable", "not-asked-for")
    assert Verdict("x", Outcome.PASS, "s").code == "ok"


def test_every_reason_has_a_code_of_its_own_and_an_exit_code_of_the_table():
    codes = [reason.code for reason in Reason]
    assert len(set(codes)) == len(codes)
    assert {reason.exit_code for reason in Reason} <= {0, 3, 10, 11, 12, 13, 14, 15, 16}
