"""The one latency of admission-latency, and names of what is written down of a trial."""

from __future__ import annotations

from fleet.kube.resources import PODS
from fleet.model.stage import Stage

LOAD = "load"
"""The step in which pods are created."""
CLIENT_CPU = "client_cpu"
"""Seconds of the load client, a measured quantity of each trial."""
CALLS = "webhook_calls"
"""Of the API server for creations, per pod, another one: it shows whether a set went through Kyverno."""
CREATED = Stage(
    name="pod_created", begin="due", end="answered", resource=str(PODS),
    text="a create request to its answer at the load client: admission, webhooks and the write",
)  # fmt: skip
