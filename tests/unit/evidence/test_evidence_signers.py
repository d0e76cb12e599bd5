"""Who counts: issuer, identity, build, log and scope, each of them alone against real and made certificates."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest
from support.cosign_fixtures import BUILD, BUNDLE, COMMIT, TestKey, b64, image, manifest_node, statement
from support.github_root import CLAIMS, SIGNED, PrivateSigstore, authority

from promote.evidence.signers import Conditions
from promote.evidence.verify import verify
from promote.model.evidence import Findings, Flaw, Kind, Log
from promote.model.policy import (
    KeylessSigner,
    LogDemand,
    LogRule,
    Pattern,
    RootProfile,
    SourceDemand,
    Trust,
)

TODAY = date(2026, 11, 22)
PREFIX = "https://github.com/acme/shop/.github/workflows"
OURS = PrivateSigstore()


def findings(case: str, *signers, rule: LogRule | None = None, today: date = TODAY) -> Findings:
    target = image(case)
    trust = Trust(tuple(signers), target.trust.root)
    return verify(target.graph, target.store, trust, Conditions(rule or LogRule(), today))


def verdict(found: Findings) -> Flaw | None:
    """None when everything was accepted, else the one word for what was refused."""
    assert not (found.accepted and found.rejected)
    flaws = {r.flaw for r in found.rejected}
    assert len(flaws) <= 1
    return flaws.pop() if flaws else None


@pytest.mark.parametrize("case", ["v3-keyless", "v2-keyless"])
@pytest.mark.parametrize(
    ("pattern", "good"),
    [
        (f"{PREFIX}/build.yml@refs/heads/main", True),
        (f"{PREFIX}/*.yml@refs/heads/main", True),
        (f"{PREFIX}/build.yml@refs/heads/*", True),
        (f"{PREFIX}/build.yml@refs/*/main", True),
        ("https://github.com/acme/*/.github/workflows/build.yml@refs/heads/main", True),
        ("https://github.com/acme/s*p/.github/workflows/b*d.yml@refs/heads/m*n", True),
        (f"{PREFIX}/build.yml@refs/*", False),
        (f"{PREFIX}/build.yml*", False),
        (f"{PREFIX}/build.yml@refs/heads/mai", False),
        (f"{PREFIX}/build.yml@refs/heads/", False),
        ("https://github.com/acme/*", False),
        ("https://github.com/*/build.yml@refs/heads/main", False),
        ("https://github.com/acme/sho/*.github/workflows/build.yml@refs/heads/main", False),
        (f"{PREFIX}/build.yml@refs/heads/.*", False),
        (f"{PREFIX}/build[.]yml@refs/heads/main", False),
        (f"{PREFIX}/build?yml@refs/heads/main", False),
        ("github.com/acme/shop/.github/workflows/build.yml@refs/heads/main", False),
        (f"{PREFIX.upper()}/build.yml@refs/heads/*", False),
    ],
)
def test_a9_a_pattern_is_matched_whole_and_its_star_stays_between_slashes(case, pattern, good):
    found = findings(case, KeylessSigner(BUILD.issuer, Pattern(pattern)))
    assert verdict(found) is (None if good else Flaw.FOREIGN)


@pytest.mark.parametrize("text", ["a", "a/b", "", "ab\nc", "x" * 3000])
def test_a_star_is_anything_between_slashes(text):
    assert Pattern("*").matches(text) is ("/" not in text)
    assert Pattern("<*>").matches(f"<{text}>") is ("/" not in text)


@pytest.mark.parametrize("case", ["v3-keyless", "v2-keyless", "v3-keyless-rekor1"])
@pytest.mark.parametrize(
    ("source", "wrong"),
    [
        (SourceDemand(), None),
        (SourceDemand(repository="https://github.com/acme/shop"), None),
        (SourceDemand(ref=Pattern("refs/heads/main")), None),
        (SourceDemand(ref=Pattern("refs/heads/*")), None),
        (SourceDemand(workflow=".github/workflows/build.yml"), None),
        (SourceDemand(workflow=f"{PREFIX}/build.yml@refs/heads/main"), None),
        (SourceDemand(triggers=("push",)), None),
        (SourceDemand(triggers=("release", "push")), None),
        (SourceDemand(runner="github-hosted"), None),
        (SourceDemand(repository="https://github.com/acme/shop-fork"), "source repository"),
        (SourceDemand(repository="https://github.com/acme"), "source repository"),
        (SourceDemand(ref=Pattern("refs/tags/*")), "source ref"),
        (SourceDemand(workflow=".github/workflows/release.yml"), "workflow"),
        (SourceDemand(workflow="build.yml"), "workflow"),
        (SourceDemand(triggers=("release",)), "trigger"),
        (SourceDemand(triggers=("pull_request", "workflow_dispatch")), "trigger"),
        (SourceDemand(runner="self-hosted"), "runner"),
    ],
)
def test_a14_a22_a24_what_the_certificate_says_of_the_build_can_be_demanded(case, source, wrong):
    found = findings(case, replace(BUILD, source=source))
    assert verdict(found) is (Flaw.FOREIGN if wrong else None)
    for rejected in found.rejected:
        assert wrong in rejected.summary
        assert wrong in (rejected.expected or "")
        assert rejected.expected != rejected.actual


def test_a_second_signer_with_the_same_identity_may_allow_what_the_first_does_not():
    strict = replace(BUILD, source=SourceDemand(triggers=("release",)), name="release")
    loose = replace(BUILD, source=SourceDemand(triggers=("push",)), name="push")
    assert {e.signers for e in findings("v3-keyless", strict, loose).accepted} == {("push",)}
    assert {e.signers for e in findings("v3-keyless", BUILD, loose).accepted} == {("push",)}
    assert {e.signers for e in findings("v3-keyless", BUILD).accepted} == {()}


@pytest.mark.parametrize(
    ("app", "environment", "scope", "counts"),
    [
        ("web", "prod", {}, True),
        ("web", "prod", {"apps": ("web",)}, True),
        ("web", "prod", {"apps": ("api",)}, False),
        ("web", "prod", {"environments": ("prod",)}, True),
        ("web", "prod", {"environments": ("staging",)}, False),
        ("web", "prod", {"apps": ("web", "api"), "environments": ("staging", "prod")}, True),
        ("web", "prod", {"apps": ("web",), "environments": ("staging",)}, False),
        ("web", None, {"environments": ("prod",)}, False),
        ("web", None, {"apps": ("web",)}, True),
    ],
)
def test_a_signer_counts_for_its_apps_and_environments_only(app, environment, scope, counts):
    for signer in (replace(BUILD, **scope), replace(TestKey.make().signer, **scope)):
        assert Trust((signer,)).within(app, environment).signers == ((signer,) if counts else ())


# -- logs

PROOF, PROMISE = LogRule(LogDemand.PROOF), LogRule(LogDemand.PROMISE)
NOW_NONE, PAST_NONE = LogRule(LogDemand.NONE, TODAY), LogRule(LogDemand.NONE, TODAY - timedelta(days=1))


@pytest.mark.parametrize(
    ("case", "rule", "own", "good"),
    [
        ("v3-keyless", PROOF, None, True),
        ("v2-keyless", PROOF, None, False),
        ("v2-keyless", PROOF, PROMISE, True),
        ("v2-keyless", PROMISE, PROOF, False),
        ("v2-keyless", PAST_NONE, None, True),
        ("v2-keyless-tsa-nolog", PROMISE, None, False),
        ("v2-keyless-tsa-nolog", NOW_NONE, None, True),
        ("v2-keyless-tsa-nolog", PAST_NONE, None, False),
        ("v2-keyless-tsa-nolog", PROMISE, NOW_NONE, True),
        ("v2-keyless-tsa-nolog", PROOF, NOW_NONE, True),
        ("v2-keyless-tsa-nolog", NOW_NONE, PAST_NONE, False),
        ("v2-keyless-tsa-nolog", NOW_NONE, PROMISE, False),
        ("v2-key", PROMISE, None, True),
        ("v2-key", PROOF, None, False),
        ("v2-key", PROMISE, PROMISE, False),
        ("v2-key", PROOF, LogRule(LogDemand.NONE), True),
        ("v2-key-rekor1", PROMISE, PROMISE, True),
        ("v2-key-rekor1", PROMISE, PROOF, False),
        ("v3-key-rekor2", PROMISE, PROOF, True),
        ("v3-key", PROMISE, PROOF, False),
    ],
)
def test_a19_a_signer_may_have_a_log_rule_of_its_own(case, rule, own, good):
    signer = replace(image(case).trust.signers[0], log=own)
    found = findings(case, signer, rule=rule)
    assert verdict(found) is (None if good else Flaw.UNLOGGED)
    for rejected in found.rejected:
        assert (rejected.expected or "").startswith("log: ")
        assert (rejected.actual or "").startswith("log: ")


def test_an_exception_that_ended_says_when():
    found = findings("v2-keyless-tsa-nolog", replace(BUILD, log=PAST_NONE))
    assert all(r.summary.startswith("the exception log: none ended on 2026-11-21") for r in found.rejected)


def test_without_a_day_every_exception_has_ended():
    target = image("v2-keyless-tsa-nolog")
    trust = Trust((replace(BUILD, log=LogRule(LogDemand.NONE, date(9999, 12, 30))),), target.trust.root)
    assert verdict(verify(target.graph, target.store, trust)) is Flaw.UNLOGGED


def stripped(*keys: str):
    """A change of a bundle that takes these parts of its material away."""

    def change(_notes: dict, content: bytes) -> bytes:
        document = json.loads(content)
        for key in keys:
            del document["verificationMaterial"][key]
        return json.dumps(document).encode()

    return change


def test_a_bundle_without_a_log_entry_needs_an_exception_and_a_time_stamp():
    target = image("v3-keyless").altered(BUNDLE, stripped("tlogEntries"))
    assert verdict(target.findings()) is Flaw.UNLOGGED
    found = target.findings(log=LogDemand.NONE)
    assert (verdict(found), {e.log for e in found.accepted}) == (None, {Log.NONE})
    timeless = image("v3-keyless").altered(BUNDLE, stripped("tlogEntries", "timestampVerificationData"))
    assert verdict(timeless.findings(log=LogDemand.NONE)) is Flaw.INVALID


# -- GitHub's own root


def private(bundle: bytes, root: bytes | None = None, profile=RootProfile.GITHUB, signer=BUILD, **conditions):
    target = image("v3-key").bare()
    node = manifest_node(target, [(BUNDLE, bundle, {})])
    trust = Trust((signer,), root or OURS.trusted_root(), profile)
    rules = Conditions(conditions.get("rule", LogRule()), TODAY)
    return verify(target.with_nodes(node).graph, target.store, trust, rules)


def payload(**more: object) -> bytes:
    return json.dumps(statement(image("v3-key").digest, **more)).encode()


def test_a_private_bundle_verifies_by_its_time_stamp_where_the_profile_says_so():
    (evidence,) = private(OURS.bundle(payload())).accepted
    by = evidence.signed_by
    assert (evidence.kind, evidence.log, evidence.time) == (Kind.ATTESTATION, Log.NONE, SIGNED)
    assert (by.issuer, by.identity, by.source_commit) == (BUILD.issuer, BUILD.identity, COMMIT)
    assert (by.source_repository, by.trigger, by.runner) == ("https://github.com/acme/shop", "push", "github-hosted")


def test_a_signature_in_a_private_bundle_is_one():
    sign = payload(predicateType="https://sigstore.dev/cosign/sign/v1")
    assert [e.kind for e in private(OURS.bundle(sign)).accepted] == [Kind.SIGNATURE]


def test_the_profile_is_chosen_by_configuration_alone():
    """The same bundle and the same root under Sigstore's profile: no SCT, no log, no."""
    found = private(OURS.bundle(payload()), profile=RootProfile.SIGSTORE)
    assert [(r.flaw, r.summary) for r in found.rejected] == [(Flaw.INVALID, "the certificate has no SCT")]


