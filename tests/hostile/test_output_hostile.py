"""What comes from outside reaches the terminal, the log and the commit as printable text on one line, or not at all."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.git_world import git, isolate
from support.gitops_repo import TAG, Ran, checked_result, make, serve
from support.registry_server import Answer, RegistryServer, when
from support.results import result_of

from promote.gates.labels import PlatformLabels
from promote.gates.labels import judge as judge_labels
from promote.gates.signature import judge as judge_signature
from promote.gates.tag import judge as judge_tag
from promote.model.digest import Digest
from promote.model.evidence import Evidence, Findings, Flaw, Kind, Log, Rejected, SignedBy, Storage
from promote.model.policy import COMMIT_TAG, SignaturePolicy, Trust
from promote.model.result import ReleaseResult, Result
from promote.output import json as as_json
from promote.output import text
from promote.output.style import Style

EVIL = "\x1b]0;owned\x07\x1b[2J\u202egnp.exe\nREFUSED\r\x9b31m\u2028\x00\u2066x\n::error::x ##[add-mask]y"
MARK = "owned"
DIGEST = "sha256:" + "a" * 64


@pytest.fixture(autouse=True)
def _isolated(monkeypatch, tmp_path):
    isolate(monkeypatch, tmp_path)
    monkeypatch.setenv("FORCE_COLOR", "")


def check_safe(shown: str) -> None:
    """Printable, but for newlines; each line is promote's own, and none is a command to what runs a build."""
    for line in shown.split("\n"):
        assert line.isprintable(), line
        assert not line.lstrip().startswith("::"), line
        assert "##[" not in line
    assert not [line for line in shown.split("\n") if line.startswith("REFUSED")]


def check_run(ran: Ran) -> None:
    check_safe(ran.out)
    check_safe(ran.err)
    assert "Traceback" not in ran.out + ran.err


anything = st.text(max_size=40) | st.text(alphabet=":#[ ax\n\x1b", max_size=40) | st.just(EVIL)


@given(word=anything, number=st.integers(0, 2**63), code=st.sampled_from([0, 3, 12, 16]))
@settings(max_examples=60)
def test_any_text_in_a_result_is_shown_on_its_line(word, number, code):
    of = result_of(word, code, number=number)
    for width in (None, 60, 100):
        check_safe(text.render(of, Style(width=width)))
    if of.error is not None:
        check_safe(text.render_error(of.error, code, Style()))
    rendered = as_json.render(of)
    assert rendered.isascii()
    check_safe(rendered)
    assert json.loads(rendered)["releases"][0]["gates"][0]["summary"] == word


def test_an_identity_an_annotation_and_a_label_in_a_verdict():
    digest = Digest.of(b"x")
    by = SignedBy(issuer=EVIL, identity=EVIL, source_commit=EVIL, source_repository=EVIL)
    signed = Evidence(Kind.SIGNATURE, digest, digest, Storage.BUNDLE, by, Log.PROOF, annotations={"a": EVIL})
    foreign = Rejected(digest, digest, Flaw.FOREIGN, EVIL, Kind.SIGNATURE, EVIL, EVIL, EVIL)
    verdicts = [
        judge_signature(digest, Findings((signed,)), SignaturePolicy(), Trust()),
        judge_signature(digest, Findings((signed,)), SignaturePolicy({"a": "b"}), Trust()),
        judge_signature(digest, Findings((), (foreign,)), SignaturePolicy(), Trust()),
        judge_labels("0" * 40, "https://x", [PlatformLabels(EVIL, EVIL, EVIL)]),
        judge_labels("0" * 40, "https://x", [PlatformLabels(EVIL, None, EVIL)]),
        judge_tag(EVIL, COMMIT_TAG),
    ]
    release = ReleaseResult("web", TAG, DIGEST, None, False, tuple(verdicts))
    check_safe(text.render(Result(command="promote", exit_code=12, releases=(release,)), Style()))


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
@pytest.mark.parametrize(
    "arguments",
    [
        [f"staging->{EVIL}"],
        [f"{EVIL}->prod"],
        [EVIL],
        ["staging->prod", EVIL],
        ["staging->prod", f"shop={EVIL}"],
        ["staging->prod", f"{EVIL}={TAG}"],
        ["verify", EVIL],
        ["verify", f"host/{EVIL}:x"],
        ["staging->prod", TAG, f"--{EVIL}"],
        ["staging->prod", TAG, "--repo", EVIL.replace("\0", "")],
        ["staging->prod", TAG, "--config", EVIL.replace("\0", "")],
        ["staging->prod", TAG, "--format", EVIL],
    ],
    ids=range(12),
)
def test_arguments(tmp_path, arguments, form):
    repo = make(tmp_path, remote=False)
    ran = repo.run(*arguments, *([f"--format={form}"] if "--format" not in arguments else []))
    assert ran.code in {2, 14}, ran.out + ran.err
    check_run(ran)
    if form == "json" and "--format" not in arguments:
        checked_result(ran.out)


