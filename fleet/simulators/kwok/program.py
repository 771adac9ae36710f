"""kwok: one process per WEC that plays the kubelet of its fake nodes, and those nodes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fleet.errors import HostError
from fleet.host.https import Answer, Endpoint
from fleet.host.kubeconfig_spec import component_kubeconfig
from fleet.host.machine import Machine
from fleet.host.plan import PLAIN, ControlPlane, NodeShape, Plan, PlannedProgram, TextFile, render_json
from fleet.host.supervise import Program
from fleet.simulators.kwok import stages as kwok_stages

NODE_ANNOTATION = "kwok.x-k8s.io/node"
NODE_LABEL = "fleet-testbed/node"
"""Nodes that carry it were made here, so they may be removed here when `wec_nodes` shrinks."""
SHAPE_ANNOTATION = "fleet-testbed/node-shape"
"""Digest of the shape that a node was made with; a plain one has none."""
DIGEST_LENGTH = 16
LEASE_SECONDS = 40
CREATED, CONFLICT, NOT_FOUND, OK = 201, 409, 404, 200
CAPACITY = {"cpu": "32", "memory": "256Gi", "pods": "110"}
"""As in kwokctl's node template."""


def port_owner(name: str) -> str:
    """Who holds the port of a WEC's kwok, when it listens."""
    return f"kwok.{name}"


def plan_kwok(machine: Machine, plane: ControlPlane, server: str) -> Plan:
    """The process of one WEC; it listens only when debugging is requested."""
    listen = ""
    if machine.options.debug:
        in_use = f"kwok.{plane.name}" in machine.live_programs()
        listen = f"127.0.0.1:{machine.take(port_owner(plane.name), 1, in_use=in_use).start}"
    kubeconfig = component_kubeconfig(machine, plane.name, server, "kwok", user="kwok")
    folder = machine.layout.cluster(plane.name)
    stages = TextFile(folder / "kwok.yaml", kwok_stages.config())
    argv = (
        str(machine.programs.program("kwok")),
        f"--config={stages.path}",
        f"--kubeconfig={kubeconfig.path}",
        "--manage-all-nodes=false",
        f"--manage-nodes-with-annotation-selector={NODE_ANNOTATION}=fake",
        f"--node-lease-duration-seconds={LEASE_SECONDS}",
        f"--server-address={listen}",
        "--v=WARN",  # at INFO it tells each lease of each node
        *plane.extra.simulator,
    )
    program = Program(f"kwok.{plane.name}", argv, plane.extra.environment("kwok", {}), folder, priority=400)
    reads: Sequence[Path] = (kubeconfig.path, stages.path)
    return Plan(
        certificates=(kubeconfig.certificate,),
        kubeconfigs=(kubeconfig,),
        texts=(stages,),
        programs=(PlannedProgram(program, "kwok", plane.name, tuple(reads)),),
    )


def node_names(count: int) -> list[str]:
    """`kwok-001` and so on."""
    return [f"kwok-{number:03d}" for number in range(1, count + 1)]


def node(name: str, shape: NodeShape = PLAIN) -> dict[str, Any]:
    """One fake node; without a taint unless the shape says so: plain workload must be scheduled on it."""
    extra = shape.plain.get(name)
    capacity = CAPACITY if extra is not None else {**CAPACITY, **shape.capacity}
    annotations = {NODE_ANNOTATION: "fake"}
    if shape != PLAIN:
        annotations[SHAPE_ANNOTATION] = digest(shape)
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": annotations,
            "labels": {
                "type": "kwok",
                NODE_LABEL: "fake",
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/os": "linux",
                "kubernetes.io/hostname": name,
                "kubernetes.io/role": "agent",
                "node-role.kubernetes.io/agent": "",
                **(shape.labels if extra is None else extra),
            },
        },
        **({"spec": {"taints": [dict(taint) for taint in shape.taints]}} if shape.taints and extra is None else {}),
        "status": {"allocatable": capacity, "capacity": capacity},
    }


def digest(shape: NodeShape) -> str:
    """Tells two shapes apart."""
    return hashlib.sha256(render_json(asdict(shape)).encode()).hexdigest()[:DIGEST_LENGTH]


def nodes_of(count: int, shape: NodeShape) -> list[str]:
    """Names of all nodes of a WEC with `count` simulated ones."""
    return [*node_names(count), *(shape.plain if count else ())]


def converge_nodes(
    cluster: str, endpoint: Endpoint, count: int, shape: NodeShape = PLAIN, *, check: bool
) -> tuple[list[str], list[str]]:
    """Make the WEC have exactly `count` of our fake nodes of that shape; names that were (or would be) added and
    removed. One of another shape is both: labels and taints that nobody wants any more must go."""
    answer = endpoint.request("GET", f"/api/v1/nodes?labelSelector={NODE_LABEL}%3Dfake")
    _expect(cluster, answer, OK)
    shaped = digest(shape) if shape != PLAIN else ""
    present = {item["metadata"]["name"]: _shape_of(item) for item in _items(answer.json())}
    wanted = nodes_of(count, shape)
    added = [name for name in wanted if present.get(name) != shaped]
    removed = sorted(name for name, found in present.items() if name not in wanted or found != shaped)
    if not check:
        for name in removed:
            _expect(cluster, endpoint.request("DELETE", f"/api/v1/nodes/{name}"), OK, NOT_FOUND)
        for name in added:
            _expect(cluster, endpoint.request("POST", "/api/v1/nodes", node(name, shape)), CREATED, CONFLICT)
    return added, removed


def _shape_of(item: Mapping[str, Any]) -> str:
    return str((item["metadata"].get("annotations") or {}).get(SHAPE_ANNOTATION) or "")


def ready_nodes(cluster: str, endpoint: Endpoint) -> int:
    """How many of our fake nodes have the condition Ready, which only a kwok that works gives them."""
    answer = endpoint.request("GET", f"/api/v1/nodes?labelSelector={NODE_LABEL}%3Dfake")
    _expect(cluster, answer, OK)
    conditions = [node.get("status", {}).get("conditions") or [] for node in _items(answer.json())]
    return sum(any(c["type"] == "Ready" and c["status"] == "True" for c in found) for found in conditions)


def _items(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return document.get("items") or []


def _expect(cluster: str, answer: Answer, *statuses: int) -> None:
    if answer.status not in statuses:
        raise HostError(f"{cluster}: fake nodes: {answer.status} {answer.text()}")
