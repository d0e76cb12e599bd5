"""Each row of the table: what is run against what, and what it has to reach."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from shutil import rmtree
from typing import Any

from harness.gitops import GIT_ENV, PULL_PROD
from harness.process import run

from bench.measure import Command, Prepare, Ratio, Run, in_turns, median
from bench.world import PROMOTE, PYTHON, SOURCE, TAG, TAG_SCHEME, Ends, World

PROMOTERS = 20
_NUMBERS = count()


@dataclass
class Row:
    """One line of the table.  `ratio` None where there is nothing to divide; `met` None where there is no aim."""

    work: str
    against: str
    aim: str
    ratio: Ratio | None
    met: bool | None
    cpu: Ratio | None = None
    facts: dict[str, Any] = field(default_factory=dict)


_PEERS = {
    "cosign copy": "script with cosign copy, which leaves v3 evidence behind",
    "regctl copy": "script with regctl copy, evidence included",
}


def whole_job(world: World, pairs: int) -> list[Row]:
    """Verify, copy, edit, commit and push, against the script that does it with the tools everybody has."""
    digest = world.image("whole", layers=3, size=4096)
    rows = []
    for name, ends, aim in (("40 ms round trip", world.far, 0.33), ("loopback", world.near, 1.0)):
        contenders = {
            "promote": _promote(world, ends, "whole", digest),
            "cosign copy": _script(world, ends, digest, 'cosign copy "$S:$T" "$D:$T"'),
            "regctl copy": _script(world, ends, digest, _REGCTL.format(a=ends.a, b=ends.b)),
        }
        runs = in_turns(contenders, pairs)
        walls = {peer: [r.wall for r in each] for peer, each in runs.items()}
        facts = _requests(ends, contenders) if ends.links else {}
        rows += [
            row_of(f"whole job, {name}", _PEERS["cosign copy"], runs, "cosign copy", aim, facts),
            row_of(f"whole job, {name}", _PEERS["regctl copy"], runs, "regctl copy", aim),
        ]
        _remember(rows[-2], walls)
    return rows


def small_copy(world: World, pairs: int) -> list[Row]:
    """Nine small blobs with evidence in cosign's tag scheme, the only one that cosign copy takes along."""
    world.image("small", layers=4, size=4096, options=TAG_SCHEME)
    ends, image = world.far, f"{world.far.a}/small/{SOURCE}"

    def ours(_: int) -> Command:
        target = f"{ends.b}/{world.empty_target()}"
        return world.command(PYTHON, "-m", "bench.copy_image", image, f"{target}/{SOURCE}", TAG, cwd=Path.cwd())

    def peer(*tool: str) -> Prepare:
        return lambda _: world.command(*tool, f"{image}:{TAG}", f"{ends.b}/{world.empty_target()}/{SOURCE}:{TAG}")

    contenders = {"promote": ours, "cosign copy": peer("cosign", "copy"), "crane copy": peer("crane", "copy")}
    runs = in_turns(contenders, pairs)
    facts = _requests(ends, contenders)
    work = "copy with evidence, 9 small blobs, 40 ms round trip"
    rows = [
        row_of(work, "cosign copy", runs, "cosign copy", 0.3, facts),
        row_of(work, "crane copy, without evidence", runs, "crane copy", 0.6),
    ]
    _remember(rows[0], {peer: [r.wall for r in each] for peer, each in runs.items()})
    return rows


def large_copy(world: World, pairs: int) -> list[Row]:
    """Eight layers of 64 MiB over loopback."""
    world.image("large", layers=8, size=64 * 1024 * 1024)
    world.image("largest", layers=2, size=256 * 1024 * 1024)
    ends = world.near

    def ours(path: str) -> Prepare:
        def prepare(_: int) -> Command:
            target = f"{ends.b}/{_cleared(world)}/{SOURCE}"
            return world.command(
                PYTHON, "-m", "bench.copy_image", f"{ends.a}/{path}/{SOURCE}", target, TAG, cwd=Path.cwd()
            )

        return prepare

    def crane(_: int) -> Command:
        target = f"{ends.b}/{_cleared(world)}/{SOURCE}"
        return world.command("crane", "copy", f"{ends.a}/large/{SOURCE}:{TAG}", f"{target}:{TAG}")

    runs = in_turns({"promote": ours("large"), "crane copy": crane, "256 MiB layers": ours("largest")}, pairs)
    _cleared(world)
    peaks = {name: median([r.peak for r in each]) for name, each in runs.items()}
    growth = peaks["256 MiB layers"] - peaks["promote"]
    facts = {
        "peak memory of promote over crane": round(peaks["promote"] / peaks["crane copy"], 2),
        "peak memory with layers four times as large, over that with these": round(
            peaks["256 MiB layers"] / peaks["promote"], 2
        ),
    }
    row = row_of("copy 8 x 64 MiB, loopback", "crane copy", runs, "crane copy", 1.0, facts)
    row.aim += ", memory flat"
    row.met = bool(row.met) and growth < 16
    return [row]


