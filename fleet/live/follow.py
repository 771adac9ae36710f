"""Reads the events of a run while they are written: only what is new, each line once."""

from __future__ import annotations

import msgspec

from fleet.analysis.join import Join
from fleet.analysis.recorded import Recorded
from fleet.analysis.samples import Setting
from fleet.analysis.study import Study, so_far
from fleet.live.progress import Progress
from fleet.results.eventlog import decoder
from fleet.results.events import RunMark, TrialPlan
from fleet.results.folder import RunFolder

_AT_ONCE = 1 << 22
"""Bytes of one look, so that a look at a long run stays short."""


class Follower:
    """Follows one run folder. The lines are whole: a line that is still being written is read at the next look."""

    def __init__(self, folder: RunFolder, trials: int = 0) -> None:
        """`trials`: how many the run has; 0 where that is not known."""
        self.folder = folder
        self.trials = trials
        self.run = folder.read_run()
        timeout = self.run.spec.timeouts.object
        join = Join(self.run.manager, source=self.run.source, object_timeout=timeout, versions=False)
        self.recorded = Recorded(join)
        self._decode = decoder(self.run.format)
        self._offset = 0

    def look(self) -> bool:
        """Take what was written since; whether there was anything."""
        try:
            with self.folder.log.open("rb") as file:
                file.seek(self._offset)
                data = file.read(_AT_ONCE)
        except FileNotFoundError:
            return False
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.splitlines():
            try:
                self.recorded.add(self._decode(line))
            except msgspec.DecodeError:
                continue  # the report counts it
        return bool(whole)

    def study(self) -> Study:
        """What can be said so far."""
        return so_far(self.run, self.recorded, self.folder.path)

    def progress(self, study: Study) -> Progress:
        """How far the run is."""
        recorded = self.recorded
        plan: TrialPlan | None = recorded.trials[-1] if recorded.trials else None
        mine = [s for s in study.samples if plan is not None and s.trial == plan.trial]
        return Progress(
            name=f"{self.run.experiment} {self.run.id}",
            number=len(recorded.trials),
            trials=max(self.trials, len(recorded.trials)),
            text="" if plan is None else _told(plan),
            step=_step(recorded.marks),
            done=sum(sample.seconds is not None for sample in mine),
            planned=len(mine),
            seconds=(recorded.last_ns - recorded.first_ns) / 1e9,
        )


def _told(plan: TrialPlan) -> str:
    repeat = "warm-up" if plan.repeat < 0 else f"repeat {plan.repeat + 1}"
    return f"{Setting(plan.layout, plan.wecs, plan.point)}, {repeat}"


def _step(marks: list[RunMark]) -> str:
    """The step that began last and has not ended."""
    ended: set[tuple[str, str]] = set()
    for mark in reversed(marks):
        if mark.edge == "end":
            ended.add((mark.step, mark.trial))
        elif (mark.step, mark.trial) not in ended:
            return mark.step
    return ""
