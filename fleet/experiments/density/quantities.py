"""What was measured in a run of `density`, looked up by trial, phase, program and quantity."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from fleet.analysis.recorded import Recorded
from fleet.analysis.setting import values
from fleet.results.events import TrialPlan

BASELINE, BOOTSTRAP, STEADY, LOAD = "baseline", "bootstrap", "steady", "load"
PHASES = (BASELINE, BOOTSTRAP, "post-bootstrap", STEADY, LOAD, "post-load")
"""In the order of a sequence. CPU and peak memory are of the phase; the rest is of the sample at its end, of `load` in
`post-load`."""
CLIENT, TOTAL = "client", "total"
BESIDE = frozenset({CLIENT, TOTAL, "supervisord"})
"""Components that are no part of a control plane's cost: the client, sums, and what supervises them here."""


@dataclass(frozen=True)
class Cell:
    """One program in one phase of one trial."""

    phase: str
    program: str
    component: str


@dataclass
class Sequence:
    """One trial: its count, and every quantity of every cell."""

    plan: TrialPlan
    cells: dict[Cell, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))

    @property
    def count(self) -> int:
        """Its control planes."""
        return round(values(self.plan.point).get("clusters", 0.0))

    def total(self, phase: str, quantity: str, component: str = TOTAL) -> float | None:
        """Summed over the programs of a component, or of all that a control plane costs; None where nobody says it,
        0 where there is no program at all."""
        mine = [
            found
            for cell, found in self.cells.items()
            if cell.phase == phase
            and (cell.component == component if component != TOTAL else cell.component not in BESIDE)
        ]
        told = [found[quantity] for found in mine if quantity in found]
        if not told and mine:
            return None
        return sum(told) if self._reached(phase) else None

    def components(self) -> list[str]:
        """Of the programs that it costs, by name."""
        return sorted({cell.component for cell in self.cells} - BESIDE)

    def _reached(self, phase: str) -> bool:
        return any(cell.phase == phase for cell in self.cells)


def sequences(recorded: Recorded) -> list[Sequence]:
    """The counted ones that were begun, in their order."""
    found = {plan.trial: Sequence(plan) for plan in recorded.trials if plan.repeat >= 0}
    for one in recorded.measured:
        sequence, of = found.get(one.trial), one.of
        if sequence is not None and "phase" in of:
            cell = Cell(of["phase"], of.get("program", TOTAL), of.get("component", TOTAL))
            sequence.cells[cell][one.name] = one.value
    return list(found.values())


def ordered(cells: Iterable[Cell]) -> list[Cell]:
    """By phase, then program."""
    return sorted(cells, key=lambda cell: (PHASES.index(cell.phase), cell.component in BESIDE, cell.program))


def points(all_: Iterable[Sequence], phase: str, quantity: str, component: str = TOTAL) -> list[tuple[float, float]]:
    """(control planes, value) of every sequence that says it."""
    found = [(float(one.count), one.total(phase, quantity, component)) for one in all_]
    return [(count, value) for count, value in found if value is not None]


def differs(recorded: Recorded) -> str:
    """In what the control planes of a run are not as upstream makes them; empty: in nothing, or an older run."""
    return next((one.of["differs"] for one in recorded.measured if one.name == "planes"), "")


def probes(recorded: Recorded) -> Iterator[Mapping[str, str]]:
    """Labels of every probe: `probe`, and `why` it cannot."""
    return (one.of for one in recorded.measured if one.name == "probe")