def test_a_proof_cannot_be_had_from_a_root_without_log():
    assert verdict(private(OURS.bundle(payload()), rule=PROOF)) is Flaw.UNLOGGED


def test_public_bundles_do_not_verify_under_the_private_profile():
    for case in ("v3-keyless", "v3-keyless-rekor1", "v2-keyless"):
        target = image(case)
        found = target.findings(Trust((BUILD,), OURS.trusted_root(), RootProfile.GITHUB))
        assert verdict(found) is Flaw.INVALID


@pytest.mark.parametrize(
    ("bundle", "flaw"),
    [
        (lambda: OURS.bundle(payload(), stamped=False), Flaw.INVALID),
        (lambda: PrivateSigstore().bundle(payload()), Flaw.INVALID),
        (lambda: replace(PrivateSigstore(), ca=OURS.ca).bundle(payload()), Flaw.INVALID),
        (lambda: OURS.bundle(payload(), at=SIGNED + timedelta(minutes=6)), Flaw.INVALID),
        (lambda: OURS.bundle(payload(), at=SIGNED - timedelta(minutes=6)), Flaw.INVALID),
        (lambda: OURS.bundle(payload(), OURS.leaf(f"{BUILD.identity}x")), Flaw.FOREIGN),
        (lambda: OURS.bundle(payload(), OURS.leaf(claims={})), Flaw.FOREIGN),
        (lambda: OURS.bundle(payload(), OURS.leaf(claims=CLAIMS | {8: f"{BUILD.issuer}/evil"})), Flaw.FOREIGN),
        (lambda: OURS.bundle(payload(subject=[{"digest": {"sha256": "0" * 64}}])), Flaw.INVALID),
    ],
    ids=["no stamp", "stranger's", "stranger's stamp", "late", "early", "who", "no issuer", "issuer", "image"],
)
def test_a_private_bundle_is_checked_whole(bundle, flaw):
    assert verdict(private(bundle())) is flaw


