"""Makes every cluster of a run serve the kinds of its workload: CRDs that a profile brings, where they are missing."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from fleet.kube import resources
from fleet.kube.client import KubeClient
from fleet.kube.conditions import condition
from fleet.kube.each import each
from fleet.kube.errors import Conflict
from fleet.kube.resources import Resource
from fleet.kube.waiting import wait_until
from fleet.managers.manager import Manager, Spaces

ESTABLISH_SECONDS = 60.0
AT_ONCE = 8


async def ensure_served(spaces: Spaces, manager: Manager, crds: Sequence[Mapping[str, Any]]) -> None:
    """Create those that a source or a WEC does not serve, and wait until it does. They stay: other runs may use them.

    On OpenShift, or where another CRD of the kind is installed, nothing is done. DeadlineError when one is not
    established in time, or the manager does not take notice of it at a source.
    """

    async def one(client: KubeClient) -> None:
        for crd in crds:
            if not await _served(client, crd):
                await _apply(client, crd)
                if client.cluster in spaces.sources:
                    await manager.kind_added(client, _resource(crd))

    await each(spaces.workload(wrapped=manager.wraps), one, at_once=AT_ONCE)


async def _served(client: KubeClient, crd: Mapping[str, Any]) -> bool:
    spec = crd["spec"]
    for version in spec["versions"]:
        if spec["names"]["kind"] in await client.discovery.served(f"{spec['group']}/{version['name']}"):
            return True
    return False


def _resource(crd: Mapping[str, Any]) -> Resource:
    spec, names = crd["spec"], crd["spec"]["names"]
    version = str(spec["versions"][0]["name"])
    return Resource(spec["group"], version, names["plural"], names["kind"], spec.get("scope") == "Namespaced")


async def _apply(client: KubeClient, crd: Mapping[str, Any]) -> None:
    name = crd["metadata"]["name"]
    with contextlib.suppress(Conflict):  # somebody else's is on its way
        await client.create(resources.CRDS, crd)
    await wait_until(client, resources.CRDS, name, _established, timeout=ESTABLISH_SECONDS)


def _established(crd: Mapping[str, Any] | None) -> bool:
    return condition(crd or {}, "Established")
