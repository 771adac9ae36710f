"""Control planes of this project's own drivers, each by its name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import psutil

from fleet.errors import FleetError
from fleet.experiments.density.targets.place import machine_of, ports_taken
from fleet.experiments.density.targets.target import Access, Ground, Running, names
from fleet.host.drivers.driver import driver_kind, own_components
from fleet.host.limits import Need, measure_room, shortages
from fleet.host.machine import Machine
from fleet.host.pages import CONTROL_PLANES, Pages, Started
from fleet.host.plan import ControlPlane
from fleet.host.records import stored_planes
from fleet.install.control_planes import converge, teardown
from fleet.model.variables import Variables
from fleet.observe.node_processes import node_containers, node_pids


@dataclass
class Ours:
    """Planes of one driver."""

    ground: Ground
    name: str

    @property
    def main(self) -> str:
        """See `Target`."""
        return driver_kind(self.name).serves

    @property
    def differs(self) -> str:
        """See `Target`; the driver says it of a fleet's WECs."""
        return driver_kind(self.name).differs(self._variables)

    @property
    def _variables(self) -> Variables:
        """Those of a fleet with such WECs: they are as shipped where there is no manager."""
        spec = self.ground.spec
        manager = "none" if spec.as_shipped else Variables().manager
        return Variables(manager=manager, dense_sharing=spec.dense_sharing)

    @property
    def machine(self) -> Machine:
        """Where they are."""
        return machine_of(self.ground)

    def refuse(self, most: int) -> list[str]:
        """See `Target`."""
        spec = self.ground.spec
        need = Need(0, most, self.name, spec.shard_size, driver_kind(self.name).weight(self._variables))
        found = [
            shortage.text().replace("wec_count", "clusters")
            for shortage in shortages(need, measure_room(self.ground.root.parent))
        ]
        found += ports_taken(spec.first_port, most, self.ground.root.parent)
        if spec.plane == "apiserver" and not driver_kind(self.name).bare:
            found.append(f"plane: {self.name} makes whole control planes only: write full")
        try:
            driver_kind(self.name).check(self.machine, self._planes(most))
        except FleetError as error:
            found.append(str(error))
        return found

    def launch(self, count: int) -> None:
        """See `Target`: what the driver runs before its first control plane, as of dense the empty processes."""
        self.down()
        driver_kind(self.name).prepare(self.machine, f"planes-{self.name}", count)

    def create(self, count: int) -> list[Access]:
        """See `Target`."""
        machine = self.machine
        found = {plane.name: plane for plane in converge(machine, self._planes(count), hub=False).planes}
        made = []
        for name in names(count):
            admin = machine.admin(name)
            made.append(Access(name, found[name].server, machine.layout.pki / "ca.crt", admin.cert, admin.key))
        return made

    def running(self) -> list[Running]:
        """See `Target`."""
        return list(self._running()) if self.ground.root.exists() else []

    def down(self) -> None:
        """See `Target`."""
        teardown(replace(self.machine, check=False))

    def _running(self) -> Iterator[Running]:
        machine = self.machine
        servers = {stored.name: stored.server for stored in stored_planes(machine.layout)}
        for state in machine.supervisor.states():
            if state.pid:
                component, _, place = state.name.partition(".")
                yield Running(state.name, component, state.pid, _pages(machine, servers, component, place, state.pid))
        for program, pid in node_pids(node_containers(self.ground.root)).items():
            yield Running(program, program.partition(".")[0], pid)
        for process in machine.supervisor.daemon.processes():
            yield Running("supervisord", "supervisord", process.pid)

    def _planes(self, count: int) -> list[ControlPlane]:
        spec = self.ground.spec
        first, bare, shipped = spec.first_port, spec.plane == "apiserver", spec.as_shipped
        return [
            ControlPlane(name, "wec", self.name, port=first + number if first else 0, bare=bare, shipped=shipped)
            for number, name in enumerate(names(count))
        ]


def _pages(machine: Machine, servers: dict[str, str], component: str, place: str, pid: int) -> Pages:
    reader = {**CONTROL_PLANES, **own_components()}.get(component)
    try:
        argv = psutil.Process(pid).cmdline()
    except psutil.Error:
        return Pages()
    return Pages() if reader is None else reader(Started(machine.layout, servers, place, argv))
