"""Waits until KubeStellar watches a kind that was just added to a WDS."""

from __future__ import annotations

import asyncio
import time

from fleet.errors import DeadlineError
from fleet.kube.client import KubeClient

WATCHED_SECONDS = 60.0
LOOK_SECONDS = 1.0
"""Between two looks at the WDS's metrics, which show its watches: no event does."""
_LONG_RUNNING = "apiserver_longrunning_requests{"


async def wait_watched(wds: KubeClient, plural: str) -> None:
    """Until somebody watches the new kind: KubeStellar, which learns of it by the CRD. What is written before that may
    never be bound. DeadlineError when nobody does."""
    wanted = f'resource="{plural}"'
    deadline = time.monotonic() + WATCHED_SECONDS
    while time.monotonic() < deadline:
        for line in (await wds.metrics()).splitlines():
            if line.startswith(_LONG_RUNNING) and wanted in line and 'verb="WATCH"' in line and float(line.split()[-1]):
                return
        await asyncio.sleep(LOOK_SECONDS)
    raise DeadlineError(
        f"{wds.cluster}: nobody watches {plural} {WATCHED_SECONDS:g} s after its CRD was made: KubeStellar's "
        f"controller-manager would bind none of them. See `fleet logs controller-manager.{wds.cluster}`"
    )
