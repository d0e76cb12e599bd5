"""promote.yaml is read whole, or every one of its problems is reported at once."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from promote.config.gates import PREDICATE_TYPES
from promote.config.load import find, load
from promote.errors import Misuse
from promote.model.environment import OverlayEntry
from promote.model.policy import AttestationDemand, DeployedDemand, KeylessSigner, KeySigner, LogDemand

HEAD = "version: 1\n"
APPS = "apps:\n  web: {image: acme/web}\n"
PLACES = "environments:\n  staging: {registry: a.example}\n  prod: {registry: b.example, from: [staging]}\n"
MINIMAL = HEAD + APPS + PLACES
KEY = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"


@pytest.fixture
def read(tmp_path):
    def reading(text: str | bytes):
        path = tmp_path / "promote.yaml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return load(path)

    return reading


def problems(read, text) -> str:
    with pytest.raises(Misuse) as caught:
        read(text)
    assert caught.value.exit_code == 2
    assert caught.value.hint
    assert "\n" not in caught.value.message
    return caught.value.message


def test_the_least_that_one_can_write(read, tmp_path):
    found = read(MINIMAL)
    assert (found.root, found.path.name) == (tmp_path, "promote.yaml")
    prod = found.environments["prod"]
    assert (prod.promoted_from, prod.places[0].registry, prod.places[0].pull) == (
        ("staging",),
        "b.example",
        "b.example",
    )
    gates = found.gates["prod"]
    assert gates == found.default_gates
    assert (gates.deployed, gates.attestations) == (DeployedDemand.EVER, ())
    assert gates.signature is not None
    assert gates.sbom is not None
    assert (gates.signature.log, gates.signature.signature, gates.signature.provenance) == (
        LogDemand.PROMISE,
        True,
        False,
    )
    assert gates.sbom.min_packages == 1
    assert gates.tag.fullmatch("sha-0123456")
    assert (found.trust.signers, found.trust.root) == ((), None)
    assert (found.git.branch, found.git.remote) == (None, None)


def test_everything_that_one_can_write(read, tmp_path):
    (tmp_path / "cosign.pub").write_text(KEY)
    (tmp_path / "root.json").write_text("{}")
    (tmp_path / "ca.pem").write_text("x")
    found = read(
        HEAD
        + "apps:\n  web: {image: acme/web, names: [web, site], source: https://github.com/acme/web}\n"
        + "environments:\n"
        + "  staging: {registry: 'oci:layouts', pull: r.example/p, overlays: ['overlays/{app}/staging']}\n"
        + "  prod:\n    from: [staging]\n    places:\n      - {registry: 'eu.example:5000/pre', overlays: [a, b/]}\n"
        + "      - {registry: us.example}\n"
        + "trust:\n  root: root.json\n  signers:\n    - {issuer: i, identity: me}\n    - {key: cosign.pub}\n"
        + "gates: {tag: 'v(?P<commit>[0-9a-f]{8})', deployed: current, attestations: [{type: vuln}, {type: 'https://x.example'}]}\n"
        + "git: {branch: main, remote: upstream}\n"
        + "registries: {'eu.example:5000': {plain_http: true, ca: ca.pem}}\n"
    )
    app, staging, prod = found.apps["web"], found.environments["staging"], found.environments["prod"]
    assert app.names == ("web", "site")
    assert str(staging.places[0].repository(app)).endswith("layouts/acme/web")
    assert (staging.places[0].pull_name(app), staging.places[0].overlays_of(app)) == (
        "r.example/p/acme/web",
        ("overlays/web/staging",),
    )
    assert [str(p.repository(app)) for p in prod.places] == ["eu.example:5000/pre/acme/web", "us.example/acme/web"]
    assert prod.places[0].overlays == (OverlayEntry("a"), OverlayEntry("b"))
    assert found.trust.signers == (KeylessSigner("i", "me"), KeySigner("cosign.pub", KEY.encode()))
    assert found.trust.root == b"{}"
    gates = found.gates["prod"]
    assert (gates.deployed, gates.attestations) == (
        DeployedDemand.CURRENT,
        (AttestationDemand(PREDICATE_TYPES["vuln"]), AttestationDemand("https://x.example")),
    )
    assert (found.git.branch, found.git.remote) == ("main", "upstream")
    assert found.registries["eu.example:5000"].plain_http is True
    assert found.registries["eu.example:5000"].ca == tmp_path / "ca.pem"
    assert found.image_names(app) == {
        "acme/web",
        "web",
        "site",
        "r.example/p/acme/web",
        "eu.example:5000/pre/acme/web",
        "us.example/acme/web",
    }


@pytest.mark.parametrize(
    ("file", "own", "attribute", "value"),
    [
        ("signature: {log: proof}", "signature: {annotations: {a: b}}", "signature.log", LogDemand.PROOF),
        ("signature: {log: proof}", "signature: {log: none}", "signature.log", LogDemand.NONE),
        (
            "signature: {annotations: {a: b}}",
            "signature: {annotations: {c: d}}",
            "signature.annotations",
            {"a": "b", "c": "d"},
        ),
        ("signature: {annotations: {a: b}}", "signature: {annotations: {a: x}}", "signature.annotations", {"a": "x"}),
        ("signature: {accept: [provenance]}", "deployed: off", "signature.signature", False),
        ("signature: off", "deployed: off", "signature", None),
        ("signature: off", "signature: {}", "signature.log", LogDemand.PROMISE),
        ("deployed: current", "sbom: off", "deployed", DeployedDemand.CURRENT),
        ("deployed: current", "deployed: off", "deployed", DeployedDemand.OFF),
        ("sbom: {min_packages: 9}", "sbom: {}", "sbom.min_packages", 9),
        ("sbom: {min_packages: 9}", "sbom: off", "sbom", None),
        (
            "attestations: [{type: a}]",
            "attestations: [{type: b}, {type: a}]",
            "attestations",
            (AttestationDemand("a"), AttestationDemand("b")),
        ),
    ],
)
def test_the_gates_of_an_environment_add_to_those_of_the_file(read, file, own, attribute, value):
    prod = f"  prod: {{registry: b.example, from: [staging], gates: {{{own}}}}}\n"
    found = read(HEAD + APPS + "environments:\n  staging: {registry: a.example}\n" + prod + f"gates: {{{file}}}\n")
    gates = found.gates["prod"]
    for name in attribute.split("."):
        gates = getattr(gates, name)
    assert gates == value
    assert found.gates["staging"] == found.default_gates


def test_all_problems_are_reported_at_once_each_with_its_line(read):
    text = (
        "version: 1\n"  # 1
        "apps:\n"
        "  web:\n"
        "    imagee: acme/web\n"  # 4
        "environments:\n"
        "  staging: {registry: a.example}\n"
        "  prod:\n"
        "    registry: b.example\n"
        "    form: [staging]\n"  # 9
        "gates:\n"
        "  deployed: sometimes\n"  # 11
        "  tag: 'v1'\n"  # 12
        "trust:\n"
        "  signers: [{issuer: me}]\n"  # 14
    )
    message = problems(read, text)
    assert "6 problems" in message
    for line in (3, 4, 9, 11, 12, 14):
        assert f"promote.yaml:{line}: " in message, message
    assert "did you mean 'image'" in message
    assert "did you mean 'from'" in message
    assert "group called commit" in message


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (MINIMAL.replace("[staging]", "[stagign]"), "did you mean 'staging'"),
        (MINIMAL.replace("version: 1", "version: 2"), "version"),
        (MINIMAL.replace("version: 1\n", ""), "version: missing"),
        (MINIMAL.replace("a.example", "'https://a.example'"), "HOST[:PORT]"),
        (MINIMAL.replace("a.example", "'oci:'"), "oci:DIRECTORY"),
        (MINIMAL.replace("acme/web", "Acme/Web"), "lower-case"),
        (MINIMAL.replace("acme/web", "../web"), "lower-case"),
        (MINIMAL.replace("b.example", "b.example, overlays: [../x]"), "below promote.yaml"),
        (MINIMAL.replace("b.example", "b.example, overlays: [/etc]"), "below promote.yaml"),
        (MINIMAL.replace("b.example", "b.example, overlays: ['--all']"), "below promote.yaml"),
        (MINIMAL.replace("b.example", "b.example, places: [{registry: c.example}]"), "one of the two"),
        (MINIMAL.replace("registry: b.example, ", ""), "no registry"),
        (MINIMAL + "trust: {root: nowhere.json}\n", "nowhere.json"),
        (MINIMAL + "trust: {signers: [{key: nowhere.pub}]}\n", "nowhere.pub"),
        (MINIMAL + "trust: {signers: [{key: promote.yaml}]}\n", "is not a PEM public key"),
        (MINIMAL + "trust: {signers: [{issuer: i, identity: me, regexp: x}]}\n", "regexp"),
        (MINIMAL + "registries: {'https://x': {}}\n", "HOST[:PORT]"),
        (MINIMAL + "registries: {x.example: {ca: nowhere.pem}}\n", "nowhere.pem"),
        (MINIMAL + "registries: {x.example: {concurrency: 1}}\n", "registries.x.example.concurrency"),
        (MINIMAL + "registries: {x.example: {concurrency: true}}\n", "registries.x.example.concurrency"),
        (MINIMAL + "registries: {x.example: {rate: 50}}\n", "registries.x.example.rate"),
        (MINIMAL + "registries: {x.example: {rate: 0/s}}\n", "registries.x.example.rate"),
        (MINIMAL + "registries: {x.example: {rate: 5/day}}\n", "registries.x.example.rate"),
        (MINIMAL + "gates: {tag: '('}\n", "regular expression"),
        (MINIMAL + "gates: {sbom: {min_packages: '3'}}\n", "min_packages"),
        (MINIMAL + "gates: {signature: yes}\n", "signature"),
        (MINIMAL + "git: {branch: 1}\n", "branch"),
        (MINIMAL + "apps: {}\n", "duplicate"),
        (HEAD + "apps: {}\n" + PLACES, "apps"),
        (HEAD + "apps: []\n" + PLACES, "apps"),
        ("", "promote.yaml"),
        ("[]", "promote.yaml"),
        ("a: b: c\n", "line 1"),
        ("x: !!python/object/apply:os.system [id]\n", "promote.yaml"),
        ("a: 1\n---\nb: 2\n", "documents"),
        (b"\xff\xfe", "UTF-8"),
        ("1: 2\n", "quotes"),
    ],
)
def test_a_problem_is_named(read, text, part):
    assert part in problems(read, text)


def test_a_word_that_yaml_1_1_reads_as_a_boolean_is_the_word(read):
    for word in ("off", "'off'", "false"):
        assert read(MINIMAL + f"gates: {{sbom: {word}, deployed: {word}}}\n").gates["prod"].sbom is None


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(Misuse) as caught:
        load(tmp_path / "promote.yaml")
    assert (caught.value.code, caught.value.exit_code) == ("file-unreadable", 2)


def test_the_nearest_file_upwards_is_found_and_not_beyond_the_repository(tmp_path):
    (tmp_path / "promote.yaml").touch()
    repository = tmp_path / "repository"
    below = repository / "a" / "b"
    below.mkdir(parents=True)
    assert find(below) == tmp_path / "promote.yaml"
    (repository / ".git").mkdir()
    with pytest.raises(Misuse) as caught:
        find(below)
    assert caught.value.code == "configuration-missing"
    (repository / "promote.yaml").touch()
    assert find(below) == repository / "promote.yaml"


def test_directories_of_layouts_are_shown_as_a_person_here_writes_them(read, tmp_path):
    with contextlib.chdir(tmp_path):
        found = read(MINIMAL.replace("a.example", "'oci:layouts'"))
    assert found.environments["staging"].places[0].registry == "oci:layouts"
    with contextlib.chdir("/"):
        found = load(tmp_path / "promote.yaml")
    registry = found.environments["staging"].places[0].registry
    assert Path("/") / registry.removeprefix("oci:") == tmp_path / "layouts"
