"""Samples as Prometheus histograms: text, no I/O. A name of the manager's own exporter is kept."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from fleet.analysis.hop_table import HopTable
from fleet.analysis.sample_columns import Samples
from fleet.analysis.samples import Sample, Setting
from fleet.model.manager_record import ManagerRecord

BUCKETS = tuple(0.1 * 2**power for power in range(15))
"""Seconds: each twice the one before, 0.1 s to 1638.4 s."""
_NAMES = {"send_lag": "fleet_send_lag_seconds"}
_OBJECT_NAMES = frozenset({"downsync_last"})
"""Its `cluster` says which WEC was last: a finding, no label."""


@dataclass(frozen=True)
class Exposition:
    """One run's samples as they are now; only those that count are shown."""

    manager: ManagerRecord
    samples: Samples
    planned: Mapping[Setting, int]
    """Objects of a trial by its setting."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """Labels that say which run it is."""
    stamp: str = ""
    """Unix seconds behind every value; empty for none (an exporter's file has none)."""

    def openmetrics(self) -> str:
        """OpenMetrics text."""
        return "".join(f"{line}\n" for line in self._lines(units=True))

    def prometheus(self) -> str:
        """The older text format, which an exporter's textfile collector reads."""
        return "".join(f"{line}\n" for line in self._lines(units=False))

    def _lines(self, *, units: bool) -> Iterator[str]:
        by_stage: defaultdict[str, list[tuple[Setting, Samples]]] = defaultdict(list)
        for (stage, setting), group in self.samples.counted_cells(HopTable(self.manager).rank).items():
            by_stage[stage].append((setting, group))
        for stage, groups in by_stage.items():
            name, text = _metric(self.manager, stage), _text(self.manager, stage)
            yield f"# TYPE {name} histogram"
            if units:
                yield f"# UNIT {name} seconds"
            yield f"# HELP {name} {text}."
            for setting, group in groups:
                for cluster, values in _by_cluster(stage, group):
                    yield from self._histogram(name, _labels(setting, cluster), values)
        yield from self._gauges(by_stage)
        if units:
            yield from ("# TYPE fleet_run info", "# HELP fleet_run The run that these numbers are of.")
        else:
            yield from ("# TYPE fleet_run_info gauge", "# HELP fleet_run_info The run that these numbers are of.")
        labels = ",".join(f'{key}="{escaped(value)}"' for key, value in self.facts.items())
        yield self._value("fleet_run_info", labels, "1")
        if units:
            yield "# EOF"

    def _value(self, name: str, labels: str, value: str) -> str:
        return f"{name}{{{labels}}} {value} {self.stamp}".rstrip()

    def _histogram(self, name: str, labels: str, values: Sequence[float]) -> Iterator[str]:
        counts = [0] * (len(BUCKETS) + 1)
        for value in values:
            counts[bisect_left(BUCKETS, value)] += 1
        total = 0
        for bound, count in zip((*(f"{bucket:.1f}" for bucket in BUCKETS), "+Inf"), counts, strict=True):
            total += count
            yield self._value(f"{name}_bucket", f'{labels},le="{bound}"', str(total))
        yield self._value(f"{name}_count", labels, str(len(values)))
        yield self._value(f"{name}_sum", labels, f"{sum(values):.9f}")

    def _gauges(self, by_stage: Mapping[str, Sequence[tuple[Setting, Samples]]]) -> Iterator[str]:
        name = _metric(self.manager, "workload_count", "fleet_workload_count")
        yield from (f"# TYPE {name} gauge", f"# HELP {name} Objects of one trial.")
        for setting in sorted(self.planned, key=lambda setting: setting.order):
            yield self._value(name, _labels(setting), str(self.planned[setting]))
        name = "fleet_missing_samples"
        yield from (f"# TYPE {name} gauge", f"# HELP {name} Planned samples that were never seen.")
        for stage, groups in by_stage.items():
            for setting, group in groups:
                yield self._value(name, f'{_labels(setting)},stage="{stage}"', str(len(group.missing)))


def _metric(manager: ManagerRecord, stage: str, default: str = "") -> str:
    return manager.metrics.get(stage) or default or _NAMES.get(stage, f"fleet_{stage}_duration_seconds")


def _text(manager: ManagerRecord, stage: str) -> str:
    own = next((row.text for row in manager.stages if row.name == stage), "")
    source, wec = f"{manager.term('source')} object", f"{manager.term('wec')} object"
    begin = "Request of the driver" if manager.downsync_begins == "sent" else source
    complete = f"complete {manager.term('source')} status"
    texts = {
        "downsync": f"{begin} to {wec}",
        "downsync_last": f"{begin} to the last {wec}",
        "downsync_spread": f"First to last {wec}",
        "downsync_scheduled": f"Scheduled moment to {wec}",
        "send_lag": "Scheduled moment to the send",
        "workload": f"{wec} to its final status",
        "status": f"Last final {manager.term('wec')} status to {manager.term('source')} status",
        "e2e": f"{source} to {complete}",
        "e2e_scheduled": f"Scheduled moment to {complete}",
        "e2e_reported": f"{source} to the last report",
    }
    return own or texts.get(stage, stage)


def _by_cluster(stage: str, group: Sequence[Sample]) -> list[tuple[str, list[float]]]:
    found: defaultdict[str, list[float]] = defaultdict(list)
    for sample in group:
        if sample.seconds is not None:
            # A histogram cannot hold less than 0, and a race of two watches by microseconds is 0.
            found["" if stage in _OBJECT_NAMES else sample.cluster].append(max(0.0, sample.seconds))
    return sorted(found.items())


def _labels(setting: Setting, cluster: str = "") -> str:
    text = f'layout="{escaped(setting.layout)}",wecs="{setting.wecs}"'
    text += f',point="{escaped(setting.point)}"' if setting.point else ""
    return f'{text},cluster="{escaped(cluster)}"' if cluster else text


def escaped(value: str) -> str:
    """A label value, as the format's rules want it."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
