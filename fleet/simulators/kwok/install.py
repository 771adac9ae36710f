"""kwok as a node simulator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from fleet.host.change import Change
from fleet.host.machine import Machine
from fleet.host.pages import Pages, Reader, Started, plain
from fleet.host.plan import ControlPlane, Plan
from fleet.host.weight import MIB, Weight
from fleet.simulators.kwok import group
from fleet.simulators.kwok.group import KwokGroup
from fleet.simulators.kwok.program import CAPACITY, plan_kwok
from fleet.simulators.simulator import Nodes, Simulator


def of_kwok(started: Started) -> Pages:
    """It listens only when debugging is on, and serves no CPU profile (0.7 answers 404)."""
    address = started.flag("server-address")
    return replace(plain(address, address), cpu=False)


class Kwok:
    """As in Simulator."""

    capacity: Mapping[str, str] = CAPACITY
    cannot: Sequence[str] = (
        "run containers: a Pod's status says that they run",
        "pull images, mount volumes, or carry traffic",
        "use CPU and memory as the workload would",
    )
    # Mean of 4 dense WECs at rest, PSS. Its threads, inotify instances and files are in the drivers' weights, which
    # were measured with it.
    weight = Weight(12 * MIB, 0, 0, 0, 0, 0)
    pages: Mapping[str, Reader] = {"kwok": of_kwok}

    def plan(self, machine: Machine, plane: ControlPlane, server: str) -> Plan:
        """As in Simulator."""
        return plan_kwok(machine, plane, server)

    def nodes(self, machine: Machine, planes: Sequence[ControlPlane]) -> Nodes:
        """As in Simulator."""
        return KwokGroup(machine, planes)

    def drop(self, machine: Machine, names: Sequence[str]) -> Change:
        """As in Simulator."""
        return group.drop(machine, names)

    def remove(self, machine: Machine, names: Sequence[str]) -> Change:
        """As in Simulator."""
        return group.take_out(machine, names)


SIMULATOR: Simulator = Kwok()
