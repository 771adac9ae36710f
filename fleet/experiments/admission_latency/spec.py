"""The file of admission-latency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import Field, field_validator, model_validator

from fleet.experiments.admission_latency.sets import SetName
from fleet.experiments.values import once
from fleet.model.base import Name
from fleet.model.duration import Moment
from fleet.model.experiment_file import ExperimentFile, Timeouts

CONNECTIONS = 50
"""Of an open loop, which sends by them in turn."""


class AdmissionLatency(ExperimentFile):
    """Policies and the latency of pod creation: for each load a baseline, a set, a baseline, the next set and so on."""

    QUICK: ClassVar[Mapping[str, Any]] = {
        "clients": [4], "rates": [], "objects": 40, "primer": 20, "repeats": 1, "rest": "200ms", "sample_interval": "2s"
    }  # fmt: skip
    experiment: Literal["admission-latency"]
    name: Name = "admission-latency"
    repeats: int = Field(default=3, ge=1, le=1000)
    """Pairs of a baseline and a set, for each set and load."""
    warmup: int = Field(default=0, ge=0, le=100)
    sets: list[SetName] = Field(default=list(get_args(SetName)), min_length=1)
    """Policy sets, each right after a baseline without any policy."""
    clients: list[Annotated[int, Field(ge=1, le=1000)]] = Field(default=[10, 50, 200])
    """Loads of so many closed clients: each sends its next request when its last is answered, as k6's virtual users."""
    rates: list[Annotated[float, Field(gt=0, le=10_000)]] = Field(default=[])
    """Further loads: open loops of so many requests per second, which wait for no answer."""
    objects: int = Field(default=600, ge=10, le=20_000)
    """Pods of a trial."""
    primer: int = Field(default=100, ge=1, le=20_000)
    """Pods that are created and deleted once, before anything is measured."""
    rest: Moment = 1.0
    """From the moment that a set acts to the load."""
    timeouts: Timeouts = Timeouts(object=600.0, clean=120.0)

    _once = field_validator("sets", "clients", "rates")(once)

    @model_validator(mode="after")
    def _loaded(self) -> AdmissionLatency:
        if not self.clients and not self.rates:
            raise ValueError("clients and rates are both empty: there is no load")
        if self.clients and max(self.clients) > self.objects:
            raise ValueError(f"objects: {self.objects} pods are fewer than {max(self.clients)} clients")
        return self


@dataclass(frozen=True)
class Load:
    """How the pods of a trial are created."""

    clients: int
    rate: float = 0.0
    """Of an open loop; 0: closed clients."""

    @property
    def point(self) -> str:
        """Words that distinguish its trials."""
        return f"rate={self.rate:g}" if self.rate else f"clients={self.clients}"


def loads_of(spec: AdmissionLatency) -> list[Load]:
    """Closed clients first."""
    return [*map(Load, spec.clients), *(Load(CONNECTIONS, rate) for rate in spec.rates)]
