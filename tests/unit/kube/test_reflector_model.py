"""Any order of changes and faults: what the reflector delivered must equal what the server did, or be marked."""

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from fleet.kube.client import KubeClient
from fleet.kube.events import Gap, WatchEvent
from fleet.kube.reflector import Reflector
from fleet.kube.resources import CONFIGMAPS
from fleet.testing.api_server.server import FakeApiServer
from fleet.testing.api_server.store import kind_of
from tests.unit.kube.conftest import config_map

NAMES = st.sampled_from("abcde")
COUNTED = ("gone_on_watch", "gone_event", "error_event", "empty_watch", "garbage_line", "gone_on_continue")
REFUSING = ("status_429", "status_500", "status_503", "status_403", "drop")


class ReflectorMachine(RuleBasedStateMachine):
    """The server lives in a loop that runs only inside `breathe` and `settle`: rules between them are one moment."""

    @initialize(before=st.lists(NAMES, unique=True), page_size=st.integers(1, 4), selected=st.booleans())
    def begin(self, before: list[str], page_size: int, selected: bool) -> None:
        self.loop = asyncio.new_event_loop()
        self.selector = "chosen=yes" if selected else None
        self.events: list[WatchEvent] = []
        self.covered: list[tuple[int, int]] = []
        self.known = 0
        self.up = True
        self.run(self._start(page_size, before))

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(asyncio.wait_for(work, 20))

    async def _start(self, page_size: int, before: list[str]) -> None:
        self.server = FakeApiServer()
        await self.server.start()
        for name in before:
            self.server.store.create(CONFIGMAPS, config_map(name, labels={"chosen": "yes"}))
        self.first = self.known = self.server.store.version
        self.client = KubeClient(self.server.endpoint())
        self.reflector = Reflector(
            self.client,
            CONFIGMAPS,
            self._event,
            on_gap=self._gap,
            label_selector=self.selector,
            page_size=page_size,
            pauses=(0.0005, 0.004),
        )
        self.task = asyncio.create_task(self.reflector.run())
        await self.reflector.wait_synced(5)

    def _event(self, event: WatchEvent) -> None:
        self.events.append(event)
        if not event.listed:
            self.known = max(self.known, int(event.object["metadata"]["resourceVersion"]))

    def _gap(self, gap: Gap) -> None:
        assert gap.start_ns <= gap.end_ns
        self.covered.append((self.known, self.server.store.version))
        self.known = self.server.store.version

    # What the world does

    def exists(self, name: str) -> bool:
        return any(held["metadata"]["name"] == name for held in self.server.store.objects(CONFIGMAPS))

    @rule(name=NAMES, chosen=st.sampled_from(["yes", "no"]))
    def change(self, name: str, chosen: str) -> None:
        store = self.server.store
        labels = {"chosen": chosen}
        if self.exists(name):
            value = {"value": str(store.version)}
            store.update(
                CONFIGMAPS,
                name,
                "default",
                lambda old: {**old, "metadata": {**old["metadata"], "labels": labels}, "data": value},
            )
        else:
            store.create(CONFIGMAPS, config_map(name, labels=labels))

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        if self.exists(name):
            self.server.store.delete(CONFIGMAPS, name, "default")

    @rule(fault=st.sampled_from(COUNTED + REFUSING), times=st.integers(1, 3))
    def break_requests(self, fault: str, times: int) -> None:
        setattr(self.server.fail, fault, times)

    @rule(after=st.integers(0, 3), middle=st.booleans())
    def break_next_watch(self, after: int, middle: bool) -> None:
        self.server.fail.cut_after, self.server.fail.cut_mid_line = after, middle

    @rule()
    def compact(self) -> None:
        self.server.compact()

    @rule(polite=st.booleans())
    def end_watches(self, polite: bool) -> None:
        if polite:
            self.server.end_watches()
        else:
            self.server.cut_watches()

    @rule()
    def bookmark(self) -> None:
        self.server.bookmark()

    @precondition(lambda self: self.up)
    @rule()
    def kill(self) -> None:
        self.up = False
        self.run(self.server.stop())

    @precondition(lambda self: not self.up)
    @rule()
    def restart(self) -> None:
        self.up = True
        self.run(self.server.start())

    @rule(name=NAMES)
    def recreate(self, name: str) -> None:
        self.delete(name)
        self.change(name, "yes")

    @precondition(lambda self: self.up)
    @rule(name=NAMES, fault=st.sampled_from(["gone_event", "gone_on_watch", "cut", "bookmark"]))
    def catch_up_then_lose(self, name: str, fault: str) -> None:
        """The watch delivers some changes; then it breaks, and the object is made again before the next one opens."""
        self.change(name, "yes")
        self.change(name, "yes")
        self.settle()
        if fault == "bookmark":
            self.server.bookmark()
            self.breathe(12)
        elif fault != "cut":
            setattr(self.server.fail, fault, 1)
        self.server.cut_watches()
        self.recreate(name)

    @rule(steps=st.integers(1, 12))
    def breathe(self, steps: int) -> None:
        async def some_turns() -> None:
            for _ in range(steps):
                await asyncio.sleep(0.0003)

        self.run(some_turns())

    # What must hold

    @rule()
    def settle(self) -> None:
        """With all faults gone, the reflector ends at what the server holds."""
        if not self.up:
            self.restart()
        fail = self.server.fail
        for fault in COUNTED + REFUSING:
            setattr(fail, fault, 0)
        fail.cut_after = None

        # Equal views alone do not prove that all was delivered (an object may have come and gone): a last change does.
        self.change("sentinel", "yes")
        last = self.server.store.version

        async def equal() -> None:
            while int(self.reflector.resource_version or 0) < last or self.reflector.versions() != self.held():
                assert not self.task.done()
                await asyncio.sleep(0.001)

        self.run(equal())
        self.check_order()
        self.check_completeness()

    def chosen(self, obj: Any) -> bool:
        return self.selector is None or obj["metadata"]["labels"]["chosen"] == "yes"

    def held(self) -> dict[tuple[str, str], tuple[str, str]]:
        metadata = [o["metadata"] for o in self.server.store.objects(CONFIGMAPS) if self.chosen(o)]
        return {(m["namespace"], m["name"]): (m["uid"], m["resourceVersion"]) for m in metadata}

    def check_order(self) -> None:
        """Per uid: versions grow, ADDED and DELETED alternate, nothing is delivered twice."""
        told = set()
        last: dict[str, int] = {}
        alive: set[str] = set()
        for event in self.events:
            metadata = event.object["metadata"]
            uid, version = metadata["uid"], int(metadata["resourceVersion"])
            assert (uid, version, event.type) not in told
            told.add((uid, version, event.type))
            assert version > last.get(uid, 0) or (event.type == "DELETED" and event.gap and version == last[uid])
            last[uid] = version
            assert (uid in alive) == (event.type != "ADDED")
            (alive.discard if event.type == "DELETED" else alive.add)(uid)
        assert alive == {uid for uid, _ in self.held().values()}

    def check_completeness(self) -> None:
        """Every change after the first list was reported by the watch, or lies inside a gap that was reported."""
        told = {(e.type == "DELETED", int(e.object["metadata"]["resourceVersion"])) for e in self.events if not e.gap}
        for entry in self.server.store.history:
            if entry.version <= self.first or entry.kind != kind_of(CONFIGMAPS):
                continue
            now = entry.after is not None and self.chosen(entry.after)
            was = entry.before is not None and self.chosen(entry.before)
            if not now and not was:
                continue
            inside = any(start < entry.version <= end for start, end in self.covered)
            assert (not now, entry.version) in told or inside, entry

    def teardown(self) -> None:
        if not hasattr(self, "task"):
            return
        try:
            self.settle()
        finally:
            try:
                self.run(self._stop())
            finally:
                self.loop.close()

    async def _stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.client.close()
        await self.server.stop()
        for _ in range(10):  # both ends of cut connections close in the loop's next turns
            await asyncio.sleep(0)


TestReflectorModel = ReflectorMachine.TestCase
TestReflectorModel.settings = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestReflectorModel.pytestmark = [pytest.mark.filterwarnings("error")]
