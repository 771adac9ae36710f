"""What every export needs of a study: counted samples by cell, wall-clock times, an identity that stays."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from fleet.analysis.sample_columns import Samples
from fleet.analysis.samples import Sample, Setting
from fleet.analysis.study import Study

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def cells(study: Study) -> dict[tuple[str, Setting], Samples]:
    """Counted samples by stage and setting, in the order of the path."""
    return study.samples.counted_cells(study.table.rank)


def measured(group: Sequence[Sample]) -> list[float]:
    """Seconds, ascending."""
    return sorted(sample.seconds for sample in group if sample.seconds is not None)


def identity(study: Study) -> str:
    """A UUID made of experiment and run id: the same run always has the same."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"fleet-testbed/{study.run.experiment}/{study.run.id}"))


def wall(study: Study, ns: int | None) -> str:
    """RFC 3339 with nanoseconds, UTC, of a moment on the driver's clock; the run's start when it is not known."""
    trials = study.recorded.trials
    if ns is None or not trials:
        return study.run.started
    unix = trials[0].wall + ns - trials[0].ns
    whole = _EPOCH + timedelta(seconds=unix // 1_000_000_000)
    return f"{whole.strftime('%Y-%m-%dT%H:%M:%S')}.{unix % 1_000_000_000:09d}Z"


def milliseconds(seconds: float) -> int:
    """Rounded; a race of two watches below 0 is 0, because no consumer expects less."""
    return max(0, round(seconds * 1000))


def seconds_between(start: str, end: str | None) -> float:
    """Of two RFC 3339 times; 0 when the run did not finish."""
    return 0.0 if end is None else (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