@pytest.mark.parametrize("what", ["certificateAuthorities", "timestampAuthorities"])
def test_a11_the_windows_of_a_private_root_count(what):
    document = json.loads(OURS.trusted_root())
    document[what][0]["validFor"] = {"start": "2026-01-01T00:00:00Z", "end": "2026-05-01T00:00:00Z"}
    assert verdict(private(OURS.bundle(payload()), json.dumps(document).encode())) is Flaw.INVALID


def test_a13_a_private_bundle_brings_no_trust_of_its_own():
    leaf = OURS.leaf()
    document = json.loads(OURS.bundle(payload(), leaf))
    material = document["verificationMaterial"]
    own = material.pop("certificate")
    root, broken, between = {"rawBytes": b64(OURS.ca.der)}, {"rawBytes": b64(b"?")}, {"rawBytes": b64(OURS.tsa.der)}
    chains = (
        ([own], True),
        ([own, between], True),
        ([between, own], False),
        ([own, root], False),
        ([own, broken], False),
        ([own, *([between] * 10)], False),
        ([], False),
    )
    for chain, good in chains:
        material["x509CertificateChain"] = {"certificates": chain}
        assert (verdict(private(json.dumps(document).encode())) is None) is good


def test_every_byte_of_a_private_bundle_that_means_something_is_covered():
    content = OURS.bundle(payload())
    for at in range(0, len(content), 7):
        raw = bytearray(content)
        raw[at] ^= 1
        for evidence in private(bytes(raw)).accepted:
            assert (evidence.signed_by.identity, evidence.time) == (BUILD.identity, SIGNED)


