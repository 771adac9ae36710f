"""Hollow nodes as a node simulator."""

from __future__ import annotations

import resource
from collections.abc import Mapping, Sequence

from fleet.errors import CapacityError, UsageError
from fleet.host.change import Change
from fleet.host.machine import Machine
from fleet.host.pages import PPROF, Pages, Reader, Started
from fleet.host.plan import ControlPlane, Plan
from fleet.host.weight import NOTHING, Weight
from fleet.simulators.group import ProgramGroup, take_out
from fleet.simulators.hollow import pods, program
from fleet.simulators.hollow.address import node_address
from fleet.simulators.hollow.pods import PodNodes
from fleet.simulators.hollow.program import CPU, LABEL_VALUE, MEMORY_GIB, PODS, HollowPlayer, parts_of
from fleet.simulators.hollow.weights import PER_NODE, PER_NODE_OF_POD, PER_PROCESS
from fleet.simulators.simulator import Nodes, Simulator

DESCRIPTORS_PER_NODE = 10
"""Seven at rest: listener, sockets, connections, the kernel's log; the rest for callers."""
DESCRIPTORS_BASE = 200
SOCKET_PATH = 107
"""Characters of a unix socket's path (sun_path)."""
LONGEST_SOCKET = "/000/pod-resources/kubelet.sock"
"""Of the kubelet, below the folder of a WEC's hollow nodes."""


def of_hollow(started: Started) -> Pages:
    """Metrics by the kubelet of its first node, which are all its nodes' together; profiles by its admin socket."""
    settings = program.settings_of(started.flag("config"))
    if not settings:
        return Pages()
    pages = started.behind(f"https://{settings['address']}:{settings['port']}", started.place)
    return Pages(pages.metrics, f"unix:{settings['admin_socket']}:{PPROF}", pages.tls)


def _check_descriptors(machine: Machine) -> None:
    """CapacityError when a process may not open as many files as its nodes need."""
    nodes = max(part.count for part in parts_of(machine))
    needed, (_, hard) = DESCRIPTORS_BASE + DESCRIPTORS_PER_NODE * nodes, resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and needed > hard:
        fits = max(1, (hard - DESCRIPTORS_BASE) // DESCRIPTORS_PER_NODE)
        raise CapacityError(
            f"hollow_per_process: {nodes} nodes in a process need {needed} file descriptors, and this user's hard limit"
            f" is {hard} (ulimit -Hn): set hollow_per_process={fits}, or raise the limit"
        )


def _in_pods(machine: Machine) -> bool:
    return machine.options.hollow_placement == pods.IN_PODS


class Hollow:
    """As in Simulator."""

    parts: Sequence[str] = ("hollow",)
    value = LABEL_VALUE
    kubelets = True
    capacity: Mapping[str, str] = {"cpu": str(CPU), "memory": f"{MEMORY_GIB}Gi", "pods": str(PODS)}
    load = (
        "hollow nodes make a kubelet's and a kube-proxy's own requests, 18.4 for a Pod, up and down, where a real node"
        " makes 19.8 (a factor of 0.93; measured on 2026-11-29 on 2 cores, docs/how-to/hollow-nodes.md)"
    )
    cannot: Sequence[str] = (
        "run containers: the container runtime is a fake",
        "carry traffic: the proxy watches and programs nothing",
        "pull images, probe containers or attach CSI volumes",
        "use CPU and memory as the workload would",
    )
    pages: Mapping[str, Reader] = {"hollow": of_hollow}

    def check(self, machine: Machine, planes: Sequence[ControlPlane]) -> None:
        """As in Simulator."""
        if not planes or not machine.options.wec_nodes:
            return
        if _in_pods(machine):
            pods.check(machine, planes)
            return
        node_address(machine.options.hollow_address)
        for plane in planes:
            path = f"{program.folder_of(machine.layout, plane.name)}{LONGEST_SOCKET}"
            if len(path) > SOCKET_PATH:
                raise UsageError(
                    f"fleet_state_dir: {path} has {len(path)} characters, the path of a unix socket at most"
                    f" {SOCKET_PATH}: use a shorter folder, or a shorter fleet_name"
                )
        _check_descriptors(machine)
        if not program.events_possible():
            machine.notes.append(
                f"{program.KERNEL_LOG} cannot be read by this user: hollow nodes record no events, and Pods with init"
                " containers do not start on them"
            )

    def weight(self, machine: Machine, names: Sequence[str]) -> Weight:
        """As in Simulator."""
        total = NOTHING
        for name in names:
            if _in_pods(machine):
                for part in parts_of(machine)[pods.count(machine, name) :]:
                    total = total.plus(PER_NODE_OF_POD, part.count).plus(PER_PROCESS)
                continue
            for part in parts_of(machine):
                held = machine.registry.find(machine.fleet, part.program(name))
                total = total.plus(PER_NODE, max(0, part.count - (held.count if held else 0)))
                total = total.plus(PER_PROCESS, 0 if held else 1)
        return total

    def plan(self, machine: Machine, plane: ControlPlane, server: str) -> Plan:
        """As in Simulator."""
        if _in_pods(machine):
            return pods.credentials(machine, plane.name)
        return program.plan_hollow(machine, plane, server)

    def nodes(self, machine: Machine, planes: Sequence[ControlPlane]) -> Nodes:
        """As in Simulator."""
        return (
            PodNodes(machine, planes) if _in_pods(machine) else ProgramGroup(machine, planes, HollowPlayer(pods.leave))
        )

    def drop(self, machine: Machine, names: Sequence[str]) -> Change:
        """As in Simulator."""
        return Change.merge([program.drop_programs(machine, names), pods.drop(machine, names)])

    def remove(self, machine: Machine, names: Sequence[str]) -> Change:
        """As in Simulator."""
        return Change.merge([pods.remove_from(machine, names), take_out(machine, names, LABEL_VALUE)])


SIMULATOR: Simulator = Hollow()
