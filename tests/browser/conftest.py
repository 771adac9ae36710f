"""A real browser (Debian's Chromium) driven by Playwright, and axe-core; tests are skipped where one is not there."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from fleet.analysis.compare import compare
from fleet.analysis.study import analyse
from fleet.live.follow import Follower
from fleet.live.page import body, frame
from fleet.live.server import Pages, served
from fleet.report import render
from fleet.report.compare_html import page as comparison
from fleet.results.events import Anomaly, FaultHealed, FaultInjected, GapSeen, HostSample, Line, RunMark, TrialPlan
from fleet.results.folder import RunFolder
from tests.unit.analysis.simulator import MS, Simulator
from tests.unit.report.made import weighed, write_run

ROOT = Path(__file__).parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
AXE = Path(os.environ.get("FLEET_AXE", ROOT / ".venv/browser/node_modules/axe-core/axe.min.js"))
TIMEOUT_MS = 20_000.0

Open = Callable[..., Page]
"""Opens an address in a page of its own; keywords are those of a browser's context."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test here needs the browser."""
    missing = next((why for why in (_no_browser(), _no_axe()) if why), "")
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))
            if missing:
                item.add_marker(pytest.mark.skip(reason=missing))


def _no_browser() -> str:
    return "" if _browser() else f"none of {', '.join(BROWSERS)} is in PATH: apt-get install chromium"


def _no_axe() -> str:
    return "" if AXE.is_file() else f"{AXE} is missing: `make test-browser` installs it with npm"


def _browser() -> str | None:
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One for all tests."""
    with sync_playwright() as playwright:
        # Its sandbox needs user namespaces, which root in a container often has not.
        started = playwright.chromium.launch(executable_path=_browser(), args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """A page that fails its test when its script does, or when it requests anything from elsewhere."""
    contexts: list[Any] = []
    troubles: list[str] = []

    def open_(address: str, *, loses: bool = False, **context: Any) -> Page:
        """`loses`: what serves the page ends while it is open, which a browser logs."""
        made = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **context})
        contexts.append(made)
        made.set_default_timeout(TIMEOUT_MS)
        page = made.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda said: None if loses else _said(said, troubles))
        page.on("request", lambda request: _own(request.url, address, troubles))
        page.goto(address)
        return page

    yield open_
    for one in contexts:
        one.close()
    assert troubles == []


def _said(message: ConsoleMessage, troubles: list[str]) -> None:
    if message.type in ("error", "warning"):
        troubles.append(message.text)


def _own(asked: str, address: str, troubles: list[str]) -> None:
    if not asked.startswith(address.partition("#")[0]) and not asked.startswith("data:"):
        troubles.append(f"the page requested {asked}")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run over 8 WECs with everything that a report can have: phases, a fault, a gap, a WEC that got nothing."""
    sim = Simulator(seed=5)
    names = [f"wec{number:03d}" for number in range(1, 9)]
    for layout in ("one-to-one", "one-to-many"):
        for repeat in range(-1, 2):
            sim.trial(layout, names, objects=2, repeat=repeat, lost=frozenset({"wec008"} if repeat == 1 else ()))
    lines = weighed(sim.out.ordered())
    folder = write_run(
        tmp_path_factory.mktemp("results"), sorted([*lines, *_beside(lines)], key=lambda one: one.ns), wecs=8
    )
    render(folder)
    return folder


def _beside(lines: list[Line]) -> Iterator[Line]:
    plans = [line for line in lines if isinstance(line, TrialPlan)]
    last = max(line.ns for line in lines)
    for plan, after in zip(plans, [*(later.ns for later in plans[1:]), last], strict=True):
        middle = (plan.ns + after) // 2
        for step, begin, end in (("load", plan.ns, middle), ("drain", middle, after)):
            yield RunMark(ns=begin, wall=0, step=step, edge="begin", trial=plan.trial)
            yield RunMark(ns=end, wall=0, step=step, edge="end", trial=plan.trial)
    trial, at = plans[-1].trial, plans[-1].ns + 100 * MS
    fault = {"trial": trial, "number": 0, "action": "stop", "target": "wec008"}
    yield FaultInjected(ns=at, wall=0, **fault, machine="local", clusters=["wec008"], programs=[])
    yield FaultHealed(ns=at + 2000 * MS, wall=0, **fault)
    yield GapSeen(ns=at, wall=0, cluster="its1", resource="manifestworks", start_ns=at - MS, reason="expired")
    yield Anomaly(ns=at, wall=0, what="late", trial=trial, cluster="wec008", text="the driver could not keep up")
    for number in range(3):
        yield HostSample(ns=plans[0].ns + number * 10_000 * MS, wall=0, host="boot", machines=["local"], cores=2,
                         busy_seconds=number * 9.0, stolen_seconds=0, harness_seconds=number * 1.5)  # fmt: skip


@pytest.fixture(scope="session")
def report(folder: RunFolder) -> str:
    """The address of its report."""
    return (folder.path / "report.html").as_uri()


@pytest.fixture(scope="session")
def compared(folder: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a comparison of the run with itself."""
    study = analyse(folder)
    file = tmp_path_factory.mktemp("compare") / "compare.html"
    file.write_text(comparison(compare(study, study)))
    return file.as_uri()


class LivePage:
    """A live page, served by a thread; `freeze` ends it."""

    def __init__(self, folder: RunFolder) -> None:
        follower = Follower(folder, 6)
        while follower.look():
            pass
        study = follower.study()
        self.body = body(study, follower.progress(study))
        self.report = folder.path / "report.html"
        self.address = ""
        self._loop = asyncio.new_event_loop()
        self._pages: Pages | None = None
        self._ready, self._ended = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))

    def __enter__(self) -> LivePage:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._loop.close()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(10)

    def show(self, html: str) -> None:
        assert self._pages is not None
        asyncio.run_coroutine_threadsafe(self._pages.show(html), self._loop).result(10)

    def freeze(self) -> None:
        assert self._pages is not None
        asyncio.run_coroutine_threadsafe(self._pages.freeze(self.report), self._loop).result(10)

    async def _serve(self) -> None:
        self._pages = Pages(lambda: frame("Experiment"))
        async with served(self._pages) as self.address:
            await self._pages.show(self.body)
            self._ready.set()
            await self._ended.wait()


@pytest.fixture
def live(folder: RunFolder) -> Iterator[LivePage]:
    """The run's live page."""
    with LivePage(folder) as served_:
        yield served_
