"""The frontend's process: Node or Chromium with a page, and the socket over which it gets its orders."""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import psutil
from aiohttp import WSMsgType, web

from fleet.errors import DeadlineError, MeasurementError, UsageError
from fleet.experiments.ui_load.backend import BUNDLE, Backend
from fleet.experiments.ui_load.spec import Page, Runtime
from fleet.host.files import private_directory, write_private
from fleet.host.process_stats import weigh_pid
from fleet.observe.tethered import Tethered, tethered

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
NODE, PAGE_PROGRAM, NODE_PROGRAM = "node", "headlamp-page", "headlamp-node"
START_SECONDS = 60.0
RENDERER = "--type=renderer"
HEAP_MIB = 8192
"""Largest heap of the frontend: what fits is to be seen, not V8's default."""
LOG_LINES = 5
FLAGS = (
    "--enable-precise-memory-info",
    "--window-size=1280,900",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--enable-logging=stderr",
    "--no-sandbox",
)
"""Of the browser. Its sandbox needs user namespaces, which root in a container often has not; the page is our own."""
INDEX = """<!doctype html>
<html><head><meta charset="utf-8"><title>Headlamp</title></head>
<body><div id="root"></div>
<script>window.headlampBaseUrl = {base}; window.fleet = {fleet};</script>
<script type="module" src="{bundle}"></script>
</body></html>
"""
START = '<!doctype html><meta http-equiv="refresh" content="0; url={url}">'
"""A command line is for everybody's eyes, and the URL holds a secret: the browser begins at a private file."""


def browser() -> str:
    """Path of the browser; UsageError when there is none."""
    return _found(BROWSERS, "chromium", "a browser")


def node() -> str:
    """Path of Node; UsageError when there is none."""
    return _found((NODE,), "nodejs", "Node")


def _found(names: Sequence[str], package: str, what: str) -> str:
    for name in names:
        if path := shutil.which(name):
            return path
    raise UsageError(f"clients: {what} is needed and none of {', '.join(names)} is in PATH: apt-get install {package}")


@dataclass(frozen=True)
class Wanted:
    """What a client is to show."""

    runtime: Runtime
    page: Page
    clusters: Sequence[str]


