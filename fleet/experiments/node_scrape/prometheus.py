"""The fleet's Prometheus as a scraper: a trial's targets are put on its list, and it is asked what it read."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from fleet.errors import DeadlineError, UsageError
from fleet.host.files import write_private
from fleet.simulators import scraped

ANSWER_SECONDS = 30.0
START_SECONDS = 30.0
LIST_SECONDS = 60.0
"""For a list to be read: Prometheus hands on changes of its lists every 5 s."""
POLL = 0.25
SECONDS, UP, BYTES = "scrape_duration_seconds", "up", "scrape_body_size_bytes"


@dataclass(frozen=True)
class Scrape:
    """One that Prometheus made."""

    node: str
    page: str
    begin: float
    """Unix time, s; exact to 2 ms, by which Prometheus moves stamps."""
    seconds: float
    answered: bool
    bytes: float
    """Of the page, not compressed."""


def targets(
    trial: str, nodes: Sequence[Mapping[str, Any]], scrapers: int, interval: float
) -> list[dict[str, Any]]:  # fmt: skip
    """Entries of a trial: each of the `nodes` (see `scraped.target`) once for each scraper. They differ by a label, so
    each is scraped at a moment of its own."""
    every = f"{round(interval * 1e3)}ms"
    found = []
    for number in range(scrapers):
        more = {"trial": trial, "scraper": str(number), "__scrape_interval__": every, "__scrape_timeout__": every}
        found += [{**node, "labels": {**node["labels"], **more}} for node in nodes]
    return found


@dataclass(frozen=True)
class Prometheus:
    """A running one. `list_file`: the list of targets that it reads and that nobody else writes."""

    base: str
    list_file: Path
    session: aiohttp.ClientSession = field(repr=False)

    @asynccontextmanager
    async def scraping(self, trial: str, entries: Sequence[Mapping[str, Any]], interval: float) -> AsyncIterator[None]:
        """Inside it each of the targets has been scraped once and goes on to be; afterwards none is."""
        try:
            await asyncio.to_thread(write_private, self.list_file, json.dumps(entries).encode())
            await self._until(trial, len(entries), LIST_SECONDS + interval)
            yield
        finally:
            await asyncio.to_thread(self.list_file.unlink, missing_ok=True)
        await self._until(trial, 0, LIST_SECONDS)

    async def ready(self) -> None:
        """Return when it answers queries: for some time after its start it answers them with 503. UsageError when it
        does not within `START_SECONDS`."""
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                await self._ask("/api/v1/targets", state="active")
            except UsageError:
                if time.monotonic() > end:
                    raise
            else:
                return
            await asyncio.sleep(POLL)

    async def scrapes(self, trial: str, begin: float, end: float) -> list[Scrape]:
        """Those of a trial that began between two moments (Unix time, s), by their begin."""
        lengths, ups, sizes = [await self._samples(name, trial, begin, end) for name in (SECONDS, UP, BYTES)]
        if lengths and not sizes:
            raise UsageError(f"prometheus: it keeps no {BYTES}, which site.yml switches on: use release 2.42 or later")
        return [
            Scrape(node, page, moment, seconds, ups[key] == 1.0, sizes.get(key, 0.0))
            for key, seconds in sorted(lengths.items(), key=lambda one: one[0][-1])
            for node, page, _, moment in [key]
        ]

    async def _until(self, trial: str, count: int, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while True:
            active = (await self._ask("/api/v1/targets", state="active"))["activeTargets"]
            own = [one for one in active if one["labels"].get("trial") == trial]
            read = [one for one in own if not one["lastScrape"].startswith("0001-")]
            if len(own) == len(read) == count:
                return
            if time.monotonic() > deadline:
                raise DeadlineError(
                    f"prometheus at {self.base}: within {seconds:.0f} s it had {len(own)} targets of {trial} and had"
                    f" scraped {len(read)} of them, not {count}"
                )
            await asyncio.sleep(POLL)

    async def _samples(
        self, name: str, trial: str, begin: float, end: float
    ) -> dict[tuple[str, str, str, float], float]:
        """By node, page, scraper and moment."""
        window = f"{round((end - begin) * 1e3) + 1000}ms"
        query = f'{name}{{job="{scraped.JOB}",trial="{trial}"}}[{window}]'
        found = (await self._ask("/api/v1/query", query=query, time=f"{end:.3f}"))["result"]
        return {
            (one["metric"]["node"], one["metric"]["page"], one["metric"]["scraper"], moment): float(value)
            for one in found
            for moment, value in one["values"]
            if begin <= moment <= end
        }

    async def _ask(self, path: str, **query: str) -> Any:
        """The `data` of an answer. UsageError when there is none."""
        try:
            async with self.session.get(f"{self.base}{path}", params=query) as answer:
                answer.raise_for_status()
                return (await answer.json())["data"]
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UsageError(f"prometheus at {self.base} does not answer {path}: {error}") from error


@asynccontextmanager
async def opened(base: str, root: Path) -> AsyncIterator[Prometheus]:
    """That at a URL, whose files are below a machine's folder of the fleet. What another run left on its list goes."""
    file = scraped.targets_folder(root) / scraped.TRIAL_FILE
    await asyncio.to_thread(file.unlink, missing_ok=True)
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:
        made = Prometheus(base, file, session)
        await made.ready()
        yield made
