"""Thresholds of the spec against the summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fleet.analysis.stats import P99_NEEDS
from fleet.analysis.summary import Failure, Row
from fleet.model.experiment_file import Bound, Threshold


def failures(
    thresholds: Sequence[Threshold], rows: Sequence[Row], counts: Mapping[str, int] | None = None
) -> list[Failure]:
    """Each threshold is held against every setting of its stage. What cannot be judged has failed.

    `counts` are findings by name (`fights`, `leaks`), which the test `count` is about.
    """
    found: list[Failure] = []
    for threshold in thresholds:
        if counts is not None and threshold.stage in counts:
            found += _counted(threshold, counts[threshold.stage])
            continue
        mine = [row for row in rows if row.stage == threshold.stage]
        if not mine:
            text = f"{threshold.stage}: {threshold.test}: the run has no stage of that name"
            found.append(Failure(stage=threshold.stage, test=threshold.test, text=text))
        for row in mine:
            why = _why(threshold.bound, row)
            if why:
                text = f"{row.stage} ({row.setting}): {threshold.test} does not hold: {why}"
                found.append(Failure(stage=row.stage, test=threshold.test, text=text, **row.setting._asdict()))
    return found


def _counted(threshold: Threshold, count: int) -> list[Failure]:
    if threshold.bound.holds(count):
        return []
    text = f"{threshold.stage}: {threshold.test} does not hold: there {'is' if count == 1 else 'are'} {count}"
    return [Failure(stage=threshold.stage, test=threshold.test, text=text)]


def _why(bound: Bound, row: Row) -> str:
    """Why the test fails on that row; empty when it holds."""
    if bound.name == "missing":
        return "" if bound.holds(row.missing) else f"{row.missing} are missing"
    value: float | None = getattr(row, bound.name)
    if value is None:
        few = bound.name == "p99" and row.count
        return f"p99 needs {P99_NEEDS} samples and there are {row.count}" if few else "there are no samples"
    return "" if bound.holds(value) else f"it is {value:.3f} s"
