"""The summary: count, missing, percentiles and their interval for each stage, layout and WEC count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import Field, SerializeAsAny

from fleet.analysis.cpu_shares import CpuShare
from fleet.analysis.dispatch import Dispatch
from fleet.analysis.fidelity import LoadFidelity
from fleet.analysis.fights import Activity, Fight
from fleet.analysis.findings import DataTable
from fleet.analysis.leaks import Leak
from fleet.analysis.recovery import FaultRow, FaultTrial
from fleet.analysis.roundtrips import RoundTrips
from fleet.analysis.sample_columns import Samples
from fleet.analysis.samples import Sample, Setting
from fleet.analysis.stamp_errors import StampErrors
from fleet.analysis.stats import bootstrap_interval, p99, quantile
from fleet.model.base import Document, Model

FORMAT = 1
"""1: first format (0.1.0)."""


class Row(Model):
    """One stage at one setting; seconds throughout."""

    stage: str
    layout: str
    wecs: int
    point: str = ""
    count: int
    """Samples with an end."""
    missing: int
    p50: float | None = None
    p90: float | None = None
    p99: float | None = None
    """None below 100 samples."""
    max: float | None = None
    min: float | None = None
    p50_interval: tuple[float, float] | None = None
    """95 % bootstrap interval of the median."""
    p90_interval: tuple[float, float] | None = None
    p99_interval: tuple[float, float] | None = None
    flags: dict[str, int] = Field(default_factory=dict)
    """How many of the counted samples have each flag."""

    @property
    def setting(self) -> Setting:
        """What it is of."""
        return Setting(self.layout, self.wecs, self.point)


class Failure(Model):
    """A threshold of the spec that does not hold."""

    stage: str
    test: str
    layout: str = ""
    wecs: int = 0
    point: str = ""
    text: str
    """The sentence for the reader."""


class Summary(Document):
    """The whole of `summary.json`."""

    SCHEMA = "summary.schema.json"

    format: Literal[1] = 1
    id: str
    experiment: str
    status: str
    reasons: list[str] = Field(default_factory=list)
    warnings: list[str] = Field(default_factory=list)
    unit: Literal["seconds"] = "seconds"
    rows: list[Row] = Field(default_factory=list)
    failures: list[Failure] = Field(default_factory=list)
    loads: list[LoadFidelity] = Field(default_factory=list)
    """Of each counted trial that had a schedule."""
    findings: list[str] = Field(default_factory=list)
    planned: list[str] = Field(default_factory=list)
    """Disturbances that the experiment itself made."""
    known: list[str] = Field(default_factory=list, exclude_if=lambda said: not said)
    stamps: StampErrors | None = Field(None, exclude_if=lambda errors: errors is None)
    """Of a run that kept audit lines: how far the driver's stamps are from the API servers' own."""
    dispatches: list[Dispatch] = Field(default_factory=list, exclude_if=lambda rows: not rows)
    """Of API servers of Kubernetes 1.37 and later."""
    cpu: list[CpuShare] = Field(default_factory=list)
    """Whose programs took the CPU of the counted trials."""
    activity: list[Activity] = Field(default_factory=list)
    """Writes after the load had ended."""
    fights: list[Fight] = Field(default_factory=list)
    leaks: list[Leak] = Field(default_factory=list)
    roundtrips: list[RoundTrips] = Field(default_factory=list)
    """Of a run that swept the links between WECs and hub."""
    sharing: list[SerializeAsAny[Model]] = Field(default_factory=list)
    """Of a run that swept the sources of one transport: rows as the manager's own package makes them."""
    faults: list[FaultRow] = Field(default_factory=list, exclude_if=lambda rows: not rows)
    """What each planned fault did, over repeats."""
    fault_trials: list[FaultTrial] = Field(default_factory=list, exclude_if=lambda rows: not rows)
    """The same, trial by trial."""
    checker: dict[str, int] = Field(default_factory=dict, exclude_if=lambda counts: not any(counts.values()))
    """Findings of `fleet check` by rule; absent when there are none."""
    tables: list[DataTable] = Field(default_factory=list, exclude_if=lambda tables: not tables)
    """Of an experiment with a body of its own."""


def summarise(samples: Iterable[Sample], rank: Mapping[str, int]) -> list[Row]:
    """Rows by stage (by `rank`, the order of the path) and setting. Warm-ups and bundled samples are left out."""
    cells = Samples.of(samples).counted_cells(rank)
    return [_row(stage, setting, group) for (stage, setting), group in cells.items()]


def _row(stage: str, setting: Setting, group: Samples) -> Row:
    ordered = group.ordered()
    empty = Row(
        stage=stage,
        **setting._asdict(),
        count=len(ordered),
        missing=len(group) - len(ordered),
        flags=group.count_flags(),
    )
    if not ordered:
        return empty
    rare = p99(ordered)
    return empty.model_copy(
        update={
            "p50": quantile(ordered, 0.5),
            "p90": quantile(ordered, 0.9),
            "p99": rare,
            "max": ordered[-1],
            "min": ordered[0],
            "p50_interval": bootstrap_interval(ordered, 0.5),
            "p90_interval": bootstrap_interval(ordered, 0.9),
            "p99_interval": None if rare is None else bootstrap_interval(ordered, 0.99),
        }
    )
