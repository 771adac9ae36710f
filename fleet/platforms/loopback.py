"""Services whose ClusterIP is a loopback address, which a process binds: no kube-proxy is needed, and certificates for
the names of Services verify. 127.77.0.0/16 is added to what Services of such a WEC may have.
"""

from __future__ import annotations

from typing import Any

from fleet.install.objects import Ledger, ensure, remove
from fleet.kube.client import KubeClient
from fleet.kube.resources import SERVICES, Resource

SERVICE_CIDRS = Resource("networking.k8s.io", "v1", "servicecidrs", "ServiceCIDR", namespaced=False)
PREFIX = "127.77"
RANGE, RANGE_NAME = f"{PREFIX}.0.0/16", "fleet-platforms"


def address_of(port: int) -> str:
    """A loopback address that belongs to a port of this machine's registry, and so to nobody else."""
    return f"{PREFIX}.{port >> 8}.{port & 255}"


def service_range() -> dict[str, Any]:
    """Lets Services have loopback addresses alongside those of the API server's own range."""
    return {
        "apiVersion": SERVICE_CIDRS.api_version,
        "kind": SERVICE_CIDRS.kind,
        "metadata": {"name": RANGE_NAME},
        "spec": {"cidrs": [RANGE]},
    }


async def allow(client: KubeClient, ledger: Ledger) -> None:
    """Before the first Service."""
    await ensure(client, SERVICE_CIDRS, service_range(), ledger)


async def forget(client: KubeClient) -> None:
    """After the last Service; another platform's may still have such an address."""
    used = [item["spec"].get("clusterIP") or "" for item in await client.list_all(SERVICES)]
    if not any(address.startswith(f"{PREFIX}.") for address in used):
        await remove(client, SERVICE_CIDRS, RANGE_NAME)
