"""Names that Karmada gives a meaning to, and the few that we choose."""

from __future__ import annotations

HUB = "karmada1"
"""Its control plane; not `hub1`, which other managers have: data of one must never meet programs of another."""
ROLE = "hub"

SYSTEM_NAMESPACE = "karmada-system"
CLUSTER_NAMESPACE = "karmada-cluster"
"""At the hub credentials of WECs, in a WEC the account by which the hub writes there."""
SYSTEM_LABEL = "karmada.io/system"
SPACE_PREFIX = "karmada-es-"
"""Namespaces at the hub with the Works of one WEC begin so."""
CLUSTER_FINALIZER = "karmada.io/cluster-controller"
WORK_FINALIZER = "karmada.io/execution-controller"

AGGREGATED = "karmada-aggregated-apiserver"
WEBHOOK = "karmada-webhook"
CONTROLLER = "karmada-controller-manager"
SCHEDULER = "karmada-scheduler"
AGENT = "karmada-agent"
"""Components: programs are `<component>.<hub or WEC>`, and the upstream programs have these names too."""
HUB_COMPONENTS = (AGGREGATED, WEBHOOK, CONTROLLER, SCHEDULER)

AGENTS_GROUP = "fleet:karmada-agents"
"""Group of the certificates of all agents."""
ACCOUNT = "karmada"
"""In push mode, the ServiceAccount in a WEC that the hub writes with, and the role binding that lets it."""


def program(component: str, place: str = HUB) -> str:
    """The program's name under the supervisor."""
    return f"{component}.{place}"


def space(wec: str) -> str:
    """The namespace of a WEC's Works at the hub."""
    return f"{SPACE_PREFIX}{wec}"


def wec_of(namespace: str) -> str:
    """The WEC whose Works are in that namespace; empty for any other."""
    return namespace.removeprefix(SPACE_PREFIX) if namespace.startswith(SPACE_PREFIX) else ""
