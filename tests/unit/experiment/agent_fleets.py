"""Fake fleets of managers whose agents fetch Works: Karmada and KubeFleet. Like `stand_in`, they prove nothing about
the real ones; they make every object that a run watches, in its shape and order.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from fleet.kube import resources
from fleet.managers.karmada import names as karmada
from fleet.managers.karmada.hops import POLICY_ANNOTATION, POLICY_ID_LABEL
from fleet.managers.karmada.manager import WORK_BINDING_ANNOTATIONS
from fleet.managers.kubefleet import names as kubefleet
from fleet.managers.kubefleet.hops import INDEX_LABEL, PLACEMENT_LABEL
from fleet.model.fleet_file import ManagerOf
from fleet.model.run_names import POLICY_LABEL, RUN_LABEL
from fleet.testing.api_server.server import FakeApiServer
from tests.unit.experiment.plain_fleets import MADE, PlainFleet
from tests.unit.experiment.stand_in import BY_KIND, KINDS, ensure, set_status

Item = Mapping[str, Any]
CONDITIONS = ("Applied", "Available")
SUMMED = ("replicas", "readyReplicas", "updatedReplicas", "availableReplicas", "unavailableReplicas")
BESIDE = (
    resources.PROPAGATION_POLICIES,
    resources.RESOURCE_BINDINGS,
    resources.KARMADA_WORKS,
    resources.CLUSTER_RESOURCE_PLACEMENTS,
    resources.CLUSTER_RESOURCE_SNAPSHOTS,
    resources.CLUSTER_RESOURCE_BINDINGS,
    resources.FLEET_WORKS,
    resources.APPLIED_WORKS,
)


def conditions(generation: int, *kinds: str) -> list[dict[str, Any]]:
    """True at that generation."""
    return [{"type": kind, "status": "True", "observedGeneration": generation} for kind in kinds]


def held(item: Item, **more: Any) -> dict[str, Any]:
    """An object as a Work holds it."""
    known = {key: value for key, value in item["metadata"].items() if key in ("name", "namespace", "labels")}
    notes = item["metadata"].get("annotations") or {}
    body = {key: value for key, value in item.items() if key not in ("metadata", "status")}
    return {**body, "metadata": {**known, "annotations": dict(notes), **more}}


class WorkFleet(PlainFleet):
    """A hub, and an agent per WEC that applies what the Works of its namespace hold."""

    works = resources.KARMADA_WORKS
    hub_name = "karmada1"

    @property
    def hub(self) -> FakeApiServer:
        """The one hub."""
        return self.hubs[self.hub_names[0]]

    def leftovers(self) -> list[str]:
        """Every object of any run, anywhere."""
        beside = [
            f"{server.cluster}: {resource} {item['metadata']['name']}"
            for server in self.servers
            for resource in BESIDE
            if resource not in MADE
            for item in server.store.objects(resource)
        ]
        spaces = [
            f"{server.cluster}: {one['metadata']['name']}"
            for server in self.servers
            for one in server.store.objects(resources.NAMESPACES)
            if RUN_LABEL in (one["metadata"].get("labels") or {})
        ]
        return [*super().leftovers(), *beside, *spaces]

    def run_namespaces(self) -> list[Item]:
        """At the hub."""
        found = self.hub.store.objects(resources.NAMESPACES)
        return [item for item in found if RUN_LABEL in (item["metadata"].get("labels") or {})]

    def originals(self, namespace: str) -> Iterator[Item]:
        """Objects of the workload at the hub."""
        for resource in KINDS.values():
            yield from self.hub.store.objects(resource, namespace)

    def take(self, wec: str, works: list[Item]) -> None:
        """Apply what they hold, namespaces first, and delete what none holds."""
        store = self.wecs[wec].store
        manifests = [one for work in works for one in work["spec"]["workload"]["manifests"]]
        spaces = [one for one in manifests if one["kind"] == "Namespace"]
        kept = {(one["kind"], one["metadata"]["name"]) for one in manifests}
        for one in spaces:
            ensure(store, resources.NAMESPACES, json.loads(json.dumps(one)))
            account = {"metadata": {"name": "default", "namespace": one["metadata"]["name"]}}
            ensure(store, resources.SERVICE_ACCOUNTS, account)
        for one in manifests:
            if one["kind"] in BY_KIND:
                ensure(store, BY_KIND[one["kind"]], json.loads(json.dumps(one)))
        for resource in KINDS.values():
            for item in store.objects(resource):
                if (item["kind"], item["metadata"]["name"]) not in kept:
                    store.delete(resource, item["metadata"]["name"], item["metadata"]["namespace"])
        for item in store.objects(resources.NAMESPACES):
            name = item["metadata"]["name"]
            if RUN_LABEL in (item["metadata"].get("labels") or {}) and ("Namespace", name) not in kept:
                store.delete(resources.NAMESPACES, name)

    def status_of(self, wec: str, manifest: Item) -> Any:
        """Of that object in the WEC."""
        resource, meta = BY_KIND[manifest["kind"]], manifest["metadata"]
        found = self.wecs[wec].store.objects(resource, meta["namespace"])
        return next((item.get("status") for item in found if item["metadata"]["name"] == meta["name"]), None)


class KarmadaFleet(WorkFleet):
    """Policies claim objects, each gets a ResourceBinding and a Work for every WEC, and the sum of their statuses."""

    manager = ManagerOf(
        name="karmada", version="v1.16.0", source="hub", transport="hub", transports={karmada.HUB: karmada.HUB},
        facts={"mode": "pull"},
    )  # fmt: skip
    hub_names = (karmada.HUB,)

    def begin(self) -> None:
        """Members."""
        for name in self.wecs:
            ready = {"conditions": [{"type": "Ready", "status": "True"}]}
            self.hub.store.create(resources.KARMADA_CLUSTERS, {"metadata": {"name": name}, "spec": {}, "status": ready})

    def act(self) -> None:
        """Webhook, namespaces, bindings and Works; agents; the workload's controllers; then statuses back."""
        store, wanted = self.hub.store, set()
        for policy in store.objects(resources.PROPAGATION_POLICIES):
            meta = policy["metadata"]
            if POLICY_ID_LABEL not in meta["labels"]:
                labels = {**meta["labels"], POLICY_ID_LABEL: meta["name"]}
                ensure(store, resources.PROPAGATION_POLICIES, {"metadata": {**meta, "labels": labels}})
        for space in self.run_namespaces():
            wanted |= self._work(f"ns-{space['metadata']['name']}", list(self.wecs), held(space), {})
            for policy in store.objects(resources.PROPAGATION_POLICIES, space["metadata"]["name"]):
                for item in self.originals(space["metadata"]["name"]):
                    if (item["metadata"].get("labels") or {}).get(POLICY_LABEL) == policy["metadata"]["name"]:
                        wanted |= self._bind(policy, item)
        for work in store.objects(resources.KARMADA_WORKS):
            key = (work["metadata"]["namespace"], work["metadata"]["name"])
            if key not in wanted:
                store.delete(resources.KARMADA_WORKS, key[1], key[0])
        for wec in self.wecs:
            self.take(wec, store.objects(resources.KARMADA_WORKS, karmada.space(wec)))
        super().act()
        self._report()

    def _bind(self, policy: Item, item: Item) -> set[tuple[str, str]]:
        meta, wecs = item["metadata"], policy["spec"]["placement"]["clusterAffinity"]["clusterNames"]
        name = f"{meta['name']}-{item['kind'].lower()}"
        binding = {
            "metadata": {"name": name, "namespace": meta["namespace"],
                         "annotations": {POLICY_ANNOTATION: policy["metadata"]["name"]},
                         "ownerReferences": [{"uid": meta["uid"]}]},
            "spec": {"resource": {"uid": meta["uid"], "name": meta["name"]},
                     "clusters": [{"name": wec} for wec in wecs]},
        }  # fmt: skip
        ensure(self.hub.store, resources.RESOURCE_BINDINGS, binding)
        notes = dict(zip(WORK_BINDING_ANNOTATIONS, (meta["namespace"], name), strict=True))
        return self._work(name, wecs, held(item), notes)

    def _work(self, name: str, wecs: list[str], manifest: Item, notes: Item) -> set[tuple[str, str]]:
        for wec in wecs:
            metadata = {"name": name, "namespace": karmada.space(wec), "annotations": dict(notes)}
            work = {"metadata": metadata, "spec": {"workload": {"manifests": [json.loads(json.dumps(manifest))]}}}
            ensure(self.hub.store, resources.KARMADA_WORKS, work)
        return {(karmada.space(wec), name) for wec in wecs}

    def _report(self) -> None:
        store, sums = self.hub.store, {}
        for work in store.objects(resources.KARMADA_WORKS):
            (manifest,) = work["spec"]["workload"]["manifests"]
            meta = work["metadata"]
            status: dict[str, Any] = {"conditions": conditions(meta["generation"], "Applied")}
            if manifest["kind"] in BY_KIND:
                found = self.status_of(karmada.wec_of(meta["namespace"]), manifest)
                if found:
                    fields = {key: value for key, value in found.items() if key != "conditions"}
                    told = fields | {"generation": 1, "resourceTemplateGeneration": 1}
                    status["manifestStatuses"] = [{"identifier": {"ordinal": 0}, "status": told}]
                    key = (manifest["kind"], manifest["metadata"]["namespace"], manifest["metadata"]["name"])
                    sums.setdefault(key, []).append(fields)
            if work.get("status") != status:
                set_status(store, resources.KARMADA_WORKS, meta["name"], meta["namespace"], status)
        for (kind, namespace, name), parts in sums.items():
            if kind != "Deployment":
                continue
            total = {"observedGeneration": 2} | {key: sum(part.get(key, 0) for part in parts) for key in SUMMED}
            known = [i for i in store.objects(resources.DEPLOYMENTS, namespace) if i["metadata"]["name"] == name]
            if known and known[0].get("status") != total:
                set_status(store, resources.DEPLOYMENTS, name, namespace, total)


