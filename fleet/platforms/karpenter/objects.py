"""What has to be in a WEC for Karpenter: its namespace, identity and rights, and a node class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fleet.install.objects import namespace
from fleet.kube.resources import (
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    NAMESPACES,
    ROLE_BINDINGS,
    ROLES,
    SERVICE_ACCOUNTS,
    Resource,
)
from fleet.platforms.karpenter import names

LEASES_OF_NODES = "kube-node-lease"
_READ = ("get", "list", "watch")
_RULES: Sequence[tuple[str, Sequence[str], Sequence[str]]] = (
    ("karpenter.sh", ("nodepools", "nodeclaims", "nodeoverlays"), _READ),
    ("karpenter.sh", ("nodepools/status", "nodeclaims/status", "nodeoverlays/status"), (*_READ, "update", "patch")),
    ("karpenter.sh", ("nodeclaims", "nodeclaims/finalizers"), ("create", "delete", "update", "patch")),
    ("karpenter.sh", ("nodepools", "nodepools/finalizers"), ("update", "patch")),
    ("karpenter.kwok.sh", ("kwoknodeclasses", "kwoknodeclasses/status"), (*_READ, "update", "patch")),
    ("", ("pods", "nodes", "persistentvolumes", "persistentvolumeclaims", "namespaces"), _READ),
    ("", ("replicationcontrollers",), _READ),
    ("", ("nodes",), ("create", "delete", "update", "patch")),
    ("", ("pods",), ("delete",)),
    ("", ("pods/eviction",), ("create",)),
    ("", ("events",), ("create", "patch")),
    ("apps", ("daemonsets", "deployments", "replicasets", "statefulsets"), _READ),
    ("policy", ("poddisruptionbudgets",), _READ),
    ("storage.k8s.io", ("storageclasses", "csinodes", "volumeattachments"), _READ),
    ("apiextensions.k8s.io", ("customresourcedefinitions",), _READ),
)  # fmt: skip
"""What the ClusterRoles of its chart allow: API group, resources, verbs."""
_LEASE_RULE = {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": [*_READ, "delete"]}


def before() -> Iterator[tuple[Resource, dict[str, Any]]]:
    """What is there before the program starts, but for its CustomResourceDefinitions; in the order of creation."""
    yield NAMESPACES, namespace(names.NAMESPACE)
    yield SERVICE_ACCOUNTS, _object(SERVICE_ACCOUNTS, names.ACCOUNT, names.NAMESPACE)
    rules = [{"apiGroups": [group], "resources": [*kinds], "verbs": [*verbs]} for group, kinds, verbs in _RULES]
    yield CLUSTER_ROLES, {**_object(CLUSTER_ROLES, names.CONTROLLER), "rules": rules}
    yield CLUSTER_ROLE_BINDINGS, _binding(CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES)
    yield ROLES, {**_object(ROLES, names.CONTROLLER, LEASES_OF_NODES), "rules": [_LEASE_RULE]}
    yield ROLE_BINDINGS, _binding(ROLE_BINDINGS, ROLES, LEASES_OF_NODES)


def node_class() -> dict[str, Any]:
    """The KWOKNodeClass that NodePools name."""
    return _object(names.NODE_CLASSES, names.NODE_CLASS)


def _object(resource: Resource, name: str, where: str = "") -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": where} if where else {})}
    return {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata}


def _binding(resource: Resource, role: Resource, where: str = "") -> dict[str, Any]:
    account = {"kind": SERVICE_ACCOUNTS.kind, "name": names.ACCOUNT, "namespace": names.NAMESPACE}
    given = {"apiGroup": role.group, "kind": role.kind, "name": names.CONTROLLER}
    return {**_object(resource, names.CONTROLLER, where), "roleRef": given, "subjects": [account]}
