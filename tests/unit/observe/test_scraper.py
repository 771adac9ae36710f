"""Scrapes of one scraper that are requested at the same time."""

from __future__ import annotations

import asyncio
from typing import Any

from fleet.observe.metrics import Scraper, Target
from fleet.results.events import Line, MetricSample

NAME = "apiserver_request_total"


class Page:
    """Answers with a counter; the first answer takes longest."""

    cluster = "wec001"

    def __init__(self) -> None:
        self.asked = 0

    async def metrics(self) -> str:
        self.asked += 1
        value = self.asked
        await asyncio.sleep(0.05 / value)
        return f"{NAME} {value}\n"


class Sink:
    """Keeps lines."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def record(self, line: Line, /) -> None:
        assert isinstance(line, MetricSample)
        self.values.append(line.value)

    def anomaly(self, what: str, text: str, *, cluster: str = "") -> None:
        raise AssertionError(f"{what} {text} {cluster}")


async def test_a_counter_never_seems_to_fall() -> None:
    page: Any = Page()
    sink = Sink()
    async with Scraper([Target("kube-apiserver", "wec001", client=page, kept={NAME: None})], sink) as scraper:
        await asyncio.gather(*(scraper.scrape() for _ in range(3)))
    assert sink.values == [1.0, 2.0, 3.0]
