"""No node simulator: WECs have no nodes, so there is nothing to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from fleet.host.change import Change
from fleet.host.machine import Machine
from fleet.host.pages import Reader
from fleet.host.plan import ControlPlane, Plan
from fleet.host.weight import NOTHING, Weight
from fleet.simulators.simulator import Nodes, Simulator


class NoNodes:
    """As in Nodes."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def ready(self, name: str) -> None:
        """As in Nodes."""

    def converge(self) -> Change:
        """As in Nodes."""
        return Change.none()


class NoSimulator:
    """As in Simulator."""

    parts: Sequence[str] = ()
    value = ""
    kubelets = False
    capacity: Mapping[str, str] = {}
    load = "there is no node, so none makes requests"
    cannot: Sequence[str] = ("have a Pod scheduled",)
    pages: Mapping[str, Reader] = {}

    def plan(self, machine: Machine, plane: ControlPlane, server: str) -> Plan:  # noqa: ARG002
        """As in Simulator."""
        return Plan()

    def nodes(self, machine: Machine, planes: Sequence[ControlPlane]) -> Nodes:  # noqa: ARG002
        """As in Simulator."""
        return NoNodes()

    def check(self, machine: Machine, planes: Sequence[ControlPlane]) -> None:
        """As in Simulator."""

    def weight(self, machine: Machine, names: Sequence[str]) -> Weight:  # noqa: ARG002
        """As in Simulator."""
        return NOTHING

    def drop(self, machine: Machine, names: Sequence[str]) -> Change:  # noqa: ARG002
        """As in Simulator."""
        return Change.none()

    def remove(self, machine: Machine, names: Sequence[str]) -> Change:  # noqa: ARG002
        """As in Simulator."""
        return Change.none()


SIMULATOR: Simulator = NoSimulator()
