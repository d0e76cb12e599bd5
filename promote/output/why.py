"""Why a refusal matters, in one line: what could happen if promote said yes."""

from __future__ import annotations

_BY_CODE = {
    "unreadable": "what cannot be found out is not passed",
    "path-not-allowed": "an environment takes releases only from those it trusts to have tried them",
    "no-such-tag": "there is nothing to promote until a build has pushed it",
    "no-such-image": "there is nothing to promote until a build has pushed it",
    "ambiguous-tag": "promote never guesses which of several releases was meant",
    "not-deployed": "what never ran at the source was never tried there",
    "held": "what was rolled back once would come back by itself",
    "frozen": "nobody may be there to see what it does",
    "not-soaked": "what it does after a while has not been seen yet",
    "not-approved": "promote.yaml wants more people to have looked at it",
    "no-release-before": "promote never guesses what an environment should run",
    "signature-foreign": "anybody can sign an image; only the signers that promote.yaml names count",
    "signature-invalid": "a signature that does not hold may have been made for other bytes, or tampered with",
    "signature-unlogged": "without an entry in the log nobody can tell when a short-lived certificate was used",
    "signature-threshold": "one stolen key or workflow must not be enough",
    "evidence-refused": "evidence that cannot be judged safely does not count",
    "no-sbom": "nobody could say later whether a vulnerable package runs in the target",
    "sbom-of-another-image": "it describes other bytes, and says nothing about these",
    "package-denied": "promote.yaml keeps this package out of the target",
    "package-not-comparable": "a version that cannot be compared may be the one that is denied",
    "vulnerable": "a known hole would go live with it",
    "floating-tag": "a tag that moves would let tomorrow's bytes run under today's approval",
    "tag-not-a-commit": "a tag that names no commit cannot be traced to its source",
    "commit-disagrees": "the tag would vouch for a commit that these bytes were not built from",
    "commit-unnamed": "nothing that was signed ties these bytes to the commit of the tag",
    "source-disagrees": "it was built from another repository than the one that was reviewed",
    "no-overlay": "the promotion would change nothing, and look as if it had worked",
    "overlay-ambiguous": "promote edits exactly one place, or none",
    "no-effect": "the promotion would change nothing, and look as if it had worked",
    "too-much-effect": "something else than this image in this environment would change too",
    "left-over": "the old image would go on running beside the new one",
    "effect-unverified": "promote.yaml demands a proof of what the edit does, and there is none",
    "superseded": "the later promotion would silently undo the earlier",
    "push-declined": "the rules of the branch hold for promote too",
    "pull-request-branch-edited": "promote never throws somebody else's commit away",
    "mode-unsupported": "GitHub's API would change the file's mode with its content",
}
_BY_EXIT_CODE = {
    11: "anybody who can push to the registry could have put it there",
    12: "anybody who can push to the registry could have put it there",
    13: "nobody could say what is in it, or whether it may run",
    14: "a tag that moves would let tomorrow's bytes run under today's approval",
    15: "other bytes than those that were tried would run under the same name",
    16: "the promotion would change nothing, or more than it says",
}


def why(code: str, exit_code: int | None) -> str | None:
    """Why the refusal with this code matters; what its exit code says where the code has no words of its own."""
    return _BY_CODE.get(code) or (_BY_EXIT_CODE.get(exit_code) if exit_code is not None else None)
