"""The open loop sends on schedule whatever the answers do; the closed one waits for them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest

from fleet.experiment.sender import Sender
from fleet.managers.kubestellar.manager import MANAGER
from fleet.model.experiment_file import Workload
from fleet.model.run_names import RunNames
from fleet.observe.recorder import Recorder
from fleet.observe.tracker import Tracker
from fleet.results import events
from fleet.testing.api_server.server import FakeApiServer
from fleet.workload.content import Plain
from fleet.workload.layouts import policies
from fleet.workload.objects import WorkloadObject, objects
from fleet.workload.pacing import Due

NAMES = RunNames("20261122T170000Z-0a1b2c3d")


class Kept:
    """A log in memory."""

    def __init__(self) -> None:
        self.lines: list[events.Line] = []

    def append(self, line: events.Line) -> None:
        self.lines.append(line)

    def sync(self) -> None:
        """Nothing to do."""


@pytest.fixture
async def server() -> AsyncIterator[FakeApiServer]:
    async with FakeApiServer() as running:
        yield running


def items(count: int) -> tuple[WorkloadObject, ...]:
    content = Plain(Workload(kind="configmap"))
    (policy,) = policies(
        "one-to-many", ("wec001",), resources=content.resources, names=NAMES, group=0, sources=["wds1"]
    )
    return objects(policy, content, count, manager=MANAGER, names=NAMES, trial="t000")


async def sends(server: FakeApiServer, writes: list[Due], parallel: int | None = None) -> list[events.Sent]:
    kept = Kept()
    recorder = Recorder(kept, lambda _: None, Tracker(names=NAMES, sources=("wds1",)))
    async with server.client() as client:
        await Sender({"wds1": client}, recorder, pause=0.01).send(writes, parallel=parallel)
    return [line for line in kept.lines if isinstance(line, events.Sent)]


async def test_an_open_loop_does_not_wait_for_answers(server: FakeApiServer) -> None:
    server.fail.delay_seconds = 0.5
    made = items(10)
    began = time.monotonic()
    found = await sends(server, [Due(number * 0.01, item) for number, item in enumerate(made)])
    # Ten answers of half a second each, one after another, would take five.
    assert time.monotonic() - began < 4.0
    assert [line.code for line in found] == [201] * 10
    scheduled = sorted(line.scheduled_ns for line in found)
    assert [round((ns - scheduled[0]) / 1e6) for ns in scheduled] == [10 * number for number in range(10)]
    assert all(line.sent_ns >= line.scheduled_ns for line in found)
    first_answer = min(line.ns for line in found)
    assert all(line.sent_ns < first_answer for line in found)


async def test_a_closed_loop_leaves_at_most_so_many_unanswered(server: FakeApiServer) -> None:
    server.fail.delay_seconds = 0.02
    found = await sends(server, [Due(0.0, item) for item in items(6)], parallel=2)
    assert len(found) == 6
    spans = [(line.sent_ns, line.ns) for line in found]
    assert max(sum(1 for a, b in spans if a <= at < b) for at, _ in spans) <= 2


async def test_what_was_refused_is_told_once_and_the_rest_goes_on(server: FakeApiServer) -> None:
    made = items(3)
    server.store.create(made[1].resource, made[1].write.body, made[1].ref.namespace)
    found = await sends(server, [Due(0.0, item) for item in made])
    assert sorted(line.code for line in found) == [201, 201, 409]