class KubeFleetFleet(WorkFleet):
    """A placement takes a namespace: a snapshot after each change, bindings that follow it, one Work per WEC."""

    manager = ManagerOf(
        name="kubefleet", version="v0.14.0", source="hub", transport="hub", transports={kubefleet.HUB: kubefleet.HUB},
        facts={"max_unavailable": "100%"},
    )  # fmt: skip
    hub_names = (kubefleet.HUB,)

    def begin(self) -> None:
        """Members."""
        for name in self.wecs:
            agent = {"type": "MemberAgent", "conditions": conditions(1, "Healthy")}
            status = {"conditions": conditions(1, "Joined"), "agentStatus": [agent]}
            self.hub.store.create(resources.MEMBER_CLUSTERS, {"metadata": {"name": name}, "spec": {}, "status": status})

    def act(self) -> None:
        """Snapshots, bindings and Works; agents; the workload's controllers; then conditions back."""
        store = self.hub.store
        self._fill()
        placements = store.objects(resources.CLUSTER_RESOURCE_PLACEMENTS)
        for placement in placements:
            self._roll(placement)
        names = {placement["metadata"]["name"] for placement in placements}
        for resource in (
            resources.FLEET_WORKS,
            resources.CLUSTER_RESOURCE_BINDINGS,
            resources.CLUSTER_RESOURCE_SNAPSHOTS,
        ):
            for item in store.objects(resource):
                if item["metadata"]["labels"][PLACEMENT_LABEL] not in names:
                    store.delete(resource, item["metadata"]["name"], item["metadata"].get("namespace"))
        for wec in self.wecs:
            self._record(wec, store.objects(resources.FLEET_WORKS, kubefleet.space(wec)))
        super().act()
        self._tell()

    def _fill(self) -> None:
        """An API server gives every Deployment a status; nobody fills it at the hub."""
        for item in self.hub.store.objects(resources.DEPLOYMENTS):
            if item.get("status") is None:
                meta = item["metadata"]
                set_status(self.hub.store, resources.DEPLOYMENTS, meta["name"], meta["namespace"], {})

    def _record(self, wec: str, works: list[Item]) -> None:
        store = self.wecs[wec].store
        for work in works:
            spec = {"workName": work["metadata"]["name"], "workNamespace": kubefleet.space(wec)}
            ensure(store, resources.APPLIED_WORKS, {"metadata": {"name": work["metadata"]["name"]}, "spec": spec})
        kept = {work["metadata"]["name"] for work in works}
        for item in store.objects(resources.APPLIED_WORKS):
            if item["metadata"]["name"] not in kept:
                store.delete(resources.APPLIED_WORKS, item["metadata"]["name"])
        self.take(wec, works)

    def _roll(self, placement: Item) -> None:
        store, name = self.hub.store, placement["metadata"]["name"]
        (selected,) = placement["spec"]["resourceSelectors"]
        taken = [one for one in self.run_namespaces() if not one["metadata"]["name"].startswith(("fleet-", "kube-"))]
        spaces = [one for one in taken if one["metadata"]["name"] == selected["name"]]
        chosen = [held(one) for one in (*spaces, *self.originals(selected["name"]))]
        mine = [
            one
            for one in store.objects(resources.CLUSTER_RESOURCE_SNAPSHOTS)
            if one["metadata"]["labels"][PLACEMENT_LABEL] == name
        ]
        latest = max(mine, key=lambda one: int(one["metadata"]["labels"][INDEX_LABEL]), default=None)
        index = 0 if latest is None else int(latest["metadata"]["labels"][INDEX_LABEL])
        if latest is None or latest["spec"]["selectedResources"] != chosen:
            index = index if latest is None else index + 1
            labels = {PLACEMENT_LABEL: name, INDEX_LABEL: str(index)}
            metadata = {"name": f"{name}-{index}-snapshot", "labels": labels}
            body = {"metadata": metadata, "spec": {"selectedResources": json.loads(json.dumps(chosen))}}
            store.create(resources.CLUSTER_RESOURCE_SNAPSHOTS, body)
        for wec in placement["spec"]["policy"]["clusterNames"]:
            spec = {"resourceSnapshotName": f"{name}-{index}-snapshot", "targetCluster": wec, "state": "Bound"}
            labels = {PLACEMENT_LABEL: name}
            binding = {"metadata": {"name": f"{name}-{wec}", "labels": labels}, "spec": spec}
            ensure(store, resources.CLUSTER_RESOURCE_BINDINGS, binding)
            work = {
                "metadata": {"name": f"{name}-work", "namespace": kubefleet.space(wec), "labels": labels},
                "spec": {"workload": {"manifests": json.loads(json.dumps(chosen))}},
            }
            ensure(store, resources.FLEET_WORKS, work)

    def _tell(self) -> None:
        store = self.hub.store
        for work in store.objects(resources.FLEET_WORKS):
            meta = work["metadata"]
            status = {"conditions": conditions(meta["generation"], *CONDITIONS)}
            if work.get("status") != status:
                set_status(store, resources.FLEET_WORKS, meta["name"], meta["namespace"], status)
        for placement in store.objects(resources.CLUSTER_RESOURCE_PLACEMENTS):
            name = placement["metadata"]["name"]
            indexes = [
                int(one["metadata"]["labels"][INDEX_LABEL])
                for one in store.objects(resources.CLUSTER_RESOURCE_SNAPSHOTS)
                if one["metadata"]["labels"][PLACEMENT_LABEL] == name
            ]
            if not indexes:
                continue
            wecs = placement["spec"]["policy"]["clusterNames"]
            told = [{"clusterName": wec, "conditions": conditions(1, *CONDITIONS)} for wec in wecs]
            status = {
                "observedResourceIndex": str(max(indexes)),
                "placementStatuses": told,
                "conditions": conditions(1, "ClusterResourcePlacementAvailable"),
            }
            if placement.get("status") != status:
                set_status(store, resources.CLUSTER_RESOURCE_PLACEMENTS, name, None, status)
