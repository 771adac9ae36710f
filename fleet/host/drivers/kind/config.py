"""The configuration of one kind cluster: kind's own file, pure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from fleet.errors import UsageError
from fleet.host import audit
from fleet.host.layout import Layout
from fleet.host.plan import ControlPlane

PREFIX = "fleet/kind-node:"
"""Names of the images that `fleet.node_image` builds; others bring a network plugin of their own."""
REAL_NODE = "fleet-testbed/real-node"
"""Taint of the only real node: workload of an experiment runs on kwok's."""
CONTROL_PLANE_TAINT = "node-role.kubernetes.io/control-plane"
NODE_SUFFIX = "-control-plane"
HOSTNAME_LIMIT = 63
"""RFC 1123: a container's name is its host name."""
SKIPPED = ("preflight", "addon/kube-proxy", "addon/coredns")
"""Phases of kubeadm. Preflight would pull images; a fleet's workload needs neither service addresses nor names."""
INSIDE = Path("/fleet")
"""Where a node, and its API server, see the folder of the cluster; of it only what is mounted."""

__all__ = ["cluster_name", "container_name", "render"]


def cluster_name(fleet: str, plane: str) -> str:
    """What kind calls the cluster: several fleets may share one engine."""
    return f"{fleet}-{plane}"


def container_name(fleet: str, plane: str) -> str:
    """The container of its only node; UsageError when it could be no host name."""
    name = f"{cluster_name(fleet, plane)}{NODE_SUFFIX}"
    if len(name) > HOSTNAME_LIMIT:
        raise UsageError(
            f"{plane}: {name} has {len(name)} characters, a kind node's name at most {HOSTNAME_LIMIT}: "
            "choose a shorter fleet_name or wec_prefix"
        )
    return name


def render(layout: Layout, fleet: str, plane: ControlPlane, port: int, image: str) -> str:
    """YAML of `kind.x-k8s.io/v1alpha4`: one node, its API server on the plane's address, the fleet's authority in it.

    So the certificates of the admin, of kwok and of the agent are those of the other drivers, and TLS is verified the
    same way. The authority's key is in the node as in every kubeadm cluster.
    """
    pki = layout.pki
    mounts: list[dict[str, Any]] = [
        {"hostPath": str(pki / f"ca.{end}"), "containerPath": f"/etc/kubernetes/pki/ca.{end}", "readOnly": True}
        for end in ("crt", "key")
    ]
    mounts += [
        {"hostPath": str(log), "containerPath": str(INSIDE / log.name)}
        for log in audit.folders(layout.cluster(plane.name), plane.audit)
    ]
    document = {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "name": cluster_name(fleet, plane.name),
        "networking": {
            "ipFamily": "ipv4",
            "apiServerAddress": plane.bind_address,
            "apiServerPort": port,
            "disableDefaultCNI": image.startswith(PREFIX),
            "kubeProxyMode": "none",
        },
        "nodes": [{"role": "control-plane", "image": image, "extraMounts": mounts}],
        "kubeadmConfigPatches": [_yaml(_cluster(plane)), _yaml(_init())],
    }
    return _yaml(document)


def _init() -> dict[str, Any]:
    taints = [
        {"key": key, "effect": "NoSchedule"} for key in (CONTROL_PLANE_TAINT, REAL_NODE)
    ]  # kind removes the first
    return {"kind": "InitConfiguration", "skipPhases": list(SKIPPED), "nodeRegistration": {"taints": taints}}


def _cluster(plane: ControlPlane) -> dict[str, Any]:
    extra = plane.extra
    parts = {
        "apiServer": (*audit.arguments(INSIDE, plane.audit), *extra.apiserver),
        "controllerManager": extra.kcm,
        "scheduler": extra.scheduler,
    }
    document: dict[str, Any] = {"kind": "ClusterConfiguration"}
    document |= {name: {"extraArgs": _flags(flags)} for name, flags in parts.items() if flags}
    for log in audit.folders(INSIDE, plane.audit):
        volume = {"name": log.name, "hostPath": str(log), "mountPath": str(log), "pathType": "Directory"}
        document["apiServer"]["extraVolumes"] = [volume]
    if extra.etcd:
        document["etcd"] = {"local": {"extraArgs": _flags(extra.etcd)}}
    return document


def _flags(flags: Sequence[str]) -> dict[str, str]:
    """kubeadm knows a flag by its name alone; one without a value is switched on."""
    pairs = (flag.removeprefix("--").partition("=") for flag in flags)
    return {name: value if equals else "true" for name, equals, value in pairs}


def _yaml(document: object) -> str:
    return str(yaml.safe_dump(document, sort_keys=False, width=1000))
