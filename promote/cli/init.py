"""`promote init [--from REF]`: a promote.yaml to review."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from promote.cli.options import Debug, Jobs, NoColor
from promote.cli.session import Session, failure
from promote.errors import Misuse, PromoteError

if TYPE_CHECKING:  # --help would pay for it
    from promote.model.proposal import Proposal
    from promote.promotion.proposal import Root


def init(  # noqa: PLR0917 - typer reads the options from the signature
    reference: Annotated[
        str | None,
        typer.Option("--from", metavar="REF", help="An image that your build signed: who did?", show_default=False),
    ] = None,
    repo: Annotated[
        Path | None, typer.Option("--repo", metavar="DIR", help="GitOps repository; default: here.")
    ] = None,
    trusted_root: Annotated[
        Path | None,
        typer.Option("--trusted-root", metavar="FILE", help="trusted_root.json of another Sigstore than the public."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print it to stdout and write nothing.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over a promote.yaml that is there.")] = False,
    jobs: Jobs = 10,
    no_color: NoColor = False,
    debug: Debug = False,  # noqa: ARG001 - read by the entry point
) -> None:
    """Propose a promote.yaml for review, from the overlays that are there and, with --from, from who signed an image.

    \b
    promote init --dry-run
    promote init --from registry.example/acme/web:sha-4f2a91c
    """  # noqa: D301 - click takes a backspace for "keep these lines"
    try:
        _run(reference, repo or Path(), trusted_root, jobs, Target(dry_run, force))
    except PromoteError as error:
        result = failure("init", error)
        Session(no_color=no_color).print(result)
        raise typer.Exit(result.exit_code) from None


@dataclass(frozen=True, slots=True)
class Target:
    """Where the proposal goes: to stdout when `dry_run`, else into promote.yaml; `force`: over one that is there."""

    dry_run: bool
    force: bool


def _run(reference: str | None, directory: Path, trusted_root: Path | None, jobs: int, target: Target) -> None:
    from promote.config.load import FILE_NAME
    from promote.output import proposal as as_yaml
    from promote.output.style import printable

    if not directory.is_dir():
        raise Misuse("usage", f"got --repo {directory}, expected a directory", hint="name the repository's directory")
    file = directory / FILE_NAME
    if not (target.dry_run or target.force) and (file.exists() or file.is_symlink()):
        raise _exists(file)
    proposed = _proposed(reference, directory, trusted_root, jobs)
    text = as_yaml.render(proposed)
    if target.dry_run:
        sys.stdout.write(text)
        return
    _write(file, text, force=target.force)
    sizes = ((proposed.apps, "app"), (proposed.environments, "environment"), (proposed.signers, "signer"))
    counts = ", ".join(f"{len(found)} {noun}{'' if len(found) == 1 else 's'}" for found, noun in sizes)
    sys.stdout.write(f"Wrote {printable(str(file))}: {counts}.\n")
    sys.stdout.write("Review every line and commit it: until then nobody is trusted.\n")
    for note in proposed.notes:
        sys.stderr.write(f"note: {printable(note)}\n")


def _proposed(reference: str | None, directory: Path, trusted_root: Path | None, jobs: int) -> Proposal:
    if reference is None:
        if trusted_root is not None:
            raise Misuse("usage", "got --trusted-root without --from, expected both", hint="name an image with --from")
        from promote.promotion.survey import survey

        return survey(directory)
    from promote.oci.stores import Stores
    from promote.promotion.proposal import propose

    with Stores({}, os.environ) as stores:
        return propose(stores, reference, directory, _root(trusted_root, directory), jobs)


def _write(file: Path, text: str, *, force: bool) -> None:
    """Write a new file; with `force` in the place of what is there, never through a link that is."""
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        if not force:
            with file.open("x", encoding="utf-8") as opened:  # never over one that came meanwhile
                opened.write(text)
            return
        with beside.open("x", encoding="utf-8") as opened:
            opened.write(text)
        beside.replace(file)
    except FileExistsError:
        raise _exists(file) from None
    except OSError as problem:
        beside.unlink(missing_ok=True)
        raise Misuse(
            "file-unwritable", f"got {problem.strerror} for {file}", hint="give --dry-run to print it instead"
        ) from None


def _exists(file: Path) -> Misuse:
    return Misuse(
        "configuration-exists",
        f"got a {file.name} in {file.parent} already, expected none: init overwrites one with --force only",
        expected="no promote.yaml",
        actual=str(file),
        hint="give --dry-run to print the proposal and compare",
    )


def _root(file: Path | None, directory: Path) -> Root | None:
    from promote.promotion.proposal import Root

    if file is None:
        return None
    try:
        content = file.read_bytes()
    except OSError as problem:
        raise Misuse(
            "file-unreadable",
            f"got {problem.strerror} for {file}, expected a trusted_root.json",
            hint=f"look at it with `ls -l {file}`",
        ) from None
    return Root(os.path.relpath(file.absolute(), directory.absolute()), content)
