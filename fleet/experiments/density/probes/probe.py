"""One question to a control plane, and waiting for what only a controller of it can bring about."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fleet.kube.client import KubeClient
from fleet.kube.errors import NotFound
from fleet.kube.resources import Resource

SECONDS = 30.0
"""Within which a controller must have acted."""
POLL = 0.1


@dataclass(frozen=True)
class Planes:
    """Two control planes of one kind, each with this namespace."""

    one: KubeClient
    other: KubeClient
    namespace: str


@dataclass(frozen=True)
class Probe:
    """`ask` returns why the control plane cannot; empty when it can. Errors of the server, and TimeoutError, are
    reasons too."""

    name: str
    what: str
    ask: Callable[[Planes], Awaitable[str]]


async def until(holds: Callable[[], Awaitable[bool]], seconds: float = SECONDS) -> bool:
    """Whether it came to hold in time."""
    deadline = time.monotonic() + seconds
    while not await holds():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(POLL)
    return True


async def gone(client: KubeClient, resource: Resource, name: str, namespace: str | None = None) -> bool:
    """Whether there is no such object."""
    try:
        await client.get(resource, name, namespace)
    except NotFound:
        return True
    return False
