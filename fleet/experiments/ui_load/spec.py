"""The file of ui-load."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from fleet.experiments.values import distinct, once
from fleet.model.base import Model, Name
from fleet.model.duration import Duration
from fleet.model.experiment_file import ExperimentFile, Timeouts

Page = Literal["overview", "pods", "nodes", "deployments"]
Runtime = Literal["node", "chromium"]


class Rates(Model):
    """Objects a second that are created while a page is watched, over all WECs together."""

    node: float = Field(default=1.0, ge=0, le=100)
    pod: float = Field(default=1.0, ge=0, le=100)
    event: float = Field(default=1.0, ge=0, le=100)


class UiLoad(ExperimentFile):
    """Headlamp's own load test, measured: many Deployments, then a node, a pod and an event a second."""

    QUICK: ClassVar[Mapping[str, Any]] = {
        "objects": [20], "events": 10, "pages": ["pods"], "duration": "5s", "sample_interval": "2s"
    }  # fmt: skip
    experiment: Literal["ui-load"]
    name: Name = "ui-load"
    repeats: int = Field(default=1, ge=1, le=1000)
    warmup: int = Field(default=0, ge=0, le=100)
    objects: list[Annotated[int, Field(ge=1, le=200_000)]] = Field(default=[1000, 10_000], min_length=1)
    """Pods that there are, in all WECs together; taken ascending, each number added to the one before."""
    by: Literal["deployment", "pod", "placed"] = "deployment"
    """What they are made by: `deployment`, one of one replica for each; `pod`, the pods alone; `placed`, pods that name
    their node, so that neither a controller nor the scheduler has anything to do."""
    events: int = Field(default=1000, ge=0, le=100_000)
    """Events that there are from the begin, in all WECs together, alongside those of the controllers."""
    pages: list[Page] = Field(default=["overview", "pods"], min_length=1)
    """Of Headlamp: `overview` lists pods, nodes and events, the others what they are called after."""
    clients: list[Runtime] = Field(default=["node", "chromium"], min_length=1)
    """`chromium`: the page as it is; `node`: its lists and watches without tables."""
    rates: Rates = Rates()
    duration: Duration = 30.0
    """How long each page is watched."""
    binary: str = ""
    """Absolute path of a `headlamp-server` of the user's, in place of the testbed's own proxy."""
    sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    """Of that file; another one is refused."""
    writers: int = Field(default=32, ge=1, le=500)
    """Unanswered requests while objects are made."""
    page_timeout: Duration = 300.0
    """Until a page has listed and drawn everything."""
    timeouts: Timeouts = Timeouts(object=1200.0, clean=600.0)

    _ascending = field_validator("objects")(distinct)
    _once = field_validator("pages", "clients")(once)

    @model_validator(mode="after")
    def _which(self) -> UiLoad:
        if bool(self.binary) != bool(self.sha256):
            raise ValueError("binary and sha256 belong together: give both, or none")
        return self
