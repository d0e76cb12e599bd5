"""Evidence that real signers make in this run, in every way they know, and what promote says of it.

Each image is signed and given two SBOMs, one SPDX and one CycloneDX, by one cosign.  Ways with a Rekor v1 are marked
`full`: `make interop-full` runs them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from harness import gitops
from harness.images import SBOMS, SOURCE, Images
from harness.process import CommandFailed
from harness.promote import promote
from harness.ways import Cosign, Evidence, Form, Log, Services, Way, Who

COMMIT = "6789abcdef0123456789abcdef0123456789abcd"
TAG = f"sha-{COMMIT}"
OTHER_TAG = "sha-" + "f" * 40
IMAGE = "acme/web"
PLACES = {"with referrers API": "ggcr", "without": "distribution2"}
PREDICATES = ("https://cyclonedx.org/bom", "https://spdx.dev/Document")
STAMPED = (False, True)
OLD_FORMS = (Form.TAGS, Form.REFERRERS)


def _unlogged() -> Iterator[Way]:
    """Keys with and without a time stamp, workflows with one: without any log only it tells when they signed."""
    forms = {Cosign.V2: tuple(Form), Cosign.V3: (Form.BUNDLE, Form.TAGS)}
    for cosign in Cosign:
        for form in forms[cosign]:
            yield from (Way(cosign, Who.ECDSA, Log.NONE, form, stamped) for stamped in STAMPED)
            yield Way(cosign, Who.RSA, Log.NONE, form)
            yield Way(cosign, Who.KEYLESS, Log.NONE, form, stamped=True)


def _on_rekor2() -> Iterator[Way]:
    """Version 3 alone, and its bundles; a workflow is given no certificate for it without a time stamp authority."""
    yield Way(Cosign.V3, Who.KEYLESS, Log.REKOR2, Form.BUNDLE, stamped=True)
    yield from (Way(Cosign.V3, Who.ECDSA, Log.REKOR2, Form.BUNDLE, stamped) for stamped in STAMPED)
    yield Way(Cosign.V3, Who.RSA, Log.REKOR2, Form.BUNDLE)


def _on_rekor1() -> Iterator[Way]:
    forms = {Cosign.V2: tuple(Form), Cosign.V3: (Form.BUNDLE, Form.TAGS)}
    for cosign in Cosign:
        for form, who, stamped in product(forms[cosign], (Who.KEYLESS, Who.ECDSA), STAMPED):
            yield Way(cosign, who, Log.REKOR1, form, stamped)
        for form in forms[cosign]:
            yield Way(cosign, Who.RSA, Log.REKOR1, form)
    for who in (Who.KEYLESS, Who.ECDSA):  # version 3 takes the option, and logs what it always does
        yield Way(Cosign.V2, who, Log.REKOR1, Form.TAGS, intoto=True)


UNDATED = [Way(cosign, Who.KEYLESS, Log.NONE, form) for cosign, form in product(Cosign, (Form.BUNDLE, Form.TAGS))]
"""A certificate lives for ten minutes, and nothing says whether it was signed in these."""

SPOILT = [
    # The log's entry is of the envelope as it was sent, and a bundle does not keep it so.
    Way(Cosign.V2, Who.KEYLESS, Log.REKOR1, Form.OWN_BUNDLE, intoto=True),
]
"""Signatures that hold, with attestations that the very cosign that made them does not accept."""


def _parameters(ways: list[Way]) -> list[Any]:
    full = {Log.REKOR1: [pytest.mark.full]}
    return [pytest.param(way, id=str(way), marks=full.get(way.log, [])) for way in ways]


WAYS = [*_unlogged(), *_on_rekor2(), *_on_rekor1()]
every_way = pytest.mark.parametrize("way", _parameters(WAYS))
everywhere = pytest.mark.parametrize("place", PLACES)


@dataclass(frozen=True, slots=True)
class Made:
    """An image with its evidence, in `registry` (``host:port/prefix``)."""

    registry: str
    digest: str
    evidence: Evidence

    @property
    def repository(self) -> str:
        return f"{self.registry}/{IMAGE}"


@pytest.fixture(scope="module")
def shelf() -> dict[tuple[str, Way], Made]:
    """What was made already: each image is made once, and only read after that."""
    return {}


@pytest.fixture
def made(
    request: pytest.FixtureRequest,
    way: Way,
    place: str,
    shelf: dict[tuple[str, Way], Made],
    registries: Mapping[str, str],
    images: Images,
) -> Made:
    """The image of `way` at `place`."""
    if (place, way) not in shelf:
        services: Services = request.getfixturevalue("services_with_rekor1" if way.log is Log.REKOR1 else "services")
        evidence = Evidence(way, services)
        registry = f"{registries[PLACES[place]]}/made/{way}"
        repository = f"{registry}/{IMAGE}"
        # A label would refuse the tag of another commit before any evidence is looked at.
        digest = (
            images.build_without_labels(f"{repository}:{TAG}")
            if way.names_commit
            else images.build(f"{repository}:{TAG}", SOURCE, COMMIT)
        )
        images.sign(f"{repository}@{digest}", SOURCE, COMMIT, evidence)
        for sbom in SBOMS:
            images.attest(f"{repository}@{digest}", SOURCE, COMMIT, evidence, sbom)
        shelf[place, way] = Made(registry, digest, evidence)
    return shelf[place, way]


@pytest.fixture
def verify(made: Made, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """A function of a tag, a `trust`, its files and an exit code: what `promote verify --explain` says of `made`."""

    def run(
        tag: str = TAG,
        trust: Mapping[str, object] | None = None,
        files: Mapping[str, bytes] | None = None,
        code: int = 0,
    ) -> dict[str, Any]:
        configuration = {
            "version": 1,
            "apps": {"web": {"image": IMAGE, "source": f"https://github.com/{SOURCE}"}},
            "environments": {"staging": {"registry": made.registry}},
            "trust": trust or made.evidence.trust(SOURCE),
        }
        (tmp_path / "trust").mkdir()
        for name, content in (files or made.evidence.trust_files()).items():
            (tmp_path / name).write_bytes(content)
        (tmp_path / "promote.yaml").write_text(yaml.safe_dump(configuration))
        result = promote(tmp_path, "verify", f"{made.repository}:{tag}", "--explain", home=tmp_path, code=code)
        assert result["exit_code"] == code
        (release,) = result["releases"]
        assert release["digest"] == made.digest
        return release

    return run


def _refused_by(release: dict[str, Any]) -> list[str]:
    return [gate["gate"] for gate in release["gates"] if gate["verdict"] == "refuse"]


@everywhere
@every_way
def test_all_of_it_verifies(way, place, made, verify):
    release = verify()
    assert {gate["verdict"] for gate in release["gates"]} <= {"pass", "skip"}
    signature, *attestations = sorted(release["findings"], key=lambda finding: finding["predicate_type"] or "")
    signed, attested = way.storages
    notes = {"commit": COMMIT, "repo": SOURCE} if way.annotated else {}
    seen = [(f["verdict"], f["kind"], f["storage"], f["log"]) for f in (signature, *attestations)]
    assert seen == [
        ("accepted", "signature", signed, way.logged),
        ("accepted", "attestation", attested, way.logged),
        ("accepted", "attestation", attested, way.logged),
    ]
    assert [a["predicate_type"] for a in attestations] == [*PREDICATES]
    assert (signature["annotations"], signature["time"] is not None) == (notes, way.dated)


@everywhere
@every_way
def test_it_is_refused_where_somebody_else_is_trusted(way, place, made, verify, services):
    evidence = made.evidence
    other_key = services.keys / ("rsa.pub" if way.who is Who.ECDSA else "ecdsa.pub")
    strangers = {"trust/signer.pub": other_key.read_bytes()}
    files = {name: strangers.get(name, content) for name, content in evidence.trust_files().items()}
    release = verify(trust=evidence.trust("acme/other"), files=files, code=12)
    assert _refused_by(release)[0] == "signature"
    # A tag with a signature by a key has no word of whose: it is by nobody, or it is broken.
    verdict = "foreign" if way.names_signer else "invalid"
    assert [finding["verdict"] for finding in release["findings"]] == [verdict] * 3


@everywhere
@every_way
def test_it_is_refused_under_the_tag_of_another_commit(way, place, made, verify, images):
    images.tag(f"{made.repository}:{TAG}", OTHER_TAG)
    release = verify(tag=OTHER_TAG, code=15)
    assert _refused_by(release) == ["commit" if way.names_commit else "labels"]


@pytest.mark.parametrize("place", ["with referrers API"])
@pytest.mark.parametrize("way", _parameters([w for w in WAYS if w.who is Who.KEYLESS and w.log is Log.NONE]))
def test_a_workflow_without_a_log_needs_an_exception(way, place, made, verify):
    trust = made.evidence.trust(SOURCE)
    (signer,) = trust["signers"]
    exception = {"log", "until"}
    asked = {**trust, "signers": [{key: value for key, value in signer.items() if key not in exception}]}
    release = verify(trust=asked, code=12)
    assert _refused_by(release)[0] == "signature"
    assert {finding["verdict"] for finding in release["findings"]} == {"unlogged"}


@pytest.mark.parametrize("place", ["with referrers API"])
@pytest.mark.parametrize("way", _parameters(UNDATED))
def test_what_nothing_dates_is_refused_for_all_exceptions(way, place, made, verify):
    release = verify(code=12)
    assert {(f["verdict"], f["reason"]) for f in release["findings"]} == {
        ("invalid", "nothing proves when this was signed")
    }


@pytest.mark.parametrize("place", ["with referrers API"])
@pytest.mark.parametrize("way", _parameters(SPOILT))
def test_attestations_that_their_own_cosign_refuses_are_refused(way, place, made, verify, images):
    with pytest.raises(CommandFailed, match=r"\bverify-attestation\b"):
        images.verify(f"{made.repository}@{made.digest}", SOURCE, made.evidence)
    release = verify(code=13)
    found = [(f["verdict"] == "accepted", f["kind"]) for f in release["findings"]]
    assert sorted(found) == [(False, "attestation"), (False, "attestation"), (True, "signature")]


@pytest.mark.full
@pytest.mark.parametrize("place", ["with referrers API"])
@pytest.mark.parametrize("way", [w for w in WAYS if w.log is Log.REKOR1 and w.form is Form.TAGS], ids=str)
def test_log_has_entries_of_the_kind_that_the_way_names(way, place, made, images):
    attestations = images.manifest(f"{made.repository}:{made.digest.replace(':', '-')}.att")["layers"]
    promises = [json.loads(layer["annotations"]["dev.sigstore.cosign/bundle"]) for layer in attestations]
    kinds = [json.loads(base64.b64decode(promise["Payload"]["body"]))["kind"] for promise in promises]
    assert kinds == ["intoto" if way.intoto else "dsse"] * 2


PROMOTED = [
    Way(Cosign.V2, Who.KEYLESS, Log.NONE, Form.TAGS, stamped=True),
    Way(Cosign.V2, Who.ECDSA, Log.NONE, Form.OWN_BUNDLE),
    Way(Cosign.V3, Who.RSA, Log.NONE, Form.TAGS),
    Way(Cosign.V3, Who.KEYLESS, Log.REKOR2, Form.BUNDLE, stamped=True),
    Way(Cosign.V2, Who.KEYLESS, Log.REKOR1, Form.TAGS, intoto=True),
    Way(Cosign.V2, Who.ECDSA, Log.REKOR1, Form.BUNDLE),
    Way(Cosign.V3, Who.KEYLESS, Log.REKOR1, Form.BUNDLE),
    Way(Cosign.V3, Who.KEYLESS, Log.REKOR1, Form.TAGS, stamped=True),
]


@everywhere
@pytest.mark.parametrize("way", _parameters(PROMOTED))
def test_it_is_promoted_and_its_own_cosign_accepts_it_there(way, place, made, registries, images, tmp_path):
    (elsewhere,) = PLACES.keys() - {place}
    target = f"{registries[PLACES[elsewhere]]}/promoted/{way}"
    repository = gitops.create(
        tmp_path,
        source=SOURCE,
        staging=made.registry,
        prod=target,
        trust=made.evidence.trust(SOURCE),
        trust_files=made.evidence.trust_files(),
        tag=TAG,
        digest=made.digest,
    )
    result = promote(repository.clone, "staging->prod", TAG, home=tmp_path)
    (release,) = result["releases"]
    assert (release["digest"], release["changed"]) == (made.digest, True)
    assert repository.head() == result["commit"]["id"]
    images.verify(f"{target}/{IMAGE}@{made.digest}", SOURCE, made.evidence)
