"""What a file of `job-dispatch` has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from fleet.experiments.values import distinct, once
from fleet.model.base import Model, Name
from fleet.model.experiment_file import ExperimentFile

Load = Literal["single", "burst"]
Division = Literal["closed", "open"]


class Raised(Model):
    """What every client limit of the manager is set to in the open division."""

    qps: float = Field(default=1000, gt=0, le=100_000)
    burst: int = Field(default=2000, ge=1, le=1_000_000)


class JobDispatch(ExperimentFile):
    """Jobs of a hub, each dispatched to one of many workers."""

    QUICK: ClassVar[Mapping[str, Any]] = {
        "workers": "fleet", "jobs": 6, "divisions": ["closed"], "repeats": 1, "warmup": 0, "sample_interval": "2s",
    }  # fmt: skip
    experiment: Literal["job-dispatch"]
    name: Name = "job-dispatch"
    workers: list[Annotated[int, Field(ge=1)]] | Literal["fleet"] = "fleet"
    """How many WECs a Job may go to, the first so many; `fleet`: all."""
    loads: list[Load] = Field(default=["single", "burst"], min_length=1)
    """`single`: a Job when the one before has finished; `burst`: all at once."""
    jobs: int = Field(default=20, ge=1, le=5000)
    """Of each trial."""
    divisions: list[Division] = Field(default=["closed", "open"], min_length=1)
    """`closed`: the fleet's own client limits; `open`: those of the manager raised, for which the fleet is changed."""
    raised: Raised = Raised()
    repeats: int = Field(default=2, ge=1, le=1000)
    warmup: int = Field(default=0, ge=0, le=100)

    @field_validator("workers")
    @classmethod
    def _ascending(cls, value: list[int] | str) -> list[int] | str:
        return value if isinstance(value, str) else distinct(value)

    _once = field_validator("loads", "divisions")(once)
