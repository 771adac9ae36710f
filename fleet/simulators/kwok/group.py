"""The kwok programs and fake nodes of a machine's WECs; each program starts as soon as its control plane is ready."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType
from typing import Self

from fleet.errors import DeadlineError, HostError
from fleet.host.change import Change
from fleet.host.machine import Machine
from fleet.host.materialise import Materialised, materialise
from fleet.host.plan import ControlPlane, Plan
from fleet.host.records import stored_planes
from fleet.host.supervise import Staged
from fleet.model.fleet_file import WEC
from fleet.simulators.kwok import program as kwok

GROUP = "kwok"
POLL = 0.1
UNKNOWN_SERVER = "https://127.0.0.1:0"
"""Of a control plane that is not made yet, in check mode."""


def drop(machine: Machine, names: Sequence[str]) -> Change:
    """End and forget the programs of those control planes, and give their ports back."""
    change = machine.supervisor.drop(GROUP, [f"kwok.{name}" for name in names], check=machine.check)
    if not machine.check:
        for name in names:
            machine.registry.give_back(machine.fleet, kwok.port_owner(name))
    return change


def take_out(machine: Machine, names: Sequence[str]) -> Change:
    """Delete the fake nodes of control planes that stay."""
    none = replace(machine, options=replace(machine.options, wec_nodes=0))
    with KwokGroup(none, [ControlPlane(name, WEC) for name in names]) as group:
        return Change.merge(group.make_nodes())


class KwokGroup:
    """`planes` are all WECs that the machine shall have. A context: leaving it gives the supervisor free again."""

    def __init__(self, machine: Machine, planes: Sequence[ControlPlane]) -> None:
        self._machine = machine
        self._planes = planes
        self._files = Change.none()
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
        """The API server of `name` answers: start its kwok. From any thread, once the records of all are on disk."""
        with self._mutex:
            if self._staged is None:
                done = self._materialise()
                self._files = done.change
                stage = self._machine.supervisor.stage(GROUP, done.programs)
                self._staged = self._stage.enter_context(stage)
            self._staged.start([f"kwok.{name}"])

    def converge(self) -> Change:
        """Start what is left, make the fake nodes what they should be, and wait until they are ready."""
        machine = self._machine
        if not self._planes:
            return machine.supervisor.converge(GROUP, [], check=machine.check)
        if self._staged is None:
            done = self._materialise()
            change = machine.supervisor.converge(GROUP, done.programs, check=machine.check)
            return Change.merge([done.change, change, *self._all_nodes()])
        self._stage.close()
        return Change.merge([self._files, self._staged.change, *self._all_nodes()])

    def _servers(self) -> Mapping[str, str]:
        return {stored.name: stored.server for stored in stored_planes(self._machine.layout)}

    def _materialise(self) -> Materialised:
        servers = self._servers()
        plans = [
            kwok.plan_kwok(self._machine, plane, servers.get(plane.name, UNKNOWN_SERVER)) for plane in self._planes
        ]
        return materialise(self._machine, Plan.merge(plans), self._machine.pki())

    def make_nodes(self) -> list[Change]:
        """Make the fake nodes what they should be; does not wait until they are ready."""
        servers = self._servers()
        with ThreadPoolExecutor(self._machine.options.parallelism) as pool:
            return list(pool.map(lambda plane: self._nodes(plane, servers.get(plane.name)), self._planes))

    def _all_nodes(self) -> list[Change]:
        changes, servers = self.make_nodes(), self._servers()
        if not self._machine.check:
            with ThreadPoolExecutor(self._machine.options.parallelism) as pool:
                list(pool.map(lambda plane: self._wait(plane, servers[plane.name]), self._planes))
        return changes

    def _nodes(self, plane: ControlPlane, server: str | None) -> Change:
        machine, name = self._machine, plane.name
        if server is None:
            return Change({}, {f"nodes {name}": f"{machine.options.wec_nodes} added"})
        endpoint = machine.endpoint(name, server)
        try:
            added, removed = kwok.converge_nodes(
                name, endpoint, machine.options.wec_nodes, plane.nodes, check=machine.check
            )
        except OSError as error:
            if machine.check:
                return Change({}, {f"nodes {name}": "unknown: the API server does not answer"})
            raise HostError(f"{name}: fake nodes: {endpoint.url} does not answer: {error}") from error
        before = {f"node {name}/{node}": "fake" for node in removed}
        # One that gets another shape has a line on both sides, and they must differ.
        after = {f"node {name}/{node}": "fake, of another shape" if node in removed else "fake" for node in added}
        return Change(before, after)

    def _wait(self, plane: ControlPlane, server: str) -> None:
        """Until its kwok has made all its nodes ready; one that died is named with its last lines."""
        supervisor, name = self._machine.supervisor, plane.name
        endpoint, program = self._machine.endpoint(name, server), f"kwok.{name}"
        wanted = len(kwok.nodes_of(self._machine.options.wec_nodes, plane.nodes))
        seconds = self._machine.options.ready_seconds
        end = time.monotonic() + seconds
        while True:
            supervisor.raise_if_dead(program, supervisor.state(program))
            found = kwok.ready_nodes(name, endpoint) if wanted else 0
            if found >= wanted:
                return
            if time.monotonic() > end:
                raise DeadlineError(
                    f"{name}: {found} of {wanted} fake nodes were ready within {seconds:.0f} s; the last lines of its"
                    f" kwok:\n{supervisor.tail(program)}"
                )
            time.sleep(POLL)
