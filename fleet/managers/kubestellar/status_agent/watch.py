"""Keeps one reflector of one WEC running for as long as it is wanted."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from fleet.errors import FleetError
from fleet.kube.client import KubeClient
from fleet.kube.reflector import Reflector, WatchEvent
from fleet.kube.resources import Resource
from fleet.kube.view import Key
from fleet.managers.kubestellar.status_agent.queue import Backoff

log = logging.getLogger(__name__)


async def keep_watching(
    client: KubeClient,
    resource: Callable[[], Awaitable[Resource]],
    on_event: Callable[[WatchEvent], None],
    on_listed: Callable[[dict[Key, tuple[str, str]]], None],
    backoff: Backoff,
) -> None:
    """List and watch until cancelled; what the reflector itself cannot repair is tried again, with backoff.

    `resource` finds the resource, each time again (its CRD may come later). `on_listed` gets uid and resourceVersion by
    (namespace, name) whenever a reflector's first list is complete: a new reflector does not know what its predecessor
    had delivered, so deletions in between show only there.
    """
    failures = 0

    def listed(alive: dict[Key, tuple[str, str]]) -> None:
        nonlocal failures
        failures = 0
        on_listed(alive)

    while True:
        try:
            await _follow(Reflector(client, await resource(), on_event), listed)
        except FleetError as error:
            log.warning("watch given up: %s", error)
        except Exception:
            # An object that the agent cannot make sense of must not end this watch silently.
            log.exception("%s: watch failed", client.cluster)
        failures += 1
        await asyncio.sleep(backoff.pause(failures))


async def _follow(reflector: Reflector, on_listed: Callable[[dict[Key, tuple[str, str]]], None]) -> None:
    running = asyncio.ensure_future(reflector.run())
    listed = asyncio.ensure_future(reflector.synced.wait())
    try:
        await asyncio.wait((running, listed), return_when=asyncio.FIRST_COMPLETED)
        if listed.done():
            on_listed(reflector.versions())
        await running
    finally:
        for task in (running, listed):
            task.cancel()
        await asyncio.gather(running, listed, return_exceptions=True)
