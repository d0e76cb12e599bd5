"""Each gate: facts in, verdict out."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from promote.gates import (
    attestations,
    commit,
    deployed,
    labels,
    ledger,
    overlay,
    path,
    sbom,
    signature,
    source_tag,
    tag,
    target_tag,
)
from promote.gates.labels import PlatformLabels, same_commit, same_source
from promote.model.digest import Digest
from promote.model.environment import App, Environment
from promote.model.evidence import Evidence, Findings, Flaw, Kind, Log, Rejected, SignedBy, Storage
from promote.model.policy import (
    COMMIT_TAG,
    AttestationDemand,
    DeployedDemand,
    KeylessSigner,
    SbomPolicy,
    SignaturePolicy,
    Trust,
)
from promote.model.record import Sighting
from promote.model.release import Pin, Release
from promote.model.verdict import Outcome, Verdict

PASS, REFUSE, SKIP = Outcome.PASS, Outcome.REFUSE, Outcome.SKIP
COMMIT = "0123456789abcdef0123456789abcdef01234567"
TAG = f"sha-{COMMIT}"
HERE, OTHER, CHILD = (Digest.of(name.encode()) for name in ("here", "other", "child"))
CARRIER = Digest.of(b"carrier")
ME = SignedBy(issuer="https://issuer.example", identity="me")
KEY = SignedBy(key=f"sha256:{'a' * 64}")
TRUST = Trust((KeylessSigner("https://issuer.example", "me"),))
RELEASE = Release(App("web", "acme/web"), TAG, HERE)
SLSA = "https://slsa.dev/provenance/v1"
SPDX = "https://spdx.dev/Document"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def said(verdict: Verdict) -> tuple[Outcome, str]:
    return verdict.outcome, verdict.code


def check(verdict: Verdict) -> Verdict:
    """A refusal says what was expected, what was got and what to do; in one line each."""
    for text in (verdict.summary, verdict.expected, verdict.actual, verdict.hint):
        assert text is None or (text and text.isprintable()), text
    if verdict.outcome is REFUSE:
        assert verdict.expected is not None
        assert verdict.actual is not None
        assert verdict.expected != verdict.actual
    return verdict


# -- tag

FLOATING = (
    "latest LATEST stable edge nightly canary main master develop dev test staging prod production current release "
    "1 1.2 v1.2.3 1.2-alpine"
)


@pytest.mark.parametrize("name", FLOATING.split())
def test_a_floating_tag_is_refused(name):
    assert said(check(tag.judge(name, COMMIT_TAG))) == (REFUSE, "floating-tag")


@pytest.mark.parametrize(
    "name",
    [
        "sha-012345",
        "sha-xyz",
        "sha256-0123456",
        COMMIT,
        f"x{TAG}",
        f"{TAG}x",
        f"{TAG} ",
        f"{TAG}\n",
        "",
        "-",
        "ä",
        "a/b",
        "sha-0123456:1",
        "a" * 129,
        "\x1b[31m",
    ],
)
def test_what_names_no_commit_is_refused(name):
    assert said(check(tag.judge(name, COMMIT_TAG))) == (REFUSE, "tag-not-a-commit")


@pytest.mark.parametrize("name", [TAG, "sha-0123456", f"sha-{'f' * 64}"])
def test_a_commit_tag_passes(name):
    assert said(tag.judge(name, COMMIT_TAG)) == (PASS, "ok")


def test_the_commit_is_the_named_group():
    assert tag.commit_of(TAG, COMMIT_TAG) == COMMIT
    assert tag.commit_of("latest", COMMIT_TAG) is None
    assert tag.commit_of("git-abcdef01-7", re.compile(r"git-(?P<commit>[0-9a-f]{8})-\d+")) == "abcdef01"


@pytest.mark.parametrize(
    ("text", "may"),
    [
        ("sha-0", True),
        ("sha-", True),
        (TAG, True),
        ("sha", False),
        ("latest", False),
        ("sha-g", False),
        ("sha-" + "0" * 65, False),
    ],
)
def test_what_may_be_an_abbreviation(text, may):
    assert tag.may_abbreviate(text, COMMIT_TAG) is may


# -- path, source, target, overlay


def test_the_path():
    staging, prod, dev = Environment("staging", ()), Environment("prod", (), ("staging",)), Environment("dev", ())
    assert said(path.judge(staging, prod)) == (PASS, "ok")
    refused = check(path.judge(dev, prod))
    assert (said(refused), refused.expected, refused.actual) == ((REFUSE, "path-not-allowed"), "from staging", "dev")
    assert said(check(path.judge(prod, staging))) == (REFUSE, "path-not-allowed")


def test_the_source():
    assert said(source_tag.judge(f"r.example/acme/web:{TAG}", HERE)) == (PASS, "ok")
    assert said(check(source_tag.judge(f"r.example/acme/web:{TAG}", None))) == (REFUSE, "no-such-tag")


def test_the_target_is_free_or_has_the_same():
    assert said(target_tag.judge(HERE, {"a": None})) == (PASS, "ok")
    assert said(target_tag.judge(HERE, {"a": HERE, "b": None})) == (PASS, "ok")
    assert said(target_tag.judge(HERE, {})) == (PASS, "ok")
    refused = check(target_tag.judge(HERE, {"a": HERE, "b": OTHER}))
    assert (said(refused), refused.expected, refused.actual) == ((REFUSE, "rebuilt-at-target"), str(HERE), str(OTHER))


def test_the_overlay():
    assert said(overlay.judge((), 0)) == (SKIP, "not-asked-for")
    for count, words in ((0, "one will be added"), (1, "1 reference to"), (2, "2 references to")):
        verdict = overlay.judge(("overlays/prod",), count)
        assert said(verdict) == (PASS, "ok")
        assert words in verdict.summary
    assert said(overlay.refuse("no-effect", "s", "e", "a", None)) == (REFUSE, "no-effect")


# -- what git says


def pin(name: str | None = TAG, digest: Digest | None = HERE) -> Pin:
    return Pin("overlays/staging/kustomization.yaml", 3, "web", name, digest)


def seen(of: Pin) -> Sighting:
    return Sighting("c" * 40, datetime(2026, 1, 2, tzinfo=UTC), "Test <test@example.com>", of)


NEWER = pin("sha-fffffff", OTHER)


@pytest.mark.parametrize(
    ("demand", "current", "earlier", "expected"),
    [
        ("ever", [pin()], [], (PASS, "ok")),
        ("ever", [pin(digest=None)], [], (PASS, "ok")),
        ("ever", [pin("other", HERE)], [], (PASS, "ok")),
        ("ever", [NEWER], [seen(pin())], (PASS, "ok")),
        ("ever", [NEWER], [seen(pin(digest=None))], (PASS, "ok")),
        ("ever", [NEWER], [seen(pin(digest=OTHER))], (REFUSE, "not-deployed")),
        ("ever", [NEWER], [], (REFUSE, "not-deployed")),
        ("ever", [], [], (REFUSE, "not-deployed")),
        ("ever", [pin(digest=OTHER)], [seen(pin())], (REFUSE, "rebuilt-since-deployed")),
        ("ever", [pin(), pin(digest=OTHER)], [], (REFUSE, "rebuilt-since-deployed")),
        ("current", [pin()], [], (PASS, "ok")),
        ("current", [NEWER], [seen(pin())], (REFUSE, "not-deployed")),
        ("current", [pin(digest=OTHER)], [], (REFUSE, "rebuilt-since-deployed")),
        ("off", [pin(digest=OTHER)], [], (REFUSE, "rebuilt-since-deployed")),
        ("off", [], [], (SKIP, "turned-off")),
    ],
)
def test_deployed(demand, current, earlier, expected):
    verdict = deployed.judge(
        RELEASE, "staging", DeployedDemand(demand), current, earlier, has_overlays=True, history_complete=True
    )
    assert said(check(verdict)) == expected


def test_deployed_without_overlays_and_in_a_shallow_clone():
    none = deployed.judge(RELEASE, "ci", DeployedDemand.EVER, [], [], has_overlays=False, history_complete=True)
    assert said(none) == (SKIP, "not-asked-for")
    shallow = deployed.judge(RELEASE, "ci", DeployedDemand.EVER, [], [], has_overlays=True, history_complete=False)
    assert "unshallow" in (shallow.hint or "")
    assert "shallow" in shallow.summary


@pytest.mark.parametrize(
    ("sightings", "expected"),
    [
        ([], (PASS, "ok")),
        ([seen(pin())], (PASS, "ok")),
        ([seen(pin(digest=None))], (PASS, "ok")),
        ([seen(NEWER)], (PASS, "ok")),
        ([seen(pin()), seen(pin(digest=OTHER))], (REFUSE, "rebuilt-since-recorded")),
    ],
)
def test_the_ledger(sightings, expected):
    verdict = ledger.judge(RELEASE, sightings, has_overlays=True, history_complete=True)
    assert said(check(verdict)) == expected
    assert said(ledger.judge(RELEASE, sightings, has_overlays=False, history_complete=True)) == (SKIP, "not-asked-for")
    assert "shallow" in ledger.judge(RELEASE, [], has_overlays=True, history_complete=False).summary


# -- labels and commits

SOURCE = "https://github.com/acme/web"


@pytest.mark.parametrize(
    ("revision", "source", "expected"),
    [
        (COMMIT, SOURCE, (PASS, "ok")),
        (COMMIT, None, (PASS, "ok")),
        (COMMIT[:7], f"{SOURCE}.git", (PASS, "ok")),
        (COMMIT.upper(), f"{SOURCE}/", (PASS, "ok")),
        (None, SOURCE, (SKIP, "not-asked-for")),
        ("f" * 40, SOURCE, (REFUSE, "commit-disagrees")),
        (COMMIT[:6], SOURCE, (REFUSE, "commit-disagrees")),
        ("", SOURCE, (REFUSE, "commit-disagrees")),
        (COMMIT, f"{SOURCE}-fork", (REFUSE, "source-disagrees")),
        (None, "https://github.com/other/web", (REFUSE, "source-disagrees")),
    ],
)
def test_labels(revision, source, expected):
    platforms = [PlatformLabels("one", COMMIT, SOURCE), PlatformLabels("two", revision, source)]
    if expected[0] is SKIP:
        platforms = platforms[1:]
    assert said(labels.judge(COMMIT, SOURCE, platforms)) == expected


def test_labels_are_not_compared_with_a_source_that_nobody_named():
    assert said(labels.judge(COMMIT, None, [PlatformLabels("one", COMMIT, "https://x.example")])) == (PASS, "ok")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (COMMIT, COMMIT, True),
        (COMMIT[:7], COMMIT, True),
        (COMMIT, COMMIT[:9], True),
        (COMMIT[:6], COMMIT, False),
        ("", "", True),
        (COMMIT, "", False),
        (COMMIT[:8], f"{COMMIT[:7]}f{COMMIT[8:]}", False),
        (COMMIT, f"{COMMIT}-dirty", False),
        (COMMIT[:7], f"{COMMIT[:7]} and more", False),
        (COMMIT, COMMIT * 2, False),
    ],
)
def test_the_same_commit(one, other, same):
    assert same_commit(one, other) is same
    assert same_commit(other, one) is same


def test_the_same_source():
    assert same_source(SOURCE, f"{SOURCE}.git")
    assert same_source(f"{SOURCE}/", SOURCE)
    assert not same_source(SOURCE, "https://github.com/acme/web2")
    assert not same_source(SOURCE, SOURCE.replace("https", "http"))


# -- evidence


def evidence(
    kind: Kind = Kind.SIGNATURE, subject: Digest = HERE, by: SignedBy = ME, log: Log = Log.PROMISE, **more
) -> Evidence:
    return Evidence(kind, CARRIER, subject, Storage.BUNDLE, by, log, **more)


def attestation(predicate_type: str, predicate=None, **more) -> Evidence:
    return evidence(Kind.ATTESTATION, predicate_type=predicate_type, predicate=predicate, **more)


def rejected(flaw: Flaw, kind: Kind | None = Kind.SIGNATURE, subject: Digest = HERE, **more) -> Rejected:
    return Rejected(CARRIER, subject, flaw, "something is wrong", kind, expected="good", actual="bad", **more)


def found(*things: Evidence | Rejected) -> Findings:
    return Findings(
        tuple(t for t in things if isinstance(t, Evidence)), tuple(t for t in things if isinstance(t, Rejected))
    )


DEFAULT = SignaturePolicy()


@pytest.mark.parametrize(
    ("policy", "things", "expected"),
    [
        (DEFAULT, [evidence()], (PASS, "ok")),
        (DEFAULT, [evidence(by=KEY, log=Log.NONE)], (PASS, "ok")),
        (DEFAULT, [rejected(Flaw.INVALID), rejected(Flaw.FOREIGN), evidence()], (PASS, "ok")),
        (DEFAULT, [], (REFUSE, "no-signature")),
        (DEFAULT, [evidence(subject=OTHER)], (REFUSE, "no-signature")),
        (DEFAULT, [attestation(SLSA)], (REFUSE, "no-signature")),
        (DEFAULT, [rejected(Flaw.INVALID, subject=OTHER)], (REFUSE, "no-signature")),
        (DEFAULT, [rejected(Flaw.INVALID, Kind.ATTESTATION)], (REFUSE, "no-signature")),
        (DEFAULT, [rejected(Flaw.UNSIGNED)], (REFUSE, "no-signature")),
        (DEFAULT, [rejected(Flaw.FOREIGN)], (REFUSE, "signature-foreign")),
        (DEFAULT, [rejected(Flaw.INVALID)], (REFUSE, "signature-invalid")),
        (DEFAULT, [rejected(Flaw.MALFORMED)], (REFUSE, "signature-invalid")),
        (DEFAULT, [rejected(Flaw.INVALID), rejected(Flaw.FOREIGN)], (REFUSE, "signature-foreign")),
        (DEFAULT, [rejected(Flaw.UNLOGGED)], (REFUSE, "signature-unlogged")),
        (DEFAULT, [rejected(Flaw.FOREIGN), rejected(Flaw.UNLOGGED)], (REFUSE, "signature-unlogged")),
        (DEFAULT, [rejected(Flaw.UNLOGGED), evidence()], (PASS, "ok")),
        (SignaturePolicy({"a": "b"}), [evidence()], (REFUSE, "signature-annotations")),
        (SignaturePolicy({"a": "b"}), [evidence(annotations={"a": "c"})], (REFUSE, "signature-annotations")),
        (SignaturePolicy({"a": "b"}), [evidence(), evidence(annotations={"a": "b", "x": "y"})], (PASS, "ok")),
        (
            SignaturePolicy({"a": "b", "c": "d"}),
            [evidence(annotations={"a": "b"}), evidence(annotations={"c": "d"})],
            (REFUSE, "signature-annotations"),
        ),
        (SignaturePolicy(provenance=True), [attestation(SLSA)], (PASS, "ok")),
        (SignaturePolicy(provenance=True), [attestation(SPDX)], (REFUSE, "no-signature")),
        (SignaturePolicy(provenance=True), [attestation(SLSA, subject=OTHER)], (REFUSE, "no-signature")),
        (SignaturePolicy(provenance=True, signature=False), [evidence()], (REFUSE, "no-signature")),
        (
            SignaturePolicy(provenance=True),
            [rejected(Flaw.FOREIGN, Kind.ATTESTATION, predicate_type=SLSA)],
            (REFUSE, "signature-foreign"),
        ),
        (DEFAULT, [rejected(Flaw.FOREIGN, Kind.ATTESTATION, predicate_type=SLSA)], (REFUSE, "no-signature")),
        (None, [], (SKIP, "turned-off")),
    ],
)
def test_the_signature(policy, things, expected):
    assert said(check(signature.judge(HERE, found(*things), policy, TRUST))) == expected


def test_a_signature_says_by_whom_and_whether_it_was_widened():
    assert "me (issuer https://issuer.example)" in signature.judge(HERE, found(evidence()), DEFAULT, TRUST).summary
    widened = signature.judge(HERE, found(attestation(SLSA)), SignaturePolicy(provenance=True), TRUST)
    assert "provenance" in widened.summary
    assert widened.evidence == (str(CARRIER),)


def test_what_is_there_instead_of_a_signature_is_said():
    verdict = signature.judge(HERE, found(attestation(SLSA), rejected(Flaw.UNSUPPORTED)), DEFAULT, TRUST)
    assert SLSA in (verdict.actual or "")
    assert "unsupported" in (verdict.actual or "")
    assert (
        signature.judge(HERE, found(), DEFAULT, Trust()).expected
        == "a signature by nobody: promote.yaml names no signer"
    )


def provenance(commit_id: object, **more) -> Evidence:
    source = {"uri": f"git+{SOURCE}@refs/heads/main", "digest": {"gitCommit": commit_id}}
    dependencies = [source, {"digest": {"gitCommit": "e" * 40}}]
    return attestation(SLSA, {"buildDefinition": {"resolvedDependencies": dependencies}}, **more)


def certified(**claims: str) -> SignedBy:
    return SignedBy(issuer="https://issuer.example", identity="me", **claims)


@pytest.mark.parametrize(
    ("things", "expected"),
    [
        ([], (SKIP, "not-asked-for")),
        ([evidence(by=KEY)], (SKIP, "not-asked-for")),
        ([evidence(by=certified(source_commit=COMMIT))], (PASS, "ok")),
        ([evidence(by=certified(source_commit="f" * 40))], (REFUSE, "commit-disagrees")),
        (
            [evidence(by=certified(source_commit=COMMIT)), attestation(SPDX, by=certified(source_commit="f" * 40))],
            (REFUSE, "commit-disagrees"),
        ),
        ([evidence(by=certified(source_repository=SOURCE))], (SKIP, "not-asked-for")),
        ([evidence(by=certified(source_repository="https://github.com/x/y"))], (REFUSE, "source-disagrees")),
        ([evidence(annotations={"commit": COMMIT})], (PASS, "ok")),
        ([evidence(annotations={"commit": "f" * 40})], (REFUSE, "commit-disagrees")),
        ([evidence(annotations={"commit": "f" * 40}, subject=CHILD)], (SKIP, "not-asked-for")),
        ([provenance(COMMIT)], (PASS, "ok")),
        ([provenance("f" * 40)], (REFUSE, "commit-disagrees")),
        ([provenance(COMMIT[:7])], (PASS, "ok")),
        ([provenance(7)], (REFUSE, "commit-disagrees")),
        ([attestation(SLSA, {"buildDefinition": []})], (SKIP, "not-asked-for")),
        (
            [attestation(SLSA, {"buildDefinition": {"resolvedDependencies": [1, {"digest": 2}]}})],
            (SKIP, "not-asked-for"),
        ),
        ([attestation(SLSA, None)], (SKIP, "not-asked-for")),
    ],
)
def test_the_commit(things, expected):
    assert said(check(commit.judge(HERE, COMMIT, SOURCE, found(*things)))) == expected


def spdx(count: int) -> dict:
    return {"spdxVersion": "SPDX-2.3", "packages": [{"name": f"p{n}", "SPDXID": f"SPDXRef-{n}"} for n in range(count)]}


@pytest.mark.parametrize(
    ("minimum", "platforms", "things", "expected"),
    [
        (1, (), [attestation(SPDX, spdx(1))], (PASS, "ok")),
        (2, (), [attestation(SPDX, spdx(1))], (REFUSE, "sbom-empty")),
        (1, (), [attestation(SPDX, spdx(0))], (REFUSE, "sbom-empty")),
        (0, (), [attestation(SPDX, spdx(0))], (PASS, "ok")),
        (1, (), [attestation(SPDX, spdx(0)), attestation(SPDX, spdx(3))], (PASS, "ok")),
        (1, (), [attestation(SPDX, [])], (REFUSE, "sbom-invalid")),
        (1, (), [attestation(SPDX, "no json")], (REFUSE, "sbom-invalid")),
        (1, (), [attestation(SLSA, {})], (REFUSE, "no-sbom")),
        (1, (), [], (REFUSE, "no-sbom")),
        (1, (), [attestation(SPDX, spdx(1), subject=OTHER)], (REFUSE, "no-sbom")),
        (1, (HERE,), [attestation(SPDX, spdx(1), subject=OTHER)], (REFUSE, "no-sbom")),
        (1, (CHILD,), [attestation(SPDX, spdx(1), subject=CHILD)], (PASS, "ok")),
        (1, (CHILD, OTHER), [attestation(SPDX, spdx(1), subject=CHILD)], (REFUSE, "no-sbom")),
        (1, (CHILD, OTHER), [attestation(SPDX, spdx(1), subject=s) for s in (CHILD, OTHER)], (PASS, "ok")),
        (1, (CHILD, OTHER), [attestation(SPDX, spdx(1))], (PASS, "ok")),
        (1, (), [rejected(Flaw.FOREIGN, Kind.ATTESTATION, predicate_type=SPDX)], (REFUSE, "sbom-foreign")),
        (1, (), [rejected(Flaw.INVALID, Kind.ATTESTATION, predicate_type=SPDX)], (REFUSE, "sbom-invalid")),
        (1, (), [rejected(Flaw.UNSIGNED, None)], (REFUSE, "sbom-unsigned")),
        (1, (), [rejected(Flaw.FOREIGN, Kind.ATTESTATION, predicate_type=SLSA)], (REFUSE, "no-sbom")),
    ],
)
def test_the_sbom(minimum, platforms, things, expected):
    assert said(check(sbom.judge(HERE, platforms, found(*things), SbomPolicy(minimum)))) == expected


def test_the_sbom_that_nobody_asked_for():
    assert said(sbom.judge(HERE, (), found(), None)) == (SKIP, "turned-off")


@pytest.mark.parametrize(
    ("wanted", "things", "expected"),
    [
        ((), [], (SKIP, "not-asked-for")),
        ((AttestationDemand(SLSA),), [attestation(SLSA)], (PASS, "ok")),
        ((AttestationDemand(SLSA),), [], (REFUSE, "no-attestation")),
        ((AttestationDemand(SLSA),), [attestation(SLSA, subject=OTHER)], (REFUSE, "no-attestation")),
        ((AttestationDemand(SLSA), AttestationDemand(SPDX)), [attestation(SLSA)], (REFUSE, "no-attestation")),
        (
            (AttestationDemand(SLSA),),
            [rejected(Flaw.FOREIGN, Kind.ATTESTATION, predicate_type=SLSA)],
            (REFUSE, "no-attestation"),
        ),
    ],
)
def test_further_attestations(wanted, things, expected):
    assert said(check(attestations.judge(HERE, (), found(*things), wanted, NOW))) == expected