def second_run(world: World, pairs: int) -> list[Row]:
    """The same command again, when there is nothing left to do."""
    digest = world.image("second", layers=3, size=4096)
    places: dict[int, Path] = {}
    targets: dict[int, str] = {}

    def first(turn: int) -> Command:
        targets[turn] = f"{world.far.b}/{world.empty_target()}"
        places[turn] = world.gitops(f"{world.far.a}/second", targets[turn], world.far.git, digest)
        world.far.forget()
        return world.command(PROMOTE, "staging->prod", TAG, cwd=places[turn])

    def again(turn: int) -> Command:
        world.far.forget()
        return world.command(PROMOTE, "staging->prod", TAG, cwd=places[turn])

    runs = in_turns({"first run": first, "promote": again}, pairs)
    counts = [(len(link.requests), len(_digests(link.requests))) for link in world.far.links[:2]]
    row = row_of("second run, nothing to do, 40 ms round trip", "the first run", runs, "first run", 0.5)
    row.facts = {
        name: {"requests": requests, "distinct digests": digests}
        for name, (requests, digests) in zip(("source", "target"), counts, strict=True)
    }
    row.aim += ", at the target at most one request per distinct digest + 6"
    row.met = bool(row.met) and counts[1][0] <= counts[1][1] + 6
    return [row]


def _digests(requests: list[str]) -> set[str]:
    return {found.replace("-", ":") for request in requests for found in re.findall(r"sha256[:-][0-9a-f]{64}", request)}


def same_registry(world: World) -> list[Row]:
    """Staging and prod are repositories of one registry."""
    digest = world.image("same", layers=3, size=65536)
    clone = world.gitops(f"{world.far.a}/same", f"{world.far.a}/{world.empty_target()}", world.far.git, digest)
    world.far.forget()
    result = json.loads(world.command(PROMOTE, "staging->prod", TAG, "--format=json", cwd=clone).run().out)
    copied = result["releases"][0]["copies"][0]
    uploads = [r for r in world.far.requests if r.startswith(("PUT", "PATCH")) and "/blobs/" in r]
    facts = {"blobs mounted": copied["blobs_mounted"], "blob uploads": len(uploads), "blob bytes": copied["bytes"]}
    met = copied["bytes"] == 0 and not uploads
    return [Row("same registry", "-", "0 blob bytes through the client", None, met, facts=facts)]


