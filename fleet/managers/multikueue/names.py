"""Names that MultiKueue gives a meaning to, and the few that we choose."""

from __future__ import annotations

from fleet.kube.resources import Resource
from fleet.platforms.kueue import names as kueue

HUB = "multikueue1"
"""Its hub's control plane; not `hub1`, which other managers have: data of one must never meet programs of another."""
ROLE = "hub"

CONTROLLER = "multikueue"
WORKER = "kueue-worker"
"""Components: programs are `<component>.<hub or WEC>`. Both are the built program `PROGRAM`."""
PROGRAM = kueue.CONTROLLER

CHECKS = Resource(kueue.GROUP, kueue.VERSION, "admissionchecks", "AdmissionCheck", namespaced=False)
CONFIGS = Resource(kueue.GROUP, kueue.VERSION, "multikueueconfigs", "MultiKueueConfig", namespaced=False)
CLUSTERS = Resource(kueue.GROUP, kueue.VERSION, "multikueueclusters", "MultiKueueCluster", namespaced=False)

MANAGED_BY = "kueue.x-k8s.io/multikueue"
"""Of a Job's `spec.managedBy`, and the controller of an AdmissionCheck."""
QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
FINALIZER = "kueue.x-k8s.io/resource-in-use"
FLAVOR = "default"
QUEUE = "fleet"
"""The ClusterQueue of each WEC, with room for every Job of a run."""
MOST_WORKERS = 20
"""That one MultiKueueConfig may name."""


def program(component: str, place: str = HUB) -> str:
    """The program's name under the supervisor."""
    return f"{component}.{place}"
