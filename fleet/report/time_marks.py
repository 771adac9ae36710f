"""What every time axis shows alongside its quantity: counted trials, phases of the run, planned faults."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleet.analysis.disturbances import Disturbances
from fleet.analysis.phases import Phase, phases
from fleet.analysis.recorded import Recorded
from fleet.report.svg import GRID, MUTED, explained

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PHASE_COLOURS = {
    "prepare": "#999933",
    "settle": "#56b4e9",
    "load": "#0072b2",
    "trial": "#0072b2",
    "drain": "#e69f00",
    "after": "#8c6d31",
    "clean": "#7f7f7f",
    "clean-up": "#7f7f7f",
}
"""Of the steps that most experiments have; any other step has the colour of `_OTHER`."""
_OTHER = "#cc79a7"
_STRIP = 0.965
"""Share of the height from which on the strip of phases lies."""
_SHOWN = 300
"""Phases of one drawing; of more only those in which something is sent."""
_SENDING = frozenset({"load", "trial"})


@dataclass(frozen=True)
class FaultSpan:
    """A planned fault; seconds since the run's first line, `end` None while it lasts."""

    text: str
    start: float
    end: float | None


@dataclass(frozen=True)
class TimeMarks:
    """All of a run; seconds since its first line."""

    trials: Sequence[tuple[float, float]] = ()
    """Counted ones, each while its load was under way."""
    phases: Sequence[Phase] = ()
    faults: Sequence[FaultSpan] = ()

    @property
    def names(self) -> list[str]:
        """Of the phases, each once, in their order."""
        return list(dict.fromkeys(phase.name for phase in self.phases))

    @property
    def caption(self) -> str:
        """What the marks mean, for the words under a drawing."""
        said = ["Shaded: counted trials."] if self.trials else []
        if self.phases:
            said.append("The strip on top: the phases of the run.")
        if self.faults:
            said.append(f"Hatched: {', '.join(dict.fromkeys(fault.text for fault in self.faults))}.")
        return " ".join(said)


def time_marks(recorded: Recorded, found: Disturbances) -> TimeMarks:
    """Of what was recorded."""
    first = recorded.first_ns
    spans = [recorded.span(plan) for plan in recorded.trials if plan.repeat >= 0]
    return TimeMarks(
        [((start - first) / 1e9, (end - first) / 1e9) for start, end in spans],
        _chosen(phases(recorded)),
        [
            FaultSpan(
                f"{fault.action} of {fault.target}",
                (fault.start_ns - first) / 1e9,
                None if fault.end_ns is None else (fault.end_ns - first) / 1e9,
            )
            for fault in found.faults
        ],
    )


def phase_colour(name: str) -> str:
    """The colour of its strip."""
    return PHASE_COLOURS.get(name, _OTHER)


def draw_marks(axes: Axes, marks: TimeMarks, last: float) -> None:
    """Draw them behind the quantity; `last` is where the axis ends, for a fault that was not healed."""
    for start, end in marks.trials:
        axes.axvspan(start, end, color=GRID, linewidth=0, alpha=0.6, zorder=0.5)
    for fault in marks.faults:
        until = last if fault.end is None else fault.end
        span = axes.axvspan(
            fault.start, until, facecolor="none", edgecolor=MUTED, hatch="////", linewidth=0.8, alpha=0.5
        )  # fmt: skip
        explained(span, f"{fault.text}, {fault.start:.1f} to {until:.1f} s")
    for phase in marks.phases:
        strip = axes.axvspan(phase.start, phase.end, ymin=_STRIP, color=phase_colour(phase.name), linewidth=0)
        explained(strip, str(phase))


def _chosen(found: Sequence[Phase]) -> Sequence[Phase]:
    if len(found) <= _SHOWN:
        return found
    return [phase for phase in found if phase.name in _SENDING][:_SHOWN]
