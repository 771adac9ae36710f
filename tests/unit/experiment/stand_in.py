"""A stand-in of KubeStellar, OCM and the workload controllers over fake API servers. For tests only: it proves nothing
about the real ones, but it makes every object and every hop that the runner watches, in their shape and order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any, Self

from fleet.kube import resources
from fleet.kube.resources import Resource
from fleet.model.fleet_file import Cluster, FleetFile, Machine
from fleet.model.pairing import paired
from fleet.testing.api_server.server import FakeApiServer
from fleet.testing.api_server.store import Store
from fleet.workload.content import LIFETIME_ANNOTATION
from tests.unit.model.fleets import LIMITS, kubestellar

BINDING_KEY = "transport.kubestellar.io/originOwnerReferenceBindingKey"
WDS_NAME = "transport.kubestellar.io/originWdsName"
GENERATION = "transport.kubestellar.io/originOwnerReferenceBindingGeneration"
SINGLETON = "managed-by.kubestellar.io/singletonstatus"
MULTI = "managed-by.kubestellar.io/multiwecstatus"
KINDS = {"deployments": resources.DEPLOYMENTS, "pods": resources.PODS, "configmaps": resources.CONFIGMAPS}
BY_KIND = {resource.kind: resource for resource in KINDS.values()}
POLL_SECONDS = 0.02


class StandInFleet:
    """Fake WDSes, ITSes and WECs with everything between them; `async with` starts all of it."""

    def __init__(self, folder: Path, wecs: int, wdses: int = 1, itses: int = 1) -> None:
        self.folder = folder
        spaces = [f"wds{number}" for number in range(1, wdses + 1)]
        self.wdses = {name: FakeApiServer(name, tls=True, collect_garbage=True) for name in spaces}
        self.wds = self.wdses["wds1"]
        hubs = [f"its{number}" for number in range(1, itses + 1)]
        self.itses = {name: FakeApiServer(name, tls=True, collect_garbage=True) for name in hubs}
        self.its = self.itses["its1"]
        self.its_of = {wds: self.itses[its] for wds, its in paired(spaces, hubs).items()}
        names = [f"wec{number:03d}" for number in range(1, wecs + 1)]
        self.wecs = {name: FakeApiServer(name, tls=True, collect_garbage=True) for name in names}
        self.offline: set[str] = set()
        """WECs whose API server was stopped: their agent can do nothing."""
        self.stuck = False
        """Nothing is bound any more: the controller-manager is away."""
        self.silent: set[str] = set()
        """WECs whose status never becomes final."""
        self._stack = AsyncExitStack()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        for server in self.servers:
            await self._stack.enter_async_context(server)
            server.write_kubeconfig(self.folder / f"{server.cluster}.kubeconfig")
        for its in self.itses.values():
            for name in self.wecs:
                condition = {"type": "ManagedClusterConditionAvailable", "status": "True"}
                its.store.create(
                    resources.MANAGED_CLUSTERS,
                    {"metadata": {"name": name, "labels": {"name": name}}, "status": {"conditions": [condition]}},
                )
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            failed = self._task.done() and not self._task.cancelled() and self._task.exception()
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                if not failed:
                    await self._task
            await self._stack.aclose()
            if failed:
                raise failed

    def file(self) -> FleetFile:
        """Its fleet file, as the `record` role would write it."""

        def cluster(server: FakeApiServer, role: Any) -> Cluster:
            return Cluster(
                name=server.cluster,
                role=role,
                machine="local",
                driver="process",
                server=server.url,
                kubeconfig=str(self.folder / f"{server.cluster}.kubeconfig"),
            )

        return FleetFile(
            name="test",
            created="2026-01-01T00:00:00Z",
            toolchain_digest="none",
            manager=kubestellar(tuple(self.wdses), tuple(self.itses)),
            limits=dict(LIMITS),
            machines=[Machine(name="local", state_dir=str(self.folder))],
            clusters=[
                *(cluster(server, "its") for server in self.itses.values()),
                *(cluster(server, "wds") for server in self.wdses.values()),
                *(cluster(server, "wec") for server in self.wecs.values()),
            ],
        )

    async def stop_wec(self, name: str) -> None:
        """Its API server dies; its objects stay."""
        self.offline.add(name)
        await self.wecs[name].stop()

    async def start_wec(self, name: str) -> None:
        """Its API server is back, on its port."""
        await self.wecs[name].start()
        self.offline.discard(name)

    def leftovers(self) -> list[str]:
        """Every object of any run, anywhere: what a clean-up must leave empty."""
        found = []
        for server in self.servers:
            for resource in (
                resources.BINDING_POLICIES,
                resources.BINDINGS,
                resources.MANIFEST_WORKS,
                resources.WORK_STATUSES,
                resources.APPLIED_MANIFEST_WORKS,
                *KINDS.values(),
            ):
                found += [
                    f"{server.cluster}: {resource} {i['metadata']['name']}" for i in server.store.objects(resource)
                ]
            spaces = server.store.objects(resources.NAMESPACES)
            found += [f"{server.cluster}: {n}" for i in spaces if (n := i["metadata"]["name"]).startswith("fleet-run")]
        return found

    @property
    def servers(self) -> tuple[FakeApiServer, ...]:
        """All of them."""
        return (*self.wdses.values(), *self.itses.values(), *self.wecs.values())

    # Controllers, level-triggered: look at everything whenever something changed

    async def _run(self) -> None:
        seen: object = None
        while True:
            await asyncio.sleep(POLL_SECONDS)
            versions = tuple(s.store.version for s in self.servers)
            now = (versions, frozenset(self.offline), self.stuck)
            if now != seen:
                self._bind()
                self._wrap()
                for name in self.wecs.keys() - self.offline:
                    for its in self.itses.values():
                        self._agent(name, its)
                self._return_status()
            seen = now

    def _bind(self) -> None:
        if self.stuck:
            return
        for name, wds in self.wdses.items():
            self._bind_of(wds.store, self.its_of[name].store)

    def _bind_of(self, wds: Store, its: Store) -> None:
        clusters = its.objects(resources.MANAGED_CLUSTERS)
        for policy in wds.objects(resources.BINDING_POLICIES):
            meta = policy["metadata"]
            chosen = [c["metadata"]["name"] for c in clusters if _selects(policy, c["metadata"]["labels"])]
            spec = {
                "destinations": [{"clusterId": name} for name in chosen],
                "workload": {"namespaceScope": _clauses(wds, policy)},
            }
            binding = {
                "metadata": {"name": meta["name"], "ownerReferences": [{"uid": meta["uid"]}]},
                "spec": spec,
            }
            ensure(wds, resources.BINDINGS, binding)

    def _wrap(self) -> None:
        wanted: set[tuple[str, str]] = set()
        for wds in self.wdses.values():
            for work in _works(wds):
                wanted.add((work["metadata"]["namespace"], work["metadata"]["name"]))
                ensure(self.its_of[wds.cluster].store, resources.MANIFEST_WORKS, work)
        for its in self.itses.values():
            for work in its.store.objects(resources.MANIFEST_WORKS):
                meta = work["metadata"]
                if (meta["namespace"], meta["name"]) not in wanted and meta["namespace"] not in self.offline:
                    its.store.delete(resources.MANIFEST_WORKS, meta["name"], meta["namespace"])

    def _agent(self, wec: str, its: FakeApiServer) -> None:
        store, hub = self.wecs[wec].store, its.store
        works = {item["metadata"]["name"]: item for item in hub.objects(resources.MANIFEST_WORKS, wec)}
        agent = f"{wec}-{its.cluster}"
        for applied in store.objects(resources.APPLIED_MANIFEST_WORKS):
            if applied["spec"]["agentID"] == agent and applied["spec"]["manifestWorkName"] not in works:
                store.delete(resources.APPLIED_MANIFEST_WORKS, applied["metadata"]["name"])
        for name, work in works.items():
            spec = {"hubHash": its.cluster, "agentID": agent, "manifestWorkName": name}
            applied = ensure(
                store, resources.APPLIED_MANIFEST_WORKS, {"metadata": {"name": f"{its.cluster}-{name}"}, "spec": spec}
            )
            for manifest in work["spec"]["workload"]["manifests"]:
                self._place(wec, hub, work, applied, manifest)
            condition = {"type": "Applied", "status": "True", "observedGeneration": work["metadata"]["generation"]}
            set_status(hub, resources.MANIFEST_WORKS, name, wec, {"conditions": [condition]})

    def _place(self, wec: str, hub: Store, work: Any, applied: Any, manifest: Any) -> None:
        store = self.wecs[wec].store
        resource = BY_KIND[manifest["kind"]]
        body = {
            **manifest,
            "metadata": {**manifest["metadata"], "ownerReferences": [{"uid": applied["metadata"]["uid"]}]},
        }
        placed = ensure(store, resource, body)
        meta = placed["metadata"]
        entry = {"resource": resource.plural, "name": meta["name"], "uid": meta["uid"]}
        set_status(
            store, resources.APPLIED_MANIFEST_WORKS, applied["metadata"]["name"], None, {"appliedResources": [entry]}
        )
        if resource == resources.CONFIGMAPS or wec in self.silent:
            return
        status = final_status(placed)
        set_status(store, resource, meta["name"], meta["namespace"], status)
        report = {
            "metadata": {
                "name": f"{applied['metadata']['uid']}-{meta['name']}",
                "namespace": wec,
                "ownerReferences": [{"uid": work["metadata"]["uid"]}],
                "labels": work["metadata"]["labels"],
            },
            "spec": {
                "sourceRef": {
                    "group": resource.group,
                    "version": "v1",
                    "resource": resource.plural,
                    "kind": resource.kind,
                    "namespace": meta["namespace"],
                    "name": meta["name"],
                }
            },
        }
        ensure(hub, resources.WORK_STATUSES, report)
        set_status(hub, resources.WORK_STATUSES, report["metadata"]["name"], wec, status)

    def _return_status(self) -> None:
        reports: dict[tuple[str, str, str, str], list[Any]] = {}
        for item in [one for its in self.itses.values() for one in its.store.objects(resources.WORK_STATUSES)]:
            source = item["spec"]["sourceRef"]
            if item.get("status"):
                wds = item["metadata"]["labels"][WDS_NAME]
                key = (wds, source["resource"], source["namespace"], source["name"])
                reports.setdefault(key, []).append(item["status"])
        for (wds, plural, namespace, name), statuses in reports.items():
            resource, store = KINDS[plural], self.wdses[wds].store
            found = [i for i in store.objects(resource, namespace) if i["metadata"]["name"] == name]
            if not found or (plural == "pods" and len(statuses) > 1):
                continue
            label = SINGLETON if len(statuses) == 1 else MULTI
            status = statuses[0] if len(statuses) == 1 else _aggregate(statuses)
            store.update(resource, name, namespace, lambda old, label=label: _labelled(old, label))
            set_status(store, resource, name, namespace, status)


def _selects(policy: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    for selector in policy["spec"]["clusterSelectors"]:
        if selector.get("matchLabels", {}).items() <= labels.items() and all(
            labels.get(test["key"]) in test["values"] for test in selector.get("matchExpressions", [])
        ):
            return True
    return False


def _clauses(wds: Store, policy: Mapping[str, Any]) -> list[dict[str, Any]]:
    clauses = []
    for clause in policy["spec"]["downsync"]:
        labels = clause["objectSelectors"][0]["matchLabels"]
        for plural in clause["resources"]:
            for item in wds.objects(KINDS[plural], clause["namespaces"][0]):
                if labels.items() <= item["metadata"]["labels"].items():
                    meta = item["metadata"]
                    clauses.append(
                        {
                            "group": clause["apiGroup"],
                            "version": "v1",
                            "resource": plural,
                            "namespace": meta["namespace"],
                            "name": meta["name"],
                            "resourceVersion": meta["resourceVersion"],
                        }
                    )
    return clauses


def _works(wds: FakeApiServer) -> Iterator[dict[str, Any]]:
    for binding in wds.store.objects(resources.BINDINGS):
        for clause in binding["spec"]["workload"]["namespaceScope"]:
            resource = KINDS[clause["resource"]]
            for item in wds.store.objects(resource, clause["namespace"]):
                if item["metadata"]["name"] == clause["name"]:
                    for destination in binding["spec"]["destinations"]:
                        yield _work(wds.cluster, binding, resource, item, destination["clusterId"])


def _work(wds: str, binding: Any, resource: Resource, item: Any, wec: str) -> dict[str, Any]:
    meta = item["metadata"]
    kept = {
        key: meta[key] for key in ("name", "namespace", "labels", "annotations", "creationTimestamp") if key in meta
    }
    manifest = {**{k: v for k, v in item.items() if k != "status"}, "metadata": kept}
    manifest |= {"apiVersion": resource.api_version, "kind": resource.kind}
    return {
        "metadata": {
            "name": f"{binding['metadata']['uid']}-{wds}-{meta['uid']}",
            "namespace": wec,
            "labels": {BINDING_KEY: binding["metadata"]["name"], WDS_NAME: wds},
            "annotations": {GENERATION: str(binding["metadata"]["generation"])},
        },
        "spec": {"workload": {"manifests": [manifest]}},
    }


def final_status(item: Any) -> dict[str, Any]:
    if item["kind"] == "Pod" and LIFETIME_ANNOTATION in (item["metadata"].get("annotations") or {}):
        return {"phase": "Succeeded", "conditions": [{"type": "Ready", "status": "False"}]}  # lives for no time at all
    if item["kind"] == "Pod":
        return {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    count = item["spec"]["replicas"]
    counters = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    return {"observedGeneration": item["metadata"]["generation"], **dict.fromkeys(counters, count), "conditions": []}


def _aggregate(statuses: list[Any]) -> dict[str, Any]:
    names = ("observedGeneration", "replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    return {name: min(status[name] for status in statuses) for name in names} | {"conditions": []}


def _labelled(old: Any, label: str) -> Any:
    meta = old["metadata"]
    labels = {k: v for k, v in meta["labels"].items() if k not in (SINGLETON, MULTI)} | {label: "true"}
    return {**old, "metadata": {**meta, "labels": labels}}


def ensure(store: Store, resource: Resource, body: dict[str, Any]) -> Any:
    """Create it, or bring its metadata and spec to this; what is equal is not written."""
    meta = body["metadata"]
    held = [i for i in store.objects(resource, meta.get("namespace")) if i["metadata"]["name"] == meta["name"]]
    if not held:
        return store.create(resource, body, meta.get("namespace"))

    def change(old: Any) -> Any:
        fresh = {key: value for key, value in meta.items() if key != "creationTimestamp"}
        return {**old, **body, "metadata": {**old["metadata"], **fresh}}

    return store.update(resource, meta["name"], meta.get("namespace"), change)


def set_status(store: Store, resource: Resource, name: str, namespace: str | None, status: Any) -> None:
    store.update(resource, name, namespace, lambda old: {**old, "status": status})
