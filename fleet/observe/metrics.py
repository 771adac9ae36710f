"""Scrapes `/metrics` of the hub's API servers and the manager's programs, keeps a few names, says who is busy."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import aiohttp

from fleet.errors import KubeError
from fleet.kube.client import KubeClient
from fleet.model.fleet_file import ClientTls, FleetFile
from fleet.model.manager_record import ManagerRecord
from fleet.observe.pprof import client_context
from fleet.observe.prometheus import Series, kept
from fleet.results.events import Line, MetricSample

_VERBS = frozenset({"verb", "resource", "code"})
_NONE: frozenset[str] = frozenset()

Names = Mapping[str, frozenset[str] | None]

_PROCESS: Names = {
    "process_cpu_seconds_total": _NONE,
    "process_resident_memory_bytes": _NONE,
    "process_open_fds": _NONE,
    "go_goroutines": _NONE,
    "go_memstats_heap_alloc_bytes": _NONE,
}
API_SERVER: Names = {
    **_PROCESS,
    "apiserver_request_total": _VERBS,
    "apiserver_storage_size_bytes": _NONE,
    "apiserver_current_inflight_requests": frozenset({"request_kind"}),
    "apiserver_flowcontrol_current_executing_requests": frozenset({"priority_level"}),
    "apiserver_flowcontrol_current_inqueue_requests": frozenset({"priority_level"}),
    # Of Kubernetes 1.37 and later.
    "apiserver_watch_events_dispatch_duration_seconds_bucket": frozenset({"stage", "le"}),
}
CONTROLLER: Names = {
    **_PROCESS,
    "workqueue_depth": frozenset({"name"}),
    "rest_client_requests_total": frozenset({"method", "code"}),
    "rest_client_rate_limiter_duration_seconds_sum": frozenset({"verb"}),
    "rest_client_rate_limiter_duration_seconds_count": frozenset({"verb"}),
    "fleet_*": None,
}
UNREAD = frozenset({"dense", "kube-apiserver"})
"""Components whose page is never read as a program's: it is megabytes long. The hub's API servers' are, as such."""

TIMEOUT_SECONDS = 10.0
BUSY_REQUESTS_PER_SECOND = 1.0
"""A program that sends more than this is working off a backlog: a settled one renews a watch now and then, at most."""


@dataclass(frozen=True)
class Target:
    """One metrics page: of an API server (through its client) or of a program (by URL)."""

    component: str
    cluster: str
    client: KubeClient | None = None
    url: str = ""
    tls: ClientTls | None = None
    kept: Names = field(default_factory=lambda: CONTROLLER, compare=False)
    """Metrics that are kept, each with its labels."""
    busy: bool = False
    """It is one of the manager's programs that must have no work before a load begins."""
    unserved: frozenset[str] = frozenset()
    """Labels of its work queues that nothing takes from."""


class Sink(Protocol):
    """Where lines go: a recorder, or the sampler's answer."""

    def record(self, line: Line, /) -> None:
        """Take one line."""

    def anomaly(self, what: str, text: str, *, cluster: str = "") -> None:
        """Something that the reader of the run must know, now."""


def targets(
    fleet: FleetFile,
    hub: Sequence[KubeClient],
    manager: ManagerRecord,
    wecs: Sequence[KubeClient] = (),
    *,
    everybody: bool = False,
) -> list[Target]:
    """The pages of that fleet that can be read from here: the hub's; with `everybody` those of other programs too, of
    which what each process reports about itself is kept, as of the API servers of `wecs`."""
    local = {machine.name for machine in fleet.machines if machine.connection == "local"}
    here = [program for program in fleet.components if program.metrics and program.machine in local]
    unserved = frozenset(f"name={queue}" for queue in manager.unserved)
    own = {**CONTROLLER, **{name: frozenset(labels) for name, labels in manager.series.items()}}
    pages = [Target("kube-apiserver", client.cluster, client=client, kept=API_SERVER) for client in hub]
    pages += [Target("kube-apiserver", client.cluster, client=client, kept=_PROCESS) for client in wecs]
    pages += [
        Target(
            program.component,
            program.cluster,
            url=program.metrics,
            tls=program.tls,
            kept=own,
            busy=True,
            unserved=unserved,
        )
        for program in here
        if program.component in manager.scraped
    ]
    if everybody:
        pages += [
            Target(*_named(program.program), None, program.metrics, program.tls, _PROCESS)
            for program in here
            if program.component not in UNREAD.union(manager.scraped)
        ]
    return pages


