"""What promote calls done, beside what `regctl image copy --referrers --digest-tags` takes: nothing is missing."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from harness import gitops
from harness.images import SOURCE, Images
from harness.process import run
from harness.promote import promote
from harness.signing import Key

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TAG = f"sha-{COMMIT}"
IMAGE = "acme/web"
ACCEPT = ", ".join(
    f"application/vnd.{kind}+json"
    for kind in (
        "oci.image.index.v1",
        "oci.image.manifest.v1",
        "docker.distribution.manifest.list.v2",
        "docker.distribution.manifest.v2",
    )
)
_FALLBACK = re.compile(r"sha256-[0-9a-f]{64}")


class KeyAndTags(Key):
    """A key whose signatures and attestations are stored under the tags `.sig` and `.att`."""

    def sign_options(self, source: str, commit: str) -> list[str]:
        old = ("--new-bundle-format=false", "--use-signing-config=false", "--tlog-upload=false")
        return [f"--key={self.directory}/cosign.key", *old]


@dataclass
class Contents:
    """Everything that can be found in a repository, asked for without promote.

    `tags` by name, without fallback tags; `manifests` by digest, without the lists of fallback tags; `listed` are the
    referrers of each manifest, by the API and by the fallback tag.
    """

    tags: dict[str, str] = field(default_factory=dict)
    manifests: dict[str, bytes] = field(default_factory=dict)
    listed: dict[str, set[str]] = field(default_factory=dict)
    blobs: set[str] = field(default_factory=set)


def ask(repository: str, rest: str, method: str = "GET") -> tuple[bytes, Mapping[str, str]] | None:
    """The body and headers of an answer; None for 404."""
    host, _, path = repository.partition("/")
    request = urllib.request.Request(f"http://{host}/v2/{path}/{rest}", headers={"Accept": ACCEPT}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.read(), response.headers
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        raise


def contents(repository: str) -> Contents:
    """What is in `repository` (``host:port/path``), beginning at its tags."""
    found = Contents()
    listing = ask(repository, "tags/list")
    assert listing is not None, repository
    waiting: list[str] = []
    for tag in json.loads(listing[0])["tags"]:
        answer = ask(repository, f"manifests/{tag}")
        assert answer is not None, f"{repository}:{tag}"
        document = json.loads(answer[0])
        if _FALLBACK.fullmatch(tag):
            entries = {entry["digest"] for entry in document["manifests"]}
            found.listed.setdefault(tag.replace("-", ":"), set()).update(entries)
            waiting += entries
        else:
            found.tags[tag] = answer[1]["Docker-Content-Digest"]
            waiting.append(found.tags[tag])
    while waiting:
        digest = waiting.pop()
        if digest not in found.manifests:
            waiting += _look(repository, digest, found)
    return found


def _look(repository: str, digest: str, found: Contents) -> list[str]:
    """Note the manifest `digest`; the digests that it leads to."""
    answer = ask(repository, f"manifests/{digest}")
    assert answer is not None, f"{repository}@{digest}"
    found.manifests[digest] = answer[0]
    document: dict[str, Any] = json.loads(answer[0])
    for blob in [*([document["config"]] if "config" in document else []), *document.get("layers", [])]:
        assert ask(repository, f"blobs/{blob['digest']}", "HEAD") is not None, f"{repository}@{blob['digest']}"
        found.blobs.add(blob["digest"])
    listing = ask(repository, f"referrers/{digest}")
    referrers = {entry["digest"] for entry in json.loads(listing[0])["manifests"]} if listing else set()
    if referrers:
        found.listed.setdefault(digest, set()).update(referrers)
    return [*(child["digest"] for child in document.get("manifests", [])), *referrers]


Make = Callable[[str, Images, Key], str]


def one_image(repository: str, images: Images, signer: Key) -> str:
    """An image with a signature and an attestation."""
    images.build(f"{repository}:{TAG}", SOURCE, COMMIT)
    return _with_evidence(repository, images.digest(f"{repository}:{TAG}"), images, signer)


def an_index(repository: str, images: Images, signer: Key) -> str:
    """An index whose children have signatures of their own, and one of them an attestation."""
    children = [images.build(f"{repository}:child-{n}", SOURCE, COMMIT) for n in range(2)]
    arguments = [part for child in children for part in ("-m", f"{repository}@{child}")]
    run([images.tools["crane"], "index", "append", *arguments, "-t", f"{repository}:{TAG}"])
    for child in children:
        images.sign(f"{repository}@{child}", SOURCE, COMMIT, signer)
    images.attest(f"{repository}@{children[1]}", SOURCE, COMMIT, signer)
    return _with_evidence(repository, images.digest(f"{repository}:{TAG}"), images, signer)


def signed_evidence(repository: str, images: Images, signer: Key) -> str:
    """An image whose attestation is signed too."""
    digest = one_image(repository, images, signer)
    for referrer in sorted(contents(repository).listed.get(digest, set())):
        images.sign(f"{repository}@{referrer}", SOURCE, COMMIT, signer)
    return digest


def _with_evidence(repository: str, digest: str, images: Images, signer: Key) -> str:
    images.sign(f"{repository}@{digest}", SOURCE, COMMIT, signer)
    images.attest(f"{repository}@{digest}", SOURCE, COMMIT, signer)
    return digest


@pytest.mark.parametrize(
    ("source", "target"),
    [("distribution3", "ggcr"), ("ggcr", "distribution2"), ("ggcr_without_referrers", "ggcr_without_referrers")],
)
@pytest.mark.parametrize(
    ("make", "kind"),
    [(one_image, Key), (one_image, KeyAndTags), (an_index, Key), (an_index, KeyAndTags), (signed_evidence, Key)],
    ids=lambda value: value.__name__,
)
def test_regctl_takes_along_nothing_that_promote_leaves_behind(
    make: Make,
    kind: type[Key],
    source: str,
    target: str,
    registries: Mapping[str, str],
    images: Images,
    tools: Mapping[str, Path],
    tmp_path: Path,
) -> None:
    signer = kind.generate(tools, tmp_path / "key")
    run_name = f"compared/{tmp_path.name.replace('_', '-').lower()}".rstrip("-")
    staging = f"{registries[source]}/{run_name}/staging"
    prod = f"{registries[target]}/{run_name}/prod"
    third = f"{registries['distribution3']}/{run_name}/third"
    digest = make(f"{staging}/{IMAGE}", images, signer)
    repository = gitops.create(
        tmp_path,
        source=SOURCE,
        staging=staging,
        prod=prod,
        trust=signer.trust(SOURCE),
        trust_files=signer.trust_files(),
        tag=TAG,
        digest=digest,
    )

    result = promote(repository.clone, "staging->prod", TAG, home=tmp_path)
    images.copy(f"{staging}/{IMAGE}:{TAG}", f"{third}/{IMAGE}:{TAG}")

    assert result["ok"]
    ours, theirs = contents(f"{prod}/{IMAGE}"), contents(f"{third}/{IMAGE}")
    assert theirs.tags[TAG] == ours.tags[TAG] == digest
    assert theirs.tags.items() <= ours.tags.items()
    assert theirs.manifests.items() <= ours.manifests.items()
    assert theirs.blobs <= ours.blobs
    for subject, listed in theirs.listed.items():
        assert listed <= ours.listed.get(subject, set()), subject
    evidence = set(theirs.manifests) - {digest}
    assert len(evidence) >= 2
    again = promote(repository.clone, "staging->prod", TAG, home=tmp_path)
    assert not again["releases"][0]["changed"]
