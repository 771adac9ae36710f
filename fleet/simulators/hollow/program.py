"""The processes that hold the hollow nodes of one WEC: at most `hollow_per_process` nodes each."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fleet.host.change import Change
from fleet.host.files import remove_tree
from fleet.host.https import Endpoint
from fleet.host.layout import Layout
from fleet.host.machine import Machine
from fleet.host.plan import ControlPlane, Plan, PlannedProgram, TextFile, render_json
from fleet.host.supervise import Program
from fleet.simulators import node_objects
from fleet.simulators.hollow import rights
from fleet.simulators.hollow.address import node_address

GROUP = "hollow"
COMPONENT = "hollow"
LABEL_VALUE = "hollow"
"""Of `node_objects.NODE_LABEL`; the program has the same in `node.go`."""
PREFIX = "hollow-"
PROGRAM = re.compile(r"hollow-\d+\.(?P<cluster>.+)")
CPU, MEMORY_GIB, PODS = 32, 256, 110
"""As kwok's nodes, so that a scheduler decides alike."""
ENVIRONMENT = {"GOGC": "50"}
"""Idle nodes have much live heap and make little garbage: memory counts more than a collection now and then."""
KERNEL_LOG = Path("/dev/kmsg")
"""A kubelet that records events watches it for processes that the kernel killed."""
STOP_SECONDS = 5

Leave = Callable[[Machine, str, Endpoint], Change]
"""Of the WEC of that name; obeys `machine.check`."""


@dataclass(frozen=True)
class Part:
    """The nodes of one process: numbers `first` to `first + count - 1`."""

    index: int
    first: int
    count: int

    def program(self, cluster: str) -> str:
        """Name of its program, which also holds its ports."""
        return f"{COMPONENT}-{self.index}.{cluster}"


def parts(nodes: int, per_process: int) -> Iterator[Part]:
    """`nodes` spread over processes of at most `per_process`, full ones first."""
    for index, first in enumerate(range(1, nodes + 1, per_process)):
        yield Part(index, first, min(per_process, nodes - first + 1))


def parts_of(machine: Machine) -> list[Part]:
    """Those of each WEC of the machine."""
    return list(parts(machine.options.wec_nodes, machine.options.hollow_per_process))


def node_names(count: int) -> list[str]:
    """`hollow-001` and so on."""
    return [f"{PREFIX}{number:03d}" for number in range(1, count + 1)]


def socket_of(layout: Layout, program: str) -> Path:
    """The admin socket of a process."""
    return layout.run / f"{program}.sock"


def folder_of(layout: Layout, cluster: str) -> Path:
    """Files of the nodes of one WEC: logs and volumes of their pods. Short: unix sockets lie below it."""
    return layout.cluster(cluster) / "hollow"


def settings_file(layout: Layout, part: Part, cluster: str) -> Path:
    """What the process reads."""
    return layout.cluster(cluster) / f"{COMPONENT}-{part.index}.json"


def owned(machine: Machine) -> dict[str, str]:
    """Programs of hollow nodes that have ports on this machine, each with its WEC."""
    blocks = machine.registry.blocks(machine.fleet)
    return {block.owner: found["cluster"] for block in blocks if (found := PROGRAM.fullmatch(block.owner))}


def plan_hollow(machine: Machine, plane: ControlPlane, server: str) -> Plan:
    """The processes of one WEC; takes their ports (not in check mode)."""
    return Plan.merge(_plan_part(machine, plane, server, part) for part in parts_of(machine))


def _plan_part(machine: Machine, plane: ControlPlane, server: str, part: Part) -> Plan:
    layout, name = machine.layout, part.program(plane.name)
    ports = machine.take(name, part.count, in_use=name in machine.live_programs())
    ca, ca_key = layout.pki / "ca.crt", layout.pki / "ca.key"
    settings = {
        "server": server,
        "ca": str(ca),
        "ca_key": str(ca_key),
        "address": node_address(machine.options.hollow_address),
        "port": ports.start,
        "prefix": PREFIX,
        "first": part.first,
        "count": part.count,
        "root": str(folder_of(layout, plane.name)),
        "admin_socket": str(socket_of(layout, name)),
        "cpu": CPU,
        "memory": MEMORY_GIB << 30,
        "pods": PODS,
        "events": events_possible(),
    }
    file = TextFile(settings_file(layout, part, plane.name), render_json(settings))
    argv = (str(machine.programs.program(COMPONENT)), f"--config={file.path}", *plane.extra.simulator)
    environment = plane.extra.environment(COMPONENT, ENVIRONMENT)
    program = Program(name, argv, environment, layout.cluster(plane.name), priority=400, stop_seconds=STOP_SECONDS)
    planned = PlannedProgram(program, COMPONENT, plane.name, (file.path, ca, ca_key))
    return Plan(texts=(file,), programs=(planned,))


