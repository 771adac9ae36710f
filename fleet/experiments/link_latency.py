"""The round trip between WECs and hub, swept: how many of them each stage costs, against how many it must."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from fleet.errors import UsageError
from fleet.experiment.distribution import Distribution
from fleet.experiment.points import Ground, Point
from fleet.experiments.values import distinct
from fleet.managers.manager import Manager
from fleet.model.base import Name
from fleet.model.experiment_file import Layout, PolicyExperiment, Workload
from fleet.model.fleet_file import FleetFile
from fleet.model.link import Link, Milliseconds, Rate, RoundTrip
from fleet.workload.profiles import content_of


class LinkLatency(PolicyExperiment):
    """The round trip between WECs and hub, swept: how many of them each stage costs, against how many it must."""

    QUICK: ClassVar[Mapping[str, Any]] = {
        "rtts": ["0ms", "100ms"], "repeats": 2, "warmup": 0, "sample_interval": "2s",
    }  # fmt: skip
    experiment: Literal["link-latency"]
    name: Name = "link-latency"
    wecs: list[Annotated[int, Field(ge=1)]] | Literal["all", "fleet"] = "fleet"
    layouts: list[Layout] = Field(default=["one-to-many"], min_length=1)
    rtts: list[RoundTrip] = Field(default=[0.0, 0.02, 0.05, 0.1, 0.2], min_length=2)
    """Every link of the fleet gets each in turn. Two at least: a slope needs them."""
    jitter: Milliseconds = 0.0
    """Of every round trip, as far as it is not longer than the round trip itself."""
    rate: Rate | None = None
    """Each way of every link, as `50mbit`; None: no limit."""
    workload: Workload = Workload(kind="configmap", objects=5)
    repeats: int = Field(default=3, ge=1, le=1000)
    warmup: int = Field(default=0, ge=0, le=100)

    _ascending = field_validator("rtts")(distinct)


def points(spec: LinkLatency, _ground: Ground) -> list[Point]:
    """One per round trip."""
    content = content_of(spec.workload)
    return [
        Point(
            content,
            spec.workload.objects,
            f"rtt_ms={rtt * 1000:g}",
            link=Link(rtt=rtt, jitter=min(spec.jitter, rtt), rate=spec.rate),
        )
        for rtt in spec.rtts
    ]


def cannot(manager: Manager) -> str:
    """Without a hub."""
    return "" if manager.roles() else "it sweeps the links between WECs and hub, and there is no hub"


def check(_spec: LinkLatency, fleet: FleetFile) -> None:
    """UsageError when a machine with WECs has no link.

    One is not put there for the run: agents that find the hub at another address register again.
    """
    carrying = {cluster.machine for cluster in fleet.wecs()}
    bare = sorted(machine.name for machine in fleet.machines if machine.name in carrying and machine.wan is None)
    if bare:
        raise UsageError(
            f"this experiment changes the links between WECs and hub, and {', '.join(bare)} has none: "
            "build the fleet with one, `fleet up -e 'wan={rtt: 0ms}'`"
        )


EXPERIMENT = Distribution("link-latency", LinkLatency, points, cannot=cannot, check=check)
