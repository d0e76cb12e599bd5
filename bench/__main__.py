"""`make bench`: run the rows, print the table, write it to bench/results/DATE.{json,md}."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from harness.tools import GO_TOOLS

from bench import attestations, repo_url, rows, status
from bench.rows import Row
from bench.world import World, world
from promote import __version__

ROUND_TRIP = 0.040
RESULTS = Path(__file__).parent / "results"

ROWS: dict[str, Callable[[World, int], list[Row]]] = {
    "whole": rows.whole_job,
    "small": rows.small_copy,
    "large": lambda w, pairs: rows.large_copy(w, min(pairs, 5)),
    "second": rows.second_run,
    "same": lambda w, _: rows.same_registry(w),
    "promoters": lambda w, _: rows.promoters(w),
    "attestations": attestations.many_attestations,
    "status": status.status,
    "repo-url": repo_url.repo_url,
    "start": rows.start_up,
}


def main() -> None:
    """Measure what was asked for; write results only when that was everything."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("rows", nargs="*", choices=[*ROWS, []], help="which rows; all of them when none is named")
    parser.add_argument("--pairs", type=int, default=7, help="how many turns each contender gets")
    parser.add_argument("--output", type=Path, help="where to write, without ending; default bench/results/DATE")
    options = parser.parse_args()
    found: list[Row] = []
    load = [os.getloadavg()[0]]
    with world(ROUND_TRIP) as here:
        for name in options.rows or ROWS:
            sys.stderr.write(f"bench: {name}\n")
            for row in ROWS[name](here, options.pairs):
                found.append(row)
                print(_line(row), flush=True)
    if options.rows and options.output is None:
        print(json.dumps([asdict(row) for row in found], indent=1))
        return
    load.append(os.getloadavg()[0])
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    output = options.output or RESULTS / today
    document = {
        "date": today,
        "pairs": options.pairs,
        "machine": _machine(),
        "load": [round(each, 1) for each in load],
        "versions": _versions(),
        "rows": [asdict(row) for row in found],
    }
    output.with_suffix(".json").write_text(json.dumps(document, indent=1) + "\n")
    output.with_suffix(".md").write_text(_page(document, found))


def _line(row: Row) -> str:
    met = {True: "yes", False: "no", None: ""}[row.met]
    return f"| {row.work} | {row.against} | {row.aim} | {row.ratio or '-'} | {row.cpu or '-'} | {met} |"


def _page(document: dict[str, object], found: list[Row]) -> str:
    machine, versions = (", ".join(f"{k} {v}" for k, v in facts.items()) for facts in (_machine(), _versions()))
    head = [
        f"# Results of {document['date']}",
        "",
        f"promote over the peer: the median of {document['pairs']} pairs (least-largest), all in one run, in turns.",
        f"Written by `make bench`.  Load of the machine at the beginning and at the end: {document['load']}.",
        "",
        f"Machine: {machine}.  Versions: {versions}.",
        "",
        "| work | against | aim | wall time | CPU time | met |",
        "|---|---|---|---|---|---|",
    ]
    facts = [f"- {row.work}, against {row.against}: {_told(row.facts)}" for row in found if row.facts]
    return "\n".join([*head, *map(_line, found), "", *facts, ""])


def _told(facts: dict[str, object]) -> str:
    parts = []
    for name, value in facts.items():
        if isinstance(value, dict):
            inner = "; ".join(f"{k} {_told(v) if isinstance(v, dict) else v}" for k, v in value.items())
            parts.append(f"{name}: {inner}")
        else:
            parts.append(f"{name} {value}")
    return ", ".join(parts)


def _machine() -> dict[str, str]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    kind = {"system": platform.system(), "architecture": platform.machine()}
    return {"cores": str(os.cpu_count()), "memory": f"{memory:.0f} GiB", **kind}


def _versions() -> dict[str, str]:
    git = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True).stdout.split()[2]
    wanted = {"cosign", "crane", "regctl", "registry3", "kustomize"}
    tools = {tool.name: tool.version for tool in GO_TOOLS if tool.name in wanted}
    return {"promote": __version__, "Python": platform.python_version(), "git": git, **tools}


if __name__ == "__main__":
    main()
