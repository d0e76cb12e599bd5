"""What the gates of signature, commit, rebuilt and attestations can be asked for beyond their defaults."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promote.evidence.summary import Summary
from promote.gates import attestations, commit, labels, provenance, rebuilt, signature
from promote.gates.labels import PlatformLabels
from promote.gates.rebuilt import Twin
from promote.model.digest import Digest
from promote.model.evidence import Evidence, Findings, Kind, Log, Rejected, SignedBy, Storage
from promote.model.policy import AttestationDemand, KeylessSigner, SignaturePolicy, Trust, Witness
from promote.model.verdict import Outcome, Verdict

PASS, REFUSE, SKIP = Outcome.PASS, Outcome.REFUSE, Outcome.SKIP
HERE, OTHER, ONE, TWO = (Digest.of(name.encode()) for name in ("here", "other", "one", "two"))
CARRIER = Digest.of(b"carrier")
COMMIT, SOURCE = "0123456789abcdef0123456789abcdef01234567", "https://github.com/acme/web"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ANN, BEN = (SignedBy(issuer="https://issuer.example", identity=f"{name}@acme.example") for name in ("ann", "ben"))
KEY = SignedBy(key=f"sha256:{'a' * 64}")
TRUST = Trust((KeylessSigner("https://issuer.example", "ann@acme.example"),))
SLSA, SLSA02, SPDX = provenance.V1, provenance.V02, "https://spdx.dev/Document"
TEST, VSA = "https://in-toto.io/attestation/test-result/v0.1", "https://slsa.dev/verification_summary/v1"


def signed(by: SignedBy = ANN, subject: Digest = HERE, **more) -> Evidence:
    return Evidence(Kind.SIGNATURE, CARRIER, subject, Storage.BUNDLE, by, Log.PROOF, **more)


def attested(predicate_type: str, predicate=None, by: SignedBy = ANN, subject: Digest = HERE, **more) -> Evidence:
    return Evidence(
        Kind.ATTESTATION, CARRIER, subject, Storage.BUNDLE, by, Log.PROOF, predicate_type, predicate, **more
    )


def found(*things: Evidence | Rejected) -> Findings:
    return Findings(tuple(t for t in things if isinstance(t, Evidence)))


def said(verdict: Verdict | None) -> tuple[Outcome, str] | None:
    if verdict is None:
        return None
    for text in (verdict.summary, verdict.expected, verdict.actual, verdict.hint):
        assert text is None or (text and text.isprintable()), text
    if verdict.outcome is REFUSE:
        assert verdict.expected
        assert verdict.actual
        assert verdict.expected != verdict.actual
    return verdict.outcome, verdict.code


# -- signature


@pytest.mark.parametrize(
    ("policy", "things", "expected"),
    [
        (SignaturePolicy(threshold=2), [signed(ANN), signed(BEN)], (PASS, "ok")),
        (SignaturePolicy(threshold=2), [signed(ANN), signed(KEY)], (PASS, "ok")),
        (SignaturePolicy(threshold=3), [signed(ANN), signed(KEY), signed(BEN)], (PASS, "ok")),
        (SignaturePolicy(threshold=2), [signed(ANN)], (REFUSE, "signature-threshold")),
        (SignaturePolicy(threshold=2), [signed(ANN), signed(ANN)], (REFUSE, "signature-threshold")),
        (SignaturePolicy(threshold=2), [signed(KEY)] * 9, (REFUSE, "signature-threshold")),
        (
            SignaturePolicy(threshold=2),
            [signed(ANN), signed(SignedBy("https://issuer.example", "ann@acme.example", source_commit="x"))],
            (REFUSE, "signature-threshold"),
        ),
        (
            SignaturePolicy(threshold=2),
            [signed(ANN), signed(SignedBy("https://other.example", "ann@acme.example"))],
            (PASS, "ok"),
        ),
        (SignaturePolicy(threshold=2), [signed(ANN), signed(BEN, OTHER)], (REFUSE, "signature-threshold")),
        (SignaturePolicy(threshold=2), [signed(ANN), attested(SLSA, by=BEN)], (REFUSE, "signature-threshold")),
        (SignaturePolicy(threshold=2, provenance=True), [signed(ANN), attested(SLSA, by=BEN)], (PASS, "ok")),
        (SignaturePolicy(threshold=2, provenance=True), [signed(ANN), attested(SLSA)], (REFUSE, "signature-threshold")),
        (
            SignaturePolicy({"a": "b"}, threshold=2),
            [signed(ANN, annotations={"a": "b"}), signed(BEN)],
            (REFUSE, "signature-threshold"),
        ),
        (SignaturePolicy(threshold=2), [], (REFUSE, "no-signature")),
        (SignaturePolicy(signers=("ci",)), [signed(signers=("ci",))], (PASS, "ok")),
        (SignaturePolicy(signers=("ci", "qa")), [signed(signers=("x", "qa"))], (PASS, "ok")),
        (SignaturePolicy(signers=("ci",)), [signed(signers=("qa",))], (REFUSE, "signature-foreign")),
        (SignaturePolicy(signers=("ci",)), [signed()], (REFUSE, "signature-foreign")),
        (
            SignaturePolicy(signers=("ci", "qa"), threshold=2),
            [signed(ANN, signers=("ci",)), signed(BEN, signers=("scanner",))],
            (REFUSE, "signature-threshold"),
        ),
    ],
)
def test_a11_a_threshold_counts_different_identities_and_keys(policy, things, expected):
    assert said(signature.judge(HERE, found(*things), policy, TRUST)) == expected


def test_a_met_threshold_names_everybody_who_signed():
    verdict = signature.judge(HERE, found(signed(ANN), signed(BEN)), SignaturePolicy(threshold=2), TRUST)
    assert "ann@acme.example" in verdict.summary
    assert "ben@acme.example" in verdict.summary


def test_too_few_says_how_many_and_who():
    verdict = signature.judge(HERE, found(signed(ANN), signed(ANN)), SignaturePolicy(threshold=2), TRUST)
    assert (verdict.expected, (verdict.actual or "")[:3]) == ("2 different identities or keys", "1: ")
    assert "ann@acme.example" in (verdict.actual or "")


# -- commit


def built(commit_id: object = COMMIT, uri: str | None = f"git+{SOURCE}@refs/heads/main", **more) -> dict:
    source = {"digest": {"gitCommit": commit_id}} | ({"uri": uri} if uri else {})
    return {"buildDefinition": {"resolvedDependencies": [source]}, **more}


def certified(**claims: str) -> SignedBy:
    return SignedBy(issuer="https://issuer.example", identity="ann@acme.example", **claims)


WITNESSES = {
    Witness.CERTIFICATE: signed(certified(source_commit=COMMIT)),
    Witness.ANNOTATION: signed(KEY, annotations={"commit": COMMIT}),
    Witness.PROVENANCE: attested(SLSA, built(), KEY),
}


@pytest.mark.parametrize("witness", WITNESSES)
def test_each_witness_of_the_commit_can_be_demanded(witness):
    every = found(*WITNESSES.values())
    without = found(*(e for w, e in WITNESSES.items() if w is not witness))
    assert said(commit.judge(HERE, COMMIT, SOURCE, every, {witness})) == (PASS, "ok")
    assert said(commit.judge(HERE, COMMIT, SOURCE, without, {witness})) == (REFUSE, "commit-unnamed")
    assert said(commit.judge(HERE, COMMIT, SOURCE, without)) == (PASS, "ok")
    assert said(commit.judge(HERE, COMMIT, SOURCE, found(), {witness})) == (REFUSE, "commit-unnamed")


def test_the_label_is_demanded_of_every_platform():
    def judge(*revisions: str | None) -> tuple[Outcome, str] | None:
        platforms = [PlatformLabels(f"p{i}", r, None) for i, r in enumerate(revisions)]
        return said(labels.judge(COMMIT, None, platforms, {Witness.LABEL}))

    assert judge(COMMIT, COMMIT) == (PASS, "ok")
    assert judge(COMMIT, None) == (REFUSE, "commit-unnamed")
    assert judge(None) == judge() == (REFUSE, "commit-unnamed")
    assert judge(None, "f" * 40) == (REFUSE, "commit-disagrees")
    assert said(commit.judge(HERE, COMMIT, None, found(), {Witness.LABEL})) == (SKIP, "not-asked-for")


@pytest.mark.parametrize(
    ("things", "source", "expected"),
    [
        ([attested(SLSA, built(uri="git+https://github.com/acme/fork@refs/heads/main"))], SOURCE, "source-disagrees"),
        ([attested(SLSA, built(uri="git+https://github.com/acme/fork@x"))], None, None),
        (
            [attested(SLSA, built(uri="git+https://github.com/acme/fork"), certified(source_repository=SOURCE))],
            None,
            "source-disagrees",
        ),
        ([attested(SLSA, built(uri=f"git+{SOURCE}.git@v1"), certified(source_repository=SOURCE))], SOURCE, None),
        ([attested(SLSA, built(uri="git+ssh://git@github.com/acme/web@v1"))], SOURCE, None),
        ([attested(SLSA, built(uri="pkg:golang/x@1"))], SOURCE, None),
        ([attested(SLSA, built(uri=None))], SOURCE, None),
        (
            [
                attested(
                    SLSA02,
                    {"invocation": {"configSource": {"uri": f"git+{SOURCE}@main", "digest": {"sha1": COMMIT}}}},
                )
            ],
            SOURCE,
            None,
        ),
        (
            [attested(SLSA02, {"materials": [{"uri": SOURCE, "digest": {"sha1": "f" * 40}}]})],
            SOURCE,
            "commit-disagrees",
        ),
        ([attested(SPDX, {}, certified(source_commit="f" * 40))], SOURCE, "commit-disagrees"),
        ([attested(VSA, {}, certified(source_commit="f" * 40))], SOURCE, None),
        ([attested(TEST, {}, certified(source_repository="https://github.com/acme/e2e"))], SOURCE, None),
    ],
)
def test_a30_what_the_build_says_must_be_one_story(things, source, expected):
    verdict = commit.judge(HERE, COMMIT, source, found(*things))
    assert (verdict.code if verdict.outcome is REFUSE else None) == expected
    said(verdict)


NEAR = f"{COMMIT[:7]}{'f' * 33}"


@pytest.mark.parametrize(
    ("things", "revisions", "expected"),
    [
        ([signed(certified(source_commit=COMMIT)), signed(KEY, annotations={"commit": COMMIT})], [COMMIT], None),
        ([signed(certified(source_commit=COMMIT)), signed(KEY, annotations={"commit": COMMIT[:9]})], [], None),
        ([signed(certified(source_commit=COMMIT)), signed(KEY, annotations={"commit": NEAR})], [], "commit-disagrees"),
        ([signed(certified(source_commit=COMMIT)), attested(SLSA, built(NEAR), KEY)], [], "commit-disagrees"),
        (
            [signed(certified(source_commit=COMMIT)), attested(SPDX, {}, certified(source_commit=NEAR))],
            [],
            "commit-disagrees",
        ),
        ([signed(certified(source_commit=COMMIT))], [COMMIT, NEAR], "commit-disagrees"),
        ([signed(KEY)], [COMMIT, NEAR], "commit-disagrees"),
        ([signed(KEY)], [COMMIT], None),
        ([signed(certified(source_commit=COMMIT))], [f"{COMMIT}-dirty"], "commit-disagrees"),
    ],
)
def test_what_an_abbreviated_tag_fits_must_still_be_one_commit(things, revisions, expected):
    """Another commit with the same seven digits is a matter of minutes to make."""
    verdict = commit.judge(HERE, COMMIT[:7], SOURCE, found(*things), revisions=revisions)
    assert (verdict.code if verdict.outcome is REFUSE else None) == expected
    said(verdict)


def test_a_pass_says_which_commit_the_tag_abbreviates():
    whole = found(signed(certified(source_commit=COMMIT)))
    assert commit.judge(HERE, COMMIT[:7], SOURCE, whole).summary.endswith(f", {COMMIT}, which it abbreviates")
    assert "abbreviates" not in commit.judge(HERE, COMMIT, SOURCE, whole).summary


# -- rebuilt


def twin(*things: Evidence, digest: Digest = OTHER) -> Twin:
    return Twin(digest, "git recorded sha-0123456 in abcdef012345", found(*things))


ANOTHER = certified(source_commit=COMMIT, source_repository=SOURCE)


@pytest.mark.parametrize(
    ("things", "twins", "refused"),
    [
        ([signed(ANOTHER)], [], False),
        ([signed(ANOTHER)], [twin()], False),
        ([signed(ANOTHER)], [twin(signed(ANOTHER, OTHER))], True),
        ([signed(ANOTHER)], [twin(), twin(attested(SLSA, built(), KEY, OTHER))], True),
        ([signed(KEY)], [twin(signed(KEY, OTHER, annotations={"commit": COMMIT}))], True),
        ([signed(ANOTHER)], [twin(signed(certified(source_commit="f" * 40), OTHER))], False),
        ([signed(ANOTHER)], [twin(signed(certified(source_commit=f"{COMMIT[:7]}{'f' * 33}"), OTHER))], False),
        (
            [signed(ANOTHER)],
            [twin(signed(certified(source_commit=COMMIT, source_repository="https://github.com/acme/api"), OTHER))],
            False,
        ),
        ([signed(ANOTHER)], [twin(attested(VSA, {}, ANOTHER, OTHER))], False),
        ([signed(ANOTHER)], [twin(signed(ANOTHER, HERE))], False),
        ([signed(ANOTHER, others=(OTHER,))], [], True),
        ([signed(ANOTHER, others=(ONE,))], [], False),
        ([attested(SLSA, built(), KEY, others=(ONE, OTHER))], [], True),
        ([attested(VSA, {}, ANOTHER, others=(OTHER,))], [], False),
        ([signed(KEY, others=(OTHER,))], [], False),
    ],
)
@pytest.mark.parametrize("named", [COMMIT, COMMIT[:7]])
def test_two_builds_of_one_commit_are_a_rebuilt_tag(things, twins, refused, named):
    """The fifth way of design section 6."""
    verdict = rebuilt.judge(HERE, named, {HERE, ONE}, found(*things), twins)
    assert said(verdict) == ((REFUSE, "rebuilt-signed-twice") if refused else None)
    if verdict:
        assert str(HERE) in (verdict.expected or "")
        assert str(OTHER) in (verdict.actual or "")


# -- attestations


def judge(demand: AttestationDemand, *things: Evidence, platforms: tuple[Digest, ...] = ()) -> tuple | None:
    return said(attestations.judge(HERE, platforms, found(*things), (demand,), NOW))


BUILDER = "https://github.com/actions/runner/github-hosted"
BUILT = built(runDetails={"builder": {"id": BUILDER}})


@pytest.mark.parametrize(
    ("demand", "things", "expected"),
    [
        (AttestationDemand(SLSA, builder=BUILDER, source=SOURCE), [attested(SLSA, BUILT)], (PASS, "ok")),
        (AttestationDemand(SLSA, source=f"{SOURCE}.git"), [attested(SLSA, BUILT)], (PASS, "ok")),
        (AttestationDemand(SLSA, builder=f"{BUILDER}x"), [attested(SLSA, BUILT)], (REFUSE, "attestation-content")),
        (AttestationDemand(SLSA, builder=BUILDER), [attested(SLSA, built())], (REFUSE, "attestation-content")),
        (AttestationDemand(SLSA, builder=BUILDER), [attested(SLSA, None)], (REFUSE, "attestation-content")),
        (AttestationDemand(SLSA, source=f"{SOURCE}x"), [attested(SLSA, BUILT)], (REFUSE, "attestation-content")),
        (AttestationDemand(SLSA, source=SOURCE), [attested(SLSA, built(uri=None))], (REFUSE, "attestation-content")),
        (AttestationDemand(SLSA, builder=BUILDER), [attested(SLSA, {}), attested(SLSA, BUILT)], (PASS, "ok")),
        (
            AttestationDemand(SLSA02, builder="b"),
            [attested(SLSA02, {"builder": {"id": "b"}})],
            (PASS, "ok"),
        ),
        (AttestationDemand(SLSA, signers=("ci",)), [attested(SLSA, BUILT, signers=("ci",))], (PASS, "ok")),
        (
            AttestationDemand(SLSA, signers=("ci",)),
            [attested(SLSA, BUILT, signers=("qa",))],
            (REFUSE, "no-attestation"),
        ),
        (AttestationDemand(SLSA, signers=("ci",)), [attested(SLSA, BUILT)], (REFUSE, "no-attestation")),
        (AttestationDemand("https://any.example/x"), [attested("https://any.example/x", 7)], (PASS, "ok")),
    ],
)
def test_a_provenance_and_any_other_type_by_any_named_signer(demand, things, expected):
    assert judge(demand, *things) == expected


@pytest.mark.parametrize(("predicate_type", "field"), [(TEST, "result"), (VSA, "verificationResult")])
@pytest.mark.parametrize(
    ("wanted", "got", "expected"),
    [
        (None, "PASSED", (PASS, "ok")),
        ("PASSED", "PASSED", (PASS, "ok")),
        ("WARNED", "WARNED", (PASS, "ok")),
        (None, "FAILED", (REFUSE, "attestation-content")),
        (None, "WARNED", (REFUSE, "attestation-content")),
        (None, "passed", (REFUSE, "attestation-content")),
        (None, None, (REFUSE, "attestation-content")),
        (None, ["PASSED"], (REFUSE, "attestation-content")),
        ("WARNED", "PASSED", (REFUSE, "attestation-content")),
    ],
)
def test_a_result_must_be_the_one_that_is_asked_for(predicate_type, field, wanted, got, expected):
    assert judge(AttestationDemand(predicate_type, result=wanted), attested(predicate_type, {field: got})) == expected


def test_a_result_that_is_no_object_is_none():
    for predicate in (None, [], "PASSED", 7):
        assert judge(AttestationDemand(TEST), attested(TEST, predicate)) == (REFUSE, "attestation-content")


def summary(**more: object) -> dict:
    return {"verificationResult": "PASSED", "verifier": {"id": "https://acme.example/promote"}} | more


def oci(digest: Digest) -> str:
    """As promote itself writes it."""
    return Summary(digest, "r.example/web", "promote.yaml#/environments/prod", OTHER, (), "1").resource


@pytest.mark.parametrize(
    ("demand", "predicate", "expected"),
    [
        ({"verifier": "https://acme.example/promote"}, summary(), (PASS, "ok")),
        ({"verifier": "https://acme.example/other"}, summary(), (REFUSE, "attestation-content")),
        ({"verifier": "x"}, summary(verifier="x"), (REFUSE, "attestation-content")),
        ({"resource": "r.example/web"}, summary(resourceUri="r.example/web"), (PASS, "ok")),
        ({"resource": "r.example/web"}, summary(resourceUri="r.example/api"), (REFUSE, "attestation-content")),
        ({"resource": "r.example/web"}, summary(), (REFUSE, "attestation-content")),
        ({"resource": "r.example/web"}, summary(resourceUri=7), (REFUSE, "attestation-content")),
        ({"resource": "r.example/web"}, summary(resourceUri=f"r.example/web@{HERE}"), (PASS, "ok")),
        ({"resource": "r.example/web"}, summary(resourceUri=f"r.example/api@{HERE}"), (REFUSE, "attestation-content")),
        ({"resource": "r.example/web"}, summary(resourceUri=oci(HERE)), (PASS, "ok")),
        ({"resource": oci(HERE)}, summary(resourceUri=oci(HERE)), (PASS, "ok")),
        ({"resource": "r.example/web"}, summary(resourceUri=oci(OTHER)), (REFUSE, "attestation-content")),
        ({"resource": "r.example/api"}, summary(resourceUri=oci(HERE)), (REFUSE, "attestation-content")),
        ({"resource": "web"}, summary(resourceUri="pkg:oci/web"), (REFUSE, "attestation-content")),
        ({}, summary(resourceUri=f"r.example/web@{HERE}"), (PASS, "ok")),
        ({}, summary(resourceUri=f"r.example/web@{OTHER}"), (REFUSE, "attestation-content")),
        ({}, summary(resourceUri=f"r.example/web@{OTHER}?x=y"), (REFUSE, "attestation-content")),
        ({}, summary(resourceUri=oci(OTHER)), (REFUSE, "attestation-content")),
        ({}, summary(resourceUri=f"r.example/web@sha512:{'0' * 128}"), (REFUSE, "attestation-content")),
    ],
)
def test_a_verification_summary_names_its_verifier_and_resource(demand, predicate, expected):
    assert judge(AttestationDemand(VSA, **demand), attested(VSA, predicate)) == expected


@settings(max_examples=200)
@given(st.text() | st.text(alphabet="pkg:oci/@%?&=#sha256:0aA\ud800").map(lambda text: f"pkg:oci/{text}"))
def test_whatever_a_resource_says_it_is_another_one_or_none(text):
    verdict = judge(AttestationDemand(VSA, resource="r.example/web"), attested(VSA, summary(resourceUri=text)))
    assert verdict == (REFUSE, "attestation-content")


def ago(**time: int) -> dict:
    return {"time": NOW - timedelta(**time)}


WEEK = AttestationDemand(SLSA, max_age=timedelta(days=7))


@pytest.mark.parametrize(
    ("things", "expected"),
    [
        ([attested(SLSA, **ago(days=6))], (PASS, "ok")),
        ([attested(SLSA, **ago(days=7))], (PASS, "ok")),
        ([attested(SLSA, **ago(days=7, seconds=1))], (REFUSE, "attestation-old")),
        ([attested(SLSA)], (REFUSE, "attestation-old")),
        ([attested(SLSA, **ago(days=9)), attested(SLSA, **ago(days=1))], (PASS, "ok")),
        ([attested(SLSA), attested(SLSA, **ago(days=1))], (PASS, "ok")),
    ],
)
def test_age_is_counted_from_the_verified_time(things, expected):
    assert judge(WEEK, *things) == expected


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([("FAILED", 2), ("PASSED", 1)], (PASS, "ok")),
        ([("PASSED", 2), ("FAILED", 1)], (REFUSE, "attestation-content")),
        ([("PASSED", 1), ("FAILED", None)], (REFUSE, "attestation-content")),
        ([("PASSED", None), ("PASSED", 3)], (PASS, "ok")),
        ([("PASSED", None), ("FAILED", 3)], (REFUSE, "attestation-content")),
    ],
)
@pytest.mark.parametrize("backwards", [False, True])
def test_a33_of_several_results_the_newest_verified_one_decides(results, expected, backwards):
    things = [attested(TEST, {"result": r}, **({} if days is None else ago(days=days))) for r, days in results]
    assert judge(AttestationDemand(TEST), *(reversed(things) if backwards else things)) == expected


@pytest.mark.parametrize(
    ("covered", "expected"),
    [
        ((ONE, TWO), (PASS, "ok")),
        ((HERE,), (PASS, "ok")),
        ((ONE,), (REFUSE, "no-attestation")),
        ((OTHER,), (REFUSE, "no-attestation")),
        ((), (REFUSE, "no-attestation")),
    ],
)
def test_an_attestation_is_of_the_image_or_of_every_platform(covered, expected):
    things = [attested(SLSA, subject=digest) for digest in covered]
    assert judge(AttestationDemand(SLSA), *things, platforms=(ONE, TWO)) == expected


def test_what_comes_from_outside_is_escaped():
    evil = "\x1b[31m\nhttps://evil.example"
    for demand, thing in (
        (AttestationDemand(SLSA, builder=BUILDER), attested(SLSA, {"runDetails": {"builder": {"id": evil}}})),
        (AttestationDemand(VSA, verifier="x"), attested(VSA, summary(verifier={"id": evil}))),
        (AttestationDemand(TEST), attested(TEST, {"result": evil})),
        (AttestationDemand(SLSA), attested(evil)),
    ):
        assert judge(demand, thing) is not None
