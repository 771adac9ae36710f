"""The client limit of virt-controller, which it reads from the KubeVirt object while it runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fleet.kube.client import KubeClient
from fleet.platforms.kubevirt import names
from fleet.platforms.kubevirt.objects import rates

BURST = 2
"""Times the limit, as KubeVirt's own defaults have it."""


async def limit_of(client: KubeClient) -> dict[str, Any]:
    """The part of the KubeVirt object's configuration that has it."""
    found = await client.get(names.KUBEVIRTS, names.CR, names.NAMESPACE)
    configuration = found["spec"].get("configuration") or {}
    return {"controllerConfiguration": configuration.get("controllerConfiguration")}


async def set_limit(client: KubeClient, qps: float) -> None:
    """So many requests per second, twice as many at once."""
    await _write(client, rates("controller", qps, round(BURST * qps)))


@asynccontextmanager
async def limited(client: KubeClient, kept: dict[str, Any]) -> AsyncIterator[None]:
    """At its end the limit is again what it was, however the run ended."""
    try:
        yield
    finally:
        if await limit_of(client) != kept:
            await _write(client, kept)


async def _write(client: KubeClient, configuration: dict[str, Any]) -> None:
    await client.patch(names.KUBEVIRTS, names.CR, {"spec": {"configuration": configuration}}, names.NAMESPACE)
