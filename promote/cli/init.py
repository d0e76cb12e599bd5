"""`promote init --from REF`: a promote.yaml to review."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from promote.cli.options import Debug, Jobs, NoColor
from promote.cli.session import Session, failure
from promote.errors import Misuse, PromoteError

if TYPE_CHECKING:  # --help would pay for it
    from promote.promotion.proposal import Root


def init(  # noqa: PLR0917 - typer reads the options from the signature
    reference: Annotated[
        str, typer.Option("--from", metavar="REF", help="An image that your build signed.", show_default=False)
    ],
    repo: Annotated[
        Path | None, typer.Option("--repo", metavar="DIR", help="GitOps repository; default: here.")
    ] = None,
    trusted_root: Annotated[
        Path | None,
        typer.Option("--trusted-root", metavar="FILE", help="trusted_root.json of another Sigstore than the public."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print it to stdout and write nothing.")] = False,
    jobs: Jobs = 10,
    no_color: NoColor = False,
    debug: Debug = False,  # noqa: ARG001 - read by the entry point
) -> None:
    """Propose a promote.yaml for review, from the overlays that are there and from who signed an image.

    promote init --from registry.example/acme/web:sha-4f2a91c
    """
    try:
        _run(reference, repo or Path(), trusted_root, dry_run=dry_run, jobs=jobs)
    except PromoteError as error:
        result = failure("init", error)
        Session(no_color=no_color).print(result)
        raise typer.Exit(result.exit_code) from None


def _run(reference: str, directory: Path, trusted_root: Path | None, *, dry_run: bool, jobs: int) -> None:
    from promote.config.load import FILE_NAME
    from promote.oci.stores import Stores
    from promote.output import proposal as as_yaml
    from promote.output.style import printable
    from promote.promotion.proposal import propose

    if not directory.is_dir():
        raise Misuse("usage", f"got --repo {directory}, expected a directory", hint="name the repository's directory")
    file = directory / FILE_NAME
    if not dry_run and (file.exists() or file.is_symlink()):
        raise _exists(file)
    with Stores({}, os.environ) as stores:
        proposed = propose(stores, reference, directory, _root(trusted_root, directory), jobs)
    text = as_yaml.render(proposed)
    if dry_run:
        sys.stdout.write(text)
        return
    try:
        with file.open("x", encoding="utf-8") as opened:  # never over one that came meanwhile
            opened.write(text)
    except FileExistsError:
        raise _exists(file) from None
    except OSError as problem:
        raise Misuse(
            "file-unwritable", f"got {problem.strerror} for {file}", hint="give --dry-run to print it instead"
        ) from None
    who = f"{len(proposed.signers)} signers" if len(proposed.signers) != 1 else "1 signer"
    sys.stdout.write(f"Wrote {printable(str(file))}: {len(proposed.environments)} environments, {who}.\n")
    sys.stdout.write("Review every line and commit it: until then nobody is trusted.\n")
    for note in proposed.notes:
        sys.stderr.write(f"note: {printable(note)}\n")


def _exists(file: Path) -> Misuse:
    return Misuse(
        "configuration-exists",
        f"got a {file.name} in {file.parent} already, expected none: init never overwrites one",
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
