"""kwok: one process per WEC that plays the kubelet of its fake nodes, and those nodes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fleet.host.change import Change
from fleet.host.hosted import Hosting, is_member
from fleet.host.https import Endpoint
from fleet.host.kubeconfig_spec import component_kubeconfig
from fleet.host.machine import Machine
from fleet.host.plan import PLAIN, ControlPlane, NodeShape, Plan, PlannedProgram, TextFile, render_json
from fleet.host.supervise import Program
from fleet.simulators import node_objects
from fleet.simulators.kwok import stages as kwok_stages

NODE_ANNOTATION = "kwok.x-k8s.io/node"
GROUP = "kwok"
LABEL_VALUE = "fake"
"""Of `node_objects.NODE_LABEL` on nodes that kwok plays."""
SHAPE_ANNOTATION = "fleet-testbed/node-shape"
"""Digest of the shape that a node was made with; a plain one has none."""
DIGEST_LENGTH = 16
LEASE_SECONDS = 40
HOST = "kwok-host"
HOST_ENV = {"GOGC": "40"}
"""What its instances hold at rest is little alongside what they make; collected early, it stays so."""
CAPACITY = {"cpu": "32", "memory": "256Gi", "pods": "110"}
"""As in kwokctl's node template."""


def port_owner(name: str) -> str:
    """Who holds the port of a WEC's kwok, when it listens."""
    return f"kwok.{name}"


def plan_kwok(machine: Machine, plane: ControlPlane, server: str) -> Plan:
    """The kwok of one WEC: within a host, or a process that listens only when debugging is requested.

    One with an environment of its own is always a process of its own.
    """
    hosting = hosts(machine)
    env = plane.extra.environment("kwok", {})
    hosted = machine.options.hosted and not env
    listen = ""
    if machine.options.debug and not hosted:
        in_use = f"kwok.{plane.name}" in machine.live_programs()
        listen = f"127.0.0.1:{machine.take(port_owner(plane.name), 1, in_use=in_use).start}"
    kubeconfig = component_kubeconfig(machine, plane.name, server, "kwok", user="kwok")
    folder = machine.layout.cluster(plane.name)
    stages = TextFile(folder / "kwok.yaml", kwok_stages.config())
    arguments = (
        f"--config={stages.path}",
        f"--kubeconfig={kubeconfig.path}",
        "--manage-all-nodes=false",
        f"--manage-nodes-with-annotation-selector={NODE_ANNOTATION}=fake",
        f"--node-lease-duration-seconds={LEASE_SECONDS}",
        f"--server-address={listen}",
        "--v=WARN",  # at INFO it logs each lease of each node
        *plane.extra.simulator,
    )
    own = (str(machine.programs.program("kwok")), *arguments)
    argv = hosting.member(plane.name, plane.name, arguments) if hosted else own
    program = Program(f"kwok.{plane.name}", argv, env, folder, priority=400)
    reads: Sequence[Path] = (kubeconfig.path, stages.path)
    return Plan(
        certificates=(kubeconfig.certificate,),
        kubeconfigs=(kubeconfig,),
        texts=(stages,),
        programs=(PlannedProgram(program, "kwok", plane.name, tuple(reads)),),
    )


def hosts(machine: Machine) -> Hosting:
    """The hosts of a machine's kwoks."""
    return Hosting(machine.layout, machine.programs, HOST, HOST, machine.options.shard_size, HOST_ENV)


def plan_hosts(plans: Sequence[Plan], machine: Machine) -> Plan:
    """The hosts of those kwoks that are members."""
    wecs = [p.cluster for plan in plans for p in plan.programs if is_member(p.program.argv)]
    made = hosts(machine).hosts(wecs, priority=390)
    return Plan(programs=tuple(PlannedProgram(program, HOST, "", ()) for program in made))


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
                node_objects.NODE_LABEL: LABEL_VALUE,
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
    """Distinguishes two shapes; of nodes as they are without one it is empty."""
    return "" if shape == PLAIN else hashlib.sha256(render_json(asdict(shape)).encode()).hexdigest()[:DIGEST_LENGTH]


def _shape_of(item: Mapping[str, Any]) -> str:
    return str((item["metadata"].get("annotations") or {}).get(SHAPE_ANNOTATION) or "")


class KwokPlayer:
    """As in Player."""

    group = GROUP
    value = LABEL_VALUE

    def plan(self, machine: Machine, plane: ControlPlane, server: str) -> Plan:
        """As in Player."""
        return plan_kwok(machine, plane, server)

    def carriers(self, machine: Machine, plans: Sequence[Plan]) -> Plan:
        """As in Player."""
        return plan_hosts(plans, machine)

    def programs(self, machine: Machine, name: str) -> list[str]:  # noqa: ARG002
        """As in Player."""
        return [f"kwok.{name}"]

    def nodes(self, machine: Machine, plane: ControlPlane) -> list[str]:
        """As in Player."""
        names = node_names(machine.options.wec_nodes)
        return [*names, *(plane.nodes.plain if names else ())]

    def prepare(self, machine: Machine, name: str, endpoint: Endpoint) -> Change:  # noqa: ARG002
        """As in Player."""
        return Change.none()

    def converge(self, machine: Machine, plane: ControlPlane, endpoint: Endpoint) -> tuple[list[str], list[str]]:
        """As in Player; one of another shape is removed and added: labels that nobody wants any more must go."""
        name, shaped = plane.name, digest(plane.nodes)
        found = node_objects.of_simulator(name, endpoint, LABEL_VALUE)
        present = {item["metadata"]["name"]: _shape_of(item) for item in found}
        wanted = self.nodes(machine, plane)
        added = [node for node in wanted if present.get(node) != shaped]
        removed = sorted(node for node, shape in present.items() if node not in wanted or shape != shaped)
        if not machine.check:
            node_objects.delete(name, endpoint, removed)
            for each in added:
                node_objects.create(name, endpoint, node(each, plane.nodes))
        return added, removed

    def tidy(self, machine: Machine, names: Sequence[str]) -> None:
        """As in Player."""
