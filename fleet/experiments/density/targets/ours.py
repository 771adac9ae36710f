"""Control planes of this project's drivers: dense, process, kind."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil

from fleet import node_image
from fleet.errors import FleetError
from fleet.experiments.density.targets.target import Access, Ground, Running, checkout, names
from fleet.host.drivers.dense.plan import Shard, plan_shard
from fleet.host.drivers.driver import driver_kind, own_components
from fleet.host.files import private_directory
from fleet.host.limits import Need, measure_room, shortages
from fleet.host.machine import Machine, Options
from fleet.host.materialise import materialise
from fleet.host.pages import CONTROL_PLANES, Pages, Started
from fleet.host.plan import ControlPlane
from fleet.host.ports import Registry, bindable, holder_of
from fleet.host.records import stored_planes
from fleet.host.supervise import Program
from fleet.install.control_planes import converge, teardown
from fleet.observe.node_processes import node_containers, node_pids

DENSE_GROUP = "planes-dense"
BARE = ("dense", "process")
"""Drivers that can leave out controllers and scheduler."""


def machine_of(ground: Ground) -> Machine:
    """The folder of the run as a fleet's folder, with its own supervisor and its blocks of ports."""
    spec = ground.spec
    options = Options(
        parallelism=spec.workers,
        cores=psutil.cpu_count() or 1,
        shard_size=spec.shard_size,
        wec_nodes=0,
        simulator="none",
        debug=spec.inspect,
        **_node_image(ground),
    )
    return Machine(ground.root.name, ground.root, ground.toolchain, options)


def _node_image(ground: Ground) -> dict[str, Any]:
    """Of kind nodes; nothing for another driver, and where none is built, which `refuse` then says."""
    if ground.spec.target != "kind":
        return {}
    image = node_image.find(checkout() / "node_image", ground.toolchain)
    return {} if image is None else {"node_image": image.reference, "node_archive": image.archive}


def ports_taken(first: int, count: int, state_root: Path) -> list[str]:
    """A sentence with the ports that somebody has, of `count` from `first` on; none for 0."""
    if first == 0 or count == 0:
        return []
    wanted = range(first, first + count)
    blocks = {port: block for block in Registry(state_root).blocks() for port in block.ports}
    taken = [port for port in wanted if port in blocks or not bindable(port)]
    if not taken:
        return []
    one = taken[0]
    holder = f"{blocks[one].owner} of fleet {blocks[one].fleet}" if one in blocks else holder_of(one)
    which = f"{len(taken)} of the {count} ports {wanted[0]} to {wanted[-1]}"
    return [f"first_port: {which} are taken, {one} by {holder}: choose another, or 0"]


@dataclass
class Ours:
    """Planes of one driver."""

    ground: Ground
    name: str
    main: str

    @property
    def machine(self) -> Machine:
        """Where they are."""
        return machine_of(self.ground)

    def refuse(self, most: int) -> list[str]:
        """See `Target`."""
        spec = self.ground.spec
        found = [
            shortage.text().replace("wec_count", "clusters")
            for shortage in shortages(Need(0, most, self.name, spec.shard_size), measure_room(self.ground.root.parent))
        ]
        found += ports_taken(spec.first_port, most, self.ground.root.parent)
        if spec.plane == "apiserver" and self.name not in BARE:
            found.append(f"plane: {self.name} makes whole control planes only: write full")
        try:
            driver_kind(self.name).check(self.machine, self._planes(most))
        except FleetError as error:
            found.append(str(error))
        return found

    def launch(self, count: int) -> None:
        """See `Target`. Of dense: the processes and etcds that will carry them, with no control plane in them."""
        self.down()
        machine = self.machine
        if self.name != "dense":
            return
        private_directory(machine.root)
        shards = max(1, math.ceil(count / machine.options.shard_size))
        cores = math.ceil(machine.options.cores / shards)
        pki = machine.pki()
        programs: list[Program] = []
        for number in range(shards):
            block = machine.take(f"dense-{number}", 2, in_use=False)
            shard = Shard(number, block.start, block.start + 1, cores)
            programs += materialise(machine, plan_shard(machine, shard, self._planes(count)), pki).programs
        machine.supervisor.converge(DENSE_GROUP, programs)

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
        first, bare = self.ground.spec.first_port, self.ground.spec.plane == "apiserver"
        return [
            ControlPlane(name, "wec", self.name, port=first + number if first else 0, bare=bare)
            for number, name in enumerate(names(count))
        ]


def _pages(machine: Machine, servers: dict[str, str], component: str, place: str, pid: int) -> Pages:
    reader = {**CONTROL_PLANES, **own_components()}.get(component)
    try:
        argv = psutil.Process(pid).cmdline()
    except psutil.Error:
        return Pages()
    return Pages() if reader is None else reader(Started(machine.layout, servers, place, argv))


def dense(ground: Ground) -> Ours:
    """Many control planes in one process."""
    return Ours(ground, "dense", "dense")


def process(ground: Ground) -> Ours:
    """Each component a process."""
    return Ours(ground, "process", "kube-apiserver")


def kind(ground: Ground) -> Ours:
    """Each control plane a container; programs inside are weighed by /proc and have no heap in the tables."""
    return Ours(ground, "kind", "kube-apiserver")
