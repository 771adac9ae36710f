"""The open-loop sender against a fake API server in a process of its own: what the driver itself can keep up with.

Each run writes a run folder as an experiment does, and is judged by what the folder says.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

import uvloop

from fleet.analysis.fidelity import MOST_LAG_SECONDS, LoadFidelity, fidelity
from fleet.analysis.recorded import record
from fleet.experiment.sender import Sender
from fleet.kube.client import KubeClient
from fleet.kube.endpoint import Endpoint
from fleet.managers.none.manager import MANAGER
from fleet.managers.none.record import RECORD
from fleet.model.experiment_file import Workload
from fleet.model.load_shape import LoadShape
from fleet.model.run_names import RunNames
from fleet.observe.recorder import Recorder
from fleet.observe.tracker import Tracker
from fleet.results.events import Line, Planned, TrialPlan
from fleet.results.folder import RunFolder
from fleet.testing.api_server.server import FakeApiServer
from fleet.workload.content import Plain
from fleet.workload.layouts import policies
from fleet.workload.objects import WorkloadObject, objects
from fleet.workload.pacing import due, schedule
from tests.bench.ratios import Ratio, paired

RATE, WECS, SECONDS = 50, 20, 20
TRIAL = "t000"
NAMES = RunNames("20261122T170000Z-0a1b2c3d")


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
        for item in objects(policy, content, RATE * SECONDS // WECS, manager=MANAGER, names=NAMES, trial=TRIAL)
    ]
    shape = LoadShape.model_validate({"poissonLoad": {"expectedActionsPerSecond": RATE}})
    with tempfile.TemporaryDirectory() as results:
        folder = RunFolder.create(Path(results), "bench-load", datetime.now(UTC))
        with folder.event_log() as log:
            recorder = Recorder(log, lambda _: None, Tracker(names=NAMES, sources=("fake",)))
            for line in _plan(clusters, made, str(shape)):
                recorder.record(line)
            async with KubeClient(Endpoint(cluster="fake", server=url)) as client:
                await Sender({"fake": client}, recorder).send(
                    due([[item] for item in made], schedule(shape, len(made), seed=seed))
                )
        (found,) = fidelity(record(folder.events(), RECORD, source="fake", object_timeout=None))
    return found


def _plan(clusters: tuple[str, ...], made: Sequence[WorkloadObject], load: str) -> Iterator[Line]:
    """The lines by which a run folder says what its one trial was to send."""
    ns, wall = time.monotonic_ns(), time.time_ns()
    yield TrialPlan(
        ns=ns,
        wall=wall,
        trial=TRIAL,
        layout="one-to-one",
        wecs=WECS,
        repeat=0,
        clusters=[*clusters],
        kind="deployment",
        load=load,
    )
    for item in made:
        yield Planned(
            ns=ns, wall=wall, trial=TRIAL, op=item.op, policy=item.policy, ref=item.ref, clusters=[*item.clusters],
            status=item.status, source="fake",
        )  # fmt: skip


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
