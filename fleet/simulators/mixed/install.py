"""kwok and hollow nodes side by side as a node simulator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType
from typing import Self

from fleet.host.change import Change
from fleet.host.machine import Machine
from fleet.host.pages import Reader
from fleet.host.plan import ControlPlane, Plan
from fleet.host.weight import Weight
from fleet.simulators.hollow.install import SIMULATOR as HOLLOW
from fleet.simulators.kwok.install import SIMULATOR as KWOK
from fleet.simulators.simulator import Nodes, Simulator


def hollow_part(machine: Machine) -> Machine:
    """The machine as hollow nodes see it."""
    return replace(machine, options=replace(machine.options, wec_nodes=machine.options.hollow_nodes))


def kwok_part(machine: Machine) -> Machine:
    """The machine as kwok sees it."""
    rest = machine.options.wec_nodes - machine.options.hollow_nodes
    return replace(machine, options=replace(machine.options, wec_nodes=rest))


class MixedNodes:
    """As in Nodes: those of both."""

    def __init__(self, both: Sequence[Nodes]) -> None:
        self._both = both
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            for each in self._both:
                opening.enter_context(each)
            self._stack = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def ready(self, name: str) -> None:
        """As in Nodes."""
        for each in self._both:
            each.ready(name)

    def converge(self) -> Change:
        """As in Nodes."""
        return Change.merge([each.converge() for each in self._both])


class Mixed:
    """As in Simulator."""

    parts: Sequence[str] = (*KWOK.parts, *HOLLOW.parts)
    value = ""
    kubelets = True
    capacity: Mapping[str, str] = HOLLOW.capacity
    load = f"{KWOK.load}; {HOLLOW.load}"
    cannot: Sequence[str] = KWOK.cannot
    pages: Mapping[str, Reader] = {}

    def check(self, machine: Machine, planes: Sequence[ControlPlane]) -> None:
        """As in Simulator."""
        HOLLOW.check(hollow_part(machine), planes)

    def weight(self, machine: Machine, names: Sequence[str]) -> Weight:
        """As in Simulator."""
        return KWOK.weight(kwok_part(machine), names).plus(HOLLOW.weight(hollow_part(machine), names))

    def plan(self, machine: Machine, plane: ControlPlane, server: str) -> Plan:
        """As in Simulator."""
        return Plan.merge(
            [KWOK.plan(kwok_part(machine), plane, server), HOLLOW.plan(hollow_part(machine), plane, server)]
        )

    def nodes(self, machine: Machine, planes: Sequence[ControlPlane]) -> Nodes:
        """As in Simulator."""
        return MixedNodes([KWOK.nodes(kwok_part(machine), planes), HOLLOW.nodes(hollow_part(machine), planes)])

    def drop(self, machine: Machine, names: Sequence[str]) -> Change:  # noqa: ARG002
        """As in Simulator: each of its parts drops its own."""
        return Change.none()

    def remove(self, machine: Machine, names: Sequence[str]) -> Change:  # noqa: ARG002
        """As in Simulator: each of its parts removes its own."""
        return Change.none()


SIMULATOR: Simulator = Mixed()
