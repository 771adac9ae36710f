"""Clients of this machine's control planes and of the hub: only at addresses that the machine's own records name."""

from __future__ import annotations

from urllib.parse import urlsplit

from fleet.errors import KubeError
from fleet.host.layout import Layout
from fleet.host.records import stored_planes
from fleet.kube.client import KubeClient
from fleet.kube.kubeconfig import is_loopback


def places(layout: Layout, *servers: str) -> tuple[str, ...]:
    """Hosts of this machine's control planes and of those URLs, alongside loopback; sorted."""
    urls = [*(stored.server for stored in stored_planes(layout)), *servers]
    hosts = {urlsplit(url).hostname or "" for url in urls}
    return tuple(sorted(host for host in hosts if host and not is_loopback(host)))


def client(layout: Layout, name: str, *, timeout: float = 30.0) -> KubeClient:
    """The admin's client of one control plane of this machine."""
    return KubeClient.from_kubeconfig(layout.kubeconfig(name), cluster=name, allowed=places(layout), timeout=timeout)


async def answers(client: KubeClient) -> bool:
    """Whether an API server answers at all."""
    try:
        return await client.ready()
    except KubeError:
        return False
