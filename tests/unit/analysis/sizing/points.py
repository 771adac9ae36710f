"""Observations of fleets, made by hand."""

from __future__ import annotations

from typing import Any

from fleet.analysis.sizing.observation import Observation, Setup, Source

DENSE = Setup(driver="dense", simulator="kwok", nodes=1, manager="kubestellar")
SLOW = {"transport_its_qps": 5.0, "transport_its_burst": 10.0}


def point(wecs: int, values: dict[str, float], source: Source = "rest", **more: Any) -> Observation:
    """One of a fleet of that size; each size is another fleet."""
    known = {"run": f"r{wecs}", "fleet": f"f{wecs}", "source": source, "setup": DENSE, "wecs": wecs, "values": values}
    return Observation.model_validate({**known, **more})
