"""What a repository of manifests says by itself: its apps, environments and registries, for a first promote.yaml."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from promote.errors import Misuse, Refusal
from promote.insight.working_files import WorkingFiles, kustomized
from promote.model.malformed import shown
from promote.model.policy import COMMIT_TAG
from promote.model.proposal import Proposal, ProposedApp, ProposedEnvironment
from promote.overlays.kustomize import Kustomization, read_kustomization
from promote.overlays.manifests import split_reference
from promote.overlays.nodes import Scalar
from promote.overlays.objects import image_holders
from promote.overlays.reader import Finder
from promote.overlays.render import render
from promote.promotion.candidates import environment_name, is_registry, rank

HUB = "docker.io"
"""Where a name without a host is pulled from."""
_STRUCTURE = frozenset(
    {"overlays", "overlay", "envs", "env", "environments", "apps", "app", "clusters", "cluster", "k8s", "kubernetes",
     "deploy", "manifests", "kustomize", "services", "workloads", "base"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Use:
    """One image of one overlay: what manifests call it, what a cluster pulls, and with which tag."""

    overlay: str
    name: str
    pulled: str
    tag: str | None
    is_entry: bool


def survey(root: Path) -> Proposal:
    """A proposal from the overlays below `root` alone: nobody signs in it, and no registry was asked.

    Raises `Misuse` where there is no overlay with an image, `Fault` for too many directories.
    """
    uses = _apps_of(tuple(_uses(root)))
    if not uses:
        raise Misuse(
            "no-overlays-found",
            f"got no kustomize overlay with an image below {shown(str(root.resolve().name))}, expected at least one",
            hint="run it in the GitOps repository, or name an image that your build signed with --from",
        )
    names = _app_names(uses)
    by_app = {names[name]: [u for u in uses if u.name == name] for name in dict.fromkeys(u.name for u in uses)}
    images = {app: _common_path([u.pulled for u in mine]) for app, mine in by_app.items()}
    apps = tuple(
        ProposedApp(app, images[app], tuple(sorted({u.name for u in mine} - {images[app]})), None)
        for app, mine in sorted(by_app.items())
    )
    notes = [
        "Nobody is trusted yet: `promote init --from IMAGE --force` proposes who signed one, or write trust.signers."
    ]
    environments = tuple(_environments(by_app, images, notes))
    return Proposal(None, None, apps, environments, None, (), tuple(notes))


def _uses(root: Path) -> Iterator[_Use]:
    """Every image of every overlay: of a kustomization that no other one uses and that is no component."""
    tree = WorkingFiles(root)
    layers: dict[str, Kustomization] = {}
    for directory in kustomized(root):
        try:
            layer = read_kustomization(tree, Finder(), directory)
        except Refusal:
            continue  # `promote lint` says why
        if layer is not None:
            layers[directory] = layer
    used = {below for layer in layers.values() for below in (*layer.directories, *layer.components)}
    for directory, layer in layers.items():
        if directory in used or _is_component(layer):
            continue
        rewritten = set()
        for entry in layer.entries:
            name, made = entry.text("name"), entry.reference
            if name and made.name:
                rewritten.add(made.name)
                yield _Use(directory, split_reference(name).name, made.name, made.tag, is_entry=True)
        rendered = {h.image for data in render(tree, directory).objects.values() for h in image_holders(data)}
        for image in sorted(rendered):
            found = split_reference(image)
            if found.name not in rewritten:
                yield _Use(directory, found.name, found.name, found.tag, is_entry=False)


def _is_component(layer: Kustomization) -> bool:
    return any(isinstance(v, Scalar) and v.value == "Component" for _, v in layer.root.all("kind"))


def _apps_of(uses: tuple[_Use, ...]) -> tuple[_Use, ...]:
    """The images that look like one's own: tagged with a commit somewhere, else rewritten by overlays, else all.

    What a name stands for in one overlay decides for all of them.
    """
    for is_own in (lambda u: bool(u.tag and COMMIT_TAG.fullmatch(u.tag)), lambda u: u.is_entry, lambda _: True):
        own = {u.name for u in uses if is_own(u)}
        if own:
            return tuple(u for u in uses if u.name in own)
    return ()


def _app_names(uses: tuple[_Use, ...]) -> dict[str, str]:
    """What to call each image's app: the part of its overlays' paths that no other app has, else its last part."""
    directories: dict[str, set[str]] = {}
    for use in uses:
        directories.setdefault(use.name, set()).add(use.overlay)
    shared = Counter(part for found in directories.values() for part in {p for d in found for p in _parts(d)})
    names: dict[str, str] = {}
    for image, found in directories.items():
        common = set.intersection(*(set(_parts(d)) for d in found))
        own = sorted(part for part in common if shared[part] == 1 and len(directories) > 1)
        last = image.rpartition("/")[2]
        name = last if last in common or not own else own[0]
        cleaned = environment_name(name, ())  # the same alphabet
        while cleaned in names.values():
            cleaned = f"{cleaned[:60]}-2"
        names[image] = cleaned
    return names


def _parts(directory: str) -> list[str]:
    """The parts of a path that say nothing of an environment or of how the repository is laid out."""
    return [p for p in directory.split("/") if p and p.lower() not in _STRUCTURE and not rank(p.lower())]


def _common_path(pulled: Collection[str]) -> str:
    """The end that the repository paths of all `pulled` have in common: the image, whatever the registry."""
    paths = [_split(name)[1].split("/") for name in pulled]
    common: list[str] = []
    for parts in zip(*(reversed(path) for path in paths), strict=False):
        if len(set(parts)) > 1:
            break
        common.insert(0, parts[0])
    return "/".join(common) or paths[0][-1]


def _split(name: str) -> tuple[str, str]:
    """The host of `name`, "" for none, and its path."""
    host, slash, path = name.partition("/")
    return (host, path) if slash and is_registry(host) else ("", name)


def _environments(
    by_app: dict[str, list[_Use]], images: dict[str, str], notes: list[str]
) -> Iterator[ProposedEnvironment]:
    """The environments in the order of promotion; `notes` gets what one line cannot say."""
    found: dict[str, list[tuple[str, _Use]]] = {}
    for app, uses in by_app.items():
        for use in uses:
            found.setdefault(environment_name(use.overlay, (app, *by_app)), []).append((app, use))
    before: str | None = None
    for name in sorted(found, key=lambda n: (rank(n), n)):
        mine = found[name]
        registries = Counter(r for app, use in mine if (r := _registry_of(use.pulled, images[app])))
        registry = registries.most_common(1)[0][0] if registries else HUB
        if len(registries) > 1:
            notes.append(f"{name} pulls from {', '.join(sorted(registries))}: write one of `places` for each.")
        overlays = {app: {_templated(u.overlay, app) for a, u in mine if a == app} for app in by_app}
        every = sorted(set().union(*overlays.values()))
        if lacking := sorted(app for app, own in overlays.items() if own != set(every)):
            notes.append(f"{name} does not have every app in each of its overlays ({', '.join(lacking)}): review them.")
        yield ProposedEnvironment(name, registry, None, tuple(every), before, guessed=not registries)
        before = name


def _registry_of(pulled: str, image: str) -> str | None:
    """The registry as promote.yaml says it, None where the name has no host."""
    host, path = _split(pulled)
    prefix = path.removesuffix(image).rstrip("/")
    return f"{host}/{prefix}".rstrip("/") if host else None


def _templated(overlay: str, app: str) -> str:
    return "/".join("{app}" if part == app else part for part in overlay.split("/"))
