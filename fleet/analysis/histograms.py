"""What Prometheus makes of a histogram: quantiles between its edges, as other projects' own tools compute them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

from fleet.analysis.counters import Counter

EDGE = "le"


def buckets(rises: Mapping[Counter, float], name: str, /, **labels: str) -> list[tuple[float, float]]:
    """Edge and cumulative count of the histogram `name` (without `_bucket`), summed over series with those labels."""
    found: defaultdict[float, float] = defaultdict(float)
    for key, value in rises.items():
        if key.name == f"{name}_bucket" and all(key.label(label) == wanted for label, wanted in labels.items()):
            found[float(key.label(EDGE))] += value
    return sorted(found.items())


def quantile(cumulative: Sequence[tuple[float, float]], q: float) -> float | None:
    """Prometheus' `histogram_quantile`: linear within a bucket, from 0 in the first; the last finite edge where the
    quantile lies beyond it. None for an empty histogram.

    Source: https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile
    """
    total = cumulative[-1][1] if cumulative else 0.0
    if not total or math.isfinite(cumulative[-1][0]):
        return None
    rank = q * total
    below, start = 0.0, 0.0
    for edge, count in cumulative:
        if count >= rank:
            if math.isinf(edge):
                return start
            return start + (edge - start) * (rank - below) / (count - below) if count > below else edge
        below, start = count, edge
    return start
