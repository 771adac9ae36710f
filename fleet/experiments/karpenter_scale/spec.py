"""The file of karpenter-scale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from fleet.experiments.karpenter_scale.scenarios import ScenarioName
from fleet.model.base import Name
from fleet.model.duration import Duration
from fleet.model.experiment_file import ExperimentFile, Timeouts

DECIDED = 35.0
"""Seconds from the moment when a node may be consolidated to the decision, on an idle machine: Karpenter looks every 10
and holds to what it found only when it finds the same 15 later."""


class KarpenterScale(ExperimentFile):
    """Karpenter's own performance suite: pods that need machines, then fewer pods or another template."""

    QUICK: ClassVar[Mapping[str, Any]] = {
        "scenarios": ["basic"], "share": 0.02, "consolidate_after": "1s", "quiet": "36s", "sample_interval": "2s",
    }  # fmt: skip
    experiment: Literal["karpenter-scale"]
    name: Name = "karpenter-scale"
    repeats: int = Field(default=1, ge=1, le=1000)
    warmup: int = Field(default=0, ge=0, le=100)
    scenarios: list[ScenarioName] = Field(
        default=["basic", "drift", "do-not-disrupt", "hostname-spread", "wide"], min_length=1
    )
    """Which tests of the suite; `xl` is one of 2,000 pods."""
    share: float = Field(default=1.0, gt=0, le=10)
    """Of the suite's pods: 0.1 is a tenth of each Deployment, 2 twice as many."""
    consolidate_after: Duration = 30.0
    """Of the NodePool: how long no pod of a node changed before it may be consolidated; whole seconds."""
    quiet: Duration = 180.0
    """The second phase is over when no pod and no NodeClaim changed for so long; its time is without that."""
    assertions: bool = True
    """Upstream's assertions fail the run (exit code 3) as thresholds do, where `share` is 1."""
    timeouts: Timeouts = Timeouts(object=900.0, clean=600.0)
    change: Duration = 3000.0
    """Longest time of the second phase."""

    @field_validator("scenarios")
    @classmethod
    def _once(cls, value: list[ScenarioName]) -> list[ScenarioName]:
        if len(set(value)) != len(value):
            raise ValueError("each scenario once")
        return value

    @field_validator("consolidate_after")
    @classmethod
    def _whole(cls, value: float) -> float:
        if value != int(value):
            raise ValueError("Karpenter takes whole seconds: write for example 30s")
        return value

    @model_validator(mode="after")
    def _long_enough(self) -> KarpenterScale:
        if self.quiet < self.consolidate_after + DECIDED:
            least = f"{self.consolidate_after + DECIDED:.0f}s"
            raise ValueError(f"quiet: must be at least consolidate_after and {DECIDED:.0f} s ({least})")
        return self
