"""The fidelity of each trial, and the pods that were there at each moment: as recorded, and as they were played."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate

from fleet.analysis.study import Study
from fleet.experiments.replay.analysis import TRACE_FILE, Seen, seen_pods, speed_of
from fleet.model.pod_marks import ENDED
from fleet.model.trace import Pod
from fleet.report.figures import Drawing
from fleet.report.sections import Section
from fleet.report.svg import MUTED, SERIES, figure, inline
from fleet.report.tables import data_table
from fleet.results.folder import RAW
from fleet.trace.file import read

WIDTH, HEIGHT = 9.4, 2.8
MOST = 4
"""Drawings: the first trials of a run with many show what there is to see."""
Line = tuple[list[float], list[int]]


def sections(study: Study) -> Iterator[Section]:
    """The table with the drawings, then the other tables."""
    file = study.folder / RAW / TRACE_FILE
    pods = read(file).pods if file.is_file() else ()
    drawings = []
    for plan in [plan for plan in study.recorded.trials if plan.repeat >= 0][:MOST]:
        seen = [one for one in seen_pods(study.recorded) if one.trial == plan.trial]
        speed = speed_of(plan)
        svg = curves(recorded(pods, speed), played(seen), f"replay-{plan.trial}")
        caption = "Grey: as recorded, at this speed. Coloured: as the watches saw it."
        drawings.append(Drawing(svg, f"Pods at once, {plan.trial}, speed {speed:g}", caption))
    for table in study.own.tables:
        shown = drawings if table.name == "fidelity" else []
        yield Section(table.name, table.title, (), data_table(table), shown)


def recorded(pods: Sequence[Pod], speed: float) -> Line:
    """Seconds after the load's begin, and pods that are there from then on."""
    ends = [(pod.t + after) / speed for pod in pods for after in [pod.ends_after] if after is not None]
    return _line([pod.t / speed for pod in pods], ends)


def played(seen: Sequence[Seen]) -> Line:
    """The same of what was seen; 0 is the first creation that was seen."""
    begins = [one.marks["created"] / 1e9 for one in seen if "created" in one.marks]
    ends = [one.marks.get(ENDED, one.marks.get("deleted", 0)) / 1e9 for one in seen]
    zero = min(begins, default=0.0)
    return _line([moment - zero for moment in begins], [moment - zero for moment in ends if moment])


def curves(wanted: Line, found: Line, name: str) -> str:
    """Both as steps."""
    with figure(WIDTH, HEIGHT) as (made, axes):
        for (xs, ys), colour, label in ((wanted, MUTED, "recorded"), (found, SERIES[0], "played")):
            axes.step(xs, ys, where="post", color=colour, linewidth=1.4, label=label)
        axes.set_ylim(bottom=0)
        axes.set_xlim(left=0)
        axes.set_xlabel("seconds since the first pod")
        axes.set_ylabel("pods")
        made.legend(loc="outside upper left", ncols=2)
        return inline(made, name)


def _line(begins: Sequence[float], ends: Sequence[float]) -> Line:
    steps = sorted([*((moment, 1) for moment in begins), *((moment, -1) for moment in ends)])
    return [moment for moment, _ in steps], list(accumulate(step for _, step in steps))
