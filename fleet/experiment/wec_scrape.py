"""Reads metrics of WECs while a body runs: at its interval, and whenever the body asks, such as at a trial's edges."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from fleet.analysis.agent_table import AUDITED
from fleet.experiment.session import Session
from fleet.host.audit import LOG
from fleet.host.layout import Layout
from fleet.host.process_stats import ProcessWeight, weigh
from fleet.observe.audit_log import AuditLog
from fleet.observe.metrics import Scraper, Target

MIB = 1 << 20


@asynccontextmanager
async def scraping(session: Session, pages: Sequence[Target]) -> AsyncIterator[Scraper]:
    """Inside it the pages are read at the spec's sample interval; `scrape()` reads them at once."""

    async def keep() -> None:
        while True:
            await asyncio.sleep(session.spec.sample_interval)
            await scraper.scrape()

    async with Scraper(pages, session.recorder) as scraper:
        await scraper.scrape()
        task = asyncio.create_task(keep())
        try:
            yield scraper
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def weigh_memory(session: Session, trial: str) -> None:
    """Write down the proportional memory (PSS) of every program on the driver's machine: reading it takes a program's
    whole address space through the kernel, so it is read once a trial."""
    for machine in session.fleet.machines:
        if machine.connection == "local":
            found = await asyncio.to_thread(weigh, Path(machine.state_dir))
            for program, value in _by_program(found).items():
                session.measured("pss", value / MIB, "MiB", trial=trial, program=program)


def audit_log(session: Session, wec: str) -> AuditLog:
    """Of that WEC, on the driver's machine; one that is not there has nothing to say."""
    machine = session.fleet.machine(next(c.machine for c in session.fleet.clusters if c.name == wec))
    return AuditLog(Layout(Path(machine.state_dir)).cluster(wec) / LOG)


async def count_agents(session: Session, log: AuditLog, trial: str) -> None:
    """Write down the requests of a trial by who sent them."""
    for request, count in (await log.read()).items():
        labels = {"agent": request.agent, "verb": request.verb, "resource": request.resource, "code": str(request.code)}
        session.measured(AUDITED, float(count), "1", trial=trial, **labels)


def _by_program(found: Sequence[ProcessWeight]) -> Mapping[str, int]:
    sums: dict[str, int] = {}
    for weight in found:
        sums[weight.program] = sums.get(weight.program, 0) + weight.pss
    return sums
