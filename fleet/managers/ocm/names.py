"""Names that OCM gives a meaning to, and the few that we choose on its hub."""

from __future__ import annotations

from fleet.managers.installed import AGENTS as AGENTS_GROUP
from fleet.managers.installed import HUB as HUB_GROUP

HUB_NAMESPACE = "open-cluster-management-hub"
"""Events of the registration controller."""
OCM_NAMESPACE = "open-cluster-management"
"""OCM's own agents' identities live here in a pod installation; our bootstrap role is labelled after it."""
AGENT_NAMESPACE = "open-cluster-management-agent"
"""In every WEC: OCM writes its hub credential here; the name is fixed in its code, no flag changes it."""
HUB_SECRET = "hub-kubeconfig-secret"  # noqa: S105 - the name of a Secret
"""OCM's default; a flag names another one, so that the agents of several hubs can live in that namespace."""

CLUSTER_LABEL = "open-cluster-management.io/cluster-name"
MANAGED_BY = "app.kubernetes.io/managed-by"
OURS = "fleet"

MACHINE_ANNOTATION = "fleet-testbed/machine"
"""On a WEC's ManagedCluster: the machine that it was registered from."""

CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client"
CLIENT_USAGES = frozenset({"digital signature", "key encipherment", "client auth"})

BOOTSTRAP_USER = "fleet:ocm-bootstrap"
BOOTSTRAP_GROUP = "fleet:ocm-bootstrap"

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
APPLIED_FINALIZER = "cluster.open-cluster-management.io/applied-manifest-work-cleanup"
"""On every AppliedManifestWork: its agent takes it off once what it applied is gone."""
ROLE_FINALIZER = "cluster.open-cluster-management.io/manifest-work-cleanup"
"""The same word on the RoleBinding of a work agent: it keeps its rights until the last ManifestWork is gone."""
EDGE_LABELS = {"location-group": "edge"}
"""What every WEC's ManagedCluster carries, alongside `name=<wec>`; policies select by both."""


def wec_labels(wec: str) -> dict[str, str]:
    """The labels that we put on a WEC's ManagedCluster."""
    return {**EDGE_LABELS, "name": wec}


def at(seat: str) -> str:
    """What is put behind a name where it belongs to a further hub; nothing for the first one.

    A seat is the place of a WEC's agent at one of several hubs: empty at the first, else that hub's name. So a fleet
    with one hub has the names that it always had.
    """
    return f"-{seat}" if seat else ""


def agent_program(wec: str, seat: str = "") -> str:
    """The OCM agent of one WEC at one hub."""
    return f"{AGENT_COMPONENT}{at(seat)}.{wec}"


def agents_group(seat: str = "") -> str:
    """The supervisor's group of all agents of one hub; also the folder that they lie in."""
    return f"{AGENTS_GROUP}{at(seat)}"


def hub_secret(seat: str = "") -> str:
    """The Secret in a WEC in which its agent keeps the credential for one hub."""
    return f"{HUB_SECRET}{at(seat)}"


def agent_id(wec: str, seat: str = "") -> str:
    """What OCM's agent is called, in its certificate and in every AppliedManifestWork that it makes.

    Each agent of a WEC needs its own: OCM's evicts what carries its id and is not of its hub.
    """
    return f"{wec}{at(seat)}"


def registration_program(hub: str) -> str:
    """OCM's registration controller."""
    return f"registration.{hub}"


def placement_program(hub: str) -> str:
    """OCM's placement controller."""
    return f"placement.{hub}"


def work_manager_program(hub: str) -> str:
    """OCM's work manager."""
    return f"work-manager.{hub}"


AGENT_COMPONENT = "ocm-agent"
HOST_COMPONENT = "agent-host"
"""A process with the agents of many WECs."""

__all__ = ["AGENTS_GROUP", "HUB_GROUP"]
