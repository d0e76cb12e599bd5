"""Bars on a terminal: one line a blob that moves, and one for all of them.  The only module that draws with rich."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from promote.model.progress import Blob
from promote.output.style import Style

if TYPE_CHECKING:  # drawn only for a copy that takes a while
    from rich.progress import TaskID

SHORT = 12
"""Digits of a digest that a bar shows."""


class Bars:
    """Bars at the end of `stream`, which is a terminal, until `stop`; then they are gone.  Safe between threads."""

    def __init__(self, stream: TextIO, style: Style, blobs: int, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
        from rich.progress import TransferSpeedColumn as Speed

        console = Console(file=stream, width=style.width, no_color=not style.colour, highlight=False, markup=False)
        word = TextColumn("  {task.description}", markup=False)
        columns = (word, BarColumn(), DownloadColumn(binary_units=True), Speed(), TimeRemainingColumn())
        self._progress = Progress(
            *columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False
        )
        self._all = self._progress.add_task(f"{'all ' + str(blobs):{SHORT}}", total=total)
        self._tasks: dict[Blob, TaskID] = {}
        self._progress.start()

    def expect(self, blobs: int, total: int) -> None:
        """So many blobs and bytes in all."""
        self._progress.update(self._all, description=f"{'all ' + str(blobs):{SHORT}}", total=total)

    def show(self, blob: Blob, moved: int, moved_of_all: int) -> None:
        """How far a blob is, and all of them."""
        if blob not in self._tasks:
            short = blob.digest.partition(":")[2][:SHORT]
            self._tasks[blob] = self._progress.add_task(short, total=blob.size)
        self._progress.update(self._tasks[blob], completed=moved)
        self._progress.update(self._all, completed=moved_of_all)

    def end(self, blob: Blob, moved_of_all: int) -> None:
        """A blob has arrived, and its line goes."""
        if (task := self._tasks.pop(blob, None)) is not None:
            self._progress.remove_task(task)
        self._progress.update(self._all, completed=moved_of_all)

    def write(self, line: str) -> None:
        """A line above the bars; `line` is printable."""
        self._progress.console.print(line, markup=False, highlight=False, no_wrap=True, overflow="crop")

    def stop(self) -> None:
        """Take the bars away."""
        self._progress.stop()
