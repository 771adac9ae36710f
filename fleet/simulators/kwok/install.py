"""kwok as a node simulator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from fleet.host.change import Change
from fleet.host.hosted import of_host
from fleet.host.machine import Machine
from fleet.host.pages import Pages, Reader, Started, plain
from fleet.host.plan import ControlPlane, Plan
from fleet.host.records import stored_planes
from fleet.host.weight import MIB, NOTHING, Weight
from fleet.model.fleet_file import WEC
from fleet.simulators.group import ProgramGroup, take_out
from fleet.simulators.kwok.program import (
    CAPACITY,
    GROUP,
    HOST,
    LABEL_VALUE,
    KwokPlayer,
    hosts,
    plan_kwok,
    port_owner,
)
from fleet.simulators.simulator import Nodes, Simulator

# Mean of 4 dense WECs at rest, PSS. Its threads, inotify instances and files are in the drivers' weights, which were
# measured with it.
PER_WEC = Weight(12 * MIB, 0, 0, 0, 0, 0)
HOSTED = Weight(4 * MIB, 0, 0, 0, 0, 0)
"""The same where many are in one process: 2.4 MiB of 100 WECs at rest."""


def of_kwok(started: Started) -> Pages:
    """It listens only when debugging is on, and serves no CPU profile (0.7 answers 404)."""
    address = started.flag("server-address")
    return replace(plain(address, address), cpu=False)


class Kwok:
    """As in Simulator."""

    parts: Sequence[str] = ("kwok",)
    value = LABEL_VALUE
    kubelets = False
    capacity: Mapping[str, str] = CAPACITY
    load = (
        "kwok makes 7.3 requests for a Pod, up and down, where a real node makes 19.8 (a factor of 0.37), and holds no"
        " watch for a node where a kubelet and a kube-proxy hold 8 (measured on 2026-11-29 on 2 cores,"
        " docs/how-to/hollow-nodes.md)"
    )
    cannot: Sequence[str] = (
        "run containers: a Pod's status says that they run",
        "pull images, mount volumes, or carry traffic",
        "use CPU and memory as the workload would",
    )
    pages: Mapping[str, Reader] = {"kwok": of_kwok, HOST: of_host}

    def plan(self, machine: Machine, plane: ControlPlane, server: str) -> Plan:
        """As in Simulator."""
        return plan_kwok(machine, plane, server)

    def nodes(self, machine: Machine, planes: Sequence[ControlPlane]) -> Nodes:
        """As in Simulator."""
        return ProgramGroup(machine, planes, KwokPlayer())

    def check(self, machine: Machine, planes: Sequence[ControlPlane]) -> None:
        """As in Simulator."""

    def weight(self, machine: Machine, names: Sequence[str]) -> Weight:
        """As in Simulator."""
        present = {stored.name for stored in stored_planes(machine.layout)}
        return NOTHING.plus(HOSTED if machine.options.hosted else PER_WEC, len(set(names) - present))

    def drop(self, machine: Machine, names: Sequence[str]) -> Change:
        """As in Simulator."""
        stay = [
            stored.name for stored in stored_planes(machine.layout) if stored.role == WEC and stored.name not in names
        ]
        empty = set(hosts(machine).names(names)) - set(hosts(machine).names(stay))
        gone = [*(f"kwok.{name}" for name in names), *sorted(empty)]
        change = machine.supervisor.drop(GROUP, gone, check=machine.check)
        if not machine.check:
            for name in names:
                machine.registry.give_back(machine.fleet, port_owner(name))
        return change

    def remove(self, machine: Machine, names: Sequence[str]) -> Change:
        """As in Simulator."""
        return take_out(machine, names, LABEL_VALUE)


SIMULATOR: Simulator = Kwok()
