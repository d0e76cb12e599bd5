"""The docket: the verdicts of one release as they come, and whether to go on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from promote.model.verdict import Outcome, Reason, Verdict, skipped

NOT_REACHED = "not judged: an earlier gate already decided"


class Docket:
    """Collects one verdict a gate.  `order` names every gate, cheapest first; `hear` is told of each verdict."""

    def __init__(self, order: Sequence[str], hear: Callable[[Verdict], None] | None = None) -> None:
        self._order = tuple(order)
        self._hear = hear
        self._verdicts: dict[str, Verdict] = {}

    def add(self, *verdicts: Verdict) -> None:
        """Take verdicts in; a later one of the same gate replaces the earlier, unless that refused."""
        for verdict in verdicts:
            earlier = self._verdicts.get(verdict.gate)
            if earlier is None or earlier.outcome is not Outcome.REFUSE:
                self._verdicts[verdict.gate] = verdict
                if self._hear is not None:
                    self._hear(verdict)

    @property
    def open(self) -> bool:
        """Whether nothing has refused and nothing is unknown so far."""
        return all(v.outcome in (Outcome.PASS, Outcome.SKIP) for v in self._verdicts.values())

    def next_gate(self, begun: Collection[str] = ()) -> str:
        """The first gate that has not been judged, and is not among those `begun`; the last gate when all have."""
        return next((g for g in self._order if g not in self._verdicts and g not in begun), self._order[-1])

    def verdicts(self) -> tuple[Verdict, ...]:
        """One verdict for every gate, in order; those not reached say so."""
        return tuple(self._verdicts.get(gate) or skipped(gate, NOT_REACHED, Reason.NOT_JUDGED) for gate in self._order)
