"""When growth over a run is called a leak: field `leak` of the experiments that look for one."""

from __future__ import annotations

from pydantic import Field

from fleet.model.base import Model
from fleet.model.duration import Duration


class LeakRules(Model):
    """When growth is called a leak."""

    least: float = Field(default=0.1, gt=0, le=10)
    """Share of the level at the beginning that must be added over the run."""
    warmup: float = Field(default=0.2, ge=0, lt=0.9)
    """Share of the run that is cut off in front: caches fill, connections open."""
    shortest: Duration = 300.0
    """Below it nothing is said."""
