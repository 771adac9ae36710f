"""In what the control planes of one process differ from upstream's, as a report says it."""

from __future__ import annotations

from fleet.model.variables import Variables


def differs(variables: Variables) -> str:
    """Part of a sentence about the WECs of a fleet with these variables."""
    said = (
        "those of one process share what never changes, informers and the way to the API server (dense_sharing)"
        if variables.dense_sharing
        else "each as upstream makes it (dense_sharing: false)"
    )
    nap = variables.dense_hibernate
    return f"{said}; asleep after {nap} without a connection" if nap else said
