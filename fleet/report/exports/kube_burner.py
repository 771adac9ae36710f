"""kube-burner's local index: JSON arrays, one file per metric and job, latencies in whole milliseconds."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from fleet.analysis.recorded import setting_of
from fleet.analysis.samples import Sample, Setting
from fleet.analysis.stats import quantile
from fleet.analysis.study import Study
from fleet.report.exports.grouping import cells, identity, measured, milliseconds, wall

PER_WEC = ("packaging", "delivery", "activation", "downsync", "workload", "report")
"""Stages that are one sample per object and WEC; they stand in documents of their own, with `cluster`."""
NAMES = {"wec": "fleetDownsyncLatencyMeasurement", "object": "fleetObjectLatencyMeasurement"}
QUANTILES = "fleetLatencyQuantilesMeasurement"

_Document = dict[str, Any]


class KubeBurnerReporter:
    """A job is one layout over one WEC count. A stage that is missing has no field in its object's document."""

    def files(self, study: Study) -> Mapping[str, bytes]:
        """`collected-metrics-<uuid>/<metric>-<job>.json` and `jobSummary.json`."""
        folder = f"collected-metrics-{identity(study)}"
        files: defaultdict[str, list[_Document]] = defaultdict(list)
        for document in _objects(study):
            files[f"{document['metricName']}-{document['jobName']}"].append(document)
        for document in _quantiles(study):
            files[f"{QUANTILES}-{document['jobName']}"].append(document)
        files["jobSummary"] = _summaries(study)
        return {f"{folder}/{name}.json": json.dumps(found).encode() + b"\n" for name, found in files.items()}


def job(study: Study, setting: Setting) -> str:
    """A job's name."""
    point = "".join(f"-{part}" for part in setting.point.replace("=", "-").split())
    return f"{study.run.experiment}-{setting.layout}-{setting.wecs}{point}"


def field(stage: str) -> str:
    """`downsync_last` -> `downsyncLastLatency`."""
    first, *rest = stage.split("_")
    return first + "".join(word.capitalize() for word in rest) + "Latency"


def _objects(study: Study) -> list[_Document]:
    made: dict[tuple[str, str, str, str], _Document] = {}
    replicas: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for sample in study.samples:
        if not sample.counted:
            continue
        per_wec = sample.stage in PER_WEC
        order = replicas[sample.trial].setdefault(f"{sample.namespace}/{sample.name}", len(replicas[sample.trial]))
        key = (sample.trial, sample.namespace, sample.name, sample.cluster if per_wec else "")
        document = made.setdefault(key, _head(study, sample, order, per_wec=per_wec))
        if sample.seconds is not None:
            document[field(sample.stage)] = milliseconds(sample.seconds)
    return list(made.values())


def _head(study: Study, sample: Sample, order: int, *, per_wec: bool) -> _Document:
    head: _Document = {
        "timestamp": wall(study, sample.start_ns),
        "metricName": NAMES["wec" if per_wec else "object"],
        "uuid": identity(study),
        "jobName": job(study, sample.setting),
        "jobIteration": sample.repeat,
        "replica": order,
        "namespace": sample.namespace,
        "name": sample.name,
        "metadata": {**sample.setting._asdict(), "policy": sample.policy, "kind": sample.kind},
    }
    return {**head, "cluster": sample.cluster} if per_wec else head


def _quantiles(study: Study) -> list[_Document]:
    made = []
    for (stage, setting), group in cells(study).items():
        values = measured(group)
        if values:
            made.append(
                {
                    "quantileName": stage,
                    "uuid": identity(study),
                    **{f"P{share}": milliseconds(quantile(values, share / 100)) for share in (99, 95, 50)},
                    "min": milliseconds(values[0]),
                    "max": milliseconds(values[-1]),
                    "avg": milliseconds(sum(values) / len(values)),
                    "timestamp": study.run.ended or study.run.started,
                    "metricName": QUANTILES,
                    "jobName": job(study, setting),
                }
            )
    return made


def _summaries(study: Study) -> list[_Document]:
    """One per job that ran; `passed` means a valid run whose thresholds hold."""
    run, made = study.run, []
    counted = {setting_of(plan) for plan in study.recorded.trials if plan.repeat >= 0}
    for setting in sorted(counted, key=lambda setting: setting.order):
        spans = [study.recorded.span(p) for p in study.recorded.trials if setting_of(p) == setting]
        begin, end = min(span[0] for span in spans), max(span[1] for span in spans)
        failed = [f.text for f in study.failures if not f.layout or (f.layout, f.wecs, f.point) == setting]
        errors = [*study.verdict.reasons, *failed]
        summary: _Document = {
            "timestamp": wall(study, begin),
            "endTimestamp": wall(study, end),
            "elapsedTime": (end - begin) / 1e9,
            "uuid": identity(study),
            "metricName": "jobSummary",
            "jobConfig": {"name": job(study, setting), "jobType": "create", "jobIterations": run.spec.repeats},
            "version": f"v{run.version or '0'}@{run.git or 'unknown'}",
            "passed": not errors,
            "fleet": run.fleet.name,
            "versions": dict(run.fleet.versions),
        }
        made.append({**summary, "executionErrors": "; ".join(errors)} if errors else summary)
    return made
