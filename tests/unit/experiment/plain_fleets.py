"""Fake fleets of the other managers: plain OCM, and none. Like `stand_in`, they prove nothing about the real ones; they
make every object that a run watches, in its shape and order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self

from fleet.kube import resources
from fleet.managers.ocm.hops import PLACEMENT_LABEL, PLACEMENT_NAME_LABEL, SET_LABEL
from fleet.managers.ocm.placing import CLUSTER_SET
from fleet.model.fleet_file import Cluster, FleetFile, Machine, ManagerOf
from fleet.testing.api_server.server import FakeApiServer
from tests.unit.experiment.stand_in import BY_KIND, KINDS, POLL_SECONDS, ensure, final_status, set_status

MADE = (
    resources.PLACEMENTS,
    resources.PLACEMENT_DECISIONS,
    resources.MANIFEST_WORK_REPLICA_SETS,
    resources.MANIFEST_WORKS,
    resources.APPLIED_MANIFEST_WORKS,
    *KINDS.values(),
)


class PlainFleet:
    """WECs whose workload becomes final at once, and no manager; `async with` starts them."""

    manager = ManagerOf(name="none")
    hub_names: tuple[str, ...] = ()

    def __init__(self, folder: Path, wecs: int) -> None:
        self.folder = folder
        names = [f"wec{number:03d}" for number in range(1, wecs + 1)]
        self.hubs = {name: FakeApiServer(name, tls=True, collect_garbage=True) for name in self.hub_names}
        self.wecs = {name: FakeApiServer(name, tls=True, collect_garbage=True) for name in names}
        self._stack = AsyncExitStack()
        self._task: asyncio.Task[None] | None = None

    @property
    def servers(self) -> tuple[FakeApiServer, ...]:
        """All of them."""
        return (*self.hubs.values(), *self.wecs.values())

    async def __aenter__(self) -> Self:
        for server in self.servers:
            await self._stack.enter_async_context(server)
            server.write_kubeconfig(self.folder / f"{server.cluster}.kubeconfig")
        self.begin()
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            result = (await asyncio.gather(self._task, return_exceptions=True))[0]
            await self._stack.aclose()
            if isinstance(result, Exception):
                raise result

    def file(self) -> FleetFile:
        """Its fleet file."""

        def cluster(server: FakeApiServer, role: str) -> Cluster:
            kubeconfig = str(self.folder / f"{server.cluster}.kubeconfig")
            return Cluster(name=server.cluster, role=role, machine="local", driver="process", server=server.url,
                           kubeconfig=kubeconfig)  # fmt: skip

        return FleetFile(
            name="test",
            created="2026-01-01T00:00:00Z",
            toolchain_digest="none",
            manager=self.manager,
            machines=[Machine(name="local", state_dir=str(self.folder))],
            clusters=[
                *(cluster(server, "hub") for server in self.hubs.values()),
                *(cluster(server, "wec") for server in self.wecs.values()),
            ],
        )

    def leftovers(self) -> list[str]:
        """Every object of any run, anywhere."""
        found = [
            f"{server.cluster}: {resource} {item['metadata']['name']}"
            for server in self.servers
            for resource in MADE
            for item in server.store.objects(resource)
        ]
        spaces = [(server.cluster, i["metadata"]["name"]) for server in self.servers
                  for i in server.store.objects(resources.NAMESPACES)]  # fmt: skip
        return found + [f"{cluster}: {name}" for cluster, name in spaces if name.startswith("fleet-run")]

    def begin(self) -> None:
        """What is there before any run."""

    def act(self) -> None:
        """All controllers, once."""
        for wec in self.wecs.values():
            for resource in (resources.DEPLOYMENTS, resources.PODS):
                for item in wec.store.objects(resource):
                    status, meta = final_status(item), item["metadata"]
                    if item.get("status") != status:
                        set_status(wec.store, resource, meta["name"], meta["namespace"], status)

    async def _run(self) -> None:
        seen: object = None
        while True:
            await asyncio.sleep(POLL_SECONDS)
            now = tuple(server.store.version for server in self.servers)
            if now != seen:
                self.act()
            seen = now


class OcmFleet(PlainFleet):
    """The same WECs behind a hub with placement, work manager and agents."""

    manager = ManagerOf(
        name="ocm", version="v1.2.0", source="hub", transport="hub", transports={"hub1": "hub1"},
        facts={"feedback_scrape_type": "Watch"},
    )  # fmt: skip
    hub_names = ("hub1",)
    frozen = False
    """ManifestWorks that were made stay as they are."""

    @property
    def hub(self) -> FakeApiServer:
        """The one hub."""
        return self.hubs["hub1"]

    def begin(self) -> None:
        """Members and the set of all of them."""
        ensure(self.hub.store, resources.MANAGED_CLUSTER_SETS, {"metadata": {"name": CLUSTER_SET}, "spec": {}})
        condition = {"type": "ManagedClusterConditionAvailable", "status": "True"}
        for name in self.wecs:
            metadata = {"name": name, "labels": {"name": name}}
            self.hub.store.create(
                resources.MANAGED_CLUSTERS, {"metadata": metadata, "status": {"conditions": [condition]}}
            )

    def act(self) -> None:
        """Placement controller, work manager, agents, then the workload's controllers."""
        self._decide()
        self._wrap()
        for name in self.wecs:
            self._agent(name)
        super().act()
        for name in self.wecs:
            self._feed_back(name)
        self._summarise()

    def _decide(self) -> None:
        bound = {
            item["metadata"]["namespace"] for item in self.hub.store.objects(resources.MANAGED_CLUSTER_SET_BINDINGS)
        }
        for placement in self.hub.store.objects(resources.PLACEMENTS):
            meta = placement["metadata"]
            if meta["namespace"] not in bound:
                continue
            (predicate,) = placement["spec"]["predicates"]
            (test,) = predicate["requiredClusterSelector"]["labelSelector"]["matchExpressions"]
            decision = {
                "metadata": {"name": f"{meta['name']}-decision-1", "namespace": meta["namespace"],
                             "labels": {PLACEMENT_LABEL: meta["name"]}, "ownerReferences": [{"uid": meta["uid"]}]},
            }  # fmt: skip
            made = ensure(self.hub.store, resources.PLACEMENT_DECISIONS, decision)
            status = {"decisions": [{"clusterName": name} for name in test["values"] if name in self.wecs]}
            if made.get("status") != status:
                set_status(self.hub.store, resources.PLACEMENT_DECISIONS, made["metadata"]["name"],
                           meta["namespace"], status)  # fmt: skip

    def _chosen(self, item: Mapping[str, Any]) -> list[str]:
        placement = item["spec"]["placementRefs"][0]["name"]
        return [
            entry["clusterName"]
            for decision in self.hub.store.objects(resources.PLACEMENT_DECISIONS, item["metadata"]["namespace"])
            if decision["metadata"]["labels"][PLACEMENT_LABEL] == placement
            for entry in (decision.get("status") or {}).get("decisions", [])
        ]

    def _wrap(self) -> None:
        wanted = set()
        for item in self.hub.store.objects(resources.MANIFEST_WORK_REPLICA_SETS):
            meta = item["metadata"]
            own = {SET_LABEL: f"{meta['namespace']}.{meta['name']}",
                   PLACEMENT_NAME_LABEL: item["spec"]["placementRefs"][0]["name"]}  # fmt: skip
            for wec in self._chosen(item):
                metadata = {"name": meta["name"], "namespace": wec, "labels": {**meta["labels"], **own}}
                work = {"metadata": metadata, "spec": item["spec"]["manifestWorkTemplate"]}
                if not (self.frozen and self._made(work)):
                    ensure(self.hub.store, resources.MANIFEST_WORKS, work)
                wanted.add((wec, meta["name"]))
        for work in self.hub.store.objects(resources.MANIFEST_WORKS):
            key = (work["metadata"]["namespace"], work["metadata"]["name"])
            if key not in wanted:
                self.hub.store.delete(resources.MANIFEST_WORKS, key[1], key[0])

    def _made(self, work: Mapping[str, Any]) -> bool:
        meta = work["metadata"]
        there = self.hub.store.objects(resources.MANIFEST_WORKS, meta["namespace"])
        return any(item["metadata"]["name"] == meta["name"] for item in there)

    def _agent(self, wec: str) -> None:
        store, works = self.wecs[wec].store, self.hub.store.objects(resources.MANIFEST_WORKS, wec)
        names = {work["metadata"]["name"] for work in works}
        for applied in store.objects(resources.APPLIED_MANIFEST_WORKS):
            if applied["spec"]["manifestWorkName"] not in names:
                store.delete(resources.APPLIED_MANIFEST_WORKS, applied["metadata"]["name"])
        for work in works:
            name = work["metadata"]["name"]
            applied = ensure(store, resources.APPLIED_MANIFEST_WORKS,
                             {"metadata": {"name": f"hub-{name}"}, "spec": {"manifestWorkName": name}})  # fmt: skip
            entries = []
            for manifest in work["spec"]["workload"]["manifests"]:
                owner = {"ownerReferences": [{"uid": applied["metadata"]["uid"]}]}
                body = {**manifest, "metadata": {**manifest["metadata"], **owner}}
                placed = ensure(store, BY_KIND[manifest["kind"]], body)["metadata"]
                entries.append({"resource": BY_KIND[manifest["kind"]].plural, "name": placed["name"],
                                "uid": placed["uid"]})  # fmt: skip
            if applied.get("status") != {"appliedResources": entries}:
                set_status(store, resources.APPLIED_MANIFEST_WORKS, f"hub-{name}", None, {"appliedResources": entries})

    def _feed_back(self, wec: str) -> None:
        for work in self.hub.store.objects(resources.MANIFEST_WORKS, wec):
            generation = work["metadata"]["generation"]
            conditions = [{"type": kind, "status": "True", "observedGeneration": generation}
                          for kind in ("Applied", "Available")]  # fmt: skip
            (manifest,) = work["spec"]["workload"]["manifests"]
            kind, meta = BY_KIND[manifest["kind"]], manifest["metadata"]
            (held,) = [i for i in self.wecs[wec].store.objects(kind, meta["namespace"])
                       if i["metadata"]["name"] == meta["name"]]  # fmt: skip
            entry: dict[str, Any] = {"resourceMeta": {"ordinal": 0}}
            if work["spec"].get("manifestConfigs"):
                entry["statusFeedback"] = {"values": _values(held.get("status") or {})}
            status = {"conditions": conditions, "resourceStatus": {"manifests": [entry]}}
            if work.get("status") != status:
                set_status(self.hub.store, resources.MANIFEST_WORKS, work["metadata"]["name"], wec, status)

    def _summarise(self) -> None:
        for item in self.hub.store.objects(resources.MANIFEST_WORK_REPLICA_SETS):
            meta, count = item["metadata"], len(self._chosen(item))
            status = {"summary": {"total": count, "applied": count, "available": count}}
            if item.get("status") != status:
                set_status(
                    self.hub.store, resources.MANIFEST_WORK_REPLICA_SETS, meta["name"], meta["namespace"], status
                )


def _values(status: Mapping[str, Any]) -> list[dict[str, Any]]:
    if "phase" in status:
        ready = [one["status"] for one in status.get("conditions", []) if one["type"] == "Ready"]
        return [
            {"name": name, "fieldValue": {"type": "String", "string": value}}
            for name, value in (*(("PodReady", one) for one in ready), ("PodPhase", status["phase"]))
        ]
    fields = {"ReadyReplicas": "readyReplicas", "Replicas": "replicas", "AvailableReplicas": "availableReplicas"}
    return [{"name": name, "fieldValue": {"type": "Integer", "integer": status[field]}}
            for name, field in fields.items() if field in status]  # fmt: skip
