"""The parts of a promotion that decide without asking anybody."""

from __future__ import annotations

import re
import threading

import pytest

from promote.errors import Fault, Misuse
from promote.gates.labels import PlatformLabels
from promote.model.configuration import Configuration, GitOptions
from promote.model.digest import Digest
from promote.model.environment import App, Environment, Place
from promote.model.graph import Graph, Node, Relation
from promote.model.manifest import OCI_INDEX, OCI_MANIFEST, RawManifest
from promote.model.policy import COMMIT_TAG, Gates, KeylessSigner, Trust
from promote.model.release import Pin, Release
from promote.model.verdict import Outcome, Reason, passed, refused, unknown
from promote.promotion import inspection
from promote.promotion.docket import Docket
from promote.promotion.message import commit_message
from promote.promotion.parallel import in_parallel, together
from promote.promotion.request import Request, Wanted, environment, wanted
from promote.promotion.verify import targets
from promote.promotion.workplace import require_signers

WEB, API = App("web", "acme/web", source="https://github.com/acme/web"), App("api", "acme/api")
STAGING = Environment("staging", (Place("oci:registries/staging", None, ()),))
PROD = Environment(
    "prod", (Place("eu.example", "eu.example", ()), Place("us.example/p", "us.example/p", ())), ("staging",)
)
DIGEST, OTHER = Digest.of(b"a"), Digest.of(b"b")
TAG = "sha-0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def configuration(tmp_path):
    return make_configuration(tmp_path, WEB, API)


def make_configuration(root, *apps, trust=Trust((KeylessSigner("i", "me"),)), gates=Gates()):  # noqa: B008 - frozen
    return Configuration(
        path=root / "promote.yaml",
        apps={app.name: app for app in apps},
        environments={"staging": STAGING, "prod": PROD},
        trust=trust,
        gates={"staging": gates, "prod": gates},
        default_gates=gates,
        git=GitOptions(),
        registries={},
    )


# -- docket


def test_a_docket_stays_open_until_something_stops_it():
    docket = Docket(["a", "b", "c"])
    assert (docket.open, docket.next_gate()) == (True, "a")
    docket.add(passed("a", "fine"))
    assert (docket.open, docket.next_gate()) == (True, "b")
    docket.add(unknown("b", "dark"))
    assert (docket.open, docket.next_gate()) == (False, "c")
    docket.add(passed("b", "light"), passed("c", "fine"))
    assert (docket.open, docket.next_gate()) == (True, "c")


def test_a_refusal_is_never_taken_back():
    docket = Docket(["a"])
    docket.add(refused("a", Reason.NO_SBOM, "no"))
    docket.add(passed("a", "fine"))
    assert [v.outcome for v in docket.verdicts()] == [Outcome.REFUSE]


def test_every_gate_is_told_of_in_order_even_if_it_was_not_reached():
    docket = Docket(["a", "b", "c"])
    docket.add(refused("c", Reason.NO_SBOM, "no"))
    assert [(v.gate, v.code) for v in docket.verdicts()] == [("a", "not-judged"), ("b", "not-judged"), ("c", "no-sbom")]


# -- asking several at once


def test_answers_come_in_the_order_of_the_questions():
    assert in_parallel(lambda n: n * 2, range(20), jobs=4) == [n * 2 for n in range(20)]
    assert in_parallel(lambda n: n, [], jobs=4) == []


def test_the_first_failure_in_order_is_raised_and_the_rest_is_not_begun():
    begun: list[int] = []
    gate = threading.Event()

    def act(number: int) -> int:
        begun.append(number)
        if number == 1:
            gate.set()
            raise Fault("second", "x")
        gate.wait(5)
        if number == 0:
            raise Fault("first", "x")
        return number

    with pytest.raises(Fault) as caught:
        in_parallel(act, range(100), jobs=2)
    assert caught.value.code == "first"
    assert len(begun) < 100


def test_together_raises_what_failed():
    def fail() -> None:
        raise Fault("x", "x")

    with pytest.raises(Fault):
        together(lambda: None, fail)
    together()


# -- what is asked for


def test_apps_and_tags(configuration):
    assert wanted(configuration, ["web=sha-1", "api"], every_app=False) == (Wanted(WEB, "sha-1"), Wanted(API, None))
    assert wanted(configuration, [], every_app=True) == (Wanted(WEB, None), Wanted(API, None))
    for words in ([], ["sha-1"], ["x=sha-1"], ["web", "web=sha-1"]):
        with pytest.raises(Misuse):
            wanted(configuration, words, every_app=False)
    with pytest.raises(Misuse):
        wanted(configuration, ["web"], every_app=True)


def test_the_only_app_needs_no_name(tmp_path):
    only = make_configuration(tmp_path, WEB)
    assert wanted(only, [], every_app=False) == (Wanted(WEB, None),)
    assert wanted(only, ["sha-1"], every_app=False) == (Wanted(WEB, "sha-1"),)
    assert wanted(only, ["web"], every_app=False) == (Wanted(WEB, None),)


def test_environments_by_name(configuration):
    assert environment(configuration, "prod") is PROD
    with pytest.raises(Misuse) as caught:
        environment(configuration, "prdo")
    assert (caught.value.code, caught.value.expected) == ("environment-unknown", "staging, prod")


def test_nobody_trusted_is_a_misuse_where_anything_is_demanded(tmp_path):
    require_signers(make_configuration(tmp_path, WEB))
    require_signers(make_configuration(tmp_path, WEB, trust=Trust(), gates=Gates(signature=None, sbom=None)))
    for gates in (
        Gates(),
        Gates(signature=None),
        Gates(sbom=None),
        Gates(signature=None, sbom=None, attestations=("x",)),
    ):
        with pytest.raises(Misuse) as caught:
            require_signers(make_configuration(tmp_path, WEB, trust=Trust(), gates=gates))
        assert caught.value.code == "no-signers"


