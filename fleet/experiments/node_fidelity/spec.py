"""The file of `node-fidelity`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from fleet.model.base import Name
from fleet.model.duration import Duration, Moment
from fleet.model.experiment_file import ExperimentFile


class NodeFidelity(ExperimentFile):
    """A window at rest and a load of pods, for each sort of nodes of one WEC."""

    QUICK: ClassVar[Mapping[str, Any]] = {
        "repeats": 1, "settle": "10s", "window": "20s", "pods": 10, "qps": 5.0, "stay": "5s",
    }  # fmt: skip

    experiment: Literal["node-fidelity"]
    name: Name = "node-fidelity"
    repeats: int = Field(default=2, ge=1, le=1000)
    warmup: int = Field(default=0, ge=0, le=100)
    settle: Moment = 30.0
    """Before each window, how long no node may have changed its state or taints."""
    window: Duration = 300.0
    """At rest. A kubelet reports the status of its node every 5 minutes: a shorter one may miss that."""
    pods: int = Field(default=30, ge=1, le=100)
    """Of the load on each sort; one real node holds 110, its own among them."""
    qps: float = Field(default=5.0, gt=0, le=1000)
    """Creations a second."""
    stay: Duration = 20.0
    """How long the pods run before they are deleted."""
    image: str = Field(default="registry.k8s.io/pause:3.10.1", min_length=1, max_length=500)
    """Of the pods; a real node must have it, or be able to pull it."""
