"""In what the control planes of one process differ from upstream's, as a report says it."""

from __future__ import annotations

from fleet.host.drivers.dense.plan import DENSE_ENV
from fleet.model.variables import Variables


def differs(variables: Variables) -> str:
    """Part of a sentence about the WECs of a fleet with these variables."""
    said = (
        "those of one process share what never changes, informers and the way to the API server (dense_sharing)"
        if variables.dense_sharing
        else "each as upstream makes it (dense_sharing: false)"
    )
    own = {**DENSE_ENV, **variables.control_plane_env, **variables.control_plane_apiserver_env}
    parts = [said, f"garbage collected at GOGC={own['GOGC']} (Go's default: 100)"]
    if variables.dense_hibernate:
        parts.append(f"asleep after {variables.dense_hibernate} without a connection")
    return "; ".join(parts)