# -- what verify is asked about


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("staging", [("web", None, None, "staging"), ("api", None, None, "staging")]),
        ("staging:sha-1", [("web", "sha-1", None, "staging"), ("api", "sha-1", None, "staging")]),
        ("eu.example/acme/web:sha-1", [("web", "sha-1", None, None)]),
        ("us.example/p/acme/api:sha-1", [("api", "sha-1", None, None)]),
        (f"eu.example/acme/web@{DIGEST}", [("web", None, DIGEST, None)]),
        (f"eu.example/acme/web:sha-1@{DIGEST}", [("web", "sha-1", DIGEST, None)]),
        ("other.example:5000/x/y:v1", [("x/y", "v1", None, None)]),
        ("oci:registries/staging/acme/web:sha-1", [("web", "sha-1", None, None)]),
        ("oci:some/where/x:sha-1", [("x", "sha-1", None, None)]),
    ],
)
def test_references(configuration, text, expected):
    found = [
        (t.app.name, t.tag, t.digest, t.environment.name if t.environment else None)
        for t in targets(configuration, text)
    ]
    assert found == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nowhere",
        "nowhere:sha-1",
        "a/b",
        "a/B:c",
        "a/b:",
        "a/b@sha256:1",
        "a/b@",
        "/b:c",
        "oci:",
        "oci:x",
        "a/b:c d",
        "http://a/b:c",
    ],
)
def test_what_is_no_reference(configuration, text):
    with pytest.raises(Misuse) as caught:
        targets(configuration, text)
    assert caught.value.exit_code == 2


# -- the commit message


def test_the_message_of_one_release():
    request = Request(STAGING, PROD, (Wanted(WEB, TAG),), reason="release 7")
    text = commit_message(
        request, [Release(WEB, TAG, DIGEST)], {"web": [Pin("f", 1, "web", "sha-old", None)]}, COMMIT_TAG
    )
    subject, _, rest = text.partition("\n\n")
    assert subject == f"promote(prod): web sha-0123456789ab (sha256:{DIGEST.short})"
    assert "web: sha-old -> " + TAG in rest
    trailers = dict(line.split(": ", 1) for line in rest.splitlines() if line.startswith("Promote-"))
    assert trailers["Promote-Image"] == f"acme/web:{TAG}@{DIGEST}"
    assert trailers["Promote-Previous"] == "sha-old"
    assert trailers["Promote-Source-Repo"] == WEB.source
    assert trailers["Promote-Reason"] == "release 7"
    assert re.fullmatch(r"[0-9a-f]{16}", trailers["Promote-Id"])


def test_the_same_intent_has_the_same_id_whatever_was_there_before():
    def ident(*releases: Release, target: Environment = PROD) -> str:
        request = Request(STAGING, target, ())
        text = commit_message(request, releases, {r.app.name: [] for r in releases}, COMMIT_TAG)
        return next(line for line in text.splitlines() if line.startswith("Promote-Id"))

    web, api = Release(WEB, TAG, DIGEST), Release(API, TAG, DIGEST)
    assert ident(web, api) == ident(api, web)
    assert (
        len({ident(web), ident(api), ident(web, api), ident(Release(WEB, TAG, OTHER)), ident(web, target=STAGING)}) == 5
    )


def test_a_reason_cannot_forge_a_trailer():
    request = Request(STAGING, PROD, (), reason="fine\n\nPromote-Env: staging\nPromote-App: api")
    text = commit_message(request, [Release(WEB, TAG, DIGEST)], {"web": []}, COMMIT_TAG)
    assert [line for line in text.splitlines() if line.startswith("Promote-Env")] == ["Promote-Env: prod"]
    assert [line for line in text.splitlines() if line.startswith("Promote-App")] == ["Promote-App: web"]


# -- looking at an image


def manifest(**more) -> RawManifest:
    import json

    blob = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": str(DIGEST), "size": 1}
    return RawManifest(json.dumps({"schemaVersion": 2, "config": blob, "layers": []} | more).encode(), OCI_MANIFEST)


def index(*children: dict) -> RawManifest:
    import json

    return RawManifest(json.dumps({"schemaVersion": 2, "manifests": list(children)}).encode(), OCI_INDEX)


def test_statements_of_buildkit_are_no_platforms():
    image, statement = manifest(), manifest(annotations={"a": "statement"})
    marked = {**statement.descriptor.as_json(), "annotations": {"vnd.docker.reference.type": "attestation-manifest"}}
    other = {**marked, "annotations": {"vnd.docker.reference.type": "something else"}}
    for child, platforms in ((marked, [image.digest]), (other, [image.digest, statement.digest])):
        root = index(image.descriptor.as_json(), child)
        children = (Node(m, Relation.CHILD, root.digest) for m in (image, statement))
        assert [
            n.digest for n in inspection.platform_images(Graph((Node(root, Relation.ROOT), *children)))
        ] == platforms
    assert [n.digest for n in inspection.platform_images(Graph((Node(image, Relation.ROOT),)))] == [image.digest]


def test_labels_without_a_commit_to_compare_are_skipped():
    subject = inspection.Subject(WEB, manifest(), None)
    assert inspection.judge_labels(subject, [PlatformLabels("x", "f" * 40, None)], Gates()).outcome is Outcome.SKIP