def _named(program: str) -> tuple[str, str]:
    """Both parts of a program's name: agents of one WEC at several hubs differ in the first."""
    component, _, cluster = program.partition(".")
    return component, cluster


class Scraper:
    """Use as `async with`. A page that cannot be read is left out and reported once as an anomaly.

    A series is recorded when its value is another than at the scrape before: what is not recorded has not changed. (An
    API server has hundreds of request counters, few of which move during a trial.)
    """

    def __init__(self, pages: Sequence[Target], sink: Sink) -> None:
        self._pages = pages
        self._sink = sink
        self._session: aiohttp.ClientSession | None = None
        self._complained: set[Target] = set()
        self._last: dict[Target, dict[tuple[str, str], float]] = {page: {} for page in pages}
        self._contexts: dict[ClientTls, ssl.SSLContext] = {}
        self._turn = asyncio.Lock()
        self.resting: frozenset[str] = frozenset()
        """Sources that the manager does not run for: its programs of them are not there to be read."""

    async def __aenter__(self) -> Scraper:
        """Open the session; nothing is scraped yet."""
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        self._session = aiohttp.ClientSession(timeout=timeout, trust_env=False, cookie_jar=aiohttp.DummyCookieJar())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()

    async def scrape(self) -> None:
        """Read every page once and record what is kept of it; after one that is under way, so that no counter seems
        to fall."""
        async with self._turn:
            await asyncio.gather(*(self._record(page) for page in self._awake()))

    async def busy(self, seconds: float) -> str:
        """Which program works, looking twice `seconds` apart: its queue is not empty or it sends requests. Empty: none.

        This sees what no watch shows: re-syncs that only read, yet use up the tokens of a client's rate limiter.
        """
        pages = [page for page in self._awake() if page.busy]
        if not pages:
            return ""
        began = time.monotonic()
        before = await asyncio.gather(*(self._page(page) for page in pages))
        await asyncio.sleep(seconds)
        after = await asyncio.gather(*(self._page(page) for page in pages))
        elapsed = time.monotonic() - began
        for page, first, second in zip(pages, before, after, strict=True):
            depth = sum(
                series.value
                for series in second
                if series.name == "workqueue_depth" and series.labels not in page.unserved
            )
            sent = _requests(second) - _requests(first)
            if depth > 0:
                return f"{page.component} has {depth:g} entries in its queues"
            if sent / elapsed > BUSY_REQUESTS_PER_SECOND:
                return f"{page.component} sends {sent / elapsed:.1f} requests per second"
        return ""

    def _awake(self) -> list[Target]:
        return [page for page in self._pages if page.client or page.cluster not in self.resting]

    async def _record(self, page: Target) -> None:
        samples = await self._page(page)
        ns, wall = time.monotonic_ns(), time.time_ns()
        last = self._last[page]
        for series in samples:
            if last.get((series.name, series.labels)) == series.value:
                continue
            last[series.name, series.labels] = series.value
            self._sink.record(
                MetricSample(
                    ns=ns,
                    wall=wall,
                    component=page.component,
                    cluster=page.cluster,
                    name=series.name,
                    labels=series.labels,
                    value=series.value,
                )
            )

    async def _page(self, page: Target) -> list[Series]:
        try:
            text = await (page.client.metrics() if page.client else self._text(page))
        except (KubeError, aiohttp.ClientError, TimeoutError, OSError) as error:
            if page not in self._complained:
                self._complained.add(page)
                text = f"{page.component}: its metrics cannot be read ({error})"
                self._sink.anomaly("metrics", text, cluster=page.cluster)
            return []
        # In a thread: an API server's page has tens of thousands of lines, and the loop stamps events meanwhile.
        return await asyncio.to_thread(kept, text, page.kept)

    async def _text(self, page: Target) -> str:
        if self._session is None:
            raise RuntimeError("use the scraper inside its `async with`")
        if page.tls is not None and page.tls not in self._contexts:
            self._contexts[page.tls] = client_context(page.tls)
        trust = True if page.tls is None else self._contexts[page.tls]
        name = page.tls.server_name if page.tls is not None and page.tls.server_name else None
        async with self._session.get(page.url, ssl=trust, server_hostname=name) as response:
            response.raise_for_status()
            return await response.text()


def _requests(samples: Sequence[Series]) -> float:
    return sum(series.value for series in samples if series.name == "rest_client_requests_total")
