"""ui-load makes its objects over all WECs in turn, and says how many run when the time is up."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fleet.errors import DeadlineError
from fleet.experiment.progress import Silent
from fleet.experiment.session import Session
from fleet.experiments.ui_load.grown import Grown
from fleet.experiments.ui_load.spec import UiLoad
from fleet.kube.client import KubeClient
from fleet.kube.resources import DEPLOYMENTS, NAMESPACES, PODS
from fleet.model.run_names import RunNames
from tests.unit.experiment.plain_fleets import PlainFleet

NODES = {"wec001": ["a", "b"], "wec002": ["c"]}
NAMES = RunNames("20260101T000000Z-abcdef01")


class Counted(Silent):
    """Keeps what it is shown."""

    def __init__(self) -> None:
        self.shown: list[tuple[int, int]] = []

    def marks(self, done: int, total: int) -> None:
        """Kept."""
        self.shown.append((done, total))


def session(clients: Any, **fields: Any) -> Session:
    """What `Grown` reads of one."""
    chosen = UiLoad.model_validate({"experiment": "ui-load", **fields})
    return cast("Session", SimpleNamespace(
        spaces=SimpleNamespace(wecs=clients), names=NAMES, spec=chosen, progress=Counted()
    ))  # fmt: skip


@asynccontextmanager
async def growing(folder: Path, wecs: int, **fields: Any) -> AsyncIterator[tuple[PlainFleet, Grown]]:
    async with PlainFleet(folder, wecs) as fleet, AsyncExitStack() as stack:
        clients = {}
        for name, server in fleet.wecs.items():
            server.store.create(NAMESPACES, {"metadata": {"name": NAMES.namespace}})
            client = KubeClient.from_kubeconfig(folder / f"{name}.kubeconfig", cluster=name)
            clients[name] = await stack.enter_async_context(client)
        yield fleet, Grown(session(clients, **fields), sorted(clients), NODES)


async def test_placed_pods_name_the_nodes_of_their_wec_in_turn(tmp_path: Path) -> None:
    async with growing(tmp_path, 2, by="placed") as (fleet, grown):
        await grown.to(8)
        nodes = {
            name: Counter(pod["spec"]["nodeName"] for pod in server.store.objects(PODS))
            for name, server in fleet.wecs.items()
        }
    assert nodes == {"wec001": {"a": 2, "b": 2}, "wec002": {"c": 4}}


async def test_progress_is_shown_while_pods_are_made_and_ends_with_all(tmp_path: Path) -> None:
    async with growing(tmp_path, 1, by="placed") as (_, grown):
        await grown.to(8)
    shown = cast("Counted", grown.session.progress).shown
    assert len(shown) > 8  # one for each that was made, and those of the wait
    assert {total for _, total in shown} == {8}
    assert [done for done, _ in shown] == sorted(done for done, _ in shown)
    assert shown[-1] == (8, 8)


async def test_pods_alone_name_no_node(tmp_path: Path) -> None:
    async with growing(tmp_path, 1, by="pod") as (fleet, grown):
        await grown.to(2)
        found = fleet.wecs["wec001"].store.objects(PODS)
    assert [item["spec"].get("nodeName") for item in found] == [None, None]


async def test_deployments_are_of_one_replica_and_what_does_not_run_in_time_is_counted(tmp_path: Path) -> None:
    # Nothing makes pods of Deployments in this fleet.
    async with growing(tmp_path, 1, timeouts={"object": "1s"}) as (fleet, grown):
        with pytest.raises(DeadlineError, match=r"0 of 2 pods ran within 1 s: raise timeouts\.object"):
            await grown.to(2)
        found = fleet.wecs["wec001"].store.objects(DEPLOYMENTS)
    assert [item["spec"]["replicas"] for item in found] == [1, 1]
