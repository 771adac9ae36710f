"""The interface of a node simulator, alongside that of a driver: what plays the nodes of a machine's WECs.

Each simulator is a package here with a module `install`, whose SIMULATOR is found by the package's name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Protocol, Self

from fleet.host.change import Change
from fleet.host.machine import Machine
from fleet.host.pages import Reader
from fleet.host.plan import ControlPlane, Plan
from fleet.host.weight import Weight
from fleet.model.by_folder import ByFolder

SIMULATORS = ByFolder("fleet.simulators", "install", "SIMULATOR", variable="node_simulator")


class Nodes(Protocol):
    """The simulators of all WECs that a machine shall have. A context: leaving it gives the supervisor free again."""

    def __enter__(self) -> Self:
        """Begin; nothing is started yet."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End, whatever happened."""
        ...

    def ready(self, name: str) -> None:
        """The API server of `name` answers: start what plays its nodes. From any thread, once the records of all are on
        disk."""
        ...

    def converge(self) -> Change:
        """Start what is left, make the nodes what they should be, and wait until they are ready."""
        ...


class Simulator(Protocol):
    """One way to give WECs nodes that no machine backs."""

    parts: Sequence[str]
    """Names of the simulators whose programs it uses: its own, or those that it puts together."""
    value: str
    """Of the label `node_objects.NODE_LABEL` on its nodes; empty where it has none of its own."""
    kubelets: bool
    """Whether its nodes have a kubelet that their API server dials, for logs, exec and metrics."""
    capacity: Mapping[str, str]
    """Of one node; empty: it makes none."""
    load: str
    """How many requests its nodes make alongside a kubelet's, and who measured it; a clause for reports."""
    cannot: Sequence[str]
    """What of a real node it does not do, as sentences for reports."""
    pages: Mapping[str, Reader]
    """Where each of its components serves metrics and profiles."""

    def check(self, machine: Machine, planes: Sequence[ControlPlane]) -> None:
        """UsageError or CapacityError naming the variable when this machine cannot play the nodes of these WECs. What
        it can do in part only is added to `machine.notes`. Changes nothing."""
        ...

    def weight(self, machine: Machine, names: Sequence[str]) -> Weight:
        """What the nodes of these WECs take together beyond those that are there, and beyond the weight of a WEC under
        its driver."""
        ...

    def plan(self, machine: Machine, plane: ControlPlane, server: str) -> Plan:
        """What would be on the machine for one WEC; `server` is the URL of its API server."""
        ...

    def nodes(self, machine: Machine, planes: Sequence[ControlPlane]) -> Nodes:
        """Those of all WECs that the machine shall have."""
        ...

    def drop(self, machine: Machine, names: Sequence[str]) -> Change:
        """End and forget the programs of control planes that go, and give their ports back."""
        ...

    def remove(self, machine: Machine, names: Sequence[str]) -> Change:
        """Take its nodes out of control planes that stay, where another simulator plays them from now on."""
        ...


def known() -> list[str]:
    """Names of all simulators."""
    return SIMULATORS.names()


def simulator(name: str) -> Simulator:
    """The simulator of that name; UsageError naming the variable when there is none."""
    found: Simulator = SIMULATORS.load(name)
    return found
