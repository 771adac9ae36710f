"""The driver `dense`: many control planes in one process over one etcd, in shards of bounded size."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fleet.errors import DeadlineError, HostError
from fleet.host.change import Change
from fleet.host.drivers.dense.admin import DenseAdmin, Instance
from fleet.host.drivers.dense.differs import differs
from fleet.host.drivers.dense.empty import start_empty
from fleet.host.drivers.dense.etcd_keys import delete_prefix, etcd_answers
from fleet.host.drivers.dense.pages import of_dense
from fleet.host.drivers.dense.plan import DENSE, Shard, etcd_prefix, instance_file, plan_instance, plan_shard
from fleet.host.drivers.dense.weights import weight
from fleet.host.drivers.driver import DriverKind, Ready, Share, unheard
from fleet.host.files import remove_tree
from fleet.host.machine import Machine
from fleet.host.materialise import Materialised, materialise
from fleet.host.patience import Patience
from fleet.host.plan import ControlPlane, Plan
from fleet.host.ready import wait_ready
from fleet.host.records import remove_plane, stored_server
from fleet.host.supervise import Staged

ADMIN_SECONDS = 60.0
POLL = 0.1
GONE = ".gone"
"""Suffix of the file of an instance that was taken out, until its keys are deleted."""


@dataclass(frozen=True)
class _Planned:
    """One shard's plan: its own part, and one part per control plane."""

    shard: Shard
    own: Plan
    instances: Mapping[str, Plan]

    @property
    def whole(self) -> Plan:
        return Plan.merge([self.own, *self.instances.values()])


def assign(existing: Mapping[str, int], names: Sequence[str], size: int) -> dict[str, int]:
    """Shard number of each name: those that have one keep it, the others fill the lowest shard with room."""
    assigned = {name: existing[name] for name in names if name in existing}
    filled: dict[int, int] = {}
    for number in assigned.values():
        filled[number] = filled.get(number, 0) + 1
    number = 0
    for name in names:
        if name in assigned:
            continue
        while filled.get(number, 0) >= size:
            number += 1
        assigned[name] = number
        filled[number] = filled.get(number, 0) + 1
    return assigned


