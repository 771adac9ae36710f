"""A hub and WECs on fake API servers, with what KubeStellar and the OCM work agent would put there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fleet.kube.client import KubeClient
from fleet.kube.resources import APPLIED_MANIFEST_WORKS, MANIFEST_WORKS, WORK_STATUSES, Resource
from fleet.managers.kubestellar.status_agent.agent import Agent
from fleet.managers.kubestellar.status_agent.config import AgentConfig, WecEntry
from fleet.testing.api_server.server import FakeApiServer

Object = Mapping[str, Any]
SECONDS = 60.0
"""Far beyond what any step takes; a test that reaches it has failed."""


async def until(server: FakeApiServer, holds: Callable[[], bool]) -> None:
    """Returns once that is true of what the server stores; asked again after each change there."""
    async with asyncio.timeout(SECONDS):
        while True:
            grown = server.store.grown
            if holds():
                return
            await grown.wait()


async def soon(holds: Callable[[], bool]) -> None:
    """Returns once that is true of something that notifies nobody when it changes."""
    async with asyncio.timeout(SECONDS):
        while not holds():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.005)


class Hub:
    """The ITS."""

    def __init__(self, server: FakeApiServer) -> None:
        self.server = server

    def statuses(self, wec: str) -> dict[str, Object]:
        """WorkStatuses of that WEC by `kind/name` of their source; two of one source are an error."""
        found: dict[str, Object] = {}
        for ws in self.server.store.objects(WORK_STATUSES, wec):
            source = ws["spec"]["sourceRef"]
            key = f"{source['kind']}/{source['name']}"
            assert key not in found, f"two WorkStatuses of {key}"
            found[key] = ws
        return found

    def status(self, wec: str, source: str) -> Any:
        """The status reported of `kind/name`; None without."""
        return self.statuses(wec).get(source, {}).get("status")

    async def reports(self, wec: str, source: str, status: Any) -> None:
        """Returns once that status is reported."""
        await until(self.server, lambda: self.status(wec, source) == status)

    async def gone(self, wec: str, source: str) -> None:
        """Returns once nothing is reported of it."""
        await until(self.server, lambda: source not in self.statuses(wec))

    def calls(self, wec: str) -> list[str]:
        """What was asked of that WEC's namespace, lists left out: `METHOD plural[/subresource]`."""
        told = []
        for seen in self.server.requests:
            parts = seen.path.split("/")
            if f"/namespaces/{wec}/" in seen.path and not (seen.method == "GET" and parts[-1] == "workstatuses"):
                at = parts.index(wec) + 1
                told.append(" ".join([seen.method, *[p for i, p in enumerate(parts[at:]) if i != 1]]))
        return told


