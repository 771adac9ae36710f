"""What the drivers stand on: a fleet's folder on this machine, its programs, ports and authorities."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from fleet.host.drivers.kind.engine import Run, run
from fleet.host.https import Endpoint
from fleet.host.layout import Layout
from fleet.host.pki import ADMIN_GROUP, FleetPki, Subject
from fleet.host.plan import Certificate, Programs
from fleet.host.ports import Block, Registry
from fleet.host.supervise import Supervisor

EngineChoice = Literal["auto", "own", "system"]
READY_SECONDS = 300.0
"""A machine of 2 cores that builds 100 control planes is slow, not broken."""


def at_once(cores: int) -> int:
    """How many control planes come up at a time where nobody says: one that starts waits for half of its time.

    Ten of `process` on 2 cores, two at a time: the cores were idle for 66 of 122 seconds; four at a time, 17 of 77.
    """
    return 2 * cores


@dataclass(frozen=True)
class Options:
    """What is the same for all control planes of one call."""

    parallelism: int = 4
    """Control planes brought up at the same time."""
    cores: int = 2
    """Of the machine; what runs in one process shares them with what runs in the others."""
    shard_size: int = 25
    sharing: bool = True
    """Control planes of one dense process share what never changes; without it they are as upstream makes them."""
    openapi: bool = False
    """They serve OpenAPI; without sharing they always do."""
    hibernate: float = 0.0
    """Seconds without a connection after which one of a dense process sleeps; 0: never."""
    hosted: bool = False
    """Many instances of the simulator and of the agents in one process; without it, a process each."""
    wec_nodes: int = 1
    simulator: str = "none"
    """What plays those nodes: a package of `fleet.simulators`."""
    kubelets: bool = False
    """Whether those nodes have kubelets, which the API servers of WECs then dial and verify."""
    hollow_nodes: int = 0
    """How many of them have kubelets where several simulators play them."""
    hollow_per_process: int = 250
    hollow_placement: str = "process"
    """Where those processes are: `process`, programs of the machine, or `pods` of a WEC's real node."""
    hollow_address: str = ""
    """Of nodes with kubelets on this machine; empty: the machine's own."""
    ready_seconds: float = READY_SECONDS
    node_image: str = ""
    """Of kind nodes: how the container engine knows it."""
    node_archive: Path | None = None
    """A file to load it from; None: it is pulled."""
    engine: EngineChoice = "auto"
    """Of kind nodes: `system` is one that runs here already, `own` one that the fleet starts; `auto` is either."""
    debug: bool = False
    """Open what upstream offers for looking inside but we keep shut: etcd's pprof, and the listeners (loopback, client
    certificates; plain for node simulators) of controller managers, schedulers and node simulators."""


@dataclass(frozen=True)
class Machine:
    """One fleet on this machine. `check` true: nothing is changed, ports and certificates that are missing
    are dummies."""

    fleet: str
    root: Path
    programs: Programs
    options: Options = Options()
    check: bool = False
    notes: list[str] = field(default_factory=list)
    """Sentences for the user, gathered on the way."""
    run: Run = run
    """Runs `docker`, `dockerd --version` and `kind`."""

    @property
    def layout(self) -> Layout:
        """Paths of the folder."""
        return Layout(self.root)

    @property
    def supervisor(self) -> Supervisor:
        """The machine's programs."""
        return Supervisor(self.root)

    @property
    def registry(self) -> Registry:
        """The port registry alongside the fleets."""
        return Registry(self.root.parent)

    def context(self, name: str) -> str:
        """The context's name in the kubeconfig of a control plane."""
        return f"fleet-{self.fleet}-{name}"

    def admin(self, name: str) -> Certificate:
        """The admin's certificate of one control plane."""
        return Certificate(self.layout.cluster(name) / "pki", "admin", "ca", Subject("fleet-admin", (ADMIN_GROUP,)))

    def pki(self) -> FleetPki | None:
        """The authorities; None when `check` is set and there are none yet."""
        return FleetPki.load(self.layout.pki) if self.check else FleetPki.ensure(self.layout.pki, self.fleet)

    def endpoint(self, name: str, server: str) -> Endpoint:
        """An API server, dialled as the admin of control plane `name`."""
        admin = self.admin(name)
        return Endpoint(server, self.layout.pki / "ca.crt", admin.cert, admin.key)

    def take(self, owner: str, count: int, *, in_use: bool, start: int = 0) -> Block:
        """The owner's port block; with `check` the one it has, else a block of zeros."""
        if self.check:
            found = self.registry.find(self.fleet, owner)
            return found if found is not None and found.count == count else Block(self.fleet, owner, start, count)
        block = self.registry.take(self.fleet, owner, count, in_use=in_use, start=start)
        self.notes.extend(block.notes)
        return block

    def live_programs(self) -> frozenset[str]:
        """Names of the programs that run and have stayed up."""
        return frozenset(state.name for state in self.supervisor.states() if state.state == "RUNNING")
