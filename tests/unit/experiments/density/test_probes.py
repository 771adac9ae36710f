"""Probes against the fake API server, which has no controllers: yes where it can, a reason where it cannot."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fleet.experiments.density.probes import objects, run
from fleet.experiments.density.probes.probe import Planes, Probe
from fleet.kube.resources import CONFIGMAPS, NAMESPACES
from fleet.testing.api_server.server import FakeApiServer


@asynccontextmanager
async def two(*, same: bool = False) -> AsyncIterator[Planes]:
    async with (
        FakeApiServer() as first,
        FakeApiServer() as second,
        first.client() as one,
        (first if same else second).client() as other,
    ):
        for client in (one, other)[: 1 if same else 2]:
            await client.create(NAMESPACES, {"metadata": {"name": "probe"}})
        yield Planes(one, other, "probe")


async def test_isolation() -> None:
    async with two() as planes:
        assert await objects.isolation(planes) == ""
    async with two(same=True) as planes:
        assert await objects.isolation(planes) == "an object of one control plane is in the other"


async def test_what_a_server_refuses_is_its_answer() -> None:
    async def missing(planes: Planes) -> str:
        await planes.one.get(CONFIGMAPS, "none", "probe")
        return ""

    async with two() as planes:
        assert await run._asked(Probe("missing", "", missing), planes) == "NotFound 404"


async def test_every_probe_has_a_name_of_its_own() -> None:
    names = [probe.name for probe in run.PROBES]
    assert len(set(names)) == len(names) == 10
