"""A client of one cluster of a fleet file, under the rules of its kind: the fleet's own, or one that a user has."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path

from fleet.kube.client import KubeClient
from fleet.kube.user_kubeconfig import UserKubeconfig
from fleet.model.fleet_file import Cluster


@asynccontextmanager
async def opened(
    cluster: Cluster,
    allowed: Collection[str],
    *,
    timeout: float = 30.0,  # noqa: ASYNC109 - of each request
    retry_seconds: float = 60.0,
) -> AsyncIterator[KubeClient]:
    """An open client, closed at the end. `allowed`: addresses of the fleet's machines, where its own clusters may be.

    SpecError for a kubeconfig that must not be used or gives no credential.
    """
    if not cluster.built:
        source = UserKubeconfig(Path(cluster.kubeconfig), cluster.name, cluster.context)
        made = await KubeClient.from_user_kubeconfig(source, timeout=timeout, retry_seconds=retry_seconds)
    else:
        made = KubeClient.from_kubeconfig(
            cluster.kubeconfig, cluster=cluster.name, allowed=allowed, timeout=timeout, retry_seconds=retry_seconds
        )
    async with made as client:
        yield client
