"""The open-loop sender against a fake API server in a process of its own: what the driver itself can keep up with."""

from __future__ import annotations

import asyncio
import multiprocessing
from multiprocessing.connection import Connection

import uvloop

from fleet.analysis.fidelity import MOST_LAG_SECONDS, LoadFidelity, measure
from fleet.experiment.sender import Sender
from fleet.kube.client import KubeClient
from fleet.kube.endpoint import Endpoint
from fleet.managers.none.manager import MANAGER
from fleet.model.experiment_file import Workload
from fleet.model.load_shape import LoadShape
from fleet.model.run_names import RunNames
from fleet.observe.recorder import Recorder
from fleet.observe.tracker import Tracker
from fleet.results.events import Line, Sent
from fleet.testing.api_server.server import FakeApiServer
from fleet.workload.content import Plain
from fleet.workload.layouts import policies
from fleet.workload.objects import objects
from fleet.workload.pacing import due, schedule
from tests.bench.ratios import Ratio, paired

RATE, WECS, SECONDS = 50, 20, 20
NAMES = RunNames("20261122T170000Z-0a1b2c3d")


class _Kept:
    def __init__(self) -> None:
        self.sends: list[Sent] = []

    def append(self, line: Line) -> None:
        if isinstance(line, Sent):
            self.sends.append(line)

    def sync(self) -> None:
        """Nothing to do."""


def _serve(pipe: Connection) -> None:
    async def main() -> None:
        async with FakeApiServer() as server:
            pipe.send(server.url)
            await asyncio.to_thread(pipe.recv)

    asyncio.run(main())


async def _drive(url: str, seed: str) -> LoadFidelity:
    clusters = tuple(f"wec{number:03d}" for number in range(1, WECS + 1))
    content = Plain(Workload(kind="deployment"))
    made = [
        item
        for policy in policies(
            "one-to-one", clusters, resources=content.resources, names=NAMES, group=0, sources=["fake"]
        )
        for item in objects(policy, content, RATE * SECONDS // WECS, manager=MANAGER, names=NAMES, trial=f"t{seed}")
    ]
    shape = LoadShape.model_validate({"poissonLoad": {"expectedActionsPerSecond": RATE}})
    kept = _Kept()
    recorder = Recorder(kept, lambda _: None, Tracker(names=NAMES, sources=("fake",)))
    async with KubeClient(Endpoint(cluster="fake", server=url)) as client:
        await Sender({"fake": client}, recorder).send(
            due([[item] for item in made], schedule(shape, len(made), seed=seed))
        )
    found = measure("t000", str(shape), kept.sends)
    assert found is not None
    return found


def ratios(repeats: int) -> list[Ratio]:
    """Achieved over offered rate, and the 99th percentile of the lag over the 5 ms that are allowed."""
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,), daemon=True)
    server.start()
    url = ours.recv()
    found = [uvloop.run(_drive(url, str(number))) for number in range(repeats)]
    ours.send("end")
    server.join()
    what = f"open loop, {RATE} objects/s over {WECS} WECs"
    rates = [(one.achieved or 0.0, one.offered or 1.0) for one in found]
    return [
        paired(f"{what}: achieved/offered", "obj/s", [a for a, _ in rates], [b for _, b in rates], ">= 0.99"),
        paired(f"{what}: lag p99/5 ms", "s", [one.lag_p99 for one in found], [MOST_LAG_SECONDS] * repeats, "<= 1"),
    ]
