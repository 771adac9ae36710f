"""What a Karmada hub holds before its programs start: namespaces, the aggregated API, webhooks, agents' rights."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from fleet.install.objects import namespace
from fleet.kube.resources import (
    API_SERVICES,
    CLUSTER_ROLE_BINDINGS,
    CLUSTER_ROLES,
    KARMADA_CLUSTERS,
    NAMESPACES,
    SERVICES,
    Resource,
)
from fleet.managers.karmada import names
from fleet.managers.karmada.webhooks import configurations

CRDS = (
    "workloadrebalancers",
    "cronfederatedhpas",
    "federatedhpas",
    "resourceinterpretercustomizations",
    "resourceinterpreterwebhookconfigurations",
    "serviceexports",
    "serviceimports",
    "multiclusteringresses",
    "multiclusterservices",
    "clusteroverridepolicies",
    "clusterpropagationpolicies",
    "clustertaintpolicies",
    "federatedresourcequotas",
    "overridepolicies",
    "propagationpolicies",
    "remedies",
    "clusterresourcebindings",
    "resourcebindings",
    "works",
)
"""Plurals. Clusters are no CRD: the aggregated API server stores them."""
AGENTS_ROLE = "fleet:karmada-agent"

Objects = list[tuple[Resource, dict[str, Any]]]


def objects(ca: Path, aggregated_port: int, webhook_port: int) -> Objects:
    """All of them in the order in which they are made; `ca` is the fleet's authority."""
    spaces = [(NAMESPACES, _labelled(namespace(name))) for name in (names.SYSTEM_NAMESPACE, names.CLUSTER_NAMESPACE)]
    return [*spaces, *aggregation(ca, aggregated_port), *configurations(ca, webhook_port), *agent_rights()]


def aggregation(ca: Path, port: int) -> Objects:
    """The API group of Clusters is served by another server: a Service leads to this machine, its port is in the
    APIService."""
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": names.AGGREGATED, "namespace": names.SYSTEM_NAMESPACE},
        "spec": {"type": "ExternalName", "externalName": "localhost"},
    }
    group, version = KARMADA_CLUSTERS.group, KARMADA_CLUSTERS.version
    api = {
        "apiVersion": API_SERVICES.api_version,
        "kind": API_SERVICES.kind,
        "metadata": {"name": f"{version}.{group}"},
        "spec": {
            "caBundle": base64.b64encode(ca.read_bytes()).decode("ascii"),
            "group": group,
            "version": version,
            "groupPriorityMinimum": 2000,
            "versionPriority": 10,
            "service": {"name": names.AGGREGATED, "namespace": names.SYSTEM_NAMESPACE, "port": port},
        },
    }
    return [(SERVICES, service), (API_SERVICES, api)]


def aggregated_names() -> tuple[str, ...]:
    """Whom the aggregated API server's certificate is for: this machine, and the Service as the hub requests it."""
    service = f"{names.AGGREGATED}.{names.SYSTEM_NAMESPACE}.svc"
    return ("127.0.0.1", "localhost", service)


def agent_rights() -> Objects:
    """What an agent does at the hub: one role for all of them, where `karmadactl register` makes one for each."""
    everything = ["create", "delete", "get", "list", "patch", "update", "watch"]
    rules = [
        _rule("cluster.karmada.io", ["clusters", "clusters/status"], everything),
        _rule("work.karmada.io", ["works", "works/status"], everything),
        _rule(
            "config.karmada.io",
            ["resourceinterpreterwebhookconfigurations", "resourceinterpretercustomizations"],
            ["get", "list", "watch"],
        ),
        _rule("", ["namespaces"], ["create", "get", "list", "watch"]),
        _rule("", ["services"], ["get", "list", "watch"]),
        _rule("", ["events"], ["create", "patch", "update"]),
        _rule("coordination.k8s.io", ["leases"], ["create", "get", "update"]),
    ]
    role = {
        "apiVersion": CLUSTER_ROLES.api_version,
        "kind": CLUSTER_ROLES.kind,
        "metadata": {"name": AGENTS_ROLE},
        "rules": rules,
    }
    return [(CLUSTER_ROLES, role), (CLUSTER_ROLE_BINDINGS, bound(AGENTS_ROLE, AGENTS_ROLE, group=names.AGENTS_GROUP))]


def bound(name: str, role: str, *, group: str = "", account: tuple[str, str] = ("", "")) -> dict[str, Any]:
    """A ClusterRoleBinding of a group, or of the ServiceAccount `account` (namespace and name)."""
    if group:
        subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group}
    else:
        subject = {"kind": "ServiceAccount", "namespace": account[0], "name": account[1]}
    return {
        "apiVersion": CLUSTER_ROLE_BINDINGS.api_version,
        "kind": CLUSTER_ROLE_BINDINGS.kind,
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [subject],
    }


def _labelled(manifest: dict[str, Any]) -> dict[str, Any]:
    """As Karmada marks its own."""
    return manifest | {"metadata": manifest["metadata"] | {"labels": {names.SYSTEM_LABEL: "true"}}}


def _rule(group: str, resources: list[str], verbs: list[str]) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": resources, "verbs": verbs}
