"""What is read of a node or a pod, and by which way: paths of the API server, and of a kubelet."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Self

from fleet.experiments.node_scrape.spec import PageName
from fleet.kube import resources
from fleet.kube.client import KubeClient
from fleet.simulators.scraped import PAGES, Kubelet, Way

COMMAND = ("echo", "scraped")
OF_NODE = {**PAGES, "summary": "/stats/summary"}
CONTAINER = "main"


@dataclass(frozen=True)
class RunningPod:
    """A pod and the node that it runs on."""

    namespace: str
    name: str
    node: str


@dataclass
class Reader:
    """Reads pages of nodes and pods of one cluster. Use as `async with`: it holds a connection to each kubelet that it
    has spoken to, as a scraper does."""

    client: KubeClient
    nodes: dict[str, Kubelet]
    _kubelets: dict[str, KubeClient] = field(default_factory=dict)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def of_node(self, page: PageName, way: Way, node: str) -> int:
        """Bytes of a page of a node."""
        path = OF_NODE[page]
        if way == "direct":
            return await _size(await self._kubelet(node), path)
        return await _size(self.client, f"{resources.NODES.path(node)}/proxy{path}")

    async def of_pod(self, page: PageName, way: Way, pod: RunningPod) -> int:
        """Bytes of a pod's log, or of what a command in its container answers."""
        if way == "direct":
            client, where = await self._kubelet(pod.node), f"{pod.namespace}/{pod.name}/{CONTAINER}"
            if page == "logs":
                return await _size(client, f"/containerLogs/{where}")
            return len(await client.exec(f"/exec/{where}", COMMAND, direct=True))
        path = resources.PODS.path(pod.name, pod.namespace)
        if page == "logs":
            return await _size(self.client, f"{path}/log")
        return len(await self.client.exec(f"{path}/exec", COMMAND))

    async def _kubelet(self, name: str) -> KubeClient:
        """A client of one kubelet, with the cluster's own credential."""
        found = self._kubelets.get(name)
        if found is None:
            node = self.nodes[name]
            endpoint = self.client.transport.endpoint
            own = replace(endpoint, server=f"https://{node.address}:{node.port}", server_name=None, proxy=None)
            found = self._kubelets[name] = await self._stack.enter_async_context(KubeClient(own))
        return found


async def _size(client: KubeClient, path: str) -> int:
    return len((await client.request("GET", path)).body)
