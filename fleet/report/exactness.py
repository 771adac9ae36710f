"""Sections about the error of the latencies: by audit lines, and by what API servers say of their own dispatch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fleet.analysis.dispatch import Dispatch
from fleet.analysis.stamp_errors import StampErrors
from fleet.analysis.study import Study
from fleet.report.section import Section
from fleet.report.tables import ABSENT, Table


def exactness(study: Study) -> Iterator[Section]:
    """Those that this run has."""
    if study.stamps is not None:
        yield Section("stamps", "How exact the latencies are", _exact(study.stamps), _stamps(study.stamps))
    if study.dispatches:
        what = "From the moment an API server had an event from etcd until it was in a watcher's channel, as it says."
        yield Section("dispatch", "How soon API servers delivered", [what], _dispatches(study.dispatches))


def _dispatches(found: Sequence[Dispatch]) -> Table:
    head = ("API server", "stage", "events", "p50 (ms)", "p99 (ms)")
    rows = [(one.cluster, one.stage, str(one.events), f"{one.p50 * 1e3:.2f}", f"{one.p99 * 1e3:.2f}") for one in found]
    return Table(head, rows, frozenset(head[2:]))


def _exact(found: StampErrors) -> list[str]:
    what = (
        "The audit log of each API server says when it answered a write, to a microsecond; the driver stamps what its"
        " watches deliver at receipt. A latency is wrong by the delay of its end less that of its begin."
    )
    delay = f"median {found.delay_p50 * 1e3:.1f} ms, p99 {found.delay_p99 * 1e3:.1f} ms"
    return [what, f"{found.joined} of {found.lines} versions were found in the logs. From answer to receipt: {delay}."]


def _stamps(found: StampErrors) -> Table:
    errors = ("error p50 (ms)", "p90 (ms)", "p99 (ms)", "max (ms)")
    both = ("latency p50 (s)", "by servers (s)", "latency p90 (s)", "by servers, p90 (s)")
    head = ("stage", "samples", "joined", *errors, *both)
    rows = [
        (
            one.stage,
            str(one.samples),
            str(one.joined),
            *(ABSENT if value is None else f"{value * 1e3:.2f}" for value in (one.p50, one.p90, one.p99, one.max)),
            *(f"{value:.4f}" for value in (one.latency_p50, one.server_p50, one.latency_p90, one.server_p90)),
        )
        for one in found.stages
    ]
    return Table(head, rows, frozenset(head[1:]))
