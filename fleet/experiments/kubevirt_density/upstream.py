"""What KubeVirt publishes and demands of this test, to stand alongside what was measured here."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

P50_SECONDS, P95_SECONDS = 45.0, 60.0
"""`vmiCreationToRunningSeconds` of tests/performance/density.go (v1.8.0): recorded there, not asserted."""
RATIOS = {"PATCH-virtualmachineinstances": 2.0, "UPDATE-virtualmachineinstances": 10.0}
"""Most requests per created pod, by the same file."""
EDGES = (0.5, 1, 2, 5, 10, 20, 30, 40, 50, 60, 90, 120, 180, 300, 600, 1200, 1800, 3600)
"""Of its histogram of phase transitions (pkg/monitoring/metrics/virt-controller, v1.8.0), seconds: its quantiles lie
between them."""


@dataclass(frozen=True)
class Published:
    """A figure of KubeVirt's perf-scale-benchmarks.md for v1.8.0: 100 VMIs on real nodes of KubeVirt's CI."""

    name: str
    value: str


PUBLISHED = (
    Published("vmiCreationToRunningSecondsP95", "28 to 30 s"),
    Published("UPDATE-virtualmachineinstances-count", "550"),
    Published("PATCH-virtualmachineinstances-count", "60 to 80"),
    Published("PATCH-pods-count", "220"),
)
"""Graphs read by eye; another machine, other nodes and a tenth of the VMIs, so a comparison of shape, not of speed."""


def said_of(trial: str) -> str:
    """Name of the file in the run folder's `raw/` with what KubeVirt's audit tool said of a trial."""
    return f"audit-{trial}.json"


def audit_figures(folder: Path, trial: str) -> dict[str, float]:
    """What the tool said, by its own names; empty where it was not run."""
    file = folder / "raw" / said_of(trial)
    if not file.exists():
        return {}
    return {
        name: float(value["value"]) for name, value in json.loads(file.read_text(encoding="utf-8"))["Values"].items()
    }
