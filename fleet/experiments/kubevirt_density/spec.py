"""The file of kubevirt-density."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from fleet.model.base import Name
from fleet.model.duration import Duration
from fleet.model.experiment_file import ExperimentFile, Timeouts

Kind = Literal["vmi", "vm"]


class KubeVirtDensity(ExperimentFile):
    """KubeVirt's own density test: a primer, so many VMIs or VMs one by one, all Running, deleted in batches."""

    QUICK: ClassVar[Mapping[str, Any]] = {
        "count": 20, "batch": 10, "primer_wait": "2s", "sample_interval": "2s", "qps": []
    }  # fmt: skip
    experiment: Literal["kubevirt-density"]
    name: Name = "kubevirt-density"
    repeats: int = Field(default=1, ge=1, le=1000)
    warmup: int = Field(default=0, ge=0, le=100)
    kinds: list[Kind] = Field(default=["vmi", "vm"], min_length=1)
    """`vmi`: VirtualMachineInstances; `vm`: VirtualMachines with the run strategy Always, which make them."""
    count: int = Field(default=1000, ge=1, le=20_000)
    """Objects of a trial."""
    interval: Duration = 0.1
    """From one creation to the next: an open loop, which waits for no answer."""
    batch: int = Field(default=500, ge=1, le=10_000)
    """Objects that one request deletes at most."""
    primer_wait: Duration = 10.0
    """From the primer's Running to the load."""
    qps: list[float] = Field(default=[])
    """Client limits of virt-controller to sweep, requests per second (burst: twice); empty: as the fleet has it."""
    timeouts: Timeouts = Timeouts(object=1800.0, clean=900.0)

    @field_validator("kinds")
    @classmethod
    def _once(cls, value: list[Kind]) -> list[Kind]:
        if len(set(value)) != len(value):
            raise ValueError("each kind once")
        return value

    @field_validator("qps")
    @classmethod
    def _positive(cls, value: list[float]) -> list[float]:
        if any(not 0 < each <= 100_000 for each in value) or len(set(value)) != len(value):  # noqa: PLR2004
            raise ValueError("limits are numbers above 0 and up to 100000, each once")
        return value
