"""What promote.yaml may ask of SBOMs and of vulnerability scans."""

from __future__ import annotations

from datetime import timedelta

import pytest

from promote.config.load import load
from promote.errors import Misuse
from promote.model.policy import SbomPolicy, Severity

HEAD = "version: 1\napps:\n  web: {image: acme/web}\nenvironments:\n  staging: {registry: a.example}\n"
LOG4J = "pkg:maven/org.apache.logging.log4j/log4j-core@<2.17.1"


@pytest.fixture
def read(tmp_path):
    def reading(file: str, own: str = "{}"):
        path = tmp_path / "promote.yaml"
        signers = ", ".join(f"{{name: {n}, issuer: i, identity: {n}@acme.example}}" for n in ("ci", "qa"))
        prod = f"  prod: {{registry: b.example, from: [staging], gates: {own}}}\n"
        path.write_text(f"{HEAD}{prod}gates: {file}\ntrust: {{signers: [{signers}]}}\n")
        return load(path).gates["prod"]

    return reading


def test_nothing_more_is_asked_by_default(read):
    assert (read("{}").sbom, read("{}").vulnerabilities) == (SbomPolicy(), None)
    assert read("{sbom: {}}").sbom == SbomPolicy()


def test_the_signers_that_count_are_named_as_in_attestations(read):
    gates = read(
        "{sbom: {signers: [ci]}, vulnerabilities: {signers: [ci, qa]}}", "{sbom: {signers: [qa]}, vulnerabilities: {}}"
    )
    assert gates.sbom is not None
    assert gates.vulnerabilities is not None
    assert (gates.sbom.signers, gates.vulnerabilities.signers) == (("qa",), ("ci", "qa"))


@pytest.mark.parametrize("section", ["sbom", "vulnerabilities"])
@pytest.mark.parametrize("own", [False, True])
def test_a_signer_that_counts_has_a_name_in_trust(read, section, own):
    demand = f"{{{section}: {{signers: [cii]}}}}"
    with pytest.raises(Misuse) as caught:
        read("{}", demand) if own else read(demand)
    assert f"{section}: unknown signer 'cii', did you mean 'ci'?" in caught.value.message


def test_everything_that_can_be_asked(read):
    gates = read(
        f"{{sbom: {{min_packages: 5, min_versions: 0.9, min_purls: 1, about_image: required, max_age: 7d,"
        f" profiles: {{ntia: require, cisa-2025: report}}, deny: ['{LOG4J}', 'pkg:npm/a']}},"
        f" vulnerabilities: {{max_age: 24h, max: {{critical: 0, high: 5}}, scanner: ['pkg:github/anchore/grype']}}}}"
    )
    assert gates.sbom is not None
    assert (gates.sbom.min_packages, gates.sbom.min_versions, gates.sbom.min_purls) == (5, 0.9, 1)
    assert (gates.sbom.about_image, gates.sbom.max_age) == (True, timedelta(days=7))
    assert (gates.sbom.required, gates.sbom.reported) == (("ntia",), ("cisa-2025",))
    assert [str(rule) for rule in gates.sbom.deny] == [LOG4J, "pkg:npm/a"]
    assert gates.vulnerabilities is not None
    assert gates.vulnerabilities.limits == {Severity.CRITICAL: 0, Severity.HIGH: 5}
    assert (gates.vulnerabilities.max_age, gates.vulnerabilities.scanners) == (
        timedelta(hours=24),
        ("pkg:github/anchore/grype",),
    )


@pytest.mark.parametrize(
    ("file", "own", "denied"),
    [
        ("{sbom: {deny: ['pkg:npm/a']}}", "{sbom: {deny: ['pkg:npm/b', 'pkg:npm/a']}}", ["pkg:npm/a", "pkg:npm/b"]),
        ("{sbom: {deny: ['pkg:npm/a']}}", "{sbom: {min_packages: 2}}", ["pkg:npm/a"]),
        ("{sbom: {deny: ['pkg:npm/a']}}", "{}", ["pkg:npm/a"]),
        ("{sbom: off}", "{sbom: {deny: ['pkg:npm/b']}}", ["pkg:npm/b"]),
    ],
)
def test_an_environment_denies_more_and_never_less(read, file, own, denied):
    sbom = read(file, own).sbom
    assert sbom is not None
    assert [str(rule) for rule in sbom.deny] == denied


def test_limits_of_an_environment_add_to_those_of_the_file(read):
    assert read("{vulnerabilities: {}}").vulnerabilities.limits == {Severity.CRITICAL: 0}
    both = read(
        "{vulnerabilities: {max: {critical: 0, high: 5}, max_age: 7d}}", "{vulnerabilities: {max: {high: 0}}}"
    ).vulnerabilities
    assert (both.limits, both.max_age) == ({Severity.CRITICAL: 0, Severity.HIGH: 0}, timedelta(days=7))
    assert read("{vulnerabilities: {}}", "{vulnerabilities: off}").vulnerabilities is None


@pytest.mark.parametrize("text", ["30m", "1h", "99999d"])
def test_durations(read, text):
    unit = {"m": "minutes", "h": "hours", "d": "days"}[text[-1]]
    assert read(f"{{sbom: {{max_age: {text}}}}}").sbom.max_age == timedelta(**{unit: int(text[:-1])})


@pytest.mark.parametrize(
    "wrong",
    [
        "sbom: {max_age: 0h}",
        "sbom: {max_age: 1.5h}",
        "sbom: {max_age: 30}",
        "sbom: {max_age: 30s}",
        "sbom: {max_age: '-1d'}",
        "sbom: {max_age: ' 1d'}",
        'sbom: {max_age: "1d\\n"}',
        "sbom: {max_age: 1w}",
        "sbom: {max_age: 100000d}",
        "sbom: {min_versions: 1.1}",
        "sbom: {min_purls: -0.1}",
        "sbom: {min_purls: .nan}",
        "sbom: {about_image: maybe}",
        "sbom: {profiles: {bsi: require}}",
        "sbom: {profiles: {ntia: maybe}}",
        "sbom: {deny: [log4j]}",
        "sbom: {deny: ['pkg:npm/a@<']}",
        "sbom: {deny: 'pkg:npm/a'}",
        "vulnerabilities: {max: {severe: 0}}",
        "vulnerabilities: {max: {critical: -1}}",
        "vulnerabilities: {max_age: never}",
        "vulnerabilities: {scanner: trivy}",
        "vulnerabilities: on",
    ],
)
def test_what_is_wrong_is_refused_with_its_line(read, wrong):
    with pytest.raises(Misuse) as caught:
        read(f"{{{wrong}}}")
    assert caught.value.code == "configuration-invalid"
    assert "promote.yaml:7: gates." in caught.value.message
