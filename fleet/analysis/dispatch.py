"""How long API servers took to hand watch events on, by their own metric (Kubernetes 1.37 and later); pure.

Stages are upstream's words (kubernetes/kubernetes#140336, #141895, #141896), `total` is all of them: from the moment
an event was decoded from etcd until it was written to the watcher's channel.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from fleet.analysis.counters import Counter, rises
from fleet.analysis.histograms import buckets, quantile
from fleet.analysis.recorded import Recorded
from fleet.model.base import Model

METRIC = "apiserver_watch_events_dispatch_duration_seconds"
STAGE = "stage"


class Dispatch(Model):
    """One stage in one API server, over the counted trials."""

    cluster: str
    stage: str
    events: int
    p50: float
    """Seconds, between the edges of the API server's own buckets."""
    p99: float


def dispatches(recorded: Recorded) -> list[Dispatch]:
    """By cluster and stage; empty where no API server has the metric."""
    series = [sample for sample in recorded.metrics if sample.name.startswith(METRIC)]
    found: defaultdict[tuple[str, str], defaultdict[Counter, float]] = defaultdict(lambda: defaultdict(float))
    for plan in recorded.trials:
        if plan.repeat >= 0:
            for key, rise in rises(series, recorded.span(plan)).items():
                found[key.cluster, key.label(STAGE)][key] += rise
    made = [_dispatch(cluster, stage, counts) for (cluster, stage), counts in sorted(found.items())]
    return [one for one in made if one is not None]


def _dispatch(cluster: str, stage: str, counts: Mapping[Counter, float]) -> Dispatch | None:
    edges = buckets(counts, METRIC)
    p50, p99 = quantile(edges, 0.5), quantile(edges, 0.99)
    if p50 is None or p99 is None:
        return None
    return Dispatch(cluster=cluster, stage=stage, events=round(edges[-1][1]), p50=p50, p99=p99)
