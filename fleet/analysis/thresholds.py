"""Thresholds of the spec against the summary."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from fleet.analysis.stats import P99_NEEDS
from fleet.analysis.summary import Failure, Row
from fleet.spec.duration import parse_duration
from fleet.spec.experiment_file import Threshold

_TEST = re.compile(r"^(p50|p90|p99|max|missing|count) *(<=?) *(\S+)$")


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
            why = _why(threshold.test, row)
            if why:
                text = f"{row.stage} ({row.setting}): {threshold.test} does not hold: {why}"
                found.append(Failure(stage=row.stage, test=threshold.test, text=text, **row.setting._asdict()))
    return found


def _counted(threshold: Threshold, count: int) -> list[Failure]:
    match = _TEST.match(threshold.test)
    if match is None or match[1] != "count":
        why = "write for example `count <= 0`"
    elif not match[3].isdigit():
        why = f"{match[3]!r} is not a number"
    elif _holds(count, match[2], float(match[3])):
        return []
    else:
        why = f"there {'is' if count == 1 else 'are'} {count}"
    text = f"{threshold.stage}: {threshold.test} does not hold: {why}"
    return [Failure(stage=threshold.stage, test=threshold.test, text=text)]


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