class Wec:
    """One WEC, and the part of the hub that is about it."""

    def __init__(self, name: str, server: FakeApiServer, hub: Hub) -> None:
        self.name = name
        self.server = server
        self._hub = hub.server.store
        self._store = server.store

    def work(self, name: str, labels: Mapping[str, str] | None = None) -> Object:
        """A ManifestWork on the hub and its AppliedManifestWork here, which has applied nothing yet."""
        own = {"transport.kubestellar.io/originWdsName": "wds1", "app": "x"} if labels is None else labels
        self._hub.create(MANIFEST_WORKS, {"metadata": {"name": name, "labels": dict(own)}}, self.name)
        return self.applied_work(name)

    def applied_work(self, name: str, agent: str = "") -> Object:
        """The AppliedManifestWork alone, made by the OCM agent of that id."""
        spec = {"manifestWorkName": name} | ({"agentID": agent} if agent else {})
        obj = {"metadata": {"name": f"hash{agent}-{name}"}, "spec": spec}
        return self._store.create(APPLIED_MANIFEST_WORKS, obj)

    def drop_work(self, amw: Object) -> None:
        """Deletes the AppliedManifestWork."""
        self._store.delete(APPLIED_MANIFEST_WORKS, amw["metadata"]["name"])

    def list_applied(self, amw: Object, *objects: Object) -> None:
        """Writes appliedResources."""
        resources = {(r.api_version, r.kind): r for r in self._store.resources.values()}
        applied = []
        for obj in objects:
            resource = resources[obj["apiVersion"], obj["kind"]]
            entry = {"group": resource.group, "version": resource.version, "resource": resource.plural}
            metadata = obj["metadata"]
            entry |= {"name": metadata["name"], "namespace": metadata.get("namespace", ""), "uid": metadata["uid"]}
            applied.append({key: value for key, value in entry.items() if value})
        self._store.update(
            APPLIED_MANIFEST_WORKS,
            amw["metadata"]["name"],
            None,
            lambda old: {**old, "status": {"appliedResources": applied}},
        )

    def put(
        self,
        resource: Resource,
        name: str,
        status: Any = None,
        *owners: Object,
        labels: Mapping[str, str] | None = None,
    ) -> Object:
        """An object in namespace `ns` (if namespaced), owned by those AppliedManifestWorks."""
        obj: dict[str, Any] = {"metadata": {"name": name, "ownerReferences": owner_references(*owners)}}
        if labels:
            obj["metadata"]["labels"] = dict(labels)
        if status is not None:
            obj["status"] = status
        return self._store.create(resource, obj, "ns" if resource.namespaced else None)

    def change(self, resource: Resource, name: str, change: Callable[[dict[str, Any]], None]) -> Object:
        """Changes a copy of the object and stores it."""

        def made(old: Object) -> Object:
            new = {**old, "metadata": dict(old["metadata"])}
            change(new)
            return new

        return self._store.update(resource, name, "ns" if resource.namespaced else None, made)

    def set_status(self, resource: Resource, name: str, status: Any) -> Object:
        """Replaces its status."""
        return self.change(resource, name, lambda obj: obj.update(status=status))

    def annotate(self, resource: Resource, name: str, value: str) -> Object:
        """A change that leaves the status alone."""
        return self.change(resource, name, lambda obj: obj["metadata"].update(annotations={"a": value}))

    def delete(self, resource: Resource, name: str) -> None:
        """Deletes the object."""
        self._store.delete(resource, name, "ns" if resource.namespaced else None)

    def listed(self) -> set[str]:
        """Plurals that were ever listed, which comes before every watch."""
        return {seen.path.rpartition("/")[2] for seen in self.server.requests if "limit" in seen.query}


def owner_references(*owners: Object) -> list[dict[str, Any]]:
    """References to AppliedManifestWorks, as the work agent writes them."""
    return [
        {
            "apiVersion": "work.open-cluster-management.io/v1",
            "kind": "AppliedManifestWork",
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
        }
        for owner in owners
    ]


class Scene:
    """One hub, WECs, and the agent's configuration."""

    def __init__(self, hub: Hub, wecs: dict[str, Wec], folder: Path) -> None:
        self.hub = hub
        self.wecs = wecs
        self.folder = folder

    def config(self, *wecs: str, of_agent: str = "", **changes: Any) -> AgentConfig:
        """Serves those WECs (default: all), without client-side limits; only what the OCM agent `of_agent` applied."""
        entries = tuple(
            WecEntry(name=name, kubeconfig=self.folder / name, agent=of_agent) for name in wecs or self.wecs
        )
        base: dict[str, Any] = {"hub_qps": 0, "local_qps": 0, "log": self.folder / "writes.jsonl"}
        return AgentConfig(hub_kubeconfig=self.folder / "hub", wecs=entries, **(base | changes))

    def connect(self, entry: WecEntry, config: AgentConfig) -> KubeClient:
        """The client of one fake WEC."""
        return self.wecs[entry.name].server.client(qps=config.local_qps, burst=config.local_burst)

    @asynccontextmanager
    async def agent(self, *wecs: str, **changes: Any) -> AsyncIterator[Agent]:
        """A running agent, once it has listed everything that is there."""
        config = self.config(*wecs, **changes)
        async with Agent(config, self.hub.server.client(retry_seconds=1.0), self.connect) as agent:
            await self.ready(agent)
            yield agent

    async def ready(self, agent: Agent) -> None:
        """Returns once the agent has listed all kinds of all its WECs."""
        await soon(lambda: agent.gauges().keys() == set(agent.wecs) and all(g.ready for g in agent.gauges().values()))


@asynccontextmanager
async def make_scene(folder: Path, *names: str, tls: bool = False) -> AsyncIterator[Scene]:
    """The servers of a hub and of those WECs."""
    hub = Hub(FakeApiServer("hub", tls=tls))
    wecs = {name: Wec(name, FakeApiServer(name, tls=tls), hub) for name in names}
    servers = [hub.server, *(wec.server for wec in wecs.values())]
    try:
        for server in servers:
            await server.start()
        yield Scene(hub, wecs, folder)
    finally:
        for server in servers:
            await server.stop()
