"""Objects of hub and workers: definitions, quotas, and the queues by which Jobs are dispatched.

Kueue's webhooks are left out: a Job says itself what they would fill in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from fleet.install.crds import read_crds
from fleet.install.objects import namespace
from fleet.install.program_parts import Upstream, loopback
from fleet.kube.resources import JOBS, NAMESPACES, SECRETS, Resource
from fleet.managers.multikueue import names
from fleet.platforms.kueue import names as kueue

Manifest = dict[str, Any]
ROOM = {"cpu": "1M", "memory": "1000000Gi"}
"""Quota of every queue, as Kueue itself would write it: never what a Job waits for."""
IMAGE = "registry.invalid/fake:1"
"""Never pulled: a node simulator plays the pods."""


def definitions(upstream: Upstream, port: int) -> list[Manifest]:
    """Its CustomResourceDefinitions, each with the version that is stored, so that nothing is ever converted.

    Kueue puts its authority into the webhooks of those that have several: `port` is that of its own.
    """
    found = _read(tuple(upstream.crd(f"{kueue.DEFINITION_FILE}{plural}") for plural in kueue.DEFINITIONS))
    webhook = {"clientConfig": {"url": f"https://{loopback(port)}/convert"}, "conversionReviewVersions": ["v1"]}
    conversion = {"strategy": "Webhook", "webhook": webhook}
    return [_of_one_version(crd, conversion) for crd in found]


def _of_one_version(crd: Manifest, conversion: Manifest) -> Manifest:
    spec = crd["spec"]
    changed: Manifest = {"versions": [version for version in spec["versions"] if version["storage"]]}
    if spec["names"]["plural"] in kueue.CONVERTED:
        changed["conversion"] = conversion
    return {**crd, "spec": {**spec, **changed}}


@lru_cache(maxsize=1)
def _read(files: tuple[Path, ...]) -> list[Manifest]:
    """Megabytes of YAML, the same for hub and all workers."""
    return read_crds(files)


def common() -> Iterator[tuple[Resource, Manifest]]:
    """What hub and workers have alike: where it keeps a certificate, and a flavour without conditions."""
    yield NAMESPACES, namespace(kueue.NAMESPACE)
    secret = {"name": kueue.SECRET, "namespace": kueue.NAMESPACE}
    yield SECRETS, {"apiVersion": "v1", "kind": SECRETS.kind, "metadata": secret}
    yield kueue.FLAVORS, _manifest(kueue.FLAVORS, names.FLAVOR, {})


def worker_queue() -> Manifest:
    """The ClusterQueue of a WEC."""
    return _manifest(kueue.CLUSTER_QUEUES, names.QUEUE, _quota())


def member(wec: str, kubeconfig: Path) -> Manifest:
    """A WEC at the hub, with the kubeconfig by which the hub's program writes there."""
    source = {"kubeConfig": {"location": str(kubeconfig), "locationType": "Path"}}
    return _manifest(names.CLUSTERS, wec, {"clusterSource": source})


def queue(
    name: str, workers: Sequence[str], labels: Mapping[str, str], spaces: Sequence[str]
) -> list[tuple[Resource, Manifest]]:
    """Of a hub: all that dispatches the Jobs of a LocalQueue `name` in those namespaces to one of these workers.

    At most `names.MOST_WORKERS`: the API takes no more.
    """
    check = {
        "controllerName": names.MANAGED_BY,
        "parameters": {"apiGroup": kueue.GROUP, "kind": names.CONFIGS.kind, "name": name},
    }
    checked = {"admissionChecksStrategy": {"admissionChecks": [{"name": name}]}}
    made = [
        (names.CONFIGS, _manifest(names.CONFIGS, name, {"clusters": list(workers)})),
        (names.CHECKS, _manifest(names.CHECKS, name, check)),
        (kueue.CLUSTER_QUEUES, _manifest(kueue.CLUSTER_QUEUES, name, {**_quota(), **checked})),
        *((kueue.LOCAL_QUEUES, local_queue(name, space, name)) for space in spaces),
    ]
    return [(kind, {**body, "metadata": {**body["metadata"], "labels": dict(labels)}}) for kind, body in made]


def local_queue(name: str, space: str, of: str = names.QUEUE) -> Manifest:
    """A LocalQueue of the ClusterQueue `of`; a worker must have one of the same name as the hub."""
    body = _manifest(kueue.LOCAL_QUEUES, name, {"clusterQueue": of})
    return {**body, "metadata": {**body["metadata"], "namespace": space}}


def job(name: str, queue_name: str, labels: Mapping[str, str]) -> Manifest:
    """A Job of one pod that ends at once, for a queue whose workers are others."""
    requests = {"requests": {"cpu": "1m", "memory": "1Mi"}}
    pod = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "containers": [{"name": "job", "image": IMAGE, "resources": requests}],
    }
    return {
        "apiVersion": JOBS.api_version,
        "kind": JOBS.kind,
        "metadata": {"name": name, "labels": {**labels, names.QUEUE_LABEL: queue_name}},
        "spec": {
            "suspend": True,
            "managedBy": names.MANAGED_BY,
            "backoffLimit": 0,
            "template": {"spec": pod},
        },
    }


def _quota() -> dict[str, Any]:
    resources = [{"name": name, "nominalQuota": quantity} for name, quantity in ROOM.items()]
    group = {"coveredResources": list(ROOM), "flavors": [{"name": names.FLAVOR, "resources": resources}]}
    return {"namespaceSelector": {}, "resourceGroups": [group]}


def _manifest(resource: Resource, name: str, spec: Mapping[str, Any]) -> Manifest:
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {"name": name},
        "spec": dict(spec),
    }
