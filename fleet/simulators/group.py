"""The programs that play the nodes of a machine's WECs; each starts as soon as its control plane is ready."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from types import TracebackType
from typing import Protocol, Self

from fleet.errors import DeadlineError, HostError
from fleet.host.change import Change
from fleet.host.https import Endpoint
from fleet.host.machine import Machine
from fleet.host.materialise import Materialised, materialise
from fleet.host.plan import ControlPlane, Plan
from fleet.host.records import stored_planes
from fleet.host.supervise import Staged
from fleet.simulators import node_objects

POLL = 0.1
UNKNOWN_SERVER = "https://127.0.0.1:0"
"""Of a control plane that is not made yet, in check mode."""


class Player(Protocol):
    """How one simulator plays the nodes of one WEC."""

    group: str
    """The supervisor's group of its programs."""
    value: str
    """Of the label `NODE_LABEL` on its nodes."""

    def plan(self, machine: Machine, plane: ControlPlane, server: str) -> Plan:
        """Its programs and their files."""
        ...

    def carriers(self, machine: Machine, plans: Sequence[Plan]) -> Plan:
        """Programs that carry those of several WECs."""
        ...

    def programs(self, machine: Machine, name: str) -> list[str]:
        """Names of the programs of one WEC."""
        ...

    def nodes(self, machine: Machine, plane: ControlPlane) -> list[str]:
        """Names of the nodes that a WEC shall have."""
        ...

    def prepare(self, machine: Machine, name: str, endpoint: Endpoint) -> Change:
        """What must be in the WEC before the programs start; obeys `machine.check`."""
        ...

    def converge(self, machine: Machine, plane: ControlPlane, endpoint: Endpoint) -> tuple[list[str], list[str]]:
        """Names of the nodes that are added and removed; obeys `machine.check`."""
        ...

    def tidy(self, machine: Machine, names: Sequence[str]) -> None:
        """Forget what WECs that stay had more than they have now."""
        ...


class ProgramGroup:
    """As in `Nodes`. `planes` are all WECs that the machine shall have."""

    def __init__(self, machine: Machine, planes: Sequence[ControlPlane], player: Player) -> None:
        self._machine = machine
        self._planes = planes
        self._player = player
        self._prepared: dict[str, Change] = {}
        self._files = Change.none()
        self._carriers: list[str] = []
        self._staged: Staged | None = None
        self._stage = ExitStack()
        self._mutex = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stage.__exit__(kind, error, trace)

    def ready(self, name: str) -> None:
        """The API server of `name` answers: start its programs. From any thread, once the records of all are on
        disk."""
        self._prepare(name, self._servers().get(name))
        with self._mutex:
            if self._staged is None:
                done = self._materialise()
                self._files = done.change
                stage = self._machine.supervisor.stage(self._player.group, done.programs)
                self._staged = self._stage.enter_context(stage)
            self._staged.start([*self._carriers, *self._player.programs(self._machine, name)])

    def converge(self) -> Change:
        """Start what is left, make the nodes what they should be, and wait until they are ready."""
        machine, player = self._machine, self._player
        if not self._planes:
            return machine.supervisor.converge(player.group, [], check=machine.check)
        servers = self._servers()
        for plane in self._planes:
            if plane.name not in self._prepared:
                self._prepare(plane.name, servers.get(plane.name))
        if self._staged is None:
            done = self._materialise()
            change = machine.supervisor.converge(player.group, done.programs, check=machine.check)
            changes = [done.change, change]
        else:
            self._stage.close()
            changes = [self._files, self._staged.change]
        if not machine.check:
            player.tidy(machine, [plane.name for plane in self._planes])
        return Change.merge([*self._prepared.values(), *changes, *self._all_nodes()])

    def _servers(self) -> Mapping[str, str]:
        return {stored.name: stored.server for stored in stored_planes(self._machine.layout)}

    def _materialise(self) -> Materialised:
        servers = self._servers()
        plans = [
            self._player.plan(self._machine, plane, servers.get(plane.name, UNKNOWN_SERVER)) for plane in self._planes
        ]
        carriers = self._player.carriers(self._machine, plans)
        self._carriers = [planned.program.name for planned in carriers.programs]
        whole = Plan.merge([carriers, *plans])
        return materialise(self._machine, whole, self._machine.pki())

    def _prepare(self, name: str, server: str | None) -> None:
        if server is None:
            self._prepared[name] = Change.none()
            return
        endpoint = self._machine.endpoint(name, server)
        try:
            self._prepared[name] = self._player.prepare(self._machine, name, endpoint)
        except OSError as error:
            self._prepared[name] = unanswered(self._machine, name, endpoint, error)

    def _all_nodes(self) -> list[Change]:
        machine, servers = self._machine, self._servers()
        with ThreadPoolExecutor(machine.options.parallelism) as pool:
            changes = list(pool.map(lambda plane: self._nodes(plane, servers.get(plane.name)), self._planes))
            if not machine.check:
                list(pool.map(lambda plane: self._wait(plane, servers[plane.name]), self._planes))
        return changes

    def _nodes(self, plane: ControlPlane, server: str | None) -> Change:
        machine, name, value = self._machine, plane.name, self._player.value
        if server is None:
            return Change({}, {f"nodes {name}": f"{len(self._player.nodes(machine, plane))} added"})
        endpoint = machine.endpoint(name, server)
        try:
            added, removed = self._player.converge(machine, plane, endpoint)
        except OSError as error:
            return unanswered(machine, name, endpoint, error)
        before = {f"node {name}/{node}": value for node in removed}
        # One that gets another shape has a line on both sides, and they must differ.
        after = {f"node {name}/{node}": f"{value}, of another shape" if node in removed else value for node in added}
        return Change(before, after)

    def _wait(self, plane: ControlPlane, server: str) -> None:
        machine, player, name = self._machine, self._player, plane.name
        programs, supervisor = player.programs(machine, name), machine.supervisor

        def alive() -> None:
            for program in programs:
                supervisor.raise_if_dead(program, supervisor.state(program))

        def last() -> str:
            tails = "\n".join(supervisor.tail(program) for program in programs)
            return f"the last lines of {', '.join(programs)}:\n{tails}"

        wanted = len(player.nodes(machine, plane))
        wait_ready(machine, name, machine.endpoint(name, server), player.value, wanted, alive=alive, last=last)


