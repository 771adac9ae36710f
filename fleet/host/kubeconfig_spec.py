"""The kubeconfig of one component of a control plane."""

from __future__ import annotations

from fleet.host.machine import Machine
from fleet.host.pki import ADMIN_GROUP, Subject
from fleet.host.plan import Certificate, Kubeconfig


def component_kubeconfig(machine: Machine, cluster: str, server: str, component: str, user: str = "") -> Kubeconfig:
    """Its certificate says `user`, else `system:<component>`, whom RBAC's bootstrap roles know.

    A program that has no such role is an admin. The controller manager's covers little more than making tokens for its
    controllers' own accounts; one identity for all of them keeps twenty token requests and clients out of every control
    plane, so it is an admin.
    """
    folder = machine.layout.cluster(cluster)
    subject = Subject(user or f"system:{component}", () if component == "kube-scheduler" else (ADMIN_GROUP,))
    certificate = Certificate(folder / "pki", component, "ca", subject)
    return Kubeconfig(folder / f"{component}.kubeconfig", server, component, certificate)
