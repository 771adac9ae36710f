"""The file of watch-scaling, and the series that it requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from fleet.experiments.values import once
from fleet.model.base import Name
from fleet.model.duration import Duration, Moment
from fleet.model.experiment_file import ANNOTATION_BYTES, ExperimentFile

Protocol = Literal["http/2", "http/1.1"]
Selector = Literal["all", "node", "name"]
Server = Literal["stream", "api"]
MOST_STREAMS = 100
"""Requests that an API server takes on one HTTP/2 connection (`--http2-max-streams-per-connection`)."""


class WatchScaling(ExperimentFile):
    """Watches of the pods of one WEC, more and more of them."""

    QUICK: ClassVar[Mapping[str, Any]] = {
        "protocols": ["http/2"], "selectors": ["all"], "first": 20, "most": 180, "factor": 3.0, "settle": "1s",
        "window": "4s",
    }  # fmt: skip
    experiment: Literal["watch-scaling"]
    name: Name = "watch-scaling"
    protocols: list[Protocol] = Field(default=["http/2", "http/1.1"], min_length=1)
    per_connection: list[Annotated[int, Field(ge=1, le=MOST_STREAMS)]] = Field(default=[100], min_length=1)
    """Watches that share a connection under HTTP/2; under HTTP/1.1 each has its own."""
    rates: list[Annotated[float, Field(gt=0, le=10_000)]] = Field(default=[10.0], min_length=1)
    """Changes per second, of all objects together."""
    selectors: list[Selector] = Field(default=["all", "node"], min_length=1)
    """What one watch selects. `all`: every object. `node`: those of one node (`spec.nodeName`, which the API server
    indexes). `name`: one object (`metadata.name`, which it does not index for pods)."""
    objects: int = Field(default=10, ge=1, le=1000)
    bytes: int = Field(default=0, ge=0, le=ANNOTATION_BYTES)
    """Characters that each object carries besides."""
    first: int = Field(default=100, ge=1, le=100_000)
    """Watches of the first step."""
    factor: float = Field(default=1.5, gt=1, le=10)
    """From one step to the next."""
    most: int = Field(default=20_000, ge=1, le=100_000)
    """Watches of the last step, if no limit was passed before."""
    settle: Moment = 2.0
    """Before and after each window."""
    window: Duration = 10.0
    """How long each step is measured."""
    late: Duration = 1.0
    """The 99th percentile of the delivery that ends a series."""
    ceiling: bool = True
    """Measure the client against a server that only streams, before anything else."""
    repeats: int = Field(default=1, ge=1, le=1000)
    warmup: int = Field(default=0, ge=0, le=100)

    _once = field_validator("protocols", "per_connection", "rates", "selectors")(once)

    @model_validator(mode="after")
    def _grows(self) -> WatchScaling:
        if self.most < self.first:
            raise ValueError(f"most: {self.most} watches are fewer than the first step's ({self.first})")
        if "http/2" not in self.protocols and self.per_connection != [100]:
            raise ValueError("per_connection: an HTTP/1.1 connection has one watch; add http/2 to `protocols`")
        return self

    def steps(self) -> list[int]:
        """Watches of each step, ascending, `most` the last."""
        found, count = [], float(self.first)
        while round(count) < self.most:
            found.append(round(count))
            count = max(count * self.factor, found[-1] + 1)
        return [*found, self.most]


@dataclass(frozen=True)
class Series:
    """What all steps of one trial have alike."""

    server: Server
    protocol: Protocol
    per_connection: int
    rate: float
    selector: Selector = "all"

    @property
    def point(self) -> str:
        """Words that distinguish its trials."""
        shared = f" per_connection={self.per_connection}" if self.protocol == "http/2" else ""
        selects = f" selector={self.selector}" if self.server == "api" else ""
        return f"server={self.server} protocol={self.protocol}{shared} rate={self.rate:g}{selects}"

    @property
    def shape(self) -> tuple[str, int, float]:
        """What a ceiling must have like the series that it is the ceiling of."""
        return self.protocol, self.per_connection, self.rate


def series_of(spec: WatchScaling) -> Sequence[Series]:
    """The ceilings first, then every combination."""
    shapes = list(_shapes(spec))
    ceilings = [Series("stream", *shape) for shape in shapes] if spec.ceiling else []
    return [*ceilings, *(Series("api", *shape, selector) for shape, selector in product(shapes, spec.selectors))]


def _shapes(spec: WatchScaling) -> Iterator[tuple[Protocol, int, float]]:
    for protocol in spec.protocols:
        for shared in spec.per_connection if protocol == "http/2" else [1]:
            for rate in spec.rates:
                yield protocol, shared, rate
