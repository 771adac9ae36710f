"""Names that KubeStellar, KubeFlex and OCM give a meaning to, and the few that we choose on the hub."""

from __future__ import annotations

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


def at(seat: str) -> str:
    """What is put behind a name where it belongs to a further ITS; nothing for the first one.

    A seat is the place of a WEC's agent at one of several ITSes: empty at the first, else that ITS's name. So a fleet
    with one ITS has the names that it always had.
    """
    return f"-{seat}" if seat else ""


def agent_program(wec: str, seat: str = "") -> str:
    """The OCM agent of one WEC at one ITS."""
    return f"{AGENT_COMPONENT}{at(seat)}.{wec}"


def status_program(seat: str = "") -> str:
    """The status agent of one ITS."""
    return f"{STATUS_PROGRAM}{at(seat)}"


def agents_group(seat: str = "") -> str:
    """The supervisor's group of all agents of one ITS; also the folder that they lie in."""
    return f"{AGENTS_GROUP}{at(seat)}"


def hub_secret(seat: str = "") -> str:
    """The Secret in a WEC in which its agent keeps the credential for one ITS."""
    return f"{HUB_SECRET}{at(seat)}"


def agent_id(wec: str, seat: str = "") -> str:
    """What OCM's agent is called, in its certificate and in every AppliedManifestWork that it makes.

    Each agent of a WEC needs its own: OCM's evicts what carries its id and is not of its hub.
    """
    return f"{wec}{at(seat)}"


def seat_of(program: str) -> tuple[str, str]:
    """The component and the seat of a program of the agents: `ocm-agent-its2.wec001` is an `ocm-agent` at `its2`."""
    component = program.partition(".")[0]
    for known in (AGENT_COMPONENT, STATUS_PROGRAM):
        if component.startswith(f"{known}-"):
            return known, component.removeprefix(f"{known}-")
    return component, ""


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


AGENT_COMPONENT = "ocm-agent"
STATUS_PROGRAM = "status-agent"
HUB_GROUP = "hub"
AGENTS_GROUP = "agents"
