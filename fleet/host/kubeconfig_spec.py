"""The kubeconfig of one component of a control plane."""

from __future__ import annotations

from fleet.host.machine import Machine
from fleet.host.pki import ADMIN_GROUP, Subject
from fleet.host.plan import Certificate, Kubeconfig


def component_kubeconfig(machine: Machine, cluster: str, server: str, component: str) -> Kubeconfig:
    """Its certificate says `system:<component>`, whom RBAC's bootstrap roles know; kwok has none there and is an admin."""
    folder = machine.layout.cluster(cluster)
    subject = Subject("kwok", (ADMIN_GROUP,)) if component == "kwok" else Subject(f"system:{component}")
    certificate = Certificate(folder / "pki", component, "ca", subject)
    return Kubeconfig(folder / f"{component}.kubeconfig", server, component, certificate)
