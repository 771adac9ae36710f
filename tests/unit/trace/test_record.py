"""Recording from fake clusters: all at once, by their watches, with what was there before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from fleet.kube import resources
from fleet.kube.client import KubeClient
from fleet.model.run_names import ENTRY_ANNOTATION
from fleet.testing.api_server.server import FakeApiServer
from fleet.trace.record import OVER, PodRecorder
from tests.unit.experiment.stand_in import set_status


@pytest.fixture
async def clusters(tmp_path: Path) -> AsyncIterator[list[FakeApiServer]]:
    async with FakeApiServer("w1", tls=True) as first, FakeApiServer("w2", tls=True) as second:
        for server in (first, second):
            server.write_kubeconfig(tmp_path / f"{server.cluster}.kubeconfig")
        yield [first, second]


def pod(server: FakeApiServer, name: str, **meta: Any) -> None:
    body = {"metadata": {"name": name, **meta}, "spec": {"containers": [{"resources": {"requests": {"cpu": "1"}}}]}}
    server.store.create(resources.PODS, body, "default")


def status(server: FakeApiServer, name: str, phase: str, code: int | None = None) -> None:
    terminated = [] if code is None else [{"state": {"terminated": {"exitCode": code}}}]
    set_status(server.store, resources.PODS, name, "default", {"phase": phase, "containerStatuses": terminated})


async def test_pods_of_all_clusters_are_recorded_on_one_clock(clusters: list[FakeApiServer], tmp_path: Path) -> None:
    first, second = clusters
    pod(first, "old")
    pod(first, "over")
    status(first, "old", "Running")
    status(first, "over", "Succeeded", 0)
    clients = [
        KubeClient.from_kubeconfig(tmp_path / f"{server.cluster}.kubeconfig", cluster=server.cluster)
        for server in clusters
    ]
    recorder, stop = PodRecorder(clients), asyncio.Event()

    async def until(true: Any) -> None:
        async with asyncio.timeout(10):
            while not true():  # noqa: ASYNC110 - what is looked at has no event
                await asyncio.sleep(0.01)

    task = asyncio.create_task(recorder.run(stop))
    await until(lambda: recorder.began)
    pod(second, "job-1", annotations={ENTRY_ANNOTATION: "p007"}, ownerReferences=[{"kind": "Job", "name": "job"}])
    pod(second, "web")
    await until(lambda: recorder.pods == 4)
    for name in ("job-1", "web"):
        status(second, name, "Running")
    await asyncio.sleep(0.1)  # how long they run
    status(second, "job-1", "Failed", 4)
    second.store.delete(resources.PODS, "web", "default")
    first.store.delete(resources.PODS, "old", "default")
    await until(lambda: recorder.ended == 4)
    stop.set()
    await task
    made = recorder.trace()
    for client in clients:
        await client.close()

    found = {one.key: one for one in made.pods}
    assert set(found) == {"w1/default/old", "p007", "w2/default/web"}
    assert (found["w1/default/old"].before, found["w1/default/old"].end, found["w1/default/old"].t) == (
        True,
        "deleted",
        0,
    )
    job = found["p007"]
    assert (job.end, job.exit, job.cluster, job.requests) == ("failed", 4, "w2", {"cpu": "1"})
    assert job.owner is not None
    assert (job.owner.kind, job.owner.name) == ("Job", "job")
    assert job.life is not None
    assert job.life >= 0.1
    assert found["w2/default/web"].end == "deleted"
    assert made.header.left_out == {OVER: 1}
    assert (made.header.source, made.header.clock, made.header.complete) == ("record", "receipt", True)
    assert made.header.clusters == ["w1", "w2"]
