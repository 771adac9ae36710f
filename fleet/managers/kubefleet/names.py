"""Names that KubeFleet gives a meaning to, and the few that we choose."""

from __future__ import annotations

HUB = "kubefleet1"
"""Its hub's control plane; not `hub1`, which other managers have: data of one must never meet programs of another."""
ROLE = "hub"

SYSTEM_NAMESPACE = "fleet-system"
SPACE_PREFIX = "fleet-member-"
"""Namespaces at the hub with the Works of one WEC begin so."""
MEMBER_FINALIZER = "kubernetes-fleet.io/membercluster-finalizer"
WORK_FINALIZER = "kubernetes-fleet.io/work-cleanup"

HUB_AGENT = "kubefleet-hub-agent"
MEMBER_AGENT = "kubefleet-member-agent"
"""Components: programs are `<component>.<hub or WEC>`, and the built programs have these names too."""

WEC_ANNOTATION = "fleet-testbed/wec"
"""On a MemberCluster: which data its WEC had when it joined."""


def program(component: str, place: str = HUB) -> str:
    """The program's name under the supervisor."""
    return f"{component}.{place}"


def user(wec: str) -> str:
    """Who a WEC's agent is to the hub: KubeFleet gives that user the rights in the WEC's namespace."""
    return f"fleet-member:{wec}"


def space(wec: str) -> str:
    """The namespace of a WEC's Works at the hub."""
    return f"{SPACE_PREFIX}{wec}"


def wec_of(namespace: str) -> str:
    """The WEC whose Works are in that namespace; empty for any other."""
    return namespace.removeprefix(SPACE_PREFIX) if namespace.startswith(SPACE_PREFIX) else ""
