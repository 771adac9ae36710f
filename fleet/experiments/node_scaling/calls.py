"""The API server's own latency of requests over a window, by SIG Scalability's kinds, from its histogram."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fleet.analysis.histograms import quantile
from fleet.experiments.node_scaling.limits import CHANGE_P99, CLUSTER_P99, GET_P99, NAMESPACE_P99
from fleet.kube.client import KubeClient
from fleet.observe.prometheus import kept

METRIC = "apiserver_request_sli_duration_seconds_bucket"
"""SIG Scalability's indicator: without what webhooks and the queues of API Priority and Fairness took."""
NAMES = {METRIC: frozenset({"verb", "scope", "le"})}
CHANGES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
FEWEST = 100
"""Requests of a kind: of fewer, no 99th percentile is reported."""


@dataclass(frozen=True)
class Kind:
    """Requests of one verb and scope."""

    verb: str
    scope: str

    @property
    def quantity(self) -> str | None:
        """Whose percentile they belong to; None for what has no objective (watches, exec and so on)."""
        if self.verb in CHANGES and self.scope == "resource":
            return CHANGE_P99
        if self.verb == "GET" and self.scope == "resource":
            return GET_P99
        if self.verb == "LIST":
            return {"namespace": NAMESPACE_P99, "cluster": CLUSTER_P99}.get(self.scope)
        return None


Counts = Mapping[tuple[Kind, float], float]
"""Cumulative counts by kind and upper edge in seconds."""


async def counts(client: KubeClient) -> Counts:
    """Since the API server began."""
    found: dict[tuple[Kind, float], float] = {}
    for series in kept(await client.metrics(), NAMES):
        labels = dict(part.partition("=")[::2] for part in series.labels.split(","))
        found[Kind(labels["verb"], labels["scope"]), float(labels["le"])] = series.value
    return found


def percentiles(before: Counts, after: Counts) -> dict[str, float]:
    """Seconds, by quantity; of kinds with fewer than 100 requests none."""
    sums: defaultdict[str, defaultdict[float, float]] = defaultdict(lambda: defaultdict(float))
    for (kind, edge), value in after.items():
        if kind.quantity is not None:
            sums[kind.quantity][edge] += value - before.get((kind, edge), 0.0)
    found = {}
    for name, edges in sums.items():
        if edges.get(math.inf, 0.0) >= FEWEST and (p99 := quantile(sorted(edges.items()), 0.99)) is not None:
            found[name] = p99
    return found


def write(file: Path, before: Counts, after: Counts) -> None:
    """Keep the rises that percentiles were made of."""
    rises = [
        [kind.verb, kind.scope, "inf" if math.isinf(edge) else edge, value - before.get((kind, edge), 0.0)]
        for (kind, edge), value in _ordered(after)
        if value > before.get((kind, edge), 0.0)
    ]
    file.write_text(json.dumps({"metric": METRIC, "columns": ["verb", "scope", "le", "rise"], "rows": rises}) + "\n")


def _ordered(found: Counts) -> Iterable[tuple[tuple[Kind, float], float]]:
    return sorted(found.items(), key=lambda one: (one[0][0].verb, one[0][0].scope, one[0][1]))
