"""Marks of objects: the first time only, under their trial, with what happens to the cluster alongside."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from fleet.kube import resources
from fleet.kube.client import KubeClient
from fleet.model.run_names import RunNames
from fleet.observe.marks import Mark, MarkWatch, Object
from fleet.observe.recorder import Recorder
from fleet.observe.tracker import Tracker
from fleet.results import events
from fleet.testing.api_server.server import FakeApiServer
from tests.unit.observe.test_sampling import Kept


def read(item: Object) -> Iterable[Mark]:
    value = (item.get("data") or {}).get("value")
    return [("filled", value)] if value else []


def body(name: str, **data: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "n"}, "data": data}


async def test_each_mark_is_told_once_and_a_cluster_that_dies_is_down_until_it_is_back(tmp_path: Path) -> None:
    log = Kept()
    recorder = Recorder(log, lambda line: None, Tracker(names=RunNames("r-n"), sources=()))  # noqa: ARG005
    async with FakeApiServer("wec001", tls=True) as server:
        server.store.create(resources.CONFIGMAPS, body("old"), "n")
        file = server.write_kubeconfig(tmp_path / "kubeconfig")
        async with KubeClient.from_kubeconfig(file, cluster="wec001") as client:
            watch = MarkWatch(client, resources.CONFIGMAPS, read, recorder, trial="t000", namespace="n")
            async with watch:
                watch.trial = "t001"
                for value in ("1", "2"):
                    server.store.update(
                        resources.CONFIGMAPS, "old", "n", lambda was, v=value: {**was, "data": {"value": v}}
                    )
                server.store.create(resources.CONFIGMAPS, body("new", value="3"), "n")
                assert await watch.reached("filled", 1, timeout=5)
                await server.stop()
                assert await recorder.until(lambda: "wec001" in recorder.down, timeout=10)
                await server.start()
                assert await recorder.until(lambda: not recorder.down, timeout=20)
                server.store.delete(resources.CONFIGMAPS, "new", "n")
                assert await watch.reached("deleted", 1, timeout=20)
            assert not await watch.reached("deleted", 2, timeout=0.1)
    told = [
        (line.name, line.mark, line.trial, line.data, line.listed)
        for line in log.lines
        if isinstance(line, events.MarkSeen)
    ]
    assert told == [
        ("old", "created", "t000", None, True),
        ("old", "filled", "t000", "1", False),
        ("new", "created", "t001", None, False),
        ("new", "filled", "t001", "3", False),
        ("new", "deleted", "t001", None, False),
    ]
    assert watch.count("filled", "t000") == 1
    assert [line.state for line in log.lines if isinstance(line, events.ClusterState)] == ["down", "up"]
