"""The least time that a token bucket allows."""

from __future__ import annotations


def bucket(calls: float, qps: float, burst: float) -> float:
    """Seconds that a full token bucket needs at least for so many calls; 0 without a limit.

    It lets `burst` calls pass at once and then `qps` per second: n calls take max(0, (n - burst) / qps).
    """
    return 0.0 if qps <= 0 else max(0.0, (calls - burst) / qps)
