"""OpenMetrics text: histograms under the names and buckets of KubeStellar's latency controller."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from fleet.analysis.recorded import setting_of
from fleet.analysis.samples import Sample, Setting
from fleet.analysis.study import Study
from fleet.report.exports.grouping import cells

METRICS = {
    "packaging": ("kubestellar_downsync_packaging_duration_seconds", "WDS object to ManifestWork"),
    "delivery": ("kubestellar_downsync_delivery_duration_seconds", "ManifestWork to AppliedManifestWork"),
    "activation": ("kubestellar_downsync_activation_duration_seconds", "AppliedManifestWork to WEC object"),
    "downsync": ("kubestellar_downsync_duration_seconds", "WDS object to WEC object"),
    "report": ("kubestellar_statusPropagation_report_duration_seconds", "Final WEC status to WorkStatus"),
    "finalization": ("kubestellar_statusPropagation_finalization_duration_seconds", "Last WorkStatus to WDS status"),
    "status": ("kubestellar_statusPropagation_duration_seconds", "Last final WEC status to WDS status"),
    "e2e": ("kubestellar_e2e_latency_duration_seconds", "WDS object to complete WDS status"),
    "binding": ("fleet_binding_duration_seconds", "WDS object to Binding"),
    "downsync_last": ("fleet_downsync_last_duration_seconds", "WDS object to the last WEC object"),
    "downsync_spread": ("fleet_downsync_spread_duration_seconds", "First to last WEC object"),
    "send_lag": ("fleet_send_lag_seconds", "Scheduled moment to the send"),
    "downsync_scheduled": ("fleet_downsync_scheduled_duration_seconds", "Scheduled moment to WEC object"),
    "e2e_scheduled": ("fleet_e2e_scheduled_duration_seconds", "Scheduled moment to complete WDS status"),
    "workload": ("fleet_workload_duration_seconds", "WEC object to its final status"),
    "e2e_reported": ("fleet_e2e_reported_duration_seconds", "WDS object to the last WorkStatus"),
}
BUCKETS = tuple(0.1 * 2**power for power in range(15))
"""Seconds: those of the latency controller, 0.1 s to 1638.4 s."""
_OBJECT_NAMES = frozenset({"downsync_last"})
"""Its `cluster` tells which WEC was last: a finding, no label."""


class OpenMetricsReporter:
    """One histogram per stage, labelled by layout, WEC count and cluster; never by object."""

    def files(self, study: Study) -> Mapping[str, bytes]:
        """`metrics.prom`, every value stamped with the end of the run."""
        return {"metrics.prom": "".join(f"{line}\n" for line in _lines(study)).encode()}


def _lines(study: Study) -> Iterator[str]:
    stamp = f"{datetime.fromisoformat(study.run.ended or study.run.started).timestamp():.3f}"
    by_stage: defaultdict[str, list[tuple[Setting, list[Sample]]]] = defaultdict(list)
    for (stage, setting), group in cells(study).items():
        by_stage[stage].append((setting, group))
    for stage, groups in by_stage.items():
        name, text = METRICS[stage]
        yield from (f"# TYPE {name} histogram", f"# UNIT {name} seconds", f"# HELP {name} {text}.")
        for setting, group in groups:
            for cluster, values in _by_cluster(stage, group):
                yield from _histogram(name, _labels(setting, cluster), values, stamp)
    yield from _gauges(study, by_stage, stamp)
    yield "# EOF"


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


def _histogram(name: str, labels: str, values: Sequence[float], stamp: str) -> Iterator[str]:
    counts = [0] * (len(BUCKETS) + 1)
    for value in values:
        counts[bisect_left(BUCKETS, value)] += 1
    total = 0
    for bound, count in zip((*(f"{bucket:.1f}" for bucket in BUCKETS), "+Inf"), counts, strict=True):
        total += count
        yield f'{name}_bucket{{{labels},le="{bound}"}} {total} {stamp}'
    yield f"{name}_count{{{labels}}} {len(values)} {stamp}"
    yield f"{name}_sum{{{labels}}} {sum(values):.9f} {stamp}"


def _gauges(
    study: Study, by_stage: Mapping[str, Sequence[tuple[Setting, Sequence[Sample]]]], stamp: str
) -> Iterator[str]:
    name = "kubestellar_workload_count"
    yield from (f"# TYPE {name} gauge", f"# HELP {name} Objects of one trial.")
    planned = {setting_of(p): study.recorded.planned.get(p.trial, 0) for p in study.recorded.trials if p.repeat >= 0}
    for setting, count in sorted(planned.items()):
        yield f"{name}{{{_labels(setting)}}} {count} {stamp}"
    name = "fleet_missing_samples"
    yield from (f"# TYPE {name} gauge", f"# HELP {name} Planned samples that were never seen.")
    for stage, groups in by_stage.items():
        for setting, group in groups:
            missing = sum(1 for sample in group if sample.seconds is None)
            yield f'{name}{{{_labels(setting)},stage="{stage}"}} {missing} {stamp}'
    run = study.run
    facts = {"run": run.id, "experiment": run.experiment, "status": study.verdict.status, "fleet": run.fleet.name}
    yield from ("# TYPE fleet_run info", "# HELP fleet_run The run that these numbers are of.")
    labels = ",".join(f'{key}="{escaped(value)}"' for key, value in facts.items())
    yield f"fleet_run_info{{{labels}}} 1 {stamp}"


def escaped(value: str) -> str:
    """A label value, as the format's rules want it."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
