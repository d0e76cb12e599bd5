"""`promote doctor`: everything a promotion needs, looked at without promoting anything, in the order it is needed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from promote.errors import Misuse, PromoteError
from promote.evidence.anchors import Anchors
from promote.evidence.root_state import RootState, root_state
from promote.evidence.signatory import signatory_of
from promote.insight.working_files import WorkingFiles
from promote.model.checkup import Check, Health
from promote.model.configuration import Configuration
from promote.model.malformed import shown
from promote.overlays.parsed import Parsed
from promote.promotion.registry_checks import registries
from promote.promotion.tools import git_version, kustomize_version
from promote.promotion.workplace import Workplace, require_signers

OLDEST_GIT = (2, 31)
"""The first git that takes settings from the environment (GIT_CONFIG_COUNT)."""
SOON = timedelta(days=30)


def checkup(workplace: Workplace, now: datetime | None = None) -> tuple[Check, ...]:
    """Every check for the configuration of `workplace`; raises nothing that a check could say.  Writes nothing."""
    configuration = workplace.configuration
    count = f"{_count(len(configuration.apps), 'app')}, {_count(len(configuration.environments), 'environment')}"
    return (
        Check("config", configuration.path.name, Health.GOOD, count),
        *_attempt("trust", "signers", lambda: _signers(configuration)),
        *_attempt("trust", "root", lambda: _root(configuration, now or datetime.now(UTC))),
        *_identities(configuration),
        *_overlays(configuration),
        *registries(workplace),
        *tools(configuration.root),
        *_attempt("git", "push", lambda: _push(workplace)),
    )


def tools(directory: Path) -> tuple[Check, ...]:
    """The checks that need no promote.yaml: the programs that promote runs."""
    return (*_attempt("git", "version", lambda: _git(directory)), _kustomize())


def failed(area: str, about: str, error: PromoteError) -> Check:
    """An error as a check: what could not be found out is unknown, all else is bad."""
    health = Health.UNKNOWN if error.exit_code == 3 else Health.BAD
    return Check(area, about, health, error.message, error.code, error.hint, error.exit_code)


def _attempt(area: str, about: str, look: Callable[[], Check]) -> tuple[Check, ...]:
    try:
        return (look(),)
    except PromoteError as error:
        return (failed(area, about, error),)


def _signers(configuration: Configuration) -> Check:
    require_signers(configuration)
    Anchors.load(configuration.trust)
    found = _count(len(configuration.trust.signers), "signer")
    return Check("trust", "signers", Health.GOOD, f"{found}, every key can be used")


def _root(configuration: Configuration, now: datetime) -> Check:
    state = root_state(Anchors.load(configuration.trust).root, now)
    return judged_root(state, now, embedded=configuration.trust.root is None)


def judged_root(state: RootState, now: datetime, *, embedded: bool) -> Check:
    """The check of a trusted root that stands as `state` says; `embedded`: it came with promote."""
    where = "the public-good root that came with promote" if embedded else "the trusted_root.json of promote.yaml"
    fix = (
        "upgrade promote" if embedded else "get a new one: `cosign trusted-root create`, or whoever runs your Sigstore"
    )
    if state.lacks:
        said = f"{where} has no {' and no '.join(state.lacks)} that counts today"
        return Check("trust", "root", Health.BAD, said, "trust-root-ended", fix, 3)
    age = f", its youngest part {(now - state.newest).days} days old" if state.newest else ""
    counts = ", ".join(
        _count(count, what)
        for count, what in ((state.authorities, "CA"), (state.logs, "log"), (state.ct_logs, "CT log"))
    )
    if state.ends is not None and state.ends - now < SOON:
        said = f"{where} ends on {state.ends:%Y-%m-%d}"
        return Check("trust", "root", Health.NOTE, said, None, fix)
    until = f", until {state.ends:%Y-%m-%d}" if state.ends else ""
    return Check("trust", "root", Health.GOOD, f"{where}: {counts} today{age}{until}")


def _identities(configuration: Configuration) -> Iterator[Check]:
    """Who signs promote's own verdicts: the key or the ambient OIDC token, for each environment that wants one."""
    for name, attestor in configuration.attestors.items():

        def look(name: str = name, said: str = str(attestor)) -> Check:
            signatory_of(configuration.attestors[name], os.environ).check()
            return Check("identity", name, Health.GOOD, f"{said} can sign")

        yield from _attempt("identity", name, look)
    if not configuration.attestors:
        yield Check("identity", "attest", Health.GOOD, "no environment has `attest`, so that no identity is needed")