class DenseDriver:
    """Control planes of the supervisor group `planes-dense`."""

    def __init__(self, machine: Machine, group: str = "planes-dense") -> None:
        self.machine = machine
        self.group = group

    def plan(self, planes: Sequence[ControlPlane]) -> Plan:
        """Everything of all shards; takes their ports (not in check mode)."""
        return Plan.merge(planned.whole for planned in self._planned(planes))

    def apply(self, planes: Sequence[ControlPlane], ready: Ready) -> Change:
        """See `Driver`. A shard's process is not restarted when control planes are added to it."""
        machine = self.machine
        pki = machine.pki()
        planned = self._planned(planes)
        done = {part.shard.number: materialise(machine, part.whole, pki) for part in planned}
        programs = [program for part in done.values() for program in part.programs]
        files = Change.merge(part.change for part in done.values())
        if machine.check:
            return Change.merge([files, machine.supervisor.converge(self.group, programs, check=True)])
        with machine.supervisor.stage(self.group, programs) as staged:
            # Shards one after another: each brings up its own control planes in parallel.
            for part in planned:
                self._bring_up(part, done[part.shard.number], staged, ready)
        machine.supervisor.settle(staged.watched)
        return Change.merge([files, staged.change])

    def stop(self, name: str) -> None:
        """Stop one instance; the others of its process run on."""
        self._admin(self.shard_of(name)).stop(name)

    def start(self, name: str) -> None:
        """Start one instance and wait for `/readyz`."""
        number = self.shard_of(name)
        self._admin(number).start(name)
        self._wait({name: stored_server(self.machine, name)}, number)

    def delete(self, names: Sequence[str]) -> Change:
        """See `Driver`. The keys of a deleted control plane leave its shard's etcd; an empty shard goes as
        a whole."""
        machine = self.machine
        existing = self.existing()
        changes = [Change({f"control plane {name}": "dense" for name in names}, {})]
        for number in sorted({existing[name] for name in names if name in existing}):
            gone = [name for name in names if existing.get(name) == number]
            left = [name for name, own in existing.items() if own == number and name not in names]
            changes.append(self._forget(number, gone) if left else self._remove_shard(number))
        if not machine.check:
            for name in names:
                remove_plane(machine, name)
        return Change.merge(changes)

    def processes(self, name: str) -> tuple[Share, ...]:
        """Its shard's dense process and etcd; one part in as many as there are control planes in the
        shard."""
        existing = self.existing()
        number = existing[name]
        part = 1.0 / sum(1 for own in existing.values() if own == number)
        return (Share(f"etcd.dense-{number}", "etcd", part), Share(f"{DENSE}.{number}", DENSE, part))

    def existing(self) -> dict[str, int]:
        """Name to shard number of every instance on disk."""
        paths = sorted(self.machine.layout.dense.glob("*/instances/*.json"))
        return {path.stem: int(path.parent.parent.name) for path in paths}

    def shard_of(self, name: str) -> int:
        """The shard of a control plane that is on the machine."""
        stored_server(self.machine, name)
        return self.existing()[name]

    def _planned(self, planes: Sequence[ControlPlane]) -> list[_Planned]:
        machine = self.machine
        assigned = assign(self.existing(), [plane.name for plane in planes], machine.options.shard_size)
        live = machine.live_programs()
        planned = []
        numbers = sorted(set(assigned.values()))
        cores = math.ceil(machine.options.cores / max(1, len(numbers)))
        for number in numbers:
            members = [plane for plane in planes if assigned[plane.name] == number]
            states = self._states(number) if f"{DENSE}.{number}" in live else {}
            listening = {name for name, instance in states.items() if not instance.idle}
            block = machine.take(f"dense-{number}", 2, in_use=f"etcd.dense-{number}" in live)
            shard = Shard(number, block.start, block.start + 1, cores)
            ports = {p.name: machine.take(p.name, 1, in_use=p.name in listening, start=p.port).start for p in members}
            instances = {p.name: plan_instance(machine, shard, p, ports[p.name]) for p in members}
            planned.append(_Planned(shard, plan_shard(machine, shard, members), instances))
        return planned

    def _bring_up(self, part: _Planned, done: Materialised, staged: Staged, ready: Ready) -> None:
        number = part.shard.number
        store, host = (planned.program.name for planned in part.own.programs)
        staged.start([store])
        if host in staged.pending:
            self._sweep(number)
        staged.start([host])
        admin = self._admin(number)
        self._until(lambda: self._answers(admin), lambda: f"dense process {number} did not open {admin.socket}", number)
        if host not in staged.watched:
            self._finish_forgetting(admin, number)
            self._tell(admin, part, done)
        self._wait({name: plan.kubeconfigs[0].server for name, plan in part.instances.items()}, number, ready)

    def _finish_forgetting(self, admin: DenseAdmin, number: int) -> None:
        """What a run that was killed in the middle of `_forget` left: else a new instance of that name finds old keys,
        and loses its own when the process starts the next time. One that is wanted is instructed to start
        afterwards."""
        gone = {file.stem for file in self._gone(number)}
        if gone:
            for name in sorted(gone & admin.instances().keys()):
                admin.stop(name)
            self._sweep(number)

    def _tell(self, admin: DenseAdmin, part: _Planned, done: Materialised) -> None:
        """Let a process that runs on see what changed.

        Files of instances by a reload; an instance whose credentials changed, or that was found stopped or failed, by a
        restart of that instance alone.
        """
        running = admin.instances()
        if set(running) != set(part.instances) or any(path.parent.name == "instances" for path in done.changed_paths):
            admin.reload()
        for name, plan in part.instances.items():
            idle = name in running and running[name].idle
            if name in running and {kubeconfig.path for kubeconfig in plan.kubeconfigs[1:]} & done.changed_paths:
                admin.stop(name)
                idle = True
            if idle:
                admin.start(name)

    def _forget(self, number: int, names: Sequence[str]) -> Change:
        """Take instances out of a shard that lives on: stop, delete the keys, remove the file, in this
        order."""
        machine = self.machine
        before = {f"file dense/{number}/instances/{name}.json": "instance" for name in names}
        if machine.check:
            return Change(before, {})
        live = machine.live_programs() >= {f"{DENSE}.{number}", f"etcd.dense-{number}"}
        admin = self._admin(number)
        known = self._states(number) if live else {}
        for name in names:
            if name in known:
                admin.stop(name)
            file = instance_file(machine.layout, number, name)
            file.rename(file.with_suffix(GONE))
        # A shard that does not run is swept before it starts the next time.
        if known:
            admin.reload()
            self._sweep(number)
        return Change(before, {})

    def _gone(self, number: int) -> list[Path]:
        return sorted((self.machine.layout.shard(number) / "instances").glob(f"*{GONE}"))

    def _sweep(self, number: int) -> None:
        """Delete the keys of instances that were taken out of a shard; none of them may run."""
        machine = self.machine
        gone = self._gone(number)
        block = machine.registry.find(machine.fleet, f"dense-{number}")
        if gone and block is not None:
            shard = Shard(number, block.start, block.start + 1)
            silent = f"etcd of dense process {number} did not answer"
            self._until(lambda: etcd_answers(machine, shard), lambda: silent, number)
            for file in gone:
                delete_prefix(machine, shard, etcd_prefix(file.stem))
        for file in gone:
            file.unlink()

    def _remove_shard(self, number: int) -> Change:
        machine = self.machine
        programs = [f"{DENSE}.{number}", f"etcd.dense-{number}"]
        change = machine.supervisor.drop(self.group, programs, check=machine.check)
        if not machine.check:
            for log in (
                *machine.layout.log.glob(f"{DENSE}.{number}.log*"),
                *machine.layout.log.glob(f"etcd.dense-{number}.log*"),
            ):
                log.unlink(missing_ok=True)
            machine.registry.give_back(machine.fleet, f"dense-{number}")
            (machine.layout.run / f"dense-{number}.sock").unlink(missing_ok=True)
            remove_tree(machine.layout.shard(number))
        return change

    def _admin(self, number: int) -> DenseAdmin:
        return DenseAdmin(self.machine.layout.run / f"dense-{number}.sock")

    def _wait(self, servers: Mapping[str, str], number: int, ready: Ready = unheard) -> None:
        """Until all say `/readyz`; `ready` hears of each. The process is asked first: that costs it less than a
        handshake with each."""
        deadline = self.machine.options.ready_seconds * max(1, self.machine.options.shard_size // 10)
        left = set(servers)

        def none_left() -> bool:
            for instance in self._states(number).values():
                if instance.name in left:
                    self._raise_if_failed(instance, number)
                    if instance.ready:
                        left.remove(instance.name)
                        ready(instance.name)
            return not left

        self._until(none_left, lambda: f"{min(left)}: its API server was not ready", number, deadline)
        for name, server in servers.items():
            wait_ready(
                name,
                self.machine.endpoint(name, server),
                deadline=self.machine.options.ready_seconds,
                alive=partial(self._raise_if_down, name, number),
                tail=lambda: self.machine.supervisor.tail(f"{DENSE}.{number}"),
                progress=lambda: self.machine.supervisor.work_done(f"etcd.dense-{number}", f"{DENSE}.{number}"),
            )

    def _raise_if_down(self, name: str, number: int) -> None:
        instance = self._states(number).get(name)
        if instance is not None:
            self._raise_if_failed(instance, number)

    def _raise_if_failed(self, instance: Instance, number: int) -> None:
        if instance.failed:
            program = f"{DENSE}.{number}"
            tail = self.machine.supervisor.tail(program)
            raise HostError(f"{instance.name}: its API server in {program} failed: {instance.error}\n{tail}")

    def _states(self, number: int) -> dict[str, Instance]:
        """The instances of a shard; none when its process does not answer."""
        try:
            return self._admin(number).instances()
        except OSError:
            return {}

    def _answers(self, admin: DenseAdmin) -> bool:
        try:
            admin.instances()
        except OSError:
            return False
        return True

    def _until(
        self, condition: Callable[[], bool], what: Callable[[], str], number: int, seconds: float = ADMIN_SECONDS
    ) -> None:
        """Wait; HostError when one of the shard's two programs dies, DeadlineError with `what()` in its words."""
        supervisor = self.machine.supervisor
        programs = (f"etcd.dense-{number}", f"{DENSE}.{number}")
        patience = Patience(seconds, lambda: supervisor.work_done(*programs))
        while not condition():
            for watched in programs:
                supervisor.raise_if_dead(watched, supervisor.state(watched))
            if not patience.left():
                tail = supervisor.tail(f"{DENSE}.{number}")
                raise DeadlineError(f"{what()} after {patience.told()}; its last lines:\n{tail}")
            time.sleep(POLL)


DRIVER = DriverKind(
    of=DenseDriver,
    pages={"dense": of_dense},
    platforms=True,
    serves=DENSE,
    bare=True,
    prepare=start_empty,
    differs=differs,
    weight=weight,
    descriptors=150,  # 78 at rest, 81 in a shard of 25 during a run; doubled for clients that come and go
)
