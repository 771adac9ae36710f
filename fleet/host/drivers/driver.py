"""The interface of a driver: six methods that every way of running control planes has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from fleet.host.change import Change
from fleet.host.plan import ControlPlane, Plan

Ready = Callable[[str], None]
"""Told the name of a control plane whose API server answers, when the records of all are on disk."""


def unheard(name: str) -> None:
    """A `Ready` for where nothing follows."""


@dataclass(frozen=True)
class Share:
    """A program that a control plane runs in, and the part of it that is this control plane's (1 / control
    planes in it)."""

    program: str
    component: str
    part: float


class Driver(Protocol):
    """One way to run control planes on a machine; `planes` is always the whole list of this driver and
    group."""

    def plan(self, planes: Sequence[ControlPlane]) -> Plan:
        """What would be on the machine."""
        ...

    def apply(self, planes: Sequence[ControlPlane], ready: Ready) -> Change:
        """Bring it about, and wait until every API server is ready; `ready` hears of each at once, from any thread.
        Control planes that are not in `planes` must be deleted before."""
        ...

    def stop(self, name: str) -> None:
        """Stop one control plane until it is started again."""
        ...

    def start(self, name: str) -> None:
        """Start one that was stopped, and wait until it is ready."""
        ...

    def delete(self, names: Sequence[str]) -> Change:
        """Remove control planes with their programs, files, data and ports; what is absent is fine, others
        stay as they are."""
        ...

    def processes(self, name: str) -> tuple[Share, ...]:
        """The programs that carry one control plane."""
        ...
