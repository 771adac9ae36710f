"""JSON schemas of the formats, written from the fields of kube-burner's and ClusterLoader2's own structures.

kube-burner bfb5794a: podMetric (pod_latency.go), LatencyQuantiles (metrics.go), JobSummary (metadata.go).
perf-tests 4b341544: DataItem and PerfData (perftype.go); perfdash's parsePerfData.
"""

from __future__ import annotations

from typing import Any

_TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$"}
_TEXT = {"type": "string", "minLength": 1}
_COUNT = {"type": "integer", "minimum": 0}
_UUID = {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"}


def _array(properties: dict[str, Any], required: list[str], **more: Any) -> dict[str, Any]:
    item = {"type": "object", "properties": properties, "required": required, "additionalProperties": False, **more}
    return {"type": "array", "minItems": 1, "items": item}


OBJECTS = _array(
    {
        "timestamp": _TIME, "metricName": {"pattern": "^fleet(Downsync|Object)LatencyMeasurement$"},
        "uuid": _UUID, "jobName": _TEXT, "jobIteration": _COUNT, "replica": _COUNT, "namespace": _TEXT, "name": _TEXT,
        "cluster": _TEXT, "metadata": {"type": "object"},
    },
    ["timestamp", "metricName", "uuid", "jobName", "jobIteration", "replica", "namespace"],
    patternProperties={"^[a-z]+[A-Za-z0-9]*Latency$": _COUNT},
)  # fmt: skip
QUANTILES = _array(
    {
        "quantileName": _TEXT, "uuid": _UUID, "P99": _COUNT, "P95": _COUNT, "P50": _COUNT, "min": _COUNT, "max": _COUNT,
        "avg": _COUNT, "timestamp": _TIME, "metricName": {"pattern": "QuantilesMeasurement$"}, "jobName": _TEXT,
        "metadata": {},
    },
    ["quantileName", "uuid", "P99", "P95", "P50", "min", "max", "avg", "timestamp", "metricName"],
)  # fmt: skip
SUMMARIES = _array(
    {
        "timestamp": _TIME, "endTimestamp": _TIME, "elapsedTime": {"type": "number", "minimum": 0}, "uuid": _UUID,
        "metricName": {"const": "jobSummary"}, "version": {"pattern": "^v.+@.+$"}, "passed": {"type": "boolean"},
        "executionErrors": _TEXT,
        "jobConfig": {"type": "object", "required": ["name"], "properties": {"jobType": {"const": "create"}}},
    },
    ["timestamp", "endTimestamp", "elapsedTime", "uuid", "metricName", "jobConfig", "passed"],
)  # fmt: skip
SUMMARIES["items"]["additionalProperties"] = True
"""User metadata stands alongside the fields."""
PERFDATA = {
    "type": "object",
    "required": ["version", "dataItems"],
    "additionalProperties": False,
    "properties": {
        "version": {"const": "v1"},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "dataItems": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["data", "unit"],
                "additionalProperties": False,
                "properties": {
                    "data": {"type": "object", "minProperties": 1, "additionalProperties": {"type": "number"}},
                    "unit": {"const": "ms"},
                    "labels": {
                        "type": "object",
                        "additionalProperties": {"type": "string"},
                        "propertyNames": {"not": {"enum": ["Count", "SlowCount"]}},
                    },
                },
            },
        },
    },
}
