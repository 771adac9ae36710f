"""Names that Kueue gives to its objects, and ours of its program."""

from __future__ import annotations

from fleet.kube.resources import Resource

NAMESPACE = "kueue-system"
GROUP, VERSION = "kueue.x-k8s.io", "v1beta2"
CLUSTER_QUEUES = Resource(GROUP, VERSION, "clusterqueues", "ClusterQueue", namespaced=False)
LOCAL_QUEUES = Resource(GROUP, VERSION, "localqueues", "LocalQueue", namespaced=True)
FLAVORS = Resource(GROUP, VERSION, "resourceflavors", "ResourceFlavor", namespaced=False)
WORKLOADS = Resource(GROUP, VERSION, "workloads", "Workload", namespaced=True)

SERVICE, SECRET = "kueue-webhook-service", "kueue-webhook-server-cert"
"""That its webhooks are called by, and where it keeps the certificate that it makes for them."""
MUTATING, VALIDATING = "kueue-mutating-webhook-configuration", "kueue-validating-webhook-configuration"
"""Kueue puts its authority into these, by their names."""
CONVERTED = ("clusterqueues", "cohorts", "localqueues", "multikueueclusters", "workloads")
"""Kinds whose versions a webhook converts."""
DEFINITIONS = (
    "admissionchecks", "clusterqueues", "cohorts", "localqueues", "multikueueclusters", "multikueueconfigs",
    "provisioningrequestconfigs", "resourceflavors", "topologies", "workloadpriorityclasses", "workloads",
)  # fmt: skip
"""Plurals of its CustomResourceDefinitions."""
DEFINITION_FILE = "kueue-"
"""How their files in the toolchain begin."""

CONTROLLER = "kueue"
"""The one program."""
USER = f"system:serviceaccount:{NAMESPACE}:kueue-controller-manager"


def program(wec: str) -> str:
    """Under the machine's supervisor."""
    return f"{CONTROLLER}.{wec}"
