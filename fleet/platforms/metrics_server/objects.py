"""What metrics-server needs in its WEC: its rights, and the part of the API that it serves."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from fleet.kube.resources import (
    API_SERVICES,
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    ROLE_BINDINGS,
    SERVICES,
    Resource,
)
from fleet.platforms.metrics_server import names

Objects = list[tuple[Resource, dict[str, Any]]]
AGGREGATE_TO = ("view", "edit", "admin")


def objects(ca: Path, port: int) -> Objects:
    """In the order in which they are made; `ca` is the fleet's authority, `port` that of the program."""
    reader = _role(names.READER_ROLE, [_rule(names.GROUP, ["pods", "nodes"], ["get", "list", "watch"])])
    reader["metadata"]["labels"] = {f"rbac.authorization.k8s.io/aggregate-to-{role}": "true" for role in AGGREGATE_TO}
    own = [_rule("", ["nodes/metrics"], ["get"]), _rule("", ["pods", "nodes"], ["get", "list", "watch"])]
    delegator = f"{names.COMPONENT}:system:auth-delegator"
    return [
        (CLUSTER_ROLES, reader),
        (CLUSTER_ROLES, _role(names.ROLE, own)),
        (CLUSTER_ROLE_BINDINGS, _binding(names.ROLE, names.ROLE)),
        (CLUSTER_ROLE_BINDINGS, _binding(delegator, "system:auth-delegator")),
        (ROLE_BINDINGS, _auth_reader()),
        *aggregation(ca, port),
    ]


def aggregation(ca: Path, port: int) -> Objects:
    """A Service that leads to this machine, and the group of the API; the port is in the latter."""
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": names.COMPONENT, "namespace": names.NAMESPACE},
        "spec": {"type": "ExternalName", "externalName": "localhost"},
    }
    api = {
        "apiVersion": API_SERVICES.api_version,
        "kind": API_SERVICES.kind,
        "metadata": {"name": names.API},
        "spec": {
            "caBundle": base64.b64encode(ca.read_bytes()).decode("ascii"),
            "group": names.GROUP,
            "version": names.VERSION,
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "service": {"name": names.COMPONENT, "namespace": names.NAMESPACE, "port": port},
        },
    }
    return [(SERVICES, service), (API_SERVICES, api)]


def _auth_reader() -> dict[str, Any]:
    """It reads there which front proxy it may believe."""
    return {
        **_bound("Role", "extension-apiserver-authentication-reader"),
        "apiVersion": ROLE_BINDINGS.api_version,
        "kind": ROLE_BINDINGS.kind,
        "metadata": {"name": f"{names.COMPONENT}-auth-reader", "namespace": names.NAMESPACE},
    }


def _binding(name: str, role: str) -> dict[str, Any]:
    return {
        **_bound("ClusterRole", role),
        "apiVersion": CLUSTER_ROLE_BINDINGS.api_version,
        "kind": CLUSTER_ROLE_BINDINGS.kind,
        "metadata": {"name": name},
    }


def _bound(kind: str, role: str) -> dict[str, Any]:
    subject = {"kind": "ServiceAccount", "namespace": names.NAMESPACE, "name": names.COMPONENT}
    return {
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role},
        "subjects": [subject],
    }


def _role(name: str, rules: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "apiVersion": CLUSTER_ROLES.api_version,
        "kind": CLUSTER_ROLES.kind,
        "metadata": {"name": name},
        "rules": rules,
    }


def _rule(group: str, resources: list[str], verbs: list[str]) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": resources, "verbs": verbs}
