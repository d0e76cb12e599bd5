"""The trust section of promote.yaml, and the gates that speak of signers."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from promote.config.load import load
from promote.errors import Misuse
from promote.model.configuration import Configuration
from promote.model.policy import (
    AttestationDemand,
    KeylessSigner,
    KeySigner,
    LogDemand,
    LogRule,
    Pattern,
    RootProfile,
    SourceDemand,
    Witness,
)

HEAD = "version: 1\napps: {web: {image: acme/web}, api: {image: acme/api}}\n"
PLACES = (
    "environments:\n  staging: {registry: a.example}\n  prod: {registry: b.example, from: [staging], gates: {%s}}\n"
)
KEY = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"
ME = "{issuer: i, identity: me}"


@pytest.fixture
def read(tmp_path: Path):
    (tmp_path / "cosign.pub").write_text(KEY)
    (tmp_path / "root.json").write_text("{}")

    def read_it(trust: str, gates: str = "", own: str = "") -> Configuration:
        path = tmp_path / "promote.yaml"
        path.write_text(f"{HEAD}{PLACES % own}trust: {{{trust}}}\ngates: {{{gates}}}\n")
        return load(path)

    return read_it


def signer(read, text: str):
    (only,) = read(f"signers: [{text}]").trust.signers
    return only


def problem(read, *arguments: str) -> str:
    with pytest.raises(Misuse) as caught:
        read(*arguments)
    assert (caught.value.code, caught.value.exit_code) == ("configuration-invalid", 2)
    return caught.value.message


def test_a_signer_can_say_everything(read):
    found = signer(
        read,
        "{name: ci, issuer: i, identity_pattern: 'https://github.com/acme/*/.github/workflows/x.yml@refs/tags/v*',"
        " source: {repository: https://github.com/acme/web, ref: refs/tags/v*, workflow: .github/workflows/x.yml,"
        " trigger: push, triggers: [release, push], runner: github-hosted},"
        " log: none, until: 2027-01-31, apps: [web], environments: [prod]}",
    )
    assert found == KeylessSigner(
        "i",
        Pattern("https://github.com/acme/*/.github/workflows/x.yml@refs/tags/v*"),
        SourceDemand(
            "https://github.com/acme/web",
            Pattern("refs/tags/v*"),
            ".github/workflows/x.yml",
            ("push", "release"),
            "github-hosted",
        ),
        name="ci",
        log=LogRule(LogDemand.NONE, date(2027, 1, 31)),
        apps=("web",),
        environments=("prod",),
    )


def test_a_key_can_have_a_log_rule_and_needs_no_end_of_it(read):
    assert signer(read, "{key: cosign.pub, name: qa, log: proof}") == KeySigner(
        "cosign.pub", KEY.encode(), name="qa", log=LogRule(LogDemand.PROOF)
    )
    assert signer(read, "{key: cosign.pub, log: none}").log == LogRule(LogDemand.NONE)


@pytest.mark.parametrize("day", ["2027-01-31", "'2027-01-31'"])
def test_a_day_is_a_day_with_and_without_quotes(read, day):
    assert signer(read, f"{{issuer: i, identity: me, log: none, until: {day}}}").log == LogRule(
        LogDemand.NONE, date(2027, 1, 31)
    )


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("{issuer: i}", "one of identity and identity_pattern"),
        ("{issuer: i, identity: a, identity_pattern: https://h/o/b}", "one of identity and identity_pattern"),
        ("{identity: me}", "issuer: missing"),
        ("{issuer: i, identity_pattern: '*'}", "host and the owner"),
        ("{issuer: i, identity_pattern: 'https://*'}", "host and the owner"),
        ("{issuer: i, identity_pattern: 'https://*/acme/web'}", "host and the owner"),
        ("{issuer: i, identity_pattern: 'https://github.com/*/web'}", "host and the owner"),
        ("{issuer: i, identity_pattern: 'https://github.com/acme*/web'}", "host and the owner"),
        ("{issuer: i, identity_pattern: 'https://github.com/acme/**'}", "never two together"),
        ("{issuer: i, identity_pattern: 'ann@*'}", "before the @"),
        ("{issuer: i, identity_pattern: 'https://github.com/acme/*a*a*a*a*a*a*a*a*a'}", "at most 8"),
        ("{issuer: i, identity: me, log: none}", "log: none without until"),
        ("{issuer: i, identity: me, until: 2027-01-31}", "until without log: none"),
        ("{issuer: i, identity: me, log: proof, until: 2027-01-31}", "until without log: none"),
        ("{issuer: i, identity: me, log: none, until: tomorrow}", "a day such as 2027-01-31"),
        ("{issuer: i, identity: me, log: none, until: 2027-02-30}", "out of range"),
        ("{issuer: i, identity: me, log: none, until: '2027-02-30'}", "a day such as 2027-01-31"),
        ("{issuer: i, identity: me, log: none, until: 20270131}", "until"),
        ("{issuer: i, identity: me, log: sometimes}", "proof"),
        ("{issuer: i, identity: me, apps: [wbe]}", "did you mean 'web'"),
        ("{issuer: i, identity: me, environments: [production, prdo]}", "did you mean 'prod'"),
        ("{issuer: i, identity: me, source: {branch: main}}", "branch"),
        ("{issuer: i, identity: me, identity_regexp: '.*'}", "identity_regexp"),
        ("{key: cosign.pub, identity: me}", "identity"),
        ("{key: cosign.pub, source: {ref: x}}", "source"),
        ("{name: a, issuer: i, identity: me}, {name: a, key: cosign.pub}", "the name a twice"),
        ("{name: 'A b', issuer: i, identity: me}", "name"),
    ],
)
def test_a_signer_that_means_nothing_or_everybody_is_a_problem(read, text, part):
    assert part in problem(read, f"signers: [{text}]")


@pytest.mark.parametrize("text", ["*@acme.example", "https://gitlab.example/acme/*", "spiffe://acme/ns/*/sa/*"])
def test_a_pattern_names_its_owner(read, text):
    assert signer(read, f"{{issuer: i, identity_pattern: '{text}'}}").identity == Pattern(text)


@pytest.mark.parametrize(
    ("root", "content", "profile"),
    [
        ("sigstore", None, RootProfile.SIGSTORE),
        ("root.json", b"{}", RootProfile.SIGSTORE),
        ("{file: root.json}", b"{}", RootProfile.SIGSTORE),
        ("{profile: sigstore, file: root.json}", b"{}", RootProfile.SIGSTORE),
        ("{profile: github, file: root.json}", b"{}", RootProfile.GITHUB),
    ],
)
def test_the_root_and_its_profile(read, root, content, profile):
    trust = read(f"root: {root}").trust
    assert (trust.root, trust.profile) == (content, profile)


@pytest.mark.parametrize(
    ("root", "part"),
    [
        ("{profile: github}", "file: missing"),
        ("{profile: gitlab, file: root.json}", "profile"),
        ("{profile: github, file: nowhere.json}", "nowhere.json"),
        ("nowhere.json", "nowhere.json"),
    ],
)
def test_a_root_that_is_not_there_is_a_problem(read, root, part):
    assert part in problem(read, f"root: {root}")


def test_the_signature_gate(read):
    gates = "signature: {threshold: 2, signers: [ci, qa], log: none, until: 2027-01-31}"
    trust = f"signers: [{ME[:-1]}, name: ci}}, {{key: cosign.pub, name: qa}}]"
    policy = read(trust, gates).gates["prod"].signature
    assert (policy.threshold, policy.signers, policy.log_rule) == (
        2,
        ("ci", "qa"),
        LogRule(LogDemand.NONE, date(2027, 1, 31)),
    )


def test_an_environment_that_asks_for_a_log_ends_the_exception_of_the_file(read):
    gates = "signature: {log: none, until: 2020-01-31}"
    found = read(f"signers: [{ME}]", gates, "signature: {log: proof}")
    assert found.gates["prod"].signature.log_rule == LogRule(LogDemand.PROOF)
    assert not found.gates["prod"].signature.log_rule.ended(date(2026, 1, 1))


@pytest.mark.parametrize(
    ("trust", "gates", "own", "part"),
    [
        (f"signers: [{ME}]", "signature: {threshold: 2}", "", "at most 1"),
        (f"signers: [{ME}]", "signature: {threshold: 0}", "", "threshold"),
        (f"signers: [{ME}]", "signature: {signers: [ci]}", "", "ci"),
        (f"signers: [{ME[:-1]}, name: ci}}]", "signature: {signers: [cci]}", "", "did you mean 'ci'"),
        (f"signers: [{ME[:-1]}, name: ci}}]", "attestations: [{type: vuln, signers: [c]}]", "", "attestations"),
        (f"signers: [{ME}]", "attestations: [{type: vuln, max_age: 7}]", "", "max_age"),
        (f"signers: [{ME}]", "attestations: [{type: vuln, builder: b}]", "", "has builder for the type vuln"),
        (f"signers: [{ME}]", "attestations: [{type: slsaprovenance1, result: PASSED}]", "", "has result"),
        (f"signers: [{ME}]", "attestations: [{type: test-result, verifier: v}]", "", "has verifier"),
        (f"signers: [{ME}]", "commit: {require: [tag]}", "", "commit"),
    ],
)
def test_a_demand_that_cannot_be_met_is_a_problem(read, trust, gates, own, part):
    assert part in problem(read, trust, gates, own)


def test_keys_alone_need_no_end_of_the_exception(read):
    found = read("signers: [{key: cosign.pub}]", "signature: {log: none}")
    assert found.gates["prod"].signature.log is LogDemand.NONE
    own_rule = read(f"signers: [{ME[:-1]}, log: proof}}]", "signature: {log: none}")
    assert own_rule.gates["prod"].signature.log is LogDemand.NONE


def test_a_pattern_may_meet_a_threshold_alone(read):
    trust = "signers: [{issuer: i, identity_pattern: '*@acme.example'}]"
    assert read(trust, "signature: {threshold: 2}").gates["prod"].signature.threshold == 2


def test_attestations_and_witnesses_of_an_environment_add_to_those_of_the_file(read):
    gates = (
        "attestations: [{type: slsaprovenance1, builder: b, source: s, max_age: 90m}], commit: {require: [certificate]}"
    )
    own = (
        "attestations: [{type: vsa, verifier: v, resource: r, result: PASSED, signers: [ci]}, {type: test-result}],"
        " commit: {require: [label]}"
    )
    prod = read(f"signers: [{ME[:-1]}, name: ci}}]", gates, own).gates["prod"]
    assert prod.attestations == (
        AttestationDemand("https://slsa.dev/provenance/v1", builder="b", source="s", max_age=timedelta(minutes=90)),
        AttestationDemand(
            "https://slsa.dev/verification_summary/v1", ("ci",), result="PASSED", verifier="v", resource="r"
        ),
        AttestationDemand("https://in-toto.io/attestation/test-result/v0.1"),
    )
    assert prod.commit_witnesses == {Witness.CERTIFICATE, Witness.LABEL}
