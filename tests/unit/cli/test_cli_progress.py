"""Progress in a log: steps, a line every ten seconds while bytes move, and the numbers of each copy."""

from __future__ import annotations

import io

from promote.cli.progress import INTERVAL, Lines, Load, arrival_line
from promote.model.progress import Arrival, Blob, Cargo, Silent, Watcher, watcher
from promote.model.verdict import passed

MIB = 1024 * 1024
EU, US = "eu.example/acme/web:sha-0123456", "us.example/acme/web:sha-0123456"


def blob(letter: str, size: int = 100 * MIB, target: str = EU) -> Blob:
    return Blob(target, "sha256:" + letter * 64, size)


class Told:
    """Lines on a stream, with a clock that stands until it is moved."""

    def __init__(self, verbose: bool = False) -> None:
        self.now = 1000.0
        self._stream = io.StringIO()
        self.lines = Lines(self._stream, verbose, clock=lambda: self.now)

    @property
    def text(self) -> list[str]:
        return self._stream.getvalue().splitlines()


def test_a_line_every_ten_seconds_while_bytes_move():
    told = Told()
    told.lines.expects(Cargo(EU, 2, 200 * MIB, 0))
    a, b = blob("a"), blob("b")
    told.lines.begins(a)
    for _ in range(50):  # 50 MiB in 25 seconds
        told.now += 0.5
        told.lines.moves(a, MIB)
    told.lines.ends(a)
    told.now += INTERVAL
    told.lines.moves(b, 0)
    assert told.text == [
        "copying       20.0 MiB of 200.0 MiB (10 %), 0 of 2 blobs, 2.0 MiB/s",
        "copying       40.0 MiB of 200.0 MiB (20 %), 0 of 2 blobs, 2.0 MiB/s",
        "copying       100.0 MiB of 200.0 MiB (50 %), 1 of 2 blobs, 2.9 MiB/s",
    ]


def test_a_copy_that_is_over_sooner_has_no_line_but_its_numbers():
    told = Told()
    told.lines.expects(Cargo(EU, 1, 100 * MIB, 3))
    told.lines.moves(blob("a"), 100 * MIB)
    told.lines.ends(blob("a"))
    told.lines.arrives(Arrival(EU, 1, 2, 3, 100 * MIB, 4.0))
    assert told.text == [f"copied        {EU}: 1 blob, 100.0 MiB in 4.0 s (25.0 MiB/s), 2 mounted, 3 skipped"]


def test_several_places_are_counted_together():
    told = Told()
    told.lines.expects(Cargo(EU, 1, 100 * MIB, 0))
    told.lines.expects(Cargo(US, 1, 100 * MIB, 0))
    told.lines.moves(blob("a"), 50 * MIB)
    told.now += INTERVAL
    told.lines.moves(blob("a", target=US), 50 * MIB)
    assert told.text == ["copying       100.0 MiB of 200.0 MiB (50 %), 0 of 2 blobs, 10.0 MiB/s"]


def test_what_is_sent_again_does_not_count_twice():
    load = Load()
    load.expect(Cargo(EU, 1, 10, 0))
    assert [load.move(blob("a", 10), 8), load.move(blob("a", 10), 8)] == [8, 10]
    load.end(blob("b", 0))
    assert (load.moved, load.done) == (10, 1)


def test_steps_are_lines_and_details_only_when_asked_for():
    for verbose, seen in (
        (False, ["tag           x"]),
        (True, ["blob          x", "manifest      x", "tag           x"]),
    ):
        told = Told(verbose)
        for step in ("blob", "manifest", "tag"):
            told.lines.step(step, "x")
        told.lines.judged("web", passed("tag", "fine"))
        assert told.text == seen


def test_a_step_from_outside_stays_on_its_line():
    told = Told()
    told.lines.step("tag", "evil\n::error::x ##[error]y \x1b[2J")
    assert told.text == ["tag           evil\\n::error::x ##\\x5berror]y \\x1b[2J"]


def test_a_reader_that_is_gone_does_not_stop_the_work():
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    Lines(Gone()).step("tag", "x")


def test_a_copy_too_short_to_measure_has_a_rate():
    assert "(1000.0 KiB/s)" in arrival_line(Arrival(EU, 1, 0, 0, 1024, 0.0))


def test_an_observer_that_knows_steps_only_is_told_nothing_else():
    class Steps:
        def step(self, step: str, subject: str) -> None:
            raise AssertionError

    watcher(Steps()).expects(Cargo(EU, 1, 1, 0))
    silent = Silent()
    assert watcher(silent) is silent
    assert isinstance(Lines(io.StringIO()), Watcher)