def events_possible() -> bool:
    """Whether kubelets can record events here."""
    return os.access(KERNEL_LOG, os.R_OK)


def settings_of(config: str) -> dict[str, object]:
    """The settings that a process was started with; empty when they are gone."""
    try:
        found = json.loads(Path(config).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


class HollowPlayer:
    """As in Player."""

    group = GROUP
    value = LABEL_VALUE

    def __init__(self, leave: Leave) -> None:
        """`leave` takes the nodes of a WEC out of where they were before."""
        self._leave = leave

    def plan(self, machine: Machine, plane: ControlPlane, server: str) -> Plan:
        """As in Player."""
        return plan_hollow(machine, plane, server)

    def carriers(self, machine: Machine, plans: Sequence[Plan]) -> Plan:  # noqa: ARG002
        """As in Player: a process has the nodes of one WEC."""
        return Plan()

    def programs(self, machine: Machine, name: str) -> list[str]:
        """As in Player."""
        return [part.program(name) for part in parts_of(machine)]

    def nodes(self, machine: Machine, plane: ControlPlane) -> list[str]:  # noqa: ARG002
        """As in Player: kubelets make their nodes, alike in every WEC."""
        return node_names(machine.options.wec_nodes)

    def prepare(self, machine: Machine, name: str, endpoint: Endpoint) -> Change:
        """As in Player: the rights of nodes. Says too which nodes will add themselves."""
        return Change.merge([self._leave(machine, name, endpoint), will_add(machine, name, endpoint)])

    def converge(self, machine: Machine, plane: ControlPlane, endpoint: Endpoint) -> tuple[list[str], list[str]]:
        """As in Player: those whose kubelet has gone are deleted; what kubelets add `prepare` has said."""
        return [], without_kubelet(machine, plane.name, endpoint)

    def tidy(self, machine: Machine, names: Sequence[str]) -> None:
        """As in Player: ports, settings and files of processes and nodes that there are no more."""
        kept = {part.program(name) for name in names for part in parts_of(machine)}
        for program, cluster in owned(machine).items():
            if cluster in names and program not in kept:
                forget(machine, program, cluster)
        last = machine.options.wec_nodes
        for name in names:
            for folder in folder_of(machine.layout, name).glob("*"):
                if folder.name.isdigit() and int(folder.name) > last:
                    remove_tree(folder)


def will_add(machine: Machine, name: str, endpoint: Endpoint) -> Change:
    """The rights of nodes, which must be there before they are; and which will add themselves."""
    present = _present(name, endpoint)
    after = {
        f"node {name}/{node}": LABEL_VALUE for node in node_names(machine.options.wec_nodes) if node not in present
    }
    return Change({}, {**after, **rights.ensure(name, endpoint, check=machine.check)})


def without_kubelet(machine: Machine, name: str, endpoint: Endpoint) -> list[str]:
    """Deletes the nodes whose kubelet has gone (in check mode not); their names."""
    removed = sorted(_present(name, endpoint) - set(node_names(machine.options.wec_nodes)))
    if not machine.check:
        node_objects.delete(name, endpoint, removed)
    return removed


def drop_programs(machine: Machine, names: Sequence[str]) -> Change:
    """End the processes of these WECs on the machine, and forget them."""
    gone = {name: cluster for name, cluster in owned(machine).items() if cluster in names}
    change = machine.supervisor.drop(GROUP, sorted(gone), check=machine.check)
    if not machine.check:
        for name, cluster in gone.items():
            forget(machine, name, cluster)
            remove_tree(folder_of(machine.layout, cluster))
    return change


def forget(machine: Machine, program: str, cluster: str) -> None:
    """Ports and files of a process that has ended."""
    machine.registry.give_back(machine.fleet, program)
    index = program.partition(".")[0]
    for path in (machine.layout.cluster(cluster) / f"{index}.json", socket_of(machine.layout, program)):
        path.unlink(missing_ok=True)
    for log in machine.layout.log.glob(f"{program}.log*"):
        log.unlink(missing_ok=True)


def _present(cluster: str, endpoint: Endpoint) -> set[str]:
    return {node["metadata"]["name"] for node in node_objects.of_simulator(cluster, endpoint, LABEL_VALUE)}
