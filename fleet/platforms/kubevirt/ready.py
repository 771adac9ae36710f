"""When KubeVirt works: the operator says so, its webhooks let a VMI pass, and virt-controller leads."""

from __future__ import annotations

import ssl
from typing import Any

import aiohttp

from fleet.errors import KubeError
from fleet.install.readiness import until_it_works
from fleet.kube.client import KubeClient
from fleet.kube.conditions import condition
from fleet.kube.errors import NotFound
from fleet.kube.resources import CRDS
from fleet.platforms.kubevirt import names, pages
from fleet.platforms.kubevirt.places import Places

DEPLOYED = "Deployed"
CRD_NAME = "kubevirts.kubevirt.io"
LEADING = "kubevirt_virt_controller_leading_status 1"
PAGE_SECONDS = 10.0
PROBE = {
    "apiVersion": names.VMIS.api_version,
    "kind": names.VMIS.kind,
    "metadata": {"generateName": "fleet-probe-", "namespace": "default"},
    "spec": {"domain": {"devices": {}, "resources": {"requests": {"memory": "64Mi"}}}},
}
"""A VMI that webhooks take; it is never stored."""


async def served(client: KubeClient) -> bool:
    """Whether the API server serves the kind KubeVirt."""
    try:
        crd = await client.get(CRDS, CRD_NAME)
    except NotFound:
        return False
    return condition(crd, "Established")


async def phase(client: KubeClient) -> str:
    """What the operator says of the installation; empty before it says anything."""
    try:
        found: dict[str, Any] = await client.get(names.KUBEVIRTS, names.CR, names.NAMESPACE)
    except NotFound:
        return ""
    return str((found.get("status") or {}).get("phase") or "")


async def works(places: Places, client: KubeClient) -> None:
    """Wait until VMIs pass virt-api's webhooks and virt-controller leads."""
    supervisor, wec = places.seat.machine.supervisor, places.seat.wec

    async def passes() -> bool:
        try:
            path = names.VMIS.path(namespace="default")
            await client.request("POST", path, params={"dryRun": "All"}, body=PROBE)
        except KubeError:
            return False
        return True

    async def leads() -> bool:
        return LEADING in await _metrics(places)

    await until_it_works(supervisor, names.program(names.API, wec), passes, "no VMI passes its webhooks")
    await until_it_works(supervisor, names.program(names.CONTROLLER, wec), leads, "it does not lead")


async def _metrics(places: Places) -> str:
    """The page of virt-controller; empty when it does not answer."""
    context = ssl.create_default_context(cafile=str(places.ca))
    url, name = f"https://127.0.0.1:{places.controller}/metrics", pages.SERVER_NAMES[names.CONTROLLER]
    timeout = aiohttp.ClientTimeout(total=PAGE_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=False) as session,
            session.get(url, ssl=context, server_hostname=name) as response,
        ):
            return await response.text()
    except (aiohttp.ClientError, TimeoutError, OSError):
        return ""
