"""The trusted root: read strictly, with its windows."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sigstore
from sigstore.models import ClientTrustConfig
from support.cosign_fixtures import FIXTURES, image

from promote.errors import Misuse
from promote.evidence.trust_root import TrustRoot, Window, public_good
from promote.model.policy import RootProfile, Trust

ROOT = (FIXTURES / "v3-keyless" / "trusted_root.json").read_bytes()


def test_the_labs_root_is_read_whole() -> None:
    root = TrustRoot.parse(ROOT)
    assert (len(root.logs), len(root.ct_logs)) == (2, 1)
    assert [len(a.chain) for a in root.certificate_authorities] == [2]
    assert [len(a.chain) for a in root.timestamp_authorities] == [3]
    assert root.certificate_authorities[0].window == Window(datetime(2026, 1, 1, tzinfo=UTC), None)


def test_a_log_is_found_by_its_own_name_and_by_no_other() -> None:
    root = TrustRoot.parse(ROOT)
    rekor2, rekor1 = root.logs
    assert root.log(rekor2.log_id) is rekor2
    assert root.promising_log(rekor1.key.spki_hash) is rekor1
    assert root.promising_log(b"\0" * 32) is root.log(b"") is root.ct_log(b"\0" * 32) is None


def test_both_ends_of_a_window_are_inside() -> None:
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    window, second = Window(start, end), timedelta(seconds=1)
    assert [window.holds(t) for t in (start - second, start, end, end + second)] == [False, True, True, False]
    assert Window(None, None).holds(start)


def test_the_embedded_root_is_the_one_that_sigstore_uses(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    theirs = ClientTrustConfig.production(offline=True).trusted_root
    ours = TrustRoot.parse(public_good())
    chains = [c for authority in ours.certificate_authorities for c in authority.chain]
    assert chains == theirs.get_fulcio_certs()
    assert ours.certificate_authorities[0].window.end == datetime(2022, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)
    assert len(ours.logs) >= 2


def test_the_embedded_root_is_that_of_the_sigstore_release_we_depend_on() -> None:
    """A failure here means: copy the newer file, and look at what changed in it (docs/adr/0009)."""
    (theirs,) = Path(sigstore.__file__).parent.glob("_store/*tuf-repo-cdn.sigstore.dev/trusted_root.json")
    assert json.loads(public_good()) == json.loads(theirs.read_bytes())


@pytest.mark.parametrize(("profile", "tlogs"), [(RootProfile.SIGSTORE, 2), (RootProfile.GITHUB, 0)])
def test_of_two_roots_one_a_line_the_profile_chooses(profile: RootProfile, tlogs: int) -> None:
    public = json.loads(ROOT)
    private = public | {"tlogs": [], "ctlogs": []}
    content = "\n".join(json.dumps(d) for d in (public, private)).encode()
    root = TrustRoot.parse(content, profile)
    assert (len(root.logs), root.profile) == (tlogs, profile)
    assert root.content in content.splitlines()


@pytest.mark.parametrize("profile", RootProfile)
def test_two_roots_of_one_profile_are_no_choice(profile: RootProfile) -> None:
    document = json.loads(ROOT) | ({} if profile is RootProfile.SIGSTORE else {"tlogs": []})
    for content in (f"{json.dumps(document)}\n{json.dumps(document)}", "{}\n{}\n"):
        with pytest.raises(Misuse) as caught:
            TrustRoot.parse(content.encode(), profile)
        assert caught.value.code == "bad-trust-root"


def test_an_unknown_kind_of_key_does_not_take_the_other_logs_with_it() -> None:
    document = json.loads(ROOT)
    document["tlogs"][0]["publicKey"]["rawBytes"] = "AAAA"
    assert len(TrustRoot.parse(json.dumps(document).encode()).logs) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        ROOT.replace(b"trustedroot", b"signingconfig"),
        ROOT[:-10],
        ROOT.replace(b'"2026-01-01T00:00:00Z"', b'"yesterday"'),
        ROOT.replace(b'"2026-01-01T00:00:00Z"', b'"2026-01-01T00:00:00"'),
        ROOT.replace(b'"certificates"', b'"certs"'),
        json.dumps(json.loads(ROOT) | {"tlogs": {}}).encode(),
        json.dumps(json.loads(ROOT) | {"tlogs": [1]}).encode(),
    ],
)
def test_a_file_that_is_no_trusted_root_is_a_mistake_in_the_configuration(content: bytes) -> None:
    with pytest.raises(Misuse) as caught:
        TrustRoot.parse(content)
    assert (caught.value.code, caught.value.exit_code) == ("bad-trust-root", 2)
    for case in ("v2-keyless", "v3-keyless"):
        target = image(case)
        with pytest.raises(Misuse):
            target.findings(Trust(target.trust.signers, content))


@pytest.mark.parametrize("logs", ["tlogs", "ctlogs"])
@pytest.mark.parametrize("window", [None, {}, {"end": "2030-01-01T00:00:00Z"}])
def test_a_log_key_that_counts_since_ever_is_a_mistake(logs: str, window: dict | None) -> None:
    document = json.loads(ROOT)
    document[logs][0]["publicKey"]["validFor"] = window
    with pytest.raises(Misuse, match=r"validFor\.start"):
        TrustRoot.parse(json.dumps(document).encode())
