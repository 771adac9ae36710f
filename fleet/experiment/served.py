"""Makes every cluster of a run serve the kinds of its workload: CRDs that a profile brings, where they are missing."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence
from typing import Any

from fleet.errors import DeadlineError
from fleet.experiment.sender import each
from fleet.kube import resources
from fleet.kube.client import KubeClient
from fleet.kube.errors import Conflict
from fleet.kube.waiting import wait_until
from fleet.managers.manager import Spaces

ESTABLISH_SECONDS = 60.0
AT_ONCE = 8
WATCHED_SECONDS = 60.0
LOOK_SECONDS = 1.0
"""Between two looks at the WDS's metrics, which tell its watches: no event does."""
_LONG_RUNNING = "apiserver_longrunning_requests{"


async def ensure_served(spaces: Spaces, crds: Sequence[Mapping[str, Any]]) -> None:
    """Create those that a WDS or a WEC does not serve, and wait until it does. They stay: other runs may use them.

    On OpenShift, or where another CRD of the kind is installed, nothing is done. DeadlineError when one is not
    established in time.
    """

    async def one(client: KubeClient) -> None:
        for crd in crds:
            if not await _served(client, crd):
                await _apply(client, crd)
                if client.cluster in spaces.sources:
                    await _watched(client, crd["spec"]["names"]["plural"])

    await each(spaces.workload(wrapped=False), one, at_once=AT_ONCE)


async def _served(client: KubeClient, crd: Mapping[str, Any]) -> bool:
    spec = crd["spec"]
    for version in spec["versions"]:
        if spec["names"]["kind"] in await client.discovery.served(f"{spec['group']}/{version['name']}"):
            return True
    return False


async def _apply(client: KubeClient, crd: Mapping[str, Any]) -> None:
    name = crd["metadata"]["name"]
    with contextlib.suppress(Conflict):  # somebody else's is on its way
        await client.create(resources.CRDS, crd)
    await wait_until(client, resources.CRDS, name, _established, timeout=ESTABLISH_SECONDS)


async def _watched(wds: KubeClient, plural: str) -> None:
    """Until somebody watches the new kind: KubeStellar, which learns of it by the CRD. What is written before that may
    never be bound."""
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


def _established(crd: Mapping[str, Any] | None) -> bool:
    conditions = ((crd or {}).get("status") or {}).get("conditions") or ()
    return any(entry.get("type") == "Established" and entry.get("status") == "True" for entry in conditions)
