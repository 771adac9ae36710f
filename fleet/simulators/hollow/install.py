"""Hollow nodes as a node simulator."""

from __future__ import annotations

import resource
from collections.abc import Mapping, Sequence

from fleet.errors import CapacityError, UsageError
from fleet.host.change import Change
from fleet.host.files import remove_tree
from fleet.host.machine import Machine
from fleet.host.pages import PPROF, Pages, Reader, Started
from fleet.host.plan import ControlPlane, Plan
from fleet.host.weight import MIB, Weight
from fleet.simulators.group import ProgramGroup, take_out
from fleet.simulators.hollow import program
from fleet.simulators.hollow.address import node_address
from fleet.simulators.hollow.program import CPU, GROUP, LABEL_VALUE, MEMORY_GIB, PODS, HollowPlayer, parts_of
from fleet.simulators.simulator import Nodes, Simulator

PER_NODE = Weight(3 * MIB, 1, 2, 0, 1, 1 * MIB)
"""docs/how-to/hollow-nodes.md has the measurements. Its threads are goroutines; it watches the folder of its plugins;
its disk holds logs and volumes of pods."""
PER_PROCESS = Weight(60 * MIB, 1, 1, 40, 0, 20 * MIB)
"""What one costs without a node, threads of the runtime, and its log."""
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
        total = Weight(0, 0, 0, 0, 0, 0)
        for name in names:
            for part in parts_of(machine):
                held = machine.registry.find(machine.fleet, part.program(name))
                total = total.plus(PER_NODE, max(0, part.count - (held.count if held else 0)))
                total = total.plus(PER_PROCESS, 0 if held else 1)
        return total

    def plan(self, machine: Machine, plane: ControlPlane, server: str) -> Plan:
        """As in Simulator."""
        return program.plan_hollow(machine, plane, server)

    def nodes(self, machine: Machine, planes: Sequence[ControlPlane]) -> Nodes:
        """As in Simulator."""
        return ProgramGroup(machine, planes, HollowPlayer())

    def drop(self, machine: Machine, names: Sequence[str]) -> Change:
        """As in Simulator."""
        gone = {name: cluster for name, cluster in program.owned(machine).items() if cluster in names}
        change = machine.supervisor.drop(GROUP, sorted(gone), check=machine.check)
        if not machine.check:
            for name, cluster in gone.items():
                program.forget(machine, name, cluster)
                remove_tree(program.folder_of(machine.layout, cluster))
        return change

    def remove(self, machine: Machine, names: Sequence[str]) -> Change:
        """As in Simulator."""
        return take_out(machine, names, LABEL_VALUE)


SIMULATOR: Simulator = Hollow()