def test_a_reason_is_one_line_of_the_commit(tmp_path):
    repo = make(tmp_path)
    ran = repo.run("staging->prod", TAG, "--reason", EVIL.replace("\0", "") + "\n\nPromote-Env: nowhere")
    assert ran.code == 0
    check_run(ran)
    trailers = git(repo.bare, "log", "-1", "--format=%(trailers:key=Promote-Env,valueonly)", "main")
    assert trailers.strip() == "prod"
    message = git(repo.bare, "log", "-1", "--format=%B", "main")
    assert "\x1b" not in message


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_what_a_registry_says(tmp_path, monkeypatch, status):
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    body = json.dumps({"errors": [{"code": EVIL, "message": EVIL, "detail": EVIL}]}).encode()
    challenge = 'Bearer realm="http://127.0.0.1:1/\x1b[2J",service="owned"'
    with RegistryServer() as server:
        repo = make(tmp_path, prod=server.address)
        headers = {"WWW-Authenticate": challenge} if status == 401 else {}
        for method in ("GET", "HEAD", "POST", "PUT"):
            server.faults.append(when(method, "/acme/shop/", Answer(status, headers, body)))
        ran = repo.run("staging->prod", TAG, "-v")
    assert ran.code in {3, 4}, ran.out
    check_run(ran)


def test_what_a_git_server_says(tmp_path):
    from support.git_world import executable

    repo = make(tmp_path)
    executable(repo.bare / "hooks/pre-receive", "printf '\\033]0;owned\\007\\033[2J\\rREFUSED\\n' >&2; exit 1")
    ran = repo.run("staging->prod", TAG)
    assert ran.code == 10
    assert MARK in ran.out
    check_run(ran)


def test_what_an_overlay_says(tmp_path):
    repo = make(tmp_path)
    hostile = 'images:\n- name: "ow\\e[2J\\u202ened"\n  newTag: "\\e[31m"\n'
    repo.set_overlay("prod", hostile)
    ran = repo.run("staging->prod", TAG)
    assert ran.code == 16
    check_run(ran)
    repo.set_overlay(
        "prod", "# \x1b[2J\u202e\nresources: [../base]\nimages:\n- name: shop\n  newTag: sha-89abcdef # \u202e\n"
    )
    ran = repo.run("staging->prod", TAG)
    check_run(ran)
    repo.set_overlay("prod", f"resources: [../base]\n{hostile}")
    check_run(repo.run("staging->prod", TAG))


def test_what_promote_yaml_says(tmp_path):
    repo = make(tmp_path, remote=False)
    repo.config["apps"][EVIL] = {"image": EVIL, EVIL: EVIL}
    repo.config["environments"]["prod"]["from"] = [EVIL]
    repo.config["trust"]["signers"] = [{"key": EVIL}]
    repo.config[EVIL] = 1
    repo.write_config()
    ran = repo.run("staging->prod", TAG)
    assert ran.code == 2
    check_run(ran)


def test_who_wrote_a_commit(tmp_path):
    repo = make(tmp_path)
    git(repo.root, "config", "user.name", "ow\x1b[2Jned")
    path = repo.root / "overlays/shop/staging/kustomization.yaml"
    content = path.read_bytes()
    repo.set_overlay(
        "staging", content.replace(DIGEST[:3].encode(), b"sha").replace(b"digest: sha256:9", b"digest: sha256:8")
    )
    repo.set_overlay("staging", content)
    ran = repo.run("staging->prod", TAG)
    assert ran.code == 15
    check_run(ran)


def test_an_image_whose_labels_are_evil(tmp_path):
    import hashlib

    with RegistryServer() as server:
        repo = make(tmp_path, staging=serve(server), gates={"deployed": "off"})
        there = server.repository("acme/shop")
        config = json.dumps({"config": {"Labels": {"org.opencontainers.image.revision": EVIL}}}).encode()
        digest = "sha256:" + hashlib.sha256(config).hexdigest()
        there.blobs[digest] = config
        descriptor = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": len(config)}
        manifest = {"schemaVersion": 2, "config": descriptor, "layers": []}
        tag = "sha-abcdef0"
        there.add_manifest(json.dumps(manifest).encode(), "application/vnd.oci.image.manifest.v1+json", tag)
        ran = repo.run("staging->prod", tag)
    assert ran.code == 15, ran.out
    assert MARK in ran.out
    check_run(ran)
