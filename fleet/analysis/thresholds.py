"""Thresholds of the spec against the summary."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fleet.analysis.stats import P99_NEEDS
from fleet.analysis.summary import Failure, Row
from fleet.spec.experiment_file import Threshold, parse_duration

_TEST = re.compile(r"^(p50|p90|p99|max|missing) *(<=?) *(\S+)$")


def failures(thresholds: Sequence[Threshold], rows: Sequence[Row]) -> list[Failure]:
    """Each threshold is held against every layout and WEC count of its stage. What cannot be judged has failed."""
    found: list[Failure] = []
    for threshold in thresholds:
        mine = [row for row in rows if row.stage == threshold.stage]
        if not mine:
            text = f"{threshold.stage}: {threshold.test}: the run has no stage of that name"
            found.append(Failure(stage=threshold.stage, test=threshold.test, text=text))
        for row in mine:
            why = _why(threshold.test, row)
            if why:
                where = f"{row.layout}, {row.wecs} WEC{'s' if row.wecs != 1 else ''}"
                text = f"{row.stage} ({where}): {threshold.test} does not hold: {why}"
                found.append(Failure(stage=row.stage, test=threshold.test, layout=row.layout, wecs=row.wecs, text=text))
    return found


def _why(test: str, row: Row) -> str:
    """Why the test fails on that row; empty when it holds."""
    match = _TEST.match(test)
    if match is None:
        return "it is no test"
    name, sign, limit = match.groups()
    if name == "missing":
        return "" if _holds(row.missing, sign, float(limit)) else f"{row.missing} are missing"
    value: float | None = getattr(row, name)
    if value is None:
        few = name == "p99" and row.count
        return f"p99 needs {P99_NEEDS} samples and there are {row.count}" if few else "there are no samples"
    return "" if _holds(value, sign, parse_duration(limit)) else f"it is {value:.3f} s"


def _holds(value: float, sign: str, bound: float) -> bool:
    return value < bound if sign == "<" else value <= bound
