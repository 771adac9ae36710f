"""The file of node-scaling."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from fleet.experiments.room import PODS_OF_NODE
from fleet.model.base import Model, Name
from fleet.model.duration import Duration, Moment
from fleet.model.experiment_file import ExperimentFile, Timeouts
from fleet.simulators.simulator import known, simulator


def players() -> list[str]:
    """Simulators that play all nodes of a WEC by themselves."""
    return [name for name in known() if list(simulator(name).parts) == [name] and simulator(name).pages]


class Limits(Model):
    """What ends the growth, by the 99th percentile. The last three are SIG Scalability's objectives."""

    lease: Duration = 20.0
    """From one renewal of a node's lease to the next: a kubelet renews every 10 s, and one was left out."""
    api_call: Duration = 1.0
    """Of a request that changes, or reads one object."""
    list_call: Duration = 30.0
    """Of a request that lists a whole cluster; of one namespace a sixth of it."""
    pod_start: Duration = 5.0
    """From a pod's creation until it runs, both as a watch sees them."""


class NodeScaling(ExperimentFile):
    """Nodes of one WEC, more and more of them: at rest, then with pods on each."""

    QUICK: ClassVar[Mapping[str, Any]] = {
        "first": 3, "most": 3, "pods_per_node": 5, "settle": "2s", "window": "8s",
    }  # fmt: skip
    experiment: Literal["node-scaling"]
    name: Name = "node-scaling"
    simulators: list[str] = Field(default_factory=list)
    """What plays the nodes, one after the other (`node_simulator`); empty: each that plays all nodes by itself."""
    first: int = Field(default=16, ge=1, le=10_000)
    """Nodes of the first step."""
    factor: float = Field(default=2.0, gt=1, le=10)
    """From one step to the next."""
    most: int = Field(default=5000, ge=1, le=10_000)
    """Nodes of the last step, if nothing ended the growth before."""
    pods_per_node: int = Field(default=30, ge=0, le=PODS_OF_NODE)
    """0: nodes at rest only."""
    pods_per_second: float = Field(default=20.0, gt=0, le=1000)
    """Creations; SIG Scalability's objectives hold for up to 20 changes of pods per second."""
    settle: Moment = 10.0
    """Before each window."""
    window: Duration = 25.0
    """How long nodes are watched at rest, and with their pods."""
    budget: Duration = 300.0
    """Of each simulator: a step that would end later by what the last one took is not begun."""
    limits: Limits = Limits()
    timeouts: Timeouts = Timeouts(object=120.0)
    repeats: int = Field(default=1, ge=1, le=1000)
    warmup: int = Field(default=0, ge=0, le=0)
    """None: each step begins with new nodes, or more of them."""

    @field_validator("simulators")
    @classmethod
    def _known(cls, value: list[str]) -> list[str]:
        able = players()
        if unknown := [name for name in value if name not in able]:
            raise ValueError(f"{unknown[0]!r} does not play all nodes of a WEC: name some of {', '.join(able)}")
        if len(set(value)) != len(value):
            raise ValueError("each simulator once")
        return value

    @model_validator(mode="after")
    def _grows(self) -> NodeScaling:
        if self.most < self.first:
            raise ValueError(f"most: {self.most} nodes are fewer than the first step's ({self.first})")
        return self

    @property
    def played(self) -> list[str]:
        """The simulators, in their order."""
        return self.simulators or players()

    def counts(self) -> Iterator[int]:
        """Nodes of each step, ascending, `most` the last."""
        last, count = 0, float(self.first)
        while round(count) < self.most:
            last = round(count)
            yield last
            count = max(count * self.factor, last + 1)
        yield self.most
