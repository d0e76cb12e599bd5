"""Promote's own verdict: signed where the image arrived, so that the next environment can demand it.

One a digest and environment and place.  An equal one by the same signer is left as it is: a run that was killed, or is
repeated, adds nothing twice.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from promote import __version__
from promote.errors import Fault
from promote.evidence import summary
from promote.evidence.bundle_manifest import put_bundle
from promote.evidence.signatory import Signatory, signatory_of
from promote.evidence.summary import Summary
from promote.evidence.verify import verify
from promote.model.digest import Digest
from promote.model.environment import App, Environment, Place
from promote.model.evidence import Evidence
from promote.model.manifest import RawManifest
from promote.model.policy import Trust
from promote.model.result import AttestationResult
from promote.oci.graph import gather
from promote.oci.store import Store
from promote.promotion.workplace import Workplace


@dataclass(frozen=True, slots=True)
class Attesting:
    """Signing the verdicts of one promotion to `target`.  The observer hears ``attest`` before anything is written."""

    workplace: Workplace
    target: Environment
    signatory: Signatory

    def check(self) -> None:
        """Prove, before anything is copied, that a verdict could be signed.

        Raises `CredentialsFault` without an identity or a key's password, `Misuse` for a key that cannot be used.
        """
        self.signatory.check()

    def attest(self, place: Place, app: App, image: RawManifest, inputs: tuple[Digest, ...]) -> AttestationResult:
        """Let a signed verdict be beside `image` at `place`; `inputs` are the manifests of the evidence that held.

        Raises `Fault` when it cannot be signed, or does not verify where it was written.
        """
        said = self._verdict(place, app, image.digest, inputs)
        store = self.workplace.store(place, app)
        own = self.signatory.trust()
        found = self._find(store, image, said, own)
        if found is not None:
            return AttestationResult(str(found.manifest), str(found.signed_by), written=False)
        self.workplace.observer.step("attest", f"{store.repository}@{image.digest}")
        now = datetime.now(UTC)
        signed = self.signatory.sign(said.statement(now))
        written = put_bundle(store, image, signed.content, summary.PREDICATE_TYPE, now)
        # By whom it was signed is known from what was signed now: a token names its signer less surely.
        found = self._find(store, image, said, replace(own, signers=(signed.signer,)))
        if found is None:
            raise Fault(
                "attestation-unverified",
                f"the verdict {written} was written beside {store.repository}@{image.digest} and does not verify there",
                expected=f"a verification summary signed by {signed.signer}",
                hint="check that the trusted root belongs to the Sigstore that signs; nothing was committed",
            )
        return AttestationResult(str(found.manifest), str(found.signed_by), written=True)

    def _verdict(self, place: Place, app: App, image: Digest, inputs: tuple[Digest, ...]) -> Summary:
        configuration = self.workplace.configuration
        # A directory on this machine is no name for others: there the resource is what manifests pull.
        repository = (place.pull_name(app) or app.image) if place.is_layout else str(place.repository(app))
        return Summary(
            image=image,
            repository=repository,
            policy_uri=f"{configuration.path.name}#/environments/{self.target.name}",
            policy_digest=configuration.digest,
            inputs=inputs,
            version=__version__,
        )

    def _find(self, store: Store, image: RawManifest, said: Summary, trust: Trust) -> Evidence | None:
        """A verdict equal to `said` that verifies under `trust`, as the store has it now."""
        graph = gather(store, image, jobs=self.workplace.jobs)
        findings = verify(graph, store, trust, jobs=self.workplace.jobs)
        equal = (
            e
            for e in findings.attestations()
            if e.subject == image.digest and said.is_said_by(e.predicate_type, e.predicate)
        )
        return min(equal, key=lambda e: str(e.manifest), default=None)


def attesting(workplace: Workplace, target: Environment) -> Attesting | None:
    """What signs the verdicts of a promotion to `target`; None when promote.yaml wants none signed there."""
    attestor = workplace.configuration.attestors.get(target.name)
    return Attesting(workplace, target, signatory_of(attestor, os.environ)) if attestor is not None else None
