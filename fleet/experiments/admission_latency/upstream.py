"""What Kyverno publishes of its own test and alerts about, to stand alongside what was measured here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

WHERE = "Kyverno v1.18.1 (docs/perf-testing), k6 on a machine of its own against a kind cluster on 32 vCPUs"
ALERT_P99, ALERT_P99_FEW = 1000.0, 500.0
"""Milliseconds: of any number of clients, and of FEW or fewer."""
FEW, NO_ERROR_UP_TO = 50, 200
"""Clients: of the stricter limit, and up to which any error alerts."""


@dataclass(frozen=True)
class Published:
    """One row of its summary, milliseconds; one replica."""

    scenario: str
    average: float
    p95: float
    p99: float


PUBLISHED: Mapping[tuple[str, int], Published] = {
    ("none", 10): Published("baseline", 38, 97, 103),
    ("none", 50): Published("baseline", 101, 126, 160),
    ("none", 200): Published("baseline", 145, 201, 221),
    ("validating-policy", 10): Published("vpol-simple-1r", 37, 78, 101),
    ("validating-policy", 50): Published("vpol-simple-1r", 70, 124, 132),
    ("validating-policy", 200): Published("vpol-simple-1r", 137, 239, 447),
    ("pod-security", 10): Published("vpol-pss-1r", 32, 69, 107),
    ("pod-security", 50): Published("vpol-pss-1r", 57, 103, 182),
    ("pod-security", 200): Published("vpol-pss-1r", 156, 316, 487),
    ("mutating-policy", 10): Published("mpol-simple-1r", 45, 105, 144),
    ("mutating-policy", 50): Published("mpol-simple-1r", 72, 119, 129),
    ("mutating-policy", 200): Published("mpol-simple-1r", 150, 233, 284),
}
"""By policy set and closed clients."""


def alerts(clients: int, p99: float | None, errors: int) -> list[str]:
    """Which of its alerts would have fired; of closed clients only, as upstream has no others."""
    found = []
    if p99 is not None and p99 > ALERT_P99:
        found.append("p99 > 1 s")
    elif p99 is not None and clients <= FEW and p99 > ALERT_P99_FEW:
        found.append(f"p99 > 500 ms at {FEW} clients or fewer")
    if clients <= NO_ERROR_UP_TO and errors:
        found.append(f"errors at {NO_ERROR_UP_TO} clients or fewer")
    return found
