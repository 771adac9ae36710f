"""What an experiment with a body of its own found: samples, tables, reasons; by its own module `analysis`, if any.

The module is `fleet.experiments.<name>.analysis` with `findings(run, recorded, folder) -> Findings`. A run of an
experiment without one, or whose package is absent, has the samples of the stages that run.json keeps, and its measured
quantities as a table.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from pydantic import Field, field_validator

from fleet.analysis.lifelines import CREATE, lifelines, samples
from fleet.analysis.own import own_module
from fleet.analysis.recorded import Recorded
from fleet.analysis.samples import Sample
from fleet.analysis.stats import quantile
from fleet.model.base import Model
from fleet.results.events import Requested
from fleet.results.run import RunRecord

PACKAGES = "fleet.experiments"
_TAKEN = ("samples", "resources")
"""Names of files that every run folder has."""

Value = str | int | float | None


class DataColumn(Model):
    """Of a table."""

    name: str
    unit: str = ""
    better: Literal["", "lower", "higher"] = Field(default="", exclude_if=lambda value: not value)
    """Which of two runs did better by it; empty: runs are not compared by it."""
    tolerance: float = Field(default=0.0, ge=0, exclude_if=lambda value: not value)
    """Up to so far apart values are alike, alongside the least relative effect of a comparison."""


class DataTable(Model):
    """A named table, for summary.json, for `<name>.csv` and for the report."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")
    title: str = ""
    columns: list[DataColumn]
    rows: list[list[Value]]
    key: list[str] = Field(default_factory=list, exclude_if=lambda value: not value)
    """Columns by which a row of one run is found in another run; rows that have them alike are repeats."""

    @field_validator("name")
    @classmethod
    def _free(cls, value: str) -> str:
        if value in _TAKEN:
            raise ValueError(f"{value}.csv is a file of every run: choose another name")
        return value


@dataclass(frozen=True)
class Assertion:
    """What the experiment itself demands of a run, as another project's own test does; one that does not hold fails the
    run as a threshold of its file does."""

    stage: str
    test: str
    """`reserved CPU > 53 %`."""
    point: str = ""
    why: str = ""
    """Why it does not hold; empty: it holds."""

    @property
    def text(self) -> str:
        """The sentence for the reader, of one that does not hold."""
        return f"{self.stage} ({self.point}): {self.test} does not hold: {self.why}"


@dataclass(frozen=True)
class Findings:
    """What it adds to a study."""

    samples: Sequence[Sample] = ()
    """Percentiles, thresholds, comparisons and exports work on them as on any."""
    stages: Sequence[str] = ()
    """Names of their stages, in the order in which they are shown."""
    tables: Sequence[DataTable] = ()
    reasons: Sequence[str] = ()
    """Why the run is partial."""
    warnings: Sequence[str] = ()
    assertions: Sequence[Assertion] = ()
    said: Sequence[str] = ()
    """Sentences that answer what the run asked; the first thing in the report after the verdict."""

    @property
    def measured(self) -> bool:
        """It has something alongside samples."""
        return any(table.rows for table in self.tables)


NOTHING = Findings()


def findings_of(run: RunRecord, recorded: Recorded, folder: Path) -> Findings:
    """Of one run; nothing for an experiment that distributes a workload, whose samples the join makes."""
    module = own_module(PACKAGES, run.spec.experiment, "analysis")
    if module is not None:
        return cast("Findings", module.findings(run, recorded, folder))
    if not run.stages and not recorded.measured:
        return NOTHING
    return by_stages(run, recorded)


def by_stages(run: RunRecord, recorded: Recorded) -> Findings:
    """The samples of the stages that run.json keeps, and the measured quantities; what most modules begin with."""
    made = samples(lifelines(recorded), run.stages, recorded)
    table = quantities(recorded)
    reasons = list(refusals(recorded))
    return Findings(made, [stage.name for stage in run.stages], [table] if table.rows else [], reasons)


def refusals(recorded: Recorded) -> Iterator[str]:
    """A sentence about the objects that the driver wanted to create and no attempt did, where there are some."""
    counted = {plan.trial for plan in recorded.trials if plan.repeat >= 0}
    created = [one for one in recorded.requests if one.op == CREATE and one.trial in counted]
    accepted = {_object(one): one.sent_ns for one in created if not one.error}
    lost = {_object(one): one for one in created if one.error and accepted.get(_object(one), -1) < one.sent_ns}
    if lost:
        refused = Counter(f"{one.code or 'no answer'} {one.error}" for one in lost.values())
        worst = ", ".join(f"{what} {count}" for what, count in refused.most_common(3))
        yield f"{len(lost)} of {len(accepted) + len(lost)} objects were refused at their creation (most: {worst})"


def _object(one: Requested) -> Hashable:
    """What a request is about."""
    return (one.trial, one.cluster, one.resource, one.namespace, one.name) if one.name else id(one)


def quantities(recorded: Recorded) -> DataTable:
    """Every measured quantity of the counted trials: values, median, smallest and largest, by point and labels."""
    plans = {plan.trial: plan for plan in recorded.trials}
    groups: defaultdict[tuple[str, str, str, str], list[float]] = defaultdict(list)
    for one in recorded.measured:
        plan = plans.get(one.trial)
        if plan is not None and plan.repeat < 0:
            continue
        labels = " ".join(f"{name}={value}" for name, value in sorted(one.of.items()))
        groups[one.name, one.unit, plan.point if plan else "", labels].append(one.value)
    rows: list[list[Value]] = [
        [name, unit, point, labels, len(values), quantile(sorted(values), 0.5), min(values), max(values)]
        for (name, unit, point, labels), values in groups.items()
    ]
    names = ("quantity", "unit", "point", "of", "values", "median", "smallest", "largest")
    return DataTable(name="measured", title="What was measured", columns=[DataColumn(name=n) for n in names], rows=rows)
