"""The SBOM gate: about this image, young enough, complete enough, and nothing denied in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from promote.gates import sbom
from promote.model.contents import Contents
from promote.model.digest import Digest
from promote.model.evidence import Evidence, Findings, Kind, Log, SignedBy, Storage
from promote.model.package_rule import PackageRule
from promote.model.policy import SbomPolicy
from promote.model.verdict import Outcome, Verdict

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HERE, AMD, ARM, OTHER, CONFIG, LAYER, CARRIER = (
    Digest.of(n.encode()) for n in ("here", "amd", "arm", "other", "config", "layer", "carrier")
)
SPDX, CYCLONEDX = "https://spdx.dev/Document/v2.3", "https://cyclonedx.org/bom"
LOG4J = "pkg:maven/org.apache.logging.log4j/log4j-core"
CONTENTS = (Contents(AMD, CONFIG, frozenset({LAYER})), Contents(ARM, None, frozenset()))


def bom(
    root: dict | None = None,
    layers: tuple[Digest, ...] = (),
    created: str | None = None,
    packages: tuple[dict, ...] = (),
) -> dict:
    properties = [{"name": f"syft:location:{n}:layerID", "value": str(layer)} for n, layer in enumerate(layers)]
    component = {"name": "a", "version": "1", "purl": "pkg:npm/a@1.0.0", "properties": properties}
    metadata = {"component": {"type": "container", "name": "web"} | (root or {})} | (
        {"timestamp": created} if created else {}
    )
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "metadata": metadata, "components": [component, *packages]}


def evidence(
    document: object,
    subject: Digest = HERE,
    time: datetime | None = NOW,
    kind: str = CYCLONEDX,
    signers: tuple[str, ...] = (),
) -> Evidence:
    who = SignedBy(issuer="https://issuer.example", identity=signers[0] if signers else "me")
    return Evidence(
        Kind.ATTESTATION, CARRIER, subject, Storage.BUNDLE, who, Log.PROOF, kind, document, time=time, signers=signers
    )


def judged(
    *things: Evidence,
    policy: SbomPolicy | None = None,
    platforms: tuple[Digest, ...] = (AMD, ARM),
    contents: tuple[Contents, ...] = CONTENTS,
    now: datetime | None = NOW,
) -> Verdict:
    verdict = sbom.judge(HERE, platforms, Findings(things), policy or SbomPolicy(), contents=contents, now=now)
    for text in (verdict.summary, verdict.expected, verdict.actual, verdict.hint):
        assert text is None or (text and text.isprintable()), text
    if verdict.outcome is Outcome.REFUSE:
        assert verdict.reason is not None
        assert verdict.reason.exit_code == 13
        assert None not in (verdict.expected, verdict.actual, verdict.hint)
        assert verdict.expected != verdict.actual
    return verdict


@pytest.mark.parametrize(
    ("subject", "named", "code"),
    [
        (HERE, HERE, "ok"),
        (HERE, AMD, "ok"),
        (HERE, CONFIG, "ok"),
        (HERE, OTHER, "sbom-of-another-image"),
        (AMD, AMD, "no-sbom"),  # fine for its platform, and the other platform has none
        (AMD, HERE, "no-sbom"),
        (AMD, CONFIG, "no-sbom"),
        (AMD, ARM, "sbom-of-another-image"),
        (ARM, CONFIG, "sbom-of-another-image"),
    ],
)
def test_the_image_that_an_sbom_names_is_this_one(subject, named, code):
    verdict = judged(evidence(bom({"version": str(named)}), subject))
    assert verdict.code == code
    if code == "sbom-of-another-image":
        assert (verdict.expected, verdict.actual) == (str(subject), str(named))


@pytest.mark.parametrize(
    ("subject", "layer", "contents", "code"),
    [
        (HERE, LAYER, CONTENTS, "ok"),
        (HERE, OTHER, CONTENTS, "sbom-of-another-image"),
        (ARM, LAYER, CONTENTS, "sbom-of-another-image"),
        (HERE, OTHER, CONTENTS[:1], "ok"),  # not all platforms are known: nobody can tell
        (HERE, OTHER, (CONTENTS[0], Contents(ARM)), "ok"),
        (HERE, OTHER, (), "ok"),
    ],
)
def test_the_layers_that_an_sbom_names_are_those_of_the_image(subject, layer, contents, code):
    assert judged(evidence(bom(layers=(layer,)), subject), contents=contents).code == code


def test_an_sbom_of_another_image_refuses_beside_a_good_one():
    assert judged(evidence(bom()), evidence(bom({"version": str(OTHER)}))).code == "sbom-of-another-image"


def test_an_sbom_that_names_no_image_passes_unless_it_must():
    policy = SbomPolicy(about_image=True)
    assert judged(evidence(bom())).code == "ok"
    assert judged(evidence(bom()), policy=policy).code == "sbom-names-no-image"
    assert judged(evidence(bom({"version": str(HERE)})), policy=policy).code == "ok"
    assert judged(evidence(bom(layers=(LAYER,))), policy=policy).code == "ok"


@pytest.mark.parametrize(
    ("created", "signed", "code"),
    [
        ("2026-11-22T11:59:59Z", NOW, "ok"),
        ("2026-11-22T12:09:00Z", NOW, "ok"),
        ("2026-11-22T12:11:00Z", NOW, "sbom-time"),
        ("2026-11-22T12:11:00+02:00", NOW, "ok"),
        ("2026-11-22T12:11:00Z", None, "sbom-time"),
        ("someday", NOW, "ok"),
        (None, None, "ok"),
    ],
)
def test_an_sbom_is_made_before_it_is_signed(created, signed, code):
    assert judged(evidence(bom(created=created), time=signed)).code == code


@pytest.mark.parametrize(
    ("created", "signed", "now", "code"),
    [
        (None, NOW - timedelta(hours=23), NOW, "ok"),
        (None, NOW - timedelta(hours=25), NOW, "sbom-old"),
        ("2026-11-01T00:00:00Z", NOW, NOW, "ok"),  # the verified time decides where there is one
        ("2026-11-22T00:00:00Z", NOW - timedelta(days=2), NOW, "sbom-time"),
        ("2026-11-22T00:00:00Z", None, NOW, "ok"),
        ("2026-11-20T00:00:00Z", None, NOW, "sbom-old"),
        (None, None, NOW, "sbom-old"),
        (None, NOW, None, "sbom-old"),
    ],
)
def test_the_age_of_an_sbom(created, signed, now, code):
    policy = SbomPolicy(max_age=timedelta(days=1))
    assert judged(evidence(bom(created=created), time=signed), policy=policy, now=now).code == code


def test_a_young_sbom_stands_in_for_an_old_one():
    policy = SbomPolicy(max_age=timedelta(days=1))
    assert judged(evidence(bom(), time=NOW - timedelta(days=9)), evidence(bom()), policy=policy).code == "ok"


@pytest.mark.parametrize(
    ("policy", "code"),
    [
        (SbomPolicy(min_versions=0.75, min_purls=0.5), "ok"),
        (SbomPolicy(min_versions=0.76), "sbom-incomplete"),
        (SbomPolicy(min_purls=0.51), "sbom-incomplete"),
        (SbomPolicy(min_packages=4), "ok"),
        (SbomPolicy(min_packages=5), "sbom-empty"),
    ],
)
def test_the_floors(policy, code):
    packages = (
        {"name": "b", "version": "1", "purl": "pkg:npm/b@1"},
        {"name": "c", "version": "1"},
        {"name": "d", "purl": "no purl"},
    )
    assert judged(evidence(bom(packages=packages)), policy=policy).code == code


def test_profiles_are_required_or_reported():
    verdict = judged(evidence(bom()), policy=SbomPolicy(required=("ntia",)))
    assert verdict.code == "sbom-incomplete"
    assert "supplier 0/1 (first without: a)" in (verdict.actual or "")
    reported = judged(evidence(bom()), policy=SbomPolicy(reported=("ntia", "cisa-2025")))
    assert reported.outcome is Outcome.PASS
    assert "; ntia: 3 of 7 elements" in reported.summary
    assert "; cisa-2025: 3 of 11 elements" in reported.summary


def denying(*rules: str) -> SbomPolicy:
    return SbomPolicy(deny=tuple(PackageRule.parse(r) for r in rules))


@pytest.mark.parametrize(
    ("package", "code"),
    [
        ({"name": "log4j-core", "purl": f"{LOG4J}@2.14.1"}, "package-denied"),
        ({"name": "log4j-core", "purl": f"{LOG4J}@2.17.1"}, "ok"),
        ({"name": "log4j-core", "purl": f"{LOG4J}@banana"}, "package-not-comparable"),
        ({"name": "log4j-core", "purl": LOG4J}, "package-not-comparable"),
        ({"name": "log4j-core", "version": "2.24.1"}, "package-not-comparable"),
        ({"name": "log4j-core", "version": "2.24.1", "purl": "broken"}, "package-not-comparable"),
        ({"name": "\x1b[2Jlog4j", "purl": f"{LOG4J}@2.14.1"}, "package-denied"),
    ],
)
def test_a_denied_package_refuses(package, code):
    verdict = judged(evidence(bom(packages=(package,))), policy=denying("pkg:npm/b@<2", f"{LOG4J}@<2.17.1"))
    assert verdict.code == code


def test_any_sbom_that_lists_a_denied_package_refuses_and_says_so_before_what_cannot_be_compared():
    bad, unsure = ({"name": "log4j-core", "version": "2.1", "purl": p} for p in (f"{LOG4J}@2.1", f"{LOG4J}@banana"))
    things = [
        evidence(bom()),
        evidence(bom(packages=(unsure | {"version": "?"},))),
        evidence(bom(packages=(bad,)), AMD, None),
    ]
    verdict = judged(*things, policy=denying(f"{LOG4J}@<2.17.1"))
    assert verdict.code == "package-denied"
    assert (verdict.expected, verdict.actual) == (f"no {LOG4J}@<2.17.1", "log4j-core 2.1")


def test_a_broken_sbom_refuses_beside_a_good_one_and_one_that_is_not_read_does_not():
    tag_value = evidence("SPDXVersion: SPDX-2.3\nPackageName: a\n", kind=SPDX)
    verdict = judged(evidence(bom()), tag_value)
    assert verdict.outcome is Outcome.PASS
    assert verdict.summary == "CycloneDX 1.6 with 1 package; not read: SPDX in tag-value form; JSON is read"
    assert judged(tag_value).code == "sbom-invalid"
    dangling = bom() | {"dependencies": [{"ref": "gone"}]}
    assert judged(evidence(bom()), evidence(dangling)).code == "sbom-invalid"


def test_each_platform_may_have_its_own():
    things = [evidence(bom({"version": str(p)}), p) for p in (AMD, ARM)]
    assert judged(*things).outcome is Outcome.PASS
    assert judged(things[0]).code == "no-sbom"


# -- made between the build and the signature


V1, V02 = "https://slsa.dev/provenance/v1", "https://slsa.dev/provenance/v0.2"


def built(started: object, subject: Digest = HERE, kind: str = V1) -> Evidence:
    metadata = {"runDetails": {"metadata": {"startedOn": started}}}
    return evidence({"metadata": {"buildStartedOn": started}} if kind == V02 else metadata, subject, kind=kind)


def ago(**time: int) -> str:
    return (NOW - timedelta(**time)).isoformat()


@pytest.mark.parametrize(
    ("created", "things", "code"),
    [
        (ago(hours=2), [built(ago(hours=1))], "sbom-time"),
        (ago(hours=2), [built(ago(hours=1), kind=V02)], "sbom-time"),
        (ago(minutes=69), [built(ago(hours=1))], "ok"),
        (ago(minutes=50), [built(ago(hours=1))], "ok"),
        (ago(hours=2), [built(ago(hours=1)), built(ago(hours=3))], "ok"),  # the same bytes were built twice
        (ago(hours=2), [], "ok"),
        (ago(hours=2), [built(None)], "ok"),
        (ago(hours=2), [built("yesterday")], "ok"),
        (ago(hours=2), [built("0001-01-01T00:00:00Z")], "ok"),  # the zero time of Go
        (ago(hours=2), [built("9999-12-31T23:59:59.999999Z")], "sbom-time"),
        ("9999-12-31T23:59:59.999999Z", [], "sbom-time"),
        ("0001-01-01T00:00:00Z", [built(ago(hours=1))], "ok"),
        (ago(hours=2), [built(ago(hours=1), OTHER)], "ok"),
        (ago(hours=2), [evidence({"startedOn": ago(hours=1)}, kind="https://x.example/build")], "ok"),
        ("1970-01-01T00:00:00Z", [built(ago(hours=1))], "ok"),
        ("1980-01-01T00:00:01Z", [built(ago(hours=1))], "ok"),
        ("no time", [built(ago(hours=1))], "ok"),
        (None, [built(ago(hours=1))], "ok"),
    ],
)
def test_an_sbom_is_not_older_than_the_build_that_it_describes(created, things, code):
    verdict = judged(evidence(bom(created=created)), *things)
    assert verdict.code == code
    if code == "sbom-time":
        assert (verdict.expected or "").startswith(("after ", "before "))


@pytest.mark.parametrize(
    ("created", "code"),
    [
        (ago(hours=3), "ok"),
        ("1970-01-01T00:00:00Z", "ok"),
        ("0001-01-01T00:00:00Z", "ok"),
        (ago(minutes=30), "sbom-time"),
        ("junk", "sbom-time"),
    ],
)
def test_the_clock_of_a_reproducible_build_is_the_images_own(created, code):
    """SOURCE_DATE_EPOCH: image and SBOM both say the time of the commit, and the provenance that of the build."""
    contents = (Contents(AMD, CONFIG, frozenset({LAYER}), created), Contents(ARM, None, frozenset()))
    assert judged(evidence(bom(created=ago(hours=2))), built(ago(hours=1)), contents=contents).code == code


def test_the_build_of_the_image_is_that_of_its_platforms_too():
    things = [evidence(bom(created=ago(hours=2)), p) for p in (AMD, ARM)]
    assert judged(*things, built(ago(hours=1))).code == "sbom-time"
    assert judged(*things, built(ago(hours=1), ARM)).code == "sbom-time"
    assert judged(*things, built(ago(hours=1), OTHER)).code == "ok"


# -- by whom


def test_only_the_sboms_of_the_named_signers_count():
    policy = SbomPolicy(signers=("build", "qa"), deny=denying(f"{LOG4J}@<2.17.1").deny)
    bad = bom(packages=({"name": "log4j-core", "purl": f"{LOG4J}@2.1"},))
    ours, theirs = evidence(bom(), signers=("other", "build")), evidence(bad, signers=("other",))
    assert judged(ours, theirs, policy=policy).code == "ok"
    assert judged(ours, evidence(bad, signers=("qa",)), policy=policy).code == "package-denied"
    verdict = judged(theirs, policy=policy)
    assert verdict.code == "sbom-foreign"
    assert (verdict.expected, verdict.actual) == (
        "an SBOM by build or qa",
        "signed by other (issuer https://issuer.example)",
    )
    assert judged(policy=policy).code == "no-sbom"


def test_a_named_signer_must_cover_every_platform():
    policy = SbomPolicy(signers=("build",))
    mine, other = evidence(bom(), AMD, signers=("build",)), evidence(bom(), ARM, signers=("other",))
    assert judged(mine, other, policy=policy).code == "no-sbom"
    assert judged(mine, evidence(bom(), ARM, signers=("build",)), policy=policy).code == "ok"