def promoters(world: World) -> list[Row]:
    """Twenty promotions of twenty apps into one branch, all at once."""
    digest = world.image("many", layers=1, size=1024)
    for app in range(PROMOTERS):
        run([world.tools["regctl"], "image", "copy", f"--host=reg={world.near.a},tls=disabled", "--referrers",
             "--digest-tags", f"{world.near.a}/many/{SOURCE}:{TAG}", f"{world.near.a}/apps/app{app}/{SOURCE}:{TAG}"],
            env=world.env)  # fmt: skip
    target = f"{world.near.b}/{world.empty_target()}"
    clone = world.gitops(f"{world.near.a}/apps", target, world.near.git, digest, apps=PROMOTERS)
    url = run(["git", "remote", "get-url", "origin"], cwd=clone, env=GIT_ENV)
    clones = [world.directory / "clones" / f"bot-{n}-{next(_NUMBERS)}" for n in range(PROMOTERS)]
    for each in clones:
        run(["git", "clone", "--quiet", url, each], env=GIT_ENV)
    started = [
        subprocess.Popen(
            [PROMOTE, "staging->prod", f"app{n}={TAG}", "--format=json", "--quiet"],
            cwd=each, env=world.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for n, each in enumerate(clones)
    ]  # fmt: skip
    codes = []
    for process in started:
        out, err = process.communicate()
        codes.append(process.returncode)
        if process.returncode:
            sys.stderr.write((err + out).decode())
    run(["git", "fetch", "--quiet"], cwd=clone, env=GIT_ENV)
    log = run(["git", "log", "--format=%P|%s", "origin/main"], cwd=clone, env=GIT_ENV).splitlines()
    landed = sum(line.partition("|")[2].startswith("promote(") for line in log)
    linear = all(len(line.partition("|")[0].split()) <= 1 for line in log)
    facts = {"landed": landed, "linear": linear, "exit codes other than 0": sum(map(bool, codes))}
    met = landed == PROMOTERS and linear and not any(codes)
    work = f"{PROMOTERS} promoters, one branch"
    return [Row(work, "-", "all land, linear history, none lost", None, met, facts=facts)]


def start_up(world: World, pairs: int) -> list[Row]:
    """What it costs to ask for the version, or for help."""
    rows = []
    for option in ("--version", "--help"):
        runs = in_turns(
            {
                "promote": lambda _, option=option: world.command(PROMOTE, option),  # type: ignore[misc]
                "python -c pass": lambda _: world.command(PYTHON, "-c", "pass"),
            },
            max(pairs, 11),
        )
        more = median([r.wall for r in runs["promote"]]) - median([r.wall for r in runs["python -c pass"]])
        row = row_of(f"promote {option}", "python -c pass", runs, "python -c pass")
        row.aim, row.met = "+ 100 ms at most", more <= 0.1
        row.facts = {"share of the 100 ms used": round(more / 0.1, 2)}
        rows.append(row)
    return rows


_REGCTL = (
    "regctl image copy --host=reg={a},tls=disabled --host=reg={b},tls=disabled "
    '--referrers --digest-tags "$S:$T" "$D:$T"'
)

_SCRIPT = """\
set -e
cosign verify {options} "$S@$I" >/dev/null
cosign verify-attestation --type=spdxjson {options} "$S@$I" >/dev/null
{copy}
cd overlays/web/prod
kustomize edit set image "web=$P:$T@$I"
git commit --quiet --all --message="promote web $T"
git push --quiet origin HEAD:main
"""


def _script(world: World, ends: Ends, digest: str, copy: str) -> Prepare:
    def prepare(_: int) -> Command:
        target = f"{ends.b}/{world.empty_target()}"
        clone = world.gitops(f"{ends.a}/whole", target, ends.git, digest)
        names = f"S={ends.a}/whole/{SOURCE} D={target}/{SOURCE} P={PULL_PROD}/{SOURCE} T={TAG} I={digest}\n"
        text = names + _SCRIPT.format(options=" ".join(world.key.verify_options("")), copy=copy)
        ends.forget()
        return world.command("bash", "-c", text, cwd=clone)

    return prepare


def _promote(world: World, ends: Ends, path: str, digest: str) -> Prepare:
    def prepare(_: int) -> Command:
        clone = world.gitops(f"{ends.a}/{path}", f"{ends.b}/{world.empty_target()}", ends.git, digest)
        ends.forget()
        return world.command(PROMOTE, "staging->prod", TAG, cwd=clone)

    return prepare


def _requests(ends: Ends, contenders: Mapping[str, Prepare]) -> dict[str, Any]:
    """How many requests and connections to registries each contender makes; one more run of each, not measured."""
    found = {}
    for name, prepare in contenders.items():
        command = prepare(0)
        ends.forget()
        command.run()
        connections = sum(each.connections for each in ends.links[:2])
        found[name] = {"requests": len(ends.requests), "connections": connections}
        if len(ends.links) > 2 and ends.links[2].requests:
            found[name]["git requests"] = len(ends.links[2].requests)
    return {"to registries": found}


def _cleared(world: World) -> str:
    """An empty target in registry b, and no large blob left there."""
    rmtree(world.directory / "b" / "storage", ignore_errors=True)
    return world.empty_target()


def row_of(  # noqa: PLR0917 - the columns of the table
    work: str,
    against: str,
    runs: Mapping[str, list[Run]],
    peer: str,
    aim: float | None = None,
    facts: dict[str, Any] | None = None,
) -> Row:
    """The row that `runs` give, those of ``promote`` over those of `peer`; without an `aim` nothing is met or not."""

    def ratio(of: Callable[[Run], float]) -> Ratio:
        return Ratio.of([of(r) for r in runs["promote"]], [of(r) for r in runs[peer]])

    wall = ratio(lambda r: r.wall)
    met = None if aim is None else wall.median <= aim
    return Row(work, against, f"<= {aim}", wall, met, ratio(lambda r: r.cpu), dict(facts or {}))


def _remember(row: Row, walls: Mapping[str, list[float]]) -> None:
    """How much each contender varies by itself, as largest over least."""
    row.facts["spread of each"] = {name: round(max(w) / min(w), 2) for name, w in walls.items()}
