"""What is read of a node or a pod, and by which way: paths of the API server, and of a kubelet."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Any, Self

from fleet.experiments.node_scrape.spec import PageName, Way
from fleet.kube import resources
from fleet.kube.client import KubeClient

COMMAND = ("echo", "scraped")
OF_NODE = {"metrics": "/metrics", "resource": "/metrics/resource", "summary": "/stats/summary"}
CONTAINER = "main"


@dataclass(frozen=True)
class Node:
    """Where its kubelet listens."""

    name: str
    address: str
    port: int


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
    nodes: dict[str, Node]
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


def node_of(found: dict[str, Any]) -> Node:
    """From a Node object."""
    status = found["status"]
    address = next(one["address"] for one in status["addresses"] if one["type"] == "InternalIP")
    return Node(found["metadata"]["name"], address, int(status["daemonEndpoints"]["kubeletEndpoint"]["Port"]))


def targets(page: PageName, nodes: Sequence[str], pods: Sequence[RunningPod]) -> int:
    """How many things a scraper visits in an interval."""
    return len(nodes) if page in OF_NODE else len(pods)


async def _size(client: KubeClient, path: str) -> int:
    return len((await client.request("GET", path)).body)
