"""Names that KubeStellar, KubeFlex and OCM give a meaning to, and the few that we choose on the hub."""

from __future__ import annotations

HUB_NAMESPACE = "open-cluster-management-hub"
"""Events of the registration controller."""
OCM_NAMESPACE = "open-cluster-management"
"""OCM's own agents' identities live here in a pod installation; our bootstrap role is labelled after it."""
AGENT_NAMESPACE = "open-cluster-management-agent"
"""In every WEC: OCM writes its hub credential here; the name is fixed in its code, no flag changes it."""
HUB_SECRET = "hub-kubeconfig-secret"  # noqa: S105 - the name of a Secret

CLUSTER_LABEL = "open-cluster-management.io/cluster-name"
MANAGED_BY = "app.kubernetes.io/managed-by"
OURS = "fleet"

CP_TYPE_LABEL = "kflex.kubestellar.io/cptype"
CP_SECRET = "admin-kubeconfig"  # noqa: S105 - the name of a Secret

MACHINE_ANNOTATION = "fleet.kubestellar.io/machine"
"""On a WEC's ManagedCluster: the machine that it was registered from."""

CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client"
CLIENT_USAGES = frozenset({"digital signature", "key encipherment", "client auth"})

BOOTSTRAP_USER = "fleet:ocm-bootstrap"
BOOTSTRAP_GROUP = "fleet:ocm-bootstrap"
STATUS_AGENT_USER = "fleet:status-agent"
STATUS_AGENT_GROUP = "fleet:status-agents"

REGISTRAR_USER = "fleet:registrar"
REGISTRAR_GROUP = "fleet:registrars"

WORK_FINALIZER = "cluster.open-cluster-management.io/manifest-work-cleanup"
CLUSTER_FINALIZERS = frozenset(
    {
        "cluster.open-cluster-management.io/api-resource-cleanup",
        "cluster.open-cluster-management.io/resource-cleanup",
    }
)
"""All that OCM's registration controller puts on a ManagedCluster."""
ROLE_FINALIZER = "cluster.open-cluster-management.io/manifest-work-cleanup"
"""The same word on the RoleBinding of a work agent: it keeps its rights until the last ManifestWork is gone."""
BINDING_LABEL = "transport.kubestellar.io/originOwnerReferenceBindingKey"
"""On every ManifestWork that KubeStellar made."""
WDS_LABEL = "transport.kubestellar.io/originWdsName"
"""On every ManifestWork that KubeStellar made, and on its WorkStatuses: the WDS it came from. KubeStellar's
controller-manager takes only those WorkStatuses that name its own."""

EDGE_LABELS = {"location-group": "edge"}
"""What every WEC's ManagedCluster carries, beside `name=<wec>`; KubeStellar's documentation selects by it."""


def wec_labels(wec: str) -> dict[str, str]:
    """The labels that we put on a WEC's ManagedCluster."""
    return {**EDGE_LABELS, "name": wec}


def agent_program(wec: str) -> str:
    """The OCM agent of one WEC."""
    return f"ocm-agent.{wec}"


def registration_program(its: str) -> str:
    """OCM's registration controller."""
    return f"registration.{its}"


def controller_program(wds: str) -> str:
    """KubeStellar's controller-manager of one WDS."""
    return f"controller-manager.{wds}"


def transport_program(wds: str) -> str:
    """KubeStellar's transport controller of one WDS."""
    return f"transport.{wds}"


def served_programs(wds: str) -> tuple[str, str]:
    """Both of KubeStellar's programs of one WDS."""
    return controller_program(wds), transport_program(wds)


STATUS_PROGRAM = "status-agent"
HUB_GROUP = "hub"
AGENTS_GROUP = "agents"
