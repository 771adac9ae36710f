"""The file of `node-scrape`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from fleet.experiments.values import once
from fleet.model.base import Name
from fleet.model.duration import Duration, Moment
from fleet.model.experiment_file import ExperimentFile
from fleet.simulators.scraped import PAGES, Way

PageName = Literal["metrics", "resource", "summary", "logs", "exec"]
By = Literal["driver", "prometheus"]


class NodeScrape(ExperimentFile):
    """A trial for each page, way and number of scrapers, and one in which nobody scrapes."""

    QUICK: ClassVar[Mapping[str, Any]] = {
        "scrapers": [2], "interval": "2s", "duration": "4s", "settle": "1s", "pods": 5, "repeats": 1,
    }  # fmt: skip

    experiment: Literal["node-scrape"]
    name: Name = "node-scrape"
    repeats: int = Field(default=1, ge=1, le=1000)
    warmup: int = Field(default=0, ge=0, le=100)
    pages: list[PageName] = Field(default=["metrics", "resource", "summary", "logs", "exec"], min_length=1)
    """Pages of a node that are read."""
    ways: list[Way] = Field(default=["proxy", "direct"], min_length=1)
    """Through the API server, or to the port of the kubelet."""
    by: list[By] = Field(default=["driver"], min_length=1)
    """Who scrapes: the driver's own client, or the fleet's Prometheus (`monitoring_enabled`), which reads the pages
    metrics and resource alone."""
    scrapers: list[Annotated[int, Field(ge=1, le=1000)]] = Field(default=[1, 4], min_length=1)
    """Scrapers at the same time, swept."""
    interval: Duration = 10.0
    """Each scraper reads each node (logs and exec: each pod) once in this time, evenly spread over it."""
    duration: Duration = 20.0
    """Length of a trial."""
    settle: Moment = 3.0
    """Before each trial."""
    pods: int = Field(default=30, ge=1, le=10_000)
    """That run on the nodes, for their pages to have something in them."""
    load_qps: float = Field(default=10.0, gt=0, le=1000)
    """Creations of ConfigMaps a second alongside the scraping, whose latency is measured."""

    _once = field_validator("pages", "ways", "by", "scrapers")(once)

    @model_validator(mode="after")
    def _readable(self) -> Self:
        if "prometheus" in self.by and not set(self.pages) & set(PAGES):
            raise ValueError(f"by: prometheus reads the pages {' and '.join(PAGES)}: name one of them in pages")
        return self
