"""`promote init`: a first promote.yaml from the overlays that are there and from who signed a given image.

Nobody is trusted by it: a person reviews what it proposes.  Signers are proposed from evidence that verifies against
the trusted root and is about this very image, whoever made it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from promote.errors import Refusal
from promote.evidence.signers import Conditions
from promote.evidence.verify import verify
from promote.model.digest import Digest
from promote.model.evidence import Evidence, Findings, Flaw
from promote.model.graph import Graph
from promote.model.manifest import RawManifest
from promote.model.policy import COMMIT_TAG, KeylessSigner, LogDemand, LogRule, Trust
from promote.model.proposal import Proposal, ProposedApp, ProposedSigner
from promote.oci.graph import gather
from promote.oci.store import Store
from promote.oci.stores import Stores
from promote.promotion import candidates
from promote.promotion.verify import reference

_ANY_LOG = Conditions(LogRule(LogDemand.NONE))
_SBOMS = ("https://spdx.dev/Document", "https://cyclonedx.org/bom")


@dataclass(frozen=True, slots=True)
class Root:
    """A trusted_root.json: what promote.yaml will call it, and its bytes."""

    name: str
    content: bytes


def propose(stores: Stores, text: str, directory: Path, root: Root | None, jobs: int) -> Proposal:
    """What promote.yaml in `directory` could say for the image that `text` names.

    `root` None: the public-good root.  Raises `Misuse` for a reference or root that is none, `Refusal` (exit 10) when
    there is no such image, `Fault` when there is no telling.
    """
    repository, tag, digest = reference(text)
    store = stores.open(repository)
    manifest = _resolve(store, text, tag, digest)
    graph = gather(store, manifest, jobs=jobs)
    accepted, rejected = _signed(graph, store, root.content if root else None, jobs)
    signers = _signers(accepted)
    image = repository.path
    overlays = candidates.overlays(directory, image)
    last = image.rpartition("/")[2]
    environments = candidates.environments(directory, overlays, repository, image)
    known = {image, *(f"{where}/{image}" for e in environments for where in (e.registry, e.pull))}
    names = sorted({name for overlay in overlays for name in overlay.names} - known)
    return Proposal(
        reference=text,
        digest=str(manifest.digest),
        apps=(
            ProposedApp(last[:63].rstrip("._-"), image, tuple(names), _source(accepted)),
        ),  # the longest name it takes
        environments=environments,
        root=root.name if root else None,
        signers=signers,
        notes=tuple(_notes(tag, accepted, rejected, overlays)),
    )


def _resolve(store: Store, text: str, tag: str | None, digest: Digest | None) -> RawManifest:
    manifest = store.manifest(digest) if digest is not None else store.resolve(tag or "")
    if manifest is None:
        raise Refusal(
            "no-such-image",
            f"got no image at {text}, expected one whose signatures show who signs",
            exit_code=10,
            actual="no such tag, digest or repository",
            hint="name an image that your build pushed and signed",
        )
    return manifest


def _signed(graph: Graph, store: Store, root: bytes | None, jobs: int) -> tuple[tuple[Evidence, ...], Findings]:
    """What holds and is about the image, whoever signed it; and the findings of trusting nobody.

    In two steps: the first trusts nobody and learns whose signatures hold, the second accepts those, so that their
    claims about this image are checked by the same code that will check them when somebody is trusted.
    """
    strangers = verify(graph, store, Trust((), root), _ANY_LOG, jobs=jobs)
    who = {
        KeylessSigner(r.signed_by.issuer, r.signed_by.identity)
        for r in strangers.rejected
        if r.signed_by and r.signed_by.issuer and r.signed_by.identity
    }
    known = tuple(sorted(who, key=str))
    return verify(graph, store, Trust(known, root), _ANY_LOG, jobs=jobs).accepted if known else (), strangers


def _signers(accepted: tuple[Evidence, ...]) -> tuple[ProposedSigner, ...]:
    made: dict[tuple[str, str], set[str]] = {}
    for evidence in accepted:
        by = evidence.signed_by
        what = evidence.predicate_type or evidence.kind.value
        made.setdefault((by.issuer or "", by.identity or ""), set()).add(what)
    return tuple(ProposedSigner(issuer, name, tuple(sorted(what))) for (issuer, name), what in sorted(made.items()))


def _source(accepted: tuple[Evidence, ...]) -> str | None:
    """The source repository that all certificates name; None where they differ or say nothing."""
    named = {e.signed_by.source_repository for e in accepted}
    return named.pop() if len(named) == 1 else None


def _notes(
    tag: str | None, accepted: tuple[Evidence, ...], strangers: Findings, overlays: tuple[candidates.Overlay, ...]
) -> list[str]:
    notes = []
    by_key = [r for r in strangers.rejected if r.flaw is Flaw.FOREIGN and r.signed_by is None]
    if by_key:
        notes.append(
            f"{len(by_key)} signatures or attestations were made with a key. A key cannot be proposed, because a "
            "signature does not contain it: get the public key from whoever signs, and add `- {key: keys/cosign.pub}` "
            "to trust.signers."
        )
    broken = [r for r in strangers.rejected if r.flaw in (Flaw.INVALID, Flaw.MALFORMED)]
    if broken:
        notes.append(
            f"{len(broken)} pieces of evidence do not verify against this root, the first because {broken[0].summary}; "
            "another Sigstore's root is given with --trusted-root FILE."
        )
    if not any(e.kind.value == "signature" for e in accepted) and not by_key:
        notes.append("No signature of this image holds: the signature gate will refuse it (exit 11 or 12).")
    if not any((e.predicate_type or "").startswith(_SBOMS) for e in accepted) and not by_key:
        notes.append("No signed SBOM of this image holds: the sbom gate will refuse it (exit 13).")
    if not overlays:
        notes.append("No kustomize overlay names this image: add `overlays` to each environment.")
    if tag is not None and not COMMIT_TAG.fullmatch(tag):
        notes.append("The tag is no commit tag such as sha-4f2a91c: the tag gate will refuse it (exit 14).")
    return notes