@dataclass
class Client:
    """One that runs and is connected."""

    tethered: Tethered
    log: Path
    socket: web.WebSocketResponse
    answers: asyncio.Queue[Mapping[str, Any]]
    offset_ns: float = field(default=0.0)
    """The driver's monotonic nanoseconds less the client's `performance.now()`."""
    slack_ns: float = field(default=0.0)
    """How far that may be off: what passed between question and answer."""

    async def order(self, name: str, seconds: float) -> Mapping[str, Any]:
        """Its answer. MeasurementError when it fails or has ended, DeadlineError when its time is up."""
        await self.socket.send_str(json.dumps({"order": name}))
        return await self._answer(name, seconds)

    async def clock(self) -> None:
        """Learn how the two clocks differ, from the quickest of some answers."""
        best = float("inf")
        for _ in range(10):
            begin = time.monotonic_ns()
            said = await self.order("clock", START_SECONDS)
            took = time.monotonic_ns() - begin
            if took < best:
                best, self.slack_ns = took, took / 2
                self.offset_ns = begin + took / 2 - float(said["now"]) * 1e6

    def ns(self, now: float) -> int:
        """One of its stamps (milliseconds) on the driver's clock."""
        return round(now * 1e6 + self.offset_ns)

    def cpu_seconds(self) -> float:
        """Of all its processes."""
        total = 0.0
        for one in self._processes():
            try:
                used = one.cpu_times()
            except psutil.Error:  # it ended meanwhile
                continue
            total += used.user + used.system
        return total

    def page_pid(self) -> int:
        """Of the process that runs the page: of a browser its largest renderer."""
        found = []
        for one in self._processes():
            try:
                if RENDERER in one.cmdline():
                    found.append((one.memory_info().rss, one.pid))
            except psutil.Error:  # it ended meanwhile
                continue
        return max(found)[1] if found else self.tethered.pid

    def pss(self) -> int:
        """Bytes of all its processes together."""
        found = [weigh_pid("client", one.pid) for one in self._processes()]
        return sum(one.pss for one in found if one is not None)

    def _processes(self) -> list[psutil.Process]:
        try:
            first = psutil.Process(self.tethered.pid)
            return [first, *first.children(recursive=True)]
        except psutil.Error:
            return []

    async def _answer(self, name: str, seconds: float) -> Mapping[str, Any]:
        waiting = asyncio.create_task(self.answers.get())
        try:
            async with asyncio.timeout(seconds):
                await asyncio.wait({waiting, self.tethered.ended}, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError as error:
            raise DeadlineError(f"the frontend did not answer `{name}` within {seconds:.0f} s{self._said()}") from error
        finally:
            waiting.cancel()
        if not waiting.done() or waiting.cancelled():
            raise MeasurementError(f"the frontend ended during `{name}`{self._said()}")
        said = waiting.result()
        if said["answer"] != name:
            raise MeasurementError(
                f"the frontend failed at `{name}`: {said.get('error', said['answer'])}{self._said()}"
            )
        return said

    def _said(self) -> str:
        return _end(self.log)


@asynccontextmanager
async def connected(
    wanted: Wanted, backend: Backend, programs: Mapping[Runtime, Path], folder: Path, log: Path
) -> AsyncIterator[Client]:
    """The client inside the block, ready for orders. `programs`: the bundle of each runtime; `folder` is private and
    has the folder `static` that the backend serves."""
    async with AsyncExitStack() as stack:
        sockets: asyncio.Queue[web.WebSocketResponse] = asyncio.Queue()
        answers: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
        driver = await stack.enter_async_context(_listening(sockets, answers))
        argv = await asyncio.to_thread(_prepared, wanted, backend, programs, folder, driver)
        held = await stack.enter_async_context(tethered(argv, log))
        waiting = asyncio.create_task(sockets.get())
        try:
            async with asyncio.timeout(START_SECONDS):
                await asyncio.wait({waiting, held.ended}, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError as error:
            waiting.cancel()
            raise DeadlineError(f"{argv[0]} did not open the page within {START_SECONDS:.0f} s{_end(log)}") from error
        if not waiting.done():
            waiting.cancel()
            raise MeasurementError(
                f"{argv[0]} ended with code {held.ended.result()} before it opened the page{_end(log)}"
            )
        client = Client(held, log, waiting.result(), answers)
        await client.clock()
        yield client


def _prepared(
    wanted: Wanted, backend: Backend, programs: Mapping[Runtime, Path], folder: Path, driver: str
) -> Sequence[str]:
    """Writes what the client reads; its command line."""
    clusters = list(wanted.clusters)
    url = backend.page(f"{'+'.join(clusters)}/{wanted.page}")
    fleet = {"driver": driver, "page": wanted.page, "clusters": clusters, "tables": wanted.runtime == "chromium"}
    if wanted.runtime == "node":
        file = folder / "fleet.json"
        write_private(file, json.dumps({**fleet, "url": url, "base": backend.base}).encode())
        return [node(), "--expose-gc", f"--max-old-space-size={HEAP_MIB}", str(programs["node"]), str(file)]
    static, profile = folder / "static", folder / "profile"
    shutil.rmtree(profile, ignore_errors=True)
    private_directory(profile)
    shutil.copyfile(programs["chromium"], static / BUNDLE)
    text = INDEX.format(base=json.dumps(backend.base), fleet=json.dumps(fleet), bundle=f"{backend.base}/{BUNDLE}")
    write_private(static / "index.html", text.encode())
    start = folder / "start.html"
    write_private(start, START.format(url=url).encode())
    return [
        browser(),
        "--headless=new",
        f"--user-data-dir={profile}",
        f"--js-flags=--expose-gc --max-old-space-size={HEAP_MIB}",
        *FLAGS,
        start.as_uri(),
    ]


def _end(log: Path) -> str:
    """The last lines of a log, to be added to a sentence."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return "".join(f" / {line.strip()}" for line in lines[-LOG_LINES:] if line.strip())


@asynccontextmanager
async def _listening(
    sockets: asyncio.Queue[web.WebSocketResponse], answers: asyncio.Queue[Mapping[str, Any]]
) -> AsyncIterator[str]:
    """The URL of a socket for one client, inside the block."""
    path = f"/{secrets.token_hex(16)}"

    async def opened(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=0, compress=False)
        await socket.prepare(request)
        await sockets.put(socket)
        async for message in socket:
            if message.type == WSMsgType.TEXT:
                await answers.put(orjson.loads(message.data))
        await answers.put({"answer": "closed", "error": "its page has ended"})
        return socket

    application = web.Application()
    application.router.add_get(path, opened)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        yield f"ws://127.0.0.1:{port}{path}"
    finally:
        await runner.cleanup()
