"""Load shapes as ClusterLoader2 names them and their parameters: a user of it finds theirs here."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from fleet.model.base import Model
from fleet.model.duration import Duration, Moment

Rate = Annotated[float, Field(gt=0, le=100_000)]
"""Objects per second."""


class GlobalQPSLoad(Model):
    """A token bucket over the whole load: `burst` at once, then `qps` per second, evenly."""

    qps: Rate
    """Objects a second."""
    burst: int = Field(default=1, ge=1, le=1_000_000)
    """Objects at once."""


class RandomizedLoad(Model):
    """Pauses drawn evenly between 0 and twice the mean one."""

    averageQps: Rate
    """Mean rate, objects a second."""


class SteppedLoad(Model):
    """`burstSize` at once, every `stepDelay`."""

    burstSize: int = Field(ge=1, le=1_000_000)
    """Objects at once."""
    stepDelay: Duration
    """From one step to the next."""


class ParallelismLimitedLoad(Model):
    """As fast as the answers come, with at most so many unanswered: a closed loop, the one shape without a schedule."""

    parallelismLimit: int = Field(ge=1, le=10_000)
    """Requests that may be unanswered."""


class PoissonLoad(Model):
    """Pauses drawn from the exponential distribution."""

    expectedActionsPerSecond: Rate
    """Mean rate, objects a second."""


class Trace(Model):
    """Each write at a given moment after the load began."""

    times: list[Moment] = Field(min_length=1, max_length=100_000)
    """After the load began."""


class LoadShape(Model):
    """Exactly one of them."""

    ONE_FIELD: ClassVar[bool] = True

    globalQPSLoad: GlobalQPSLoad | None = None
    randomizedLoad: RandomizedLoad | None = None
    steppedLoad: SteppedLoad | None = None
    parallelismLimitedLoad: ParallelismLimitedLoad | None = None
    poissonLoad: PoissonLoad | None = None
    trace: Trace | None = None

    @model_validator(mode="after")
    def _one(self) -> LoadShape:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            names = ", ".join(type(self).model_fields)
            raise ValueError(f"name exactly one load shape ({names}), not {' and '.join(given) or 'none'}")
        return self

    @property
    def open(self) -> bool:
        """It has a schedule: what is sent when does not wait for answers."""
        return self.parallelismLimitedLoad is None

    def __str__(self) -> str:
        """For people: `poissonLoad expectedActionsPerSecond=0.5`."""
        name = next(name for name in type(self).model_fields if getattr(self, name) is not None)
        if self.trace is not None:
            return f"trace of {len(self.trace.times)} moments"
        values: dict[str, float] = getattr(self, name).model_dump()
        return " ".join([name, *(f"{key}={value:g}" for key, value in values.items())])
