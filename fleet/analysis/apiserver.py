"""What an API server's own metrics show of a run: requests per second by verb, requests in flight by priority level."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from fleet.analysis.recorded import Recorded
from fleet.results.events import MetricSample

Curve = Sequence[tuple[float, float]]
"""Seconds since the run's first line, value."""
COMPONENT = "kube-apiserver"
REQUESTS = "apiserver_request_total"
EXECUTING = "apiserver_flowcontrol_current_executing_requests"
QUEUED = "apiserver_flowcontrol_current_inqueue_requests"
INFLIGHT = "apiserver_current_inflight_requests"
"""Of all levels together, by `request_kind`: what runs before 0.2.0 recorded."""


@dataclass(frozen=True)
class ApiServerCurves:
    """Of one API server; a curve that is 0 all along is left out."""

    requests: dict[str, Curve]
    """Per second since the scrape before, by verb."""
    inflight: dict[str, Curve]
    """At each scrape, by priority level; `LEVEL, queued` for those that waited there."""


def curves(recorded: Recorded, cluster: str) -> ApiServerCurves:
    """The curves of that control plane's API server, largest first.

    Only what changed is recorded at a scrape, so that a series goes on as it was; one scrape has one stamp.
    """
    samples = [one for one in recorded.metrics if one.component == COMPONENT and one.cluster == cluster]
    counters = _carried(samples, REQUESTS, "verb")
    inflight = _carried(samples, EXECUTING, "priority_level") or _carried(samples, INFLIGHT, "request_kind")
    queued = {f"{level}, queued": points for level, points in _carried(samples, QUEUED, "priority_level").items()}
    return ApiServerCurves(
        requests=_shown({verb: _rates(points) for verb, points in counters.items()}, recorded.first_ns),
        inflight=_shown(inflight | queued, recorded.first_ns),
    )


def _carried(samples: Sequence[MetricSample], name: str, label: str) -> dict[str, list[tuple[int, float]]]:
    """Sums by the value of `label` at every scrape of that server: (nanoseconds, sum)."""
    by_scrape: defaultdict[int, list[MetricSample]] = defaultdict(list)
    for sample in samples:
        by_scrape[sample.ns].append(sample)
    now: dict[str, float] = {}
    found: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
    for ns, told in sorted(by_scrape.items()):
        now |= {sample.labels: sample.value for sample in told if sample.name == name}
        sums: defaultdict[str, float] = defaultdict(float)
        for labels, value in now.items():
            sums[dict(pair.partition("=")[::2] for pair in labels.split(",")).get(label, "")] += value
        for value_of_label, total in sums.items():
            found[value_of_label].append((ns, total))
    return dict(found)


def _rates(points: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """Increments per second; a counter that fell began again with its program."""
    rates = []
    for (before, low), (after, high) in pairwise(points):
        rates.append((after, (high - low if high >= low else high) / ((after - before) / 1e9)))
    return rates


def _shown(series: dict[str, list[tuple[int, float]]], first_ns: int) -> dict[str, Curve]:
    kept = {name: points for name, points in series.items() if any(value for _, value in points)}
    ranked = sorted(kept, key=lambda name: (-max(value for _, value in kept[name]), name))
    return {name: [((ns - first_ns) / 1e9, value) for ns, value in kept[name]] for name in ranked}
