"""One call makes the control planes of this machine what they should be: scaled, repaired, restarted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fleet.errors import ToolchainError, UsageError
from fleet.host.change import Change
from fleet.host.drivers.driver import Driver, Ready, driver_kind, driver_kinds, unheard
from fleet.host.files import private_directory, remove_tree
from fleet.host.machine import Machine
from fleet.host.plan import ControlPlane
from fleet.host.records import Stored, remove_plane, stored_planes
from fleet.host.validate import check_planes
from fleet.model.fleet_file import WEC
from fleet.simulators.simulator import Simulator, known, simulator

HUB_GROUP = "planes-hub"


@dataclass(frozen=True)
class Converged:
    """What changed, and where every control plane of the call is."""

    change: Change
    planes: tuple[Stored, ...]


def drivers_of(machine: Machine, *, hub: bool) -> Mapping[str, Driver]:
    """The drivers of one part of the machine: of the hub, or of the WECs."""
    kinds = {name: driver_kind(name) for name in driver_kinds()}
    if hub:
        return {name: kind.of(machine, HUB_GROUP) for name, kind in kinds.items() if kind.of_hub}
    return {name: kind.of(machine, f"planes-{name}") for name, kind in kinds.items()}


def driver_of(machine: Machine, name: str) -> Driver:
    """The driver of one control plane that is on the machine; UsageError when there is none of that name."""
    for stored in stored_planes(machine.layout):
        if stored.name == name:
            return drivers_of(machine, hub=stored.role != WEC)[stored.driver]
    raise UsageError(f"there is no control plane {name} in {machine.layout.clusters}")


class _NoPrograms:
    """Stopping and starting need no program that is not there already."""

    def program(self, name: str) -> Path:
        """Refuses."""
        raise ToolchainError(f"{name} is not to be planned here: use `fleet up`")


def driver_at(fleet: str, root: Path, name: str) -> Driver:
    """The driver of a control plane in the folder `root` of a fleet on this machine, to stop and start it."""
    return driver_of(machine_at(fleet, root), name)


def machine_at(fleet: str, root: Path) -> Machine:
    """The folder `root` of a fleet on this machine, to stop and start what is in it."""
    return Machine(fleet, root, _NoPrograms())


def converge(machine: Machine, planes: Sequence[ControlPlane], *, hub: bool) -> Converged:
    """Make `planes` exactly the hub's control planes on this machine, or exactly its WECs; the others are left alone.

    With `machine.check` nothing is changed. Raises UsageError before anything is changed, HostError and DeadlineError
    with the cluster's name and its last log lines.
    """
    check_planes(planes, hub=hub)
    chosen = simulator(machine.options.simulator)
    if not hub:
        chosen.check(machine, planes)
        machine = replace(machine, options=replace(machine.options, kubelets=chosen.kubelets))
    for name in {plane.driver for plane in planes}:
        driver_kind(name).check(machine, [plane for plane in planes if plane.driver == name])
    if not machine.check:
        private_directory(machine.root)
        # Before a port is tried: programs that lost their supervisor would look like strangers on their
        # own ports.
        machine.supervisor.daemon.clear()
    stored = [s for s in stored_planes(machine.layout) if (s.role != WEC) == hub]
    change = _hub(machine, planes, stored) if hub else _wecs(machine, planes, stored, chosen)
    change = Change.merge([change, Change({}, {}, tuple(machine.notes))])
    names = {plane.name for plane in planes}
    found = {s.name: s for s in stored_planes(machine.layout)}
    unknown = [Stored(p.name, p.role, p.driver, "") for p in planes if p.name not in found]
    return Converged(
        change,
        tuple(sorted((*(found[n] for n in names & found.keys()), *unknown), key=lambda s: s.name)),
    )


def _hub(machine: Machine, wanted: Sequence[ControlPlane], stored: Sequence[Stored]) -> Change:
    drivers = drivers_of(machine, hub=True)
    return Change.merge([*_delete(drivers, _gone(wanted, stored)), *_apply(drivers, wanted, stored, unheard)])


def _wecs(machine: Machine, wanted: Sequence[ControlPlane], stored: Sequence[Stored], chosen: Simulator) -> Change:
    """The nodes of each WEC are played as soon as its API server answers."""
    drivers, gone = drivers_of(machine, hub=False), _gone(wanted, stored)
    leaving = {s.name for s in gone}
    changes: list[Change] = []
    for name in known():
        each = simulator(name)
        if name in chosen.parts:
            changes.append(each.drop(machine, sorted(leaving)))
        else:
            ended = each.drop(machine, [s.name for s in stored])
            staying = [s.name for s in stored if s.name not in leaving]
            changes += [ended, *([each.remove(machine, staying)] if ended.changed and staying else [])]
    changes += _delete(drivers, gone)
    with chosen.nodes(machine, wanted) as nodes:
        changes += _apply(drivers, wanted, stored, nodes.ready)
        changes.append(nodes.converge())
    return Change.merge(changes)


def _gone(wanted: Sequence[ControlPlane], stored: Sequence[Stored]) -> list[Stored]:
    """Those that nobody wants, or not under the driver that they have."""
    by_name = {plane.name: plane for plane in wanted}
    return [s for s in stored if s.name not in by_name or by_name[s.name].driver != s.driver]


def _delete(drivers: Mapping[str, Driver], gone: Sequence[Stored]) -> list[Change]:
    found = {name: [s.name for s in gone if s.driver == name] for name in drivers}
    return [drivers[name].delete(leaving) for name, leaving in found.items() if leaving]


def _apply(
    drivers: Mapping[str, Driver], wanted: Sequence[ControlPlane], stored: Sequence[Stored], ready: Ready
) -> list[Change]:
    changes: list[Change] = []
    for name, driver in drivers.items():
        mine = [plane for plane in wanted if plane.driver == name]
        if mine or any(s.driver == name for s in stored):
            changes.append(driver.apply(mine, ready))
        changes.append(_new_planes(mine, stored))
    return changes


def _new_planes(planes: Sequence[ControlPlane], stored: Sequence[Stored]) -> Change:
    present = {(s.name, s.driver) for s in stored}
    return Change({}, {f"control plane {p.name}": p.driver for p in planes if (p.name, p.driver) not in present})


def teardown(machine: Machine) -> Change:
    """End every program of the fleet on this machine, give its ports back and remove its folder; what is
    absent is fine."""
    before: dict[str, str] = {}
    if machine.root.exists():
        before[f"folder {machine.root}"] = f"{len(stored_planes(machine.layout))} control planes"
    blocks = machine.registry.blocks(machine.fleet)
    if blocks:
        before["ports"] = f"{sum(block.count for block in blocks)} in {len(blocks)} blocks"
    states = machine.supervisor.states() if machine.root.exists() else []
    orphans = machine.supervisor.daemon.orphans()
    before |= {f"program {state.name}": state.state.lower() for state in states}
    before |= {f"process {process.pid}": "lost its supervisor" for process in orphans} if not states else {}
    for name in driver_kinds():
        before |= driver_kind(name).retire(machine).before
    if not machine.check:
        if machine.root.exists() or orphans:
            machine.supervisor.shutdown()
        machine.registry.give_back(machine.fleet)
        remove_tree(machine.root)
    return Change(before, {})


def checking(machine: Machine) -> Machine:
    """The same machine, in check mode."""
    return replace(machine, check=True)


__all__ = ["Converged", "checking", "converge", "driver_of", "drivers_of", "remove_plane", "teardown"]
