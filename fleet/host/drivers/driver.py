"""The interface of a driver: six methods that every way of running control planes has, and what its package says of it.

Each driver is a package here with a module `driver`, whose DRIVER is found by the package's name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from fleet.host.change import Change
from fleet.host.machine import Machine
from fleet.host.pages import Reader
from fleet.host.plan import ControlPlane, Plan
from fleet.host.weight import Weight
from fleet.model.by_folder import ByFolder
from fleet.model.variables import Variables

DRIVERS = ByFolder("fleet.host.drivers", "driver", "DRIVER", variable="control_plane_driver")

Ready = Callable[[str], None]
"""Called with the name of a control plane whose API server answers, when the records of all are on disk."""


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


def check_nothing(machine: Machine, planes: Sequence[ControlPlane]) -> None:
    """Of a driver that can run whatever a user requests."""


def retire_nothing(machine: Machine) -> Change:  # noqa: ARG001 - as of every driver
    """Of a driver that keeps nothing outside of the fleet's folder."""
    return Change.none()


def as_upstream(variables: Variables) -> str:  # noqa: ARG001 - as of every driver
    """Of a driver whose control planes are as upstream makes them."""
    return ""


def always(weight: Weight) -> Callable[[Variables], Weight]:
    """Of a driver whose WECs take the same whatever the variables are."""
    return lambda variables: weight  # noqa: ARG005 - as of every driver


def prepare_nothing(machine: Machine, group: str, count: int) -> None:
    """Of a driver that runs nothing before its first control plane."""


@dataclass(frozen=True)
class DriverKind:
    """A driver, and what has to be known of it before one is made."""

    of: Callable[[Machine, str], Driver]
    """The driver of a machine, with the name of its group under the supervisor."""
    weight: Callable[[Variables], Weight]
    """What one WEC takes with these variables, without what plays its nodes, its agents, and its part of the hub."""
    pages: Mapping[str, Reader] = field(default_factory=dict)
    """How each component that only this driver has serves its metrics and profiles."""
    descriptors: int = 0
    """Open files of its largest process for each control plane in that process; 0: they are few."""
    of_hub: bool = False
    """It runs the control planes of the hub too."""
    platforms: bool = False
    """Its API servers take our flags and reach every loopback address of the machine, where platforms' programs are."""
    check: Callable[[Machine, Sequence[ControlPlane]], None] = check_nothing
    """UsageError or HostError, before anything is changed, when these cannot be on this machine."""
    retire: Callable[[Machine], Change] = retire_nothing
    """Takes away what the fleet has outside of its folder; what is absent is fine."""
    serves: str = "kube-apiserver"
    """The component that holds its API servers."""
    bare: bool = False
    """It can leave out controllers and scheduler (`ControlPlane.bare`)."""
    kubelet: Callable[[Machine, str, bool], None] | None = None
    """Stops (False) or starts the kubelet of a control plane's real node; its containers run on. None: there is no real
    node."""
    load_image: Callable[[Machine, str, str, Callable[[Path], object]], bool] | None = None
    """Puts an image into the container runtime of a control plane's real node where it has none of that reference; the
    last argument writes the archive. True where it was missing. Obeys `machine.check`. None: there is no real node."""
    of_image: bool = False
    """Its control planes are made of a node image (`fleet.node_image`)."""
    differs: Callable[[Variables], str] = as_upstream
    """Whether its WECs are as upstream makes them, for reports; empty where no variable decides it."""
    prepare: Callable[[Machine, str, int], None] = prepare_nothing
    """On a machine that has none, start what will carry so many control planes of a group, with none in it."""


def driver_kinds() -> list[str]:
    """Names of all drivers."""
    return DRIVERS.names()


def driver_kind(name: str) -> DriverKind:
    """The driver of that name; UsageError naming the variable when there is none."""
    found: DriverKind = DRIVERS.load(name)
    return found


def own_components() -> dict[str, Reader]:
    """How the components that one driver alone has serve metrics and profiles: they carry WECs."""
    return {name: page for driver in driver_kinds() for name, page in driver_kind(driver).pages.items()}
