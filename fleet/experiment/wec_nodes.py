"""The nodes of a WEC, for objects that name theirs."""

from __future__ import annotations

from fleet.kube.client import KubeClient
from fleet.kube.resources import NODES


async def node_names(client: KubeClient) -> list[str]:
    """Of all that there are, sorted."""
    return sorted(node["metadata"]["name"] for node in await client.list_all(NODES))
