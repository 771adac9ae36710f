"""How many objects were sent, and how many were done, per second over the time of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from fleet.analysis.recorded import Recorded
from fleet.analysis.sample_columns import Samples

COLUMNS = 150
LEAST_SECONDS = 1.0
"""Of a column."""


def rates(recorded: Recorded, samples: Samples, stages: Sequence[str]) -> dict[str, list[tuple[float, float]]]:
    """`sent`, then each of those stages -> (seconds of the run, per second); of a stage the ends of its samples."""
    moments: dict[str, Sequence[int]] = {}
    sent = [*(one.sent_ns for one in recorded.sent), *(one.sent_ns for one in recorded.requests)]
    if sent:
        moments["sent"] = sent
    for stage in stages:
        ends = samples.of_stages(stage).ends()
        if ends:
            moments[stage] = ends
    width = max(LEAST_SECONDS, (recorded.last_ns - recorded.first_ns) / 1e9 / COLUMNS)
    return {name: _per_second(found, recorded.first_ns, width) for name, found in moments.items()}


def _per_second(moments: Iterable[int], first: int, width: float) -> list[tuple[float, float]]:
    counts = Counter(int((ns - first) / 1e9 / width) for ns in moments)
    last = max(counts)
    return [((column + 0.5) * width, counts[column] / width) for column in range(last + 2)]
