"""Progress on a terminal: what is shown, what is gone in the end, and that no more is written than can be erased."""

from __future__ import annotations

import io

import pytest
from support.terminal import screen

from promote.cli.live import Live
from promote.model.progress import Arrival, Blob, Cargo, Watcher
from promote.model.verdict import Reason, passed, refused, skipped
from promote.output.style import Style

CARGO = Cargo("r.example/acme/web:sha-0123456", 2, 20, 0)
BLOBS = [Blob(CARGO.target, "sha256:" + letter * 64, 10) for letter in "ab"]
ARRIVAL = Arrival(CARGO.target, 2, 0, 0, 20, 0.5)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    @property
    def left(self) -> list[str]:
        returned = self.getvalue().replace("\n", "\r\n")  # as the line discipline of a terminal does
        return [line for line in screen(returned) if line]


def live(terminal: Terminal, **more) -> Live:
    return Live(terminal, Style(width=60), **({"height": 24, "clock": lambda: 0.0} | more))


def test_verdicts_are_shown_and_then_gone():
    terminal = Terminal()
    with live(terminal) as shown:
        shown.judged("web", passed("tag", "names a commit"))
        shown.judged("web", refused("sbom", Reason.NO_SBOM, "there is none"))
        shown.judged("web", skipped("labels", "later", Reason.NOT_JUDGED))
        assert terminal.left == [
            "  pass     tag             names a commit  (web)",
            "  REFUSED  sbom            there is none  (web)",
        ]
    assert terminal.left == []


def test_every_line_takes_one_row():
    terminal = Terminal()
    with live(terminal) as shown:
        shown.judged("web", passed("tag", "x" * 500))
        shown.judged("web", passed("tag", "\u4e2d" * 500))
        shown.step("commit", "y" * 500 + "\n\x1b[2J")
        rows = terminal.left
    assert [len(row) for row in rows] == [59, 43, 59]
    assert terminal.left == []


def test_no_more_is_written_than_the_terminal_can_take_back():
    terminal = Terminal()
    with live(terminal, height=10) as shown:
        for number in range(50):
            shown.judged(f"app{number}", passed("tag", "fine"))
        assert len(terminal.left) == 8
    assert terminal.left == []


def test_what_is_kept_stays():
    terminal = Terminal()
    with live(terminal, height=3, keep=True) as shown:
        for _ in range(5):
            shown.step("blob", "x")
    assert terminal.left == ["blob          x"] * 5


def test_a_short_copy_has_no_bars_and_its_numbers_stay():
    terminal = Terminal()
    with live(terminal) as shown:
        shown.step("tag", "x")
        shown.expects(CARGO)
        for blob in BLOBS:
            shown.begins(blob)
            shown.moves(blob, 10)
            shown.ends(blob)
        shown.arrives(ARRIVAL)
    assert "━" not in terminal.getvalue()
    assert terminal.left == [f"copied        {CARGO.target}: 2 blobs, 20 B in 0.5 s (40 B/s), 0 mounted, 0 skipped"]


@pytest.mark.parametrize("failed", [False, True])
def test_a_long_copy_has_a_bar_a_blob_until_it_ends_or_fails(failed):
    terminal = Terminal()
    now = iter(range(100))
    with live(terminal, clock=lambda: float(next(now))) as shown:
        shown.judged("web", passed("tag", "fine"))
        shown.expects(CARGO)
        shown.moves(BLOBS[0], 5)
        shown.expects(Cargo("us.example/acme/web:sha-0123456", 1, 10, 0))
        shown.moves(BLOBS[1], 5)
        shown.step("tag", "while bars are drawn")
        if not failed:
            for blob in BLOBS:
                shown.ends(blob)
            shown.arrives(ARRIVAL)
            shown.ends(Blob("us.example/acme/web:sha-0123456", "sha256:" + "c" * 64, 10))
            shown.arrives(Arrival("us.example/acme/web:sha-0123456", 0, 1, 0, 0, 0.5))
    assert "aaaaaaaaaaaa" in terminal.getvalue()
    assert "all 2" in terminal.getvalue()
    assert [line.split()[0] for line in terminal.left] == ([] if failed else ["copied", "copied"])


def test_it_is_a_watcher():
    assert isinstance(live(Terminal()), Watcher)