def test_the_roots_of_the_github_cli_are_told_apart_by_profile():
    public = image("v3-keyless").trust.root or b""
    line = json.dumps(json.loads(public)).encode()
    both = line + b"\n" + OURS.trusted_root() + b"\n"
    assert verdict(private(OURS.bundle(payload()), both)) is None
    target = image("v3-keyless")
    assert verdict(target.findings(Trust((BUILD,), both))) is None


@pytest.mark.parametrize(
    ("older", "says"),
    [({1: BUILD.issuer, 2: "push", 3: COMMIT, 4: "Build", 5: "acme/shop", 6: "refs/heads/main"}, "Build")],
)
def test_older_extensions_are_read_where_the_newer_are_absent(older, says):
    (evidence,) = private(OURS.bundle(payload(), OURS.leaf(claims=older))).accepted
    by = evidence.signed_by
    assert (by.issuer, by.trigger, by.source_commit, by.workflow) == (BUILD.issuer, "push", COMMIT, says)
    assert (by.source_repository, by.source_ref, by.runner) == (
        "https://github.com/acme/shop",
        "refs/heads/main",
        None,
    )
    runner = replace(BUILD, source=SourceDemand(runner="github-hosted"))
    (rejected,) = private(OURS.bundle(payload(), OURS.leaf(claims=older)), signer=runner).rejected
    assert (rejected.flaw, rejected.actual) == (Flaw.FOREIGN, "no runner in the certificate")


def test_newer_extensions_win():
    lie = {1: "https://evil.example", 3: "f" * 40, 6: "refs/heads/evil"}
    (evidence,) = private(OURS.bundle(payload(), OURS.leaf(claims=CLAIMS | lie))).accepted
    assert evidence.signed_by.source_commit == COMMIT
    (rejected,) = private(
        OURS.bundle(payload(), OURS.leaf(claims=CLAIMS | {8: "https://evil.example", 1: BUILD.issuer}))
    ).rejected
    assert rejected.flaw is Flaw.FOREIGN


def test_a_certificate_authority_of_the_attackers_own_is_nobody():
    stranger = PrivateSigstore(ca=authority("fulcio"))
    mixed = replace(stranger, tsa_root=OURS.tsa_root)
    mixed.tsa = OURS.tsa
    assert verdict(private(mixed.bundle(payload()))) is Flaw.INVALID
