"""`python -m bench.round_trips`: which requests wait for which, level by level; docs/benchmarks.md tells the counts.

Nothing is timed, so it may run on a machine that is busy, see `support.lockstep`.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from support.round_trips import far, far_repository, promote_far

CASES = {"v3-keyless": "bundles as referrers", "v2-key": "cosign's tag scheme", "v3-key": "bundles that a key signed"}


def main() -> None:
    """Print the levels of a copy alone, of a promotion, and of the same promotion again."""
    parser = argparse.ArgumentParser(prog="bench.round_trips", description=__doc__)
    parser.add_argument("--levels", action="store_true", help="each request, and not only how many levels")
    options = parser.parse_args()
    for name in [name for name in os.environ if name.startswith(("GIT_", "SSH_", "DOCKER_", "REGISTRY_"))]:
        del os.environ[name]
    for referrers in (True, False):
        kind = "referrers API" if referrers else "fallback tag"
        for case in ("v3-keyless", "v2-key"):
            with far(case, referrers=referrers) as here:
                _show(f"copy, {CASES[case]}, {kind}", here.copy().table(), options.levels)
        with tempfile.TemporaryDirectory() as home, far("v3-key", referrers=referrers) as here:
            os.environ.update(HOME=home, GIT_CONFIG_NOSYSTEM="1", GIT_CONFIG_GLOBAL=os.devnull)
            with far_repository(here, Path(home), "v3-key") as repo:
                for run in ("promotion", "the same again"):
                    _show(f"{run}, {CASES['v3-key']}, {kind}", promote_far(here, repo).table(), options.levels)


def _show(what: str, table: str, levels: bool) -> None:  # noqa: FBT001 - as it was given
    count = sum(line[:3].strip().isdigit() for line in table.splitlines())
    print(f"{count:3}  {what}")
    if levels:
        print(table)


if __name__ == "__main__":
    main()