def unanswered(machine: Machine, name: str, endpoint: Endpoint, error: OSError) -> Change:
    """Of a WEC whose API server does not answer: in check mode nobody knows; else HostError."""
    if machine.check:
        return Change({}, {f"nodes {name}": "unknown: the API server does not answer"})
    raise HostError(f"{name}: simulated nodes: {endpoint.url} does not answer: {error}") from error


def wait_ready(
    machine: Machine,
    name: str,
    endpoint: Endpoint,
    value: str,
    wanted: int,
    *,
    alive: Callable[[], None],
    last: Callable[[], str],
) -> None:
    """Until all nodes of a WEC with that value of the label are ready. `alive` raises when what plays them died; `last`
    is what a DeadlineError says of it.

    Hundreds of kubelets that start together keep an API server from answering for seconds, and a list of their nodes is
    megabytes: between two looks it has as long as the first took.
    """
    seconds = machine.options.ready_seconds
    end, found = time.monotonic() + seconds, 0
    while True:
        began, silent = time.monotonic(), ""
        alive()
        try:
            found = node_objects.count_ready(name, endpoint, value) if wanted else 0
        except (TimeoutError, ConnectionError) as error:
            silent = f" ({endpoint.url} does not answer: {error})"
        if found >= wanted:
            return
        if time.monotonic() > end:
            raise DeadlineError(
                f"{name}: {found} of {wanted} simulated nodes were ready within {seconds:.0f} s{silent}; {last()}"
            )
        time.sleep(max(POLL, time.monotonic() - began))


def take_out(machine: Machine, names: Sequence[str], value: str) -> Change:
    """Delete the nodes with that value of the label from control planes that stay and answer."""
    servers = {stored.name: stored.server for stored in stored_planes(machine.layout)}

    def of_one(name: str) -> Change:
        endpoint = machine.endpoint(name, servers[name])
        try:
            found = [node["metadata"]["name"] for node in node_objects.of_simulator(name, endpoint, value)]
            if not machine.check:
                node_objects.delete(name, endpoint, found)
        except OSError as error:
            if machine.check:
                return Change({}, {f"nodes {name}": "unknown: the API server does not answer"})
            raise HostError(f"{name}: simulated nodes: {endpoint.url} does not answer: {error}") from error
        return Change({f"node {name}/{node}": value for node in found}, {})

    with ThreadPoolExecutor(machine.options.parallelism) as pool:
        return Change.merge(pool.map(of_one, [name for name in names if name in servers]))
