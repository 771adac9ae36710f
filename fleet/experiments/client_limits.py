"""The rate limits of the manager's own clients, swept: the fleet is changed between the points and put back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from fleet.errors import SpecError
from fleet.experiment.distribution import Distribution
from fleet.experiment.points import Ground, Point
from fleet.managers.manager import Manager
from fleet.model.base import Model, Name
from fleet.model.client_limits import BURST, QPS
from fleet.model.experiment_file import Layout, PolicyExperiment, Workload
from fleet.model.fleet_file import FleetFile
from fleet.model.model_errors import nearest
from fleet.workload.profiles import content_of


class RateLimit(Model):
    """One setting of a token bucket."""

    qps: float = Field(gt=0, le=100_000)
    """Requests a second."""
    burst: int = Field(ge=1, le=1_000_000)
    """Requests at once."""


class ClientLimits(PolicyExperiment):
    """The rate limits of the manager's own clients, swept."""

    QUICK: ClassVar[Mapping[str, Any]] = {
        "points": [{"qps": 5.0, "burst": 10}], "wecs": "fleet", "workload.objects": 10, "repeats": 1,
        "warmup": 0, "sample_interval": "2s",
    }  # fmt: skip
    experiment: Literal["client-limits"]
    name: Name = "client-limits"
    wecs: list[Annotated[int, Field(ge=1)]] | Literal["all", "fleet"] = "fleet"
    layouts: list[Layout] = Field(default=["one-to-many"], min_length=1)
    clients: list[str] = Field(default_factory=list)
    """As the fleet's limits `<client>_qps` and `<client>_burst` name them; none: those that every object passes."""
    points: list[RateLimit] = Field(
        default=[RateLimit(qps=5, burst=10), RateLimit(qps=50, burst=100), RateLimit(qps=1000, burst=2000)],
        min_length=1,
    )
    workload: Workload = Workload(kind="configmap", objects=10)
    repeats: int = Field(default=2, ge=1, le=1000)
    warmup: int = Field(default=0, ge=0, le=100)


def points(spec: ClientLimits, ground: Ground) -> list[Point]:
    """One per setting of the buckets."""
    content = content_of(spec.workload)
    return [
        Point(
            content,
            spec.workload.objects,
            f"qps={point.qps:g} burst={point.burst}",
            limits={
                f"{client}_{what}": value
                for client in spec.clients or ground.manager.swept
                for what, value in point.model_dump().items()
            },
        )
        for point in spec.points
    ]


def cannot(manager: Manager) -> str:
    """Without a manager."""
    return "" if manager.swept else "it sweeps the client limits of a manager, and there is none"


def check(spec: ClientLimits, fleet: FleetFile) -> None:
    """SpecError for a client that the fleet has no limits of."""
    known = {name.removesuffix(QPS) for name in fleet.limits if name.endswith(QPS)}
    known = {name for name in known if f"{name}{BURST}" in fleet.limits}
    for number, client in enumerate(spec.clients):
        if client not in known:
            raise SpecError(
                f"{client!r} is no client of {fleet.manager.name}{nearest(client, known)}", field=f"clients.{number}"
            )


EXPERIMENT = Distribution("client-limits", ClientLimits, points, cannot=cannot, check=check)