def _overlays(configuration: Configuration) -> Iterator[Check]:
    from promote.overlays.sites import pins  # noqa: PLC0415 - ruamel.yaml, where it is needed

    tree, parsed = WorkingFiles(configuration.root), Parsed()
    for environment in configuration.environments.values():
        lacking = [app.name for app in configuration.apps.values() if environment.lacks(app)]
        if lacking:
            yield judged_lacking(environment.name, lacking)
        for place in environment.places:
            for app in configuration.apps.values():
                names, fields = configuration.image_names(app), place.fields_of(app)
                for overlay in place.overlays_of(app):
                    about = f"{environment.name} {app.name}"

                    def look(overlay: str = overlay, about: str = about) -> Check:
                        found = pins(tree, overlay, names, fields, parsed)  # noqa: B023 - called at once
                        return judged_pins(about, overlay, len(found))

                    yield from _attempt("overlay", about, look)


def judged_lacking(environment: str, apps: Sequence[str]) -> Check:
    """The check of an environment none of whose overlays is for `apps`."""
    said = f"no overlay is for {', '.join(apps)}: nothing of {'it' if len(apps) == 1 else 'them'} is promoted into here"
    fix = f"nothing where that is meant; else add {{path: DIRECTORY, apps: [{apps[0]}]}} to overlays of {environment}"
    return Check("overlay", environment, Health.NOTE, said, fix=fix)


def judged_pins(about: str, overlay: str, count: int) -> Check:
    """The check of an overlay with `count` pins of an app."""
    if count:
        return Check("overlay", about, Health.GOOD, f"{shown(overlay)} has {_count(count, 'pin')}")
    return Check(
        "overlay",
        about,
        Health.NOTE,
        f"{shown(overlay)} has no pin yet",
        fix="nothing where an app does not run; else the first promotion adds an `images:` entry if the image is there",
    )


def _git(directory: Path) -> Check:
    said, version = git_version(directory)
    if version < OLDEST_GIT:
        wanted = ".".join(map(str, OLDEST_GIT))
        return Check("git", "version", Health.BAD, f"{shown(said)}, expected {wanted} or newer", "git-old",
                     f"install git {wanted} or newer", 2)  # fmt: skip
    return Check("git", "version", Health.GOOD, shown(said))


def _kustomize() -> Check:
    said = kustomize_version()
    if said is None:
        return Check(
            "kustomize",
            "version",
            Health.NOTE,
            "neither kustomize nor kubectl is on PATH: promote checks the effect of an edit by itself alone",
            fix="install kustomize where overlays have generators, charts or remote bases",
        )
    return Check("kustomize", "version", Health.GOOD, shown(said))


def _push(workplace: Workplace) -> Check:
    git, options = workplace.git, workplace.configuration.git
    branch = shown(git.branch)
    where = f"{branch} on {shown(git.remote_host or git.remote)}" if git.remote_url else f"the local branch {branch}"
    if options.delivery != "push" and git.remote_url is None:
        raise Misuse(
            "remote-missing",
            f"got git.delivery {options.delivery} and no remote {git.remote}, expected one",
            hint="add the remote with `git remote add`, or use --no-push",
        )
    if options.delivery == "github-api":
        from promote.gitops import github_commit  # noqa: PLC0415 - HTTP, where it is needed

        github_commit.check(git, options.forge, os.environ)
        return Check("git", "push", Health.GOOD, f"GitHub's API lets commits be made for {where}")
    git.check_push()
    if options.delivery == "pull-request":
        from promote.gitops.forge.connect import connected  # noqa: PLC0415
        from promote.gitops.forge.proposing import check  # noqa: PLC0415

        with connected(git.remote_url or "", options.forge, os.environ) as forge:
            check(forge, auto_merge=options.auto_merge)
        return Check("git", "push", Health.GOOD, f"{forge.name} lets pull requests into {branch} be opened")
    return Check("git", "push", Health.GOOD, f"{where} may be written (tried as a dry run)")


def _count(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
