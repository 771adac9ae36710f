"""kwok: one process per WEC that plays the kubelet of its fake nodes, and those nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fleet.errors import HostError
from fleet.host.hosted import Hosting, is_member
from fleet.host.https import Answer, Endpoint
from fleet.host.kubeconfig_spec import component_kubeconfig
from fleet.host.machine import Machine
from fleet.host.plan import ControlPlane, Plan, PlannedProgram, TextFile
from fleet.host.supervise import Program
from fleet.simulators.kwok import stages as kwok_stages

NODE_ANNOTATION = "kwok.x-k8s.io/node"
NODE_LABEL = "fleet-testbed/node"
"""Nodes that carry it were made here, so they may be removed here when `wec_nodes` shrinks."""
LEASE_SECONDS = 40
HOST = "kwok-host"
HOST_ENV = {"GOGC": "40"}
"""What its instances hold at rest is little beside what they make; collected early, it stays so."""
CREATED, CONFLICT, NOT_FOUND, OK = 201, 409, 404, 200
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
        "--v=WARN",  # at INFO it tells each lease of each node
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


def node(name: str) -> dict[str, Any]:
    """One fake node, without a taint: plain workload must be scheduled on it."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": {NODE_ANNOTATION: "fake"},
            "labels": {
                "type": "kwok",
                NODE_LABEL: "fake",
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/os": "linux",
                "kubernetes.io/hostname": name,
                "kubernetes.io/role": "agent",
                "node-role.kubernetes.io/agent": "",
            },
        },
        "status": {"allocatable": CAPACITY, "capacity": CAPACITY},
    }


def converge_nodes(cluster: str, endpoint: Endpoint, count: int, *, check: bool) -> tuple[list[str], list[str]]:
    """Make the WEC have exactly `count` of our fake nodes; names that were (or would be) added and
    removed."""
    answer = endpoint.request("GET", f"/api/v1/nodes?labelSelector={NODE_LABEL}%3Dfake")
    _expect(cluster, answer, OK)
    present = {item["metadata"]["name"] for item in _items(answer.json())}
    wanted = node_names(count)
    added = [name for name in wanted if name not in present]
    removed = sorted(present - set(wanted))
    if not check:
        for name in added:
            _expect(cluster, endpoint.request("POST", "/api/v1/nodes", node(name)), CREATED, CONFLICT)
        for name in removed:
            _expect(cluster, endpoint.request("DELETE", f"/api/v1/nodes/{name}"), OK, NOT_FOUND)
    return added, removed


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
