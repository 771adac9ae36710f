"""Makes a lab what it should be, removes it without a trace, and says how it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from fleet.errors import DeadlineError, HostError, UsageError
from fleet.host.files import private_directory, remove_tree
from fleet.lab import cgroups, furnish, plan, record
from fleet.lab.cgroups import Hierarchy
from fleet.lab.record import LabRecord, Started
from fleet.lab.requirements import require
from fleet.lab.spec import DEFAULT_SUBNET, FOLDER, MAX_MACHINES, Lab, LabMachine, lab
from fleet.lab.system import System, observe

UP_SECONDS = 20.0
"""From a machine's start to its SSH server's greeting; 0.3 s on an idle host."""
GONE_SECONDS = 20.0
POLL = 0.02
SSH = 22


@dataclass(frozen=True)
class Host:
    """Where a lab lives: the programs of this host, its control groups, and the state folder."""

    system: System
    state_root: Path
    trees: tuple[Hierarchy, ...] = ()
    tell: Callable[[str], None] = field(default=lambda _: None)

    @property
    def root(self) -> Path:
        """The lab's folder."""
        return self.state_root / FOLDER


@dataclass(frozen=True)
class MachineState:
    """One machine now."""

    name: str
    address: str
    running: bool
    reachable: bool
    memory: int | None
    """Bytes; None where it is not counted."""
    cpu: float | None
    """Seconds of CPU so far."""


def up(host: Host, machines: int, subnet: str | None = None) -> Lab:
    """Exactly that many machines, each answering over SSH; those that run are left alone, half-made ones made again.

    UsageError before anything is changed; DeadlineError names the machines that do not answer.
    """
    known = record.load(host.root)
    wanted = lab(host.state_root, machines, subnet or (known.subnet if known else DEFAULT_SUBNET))
    require(host.system)
    if known is not None and known.subnet != str(wanted.network):
        raise UsageError(f"--subnet: the lab in {host.root} is {known.subnet}: `fleet lab down` first")
    if known is None:
        _refuse_foreign(host, wanted)
    private_directory(host.root)
    kept = known or LabRecord(str(wanted.network))
    record.save(host.root, kept)
    for argv in plan.network_up(wanted, observe(host.system)):
        host.system.run(argv)
    for started in kept.machines:
        if started.number > machines:
            kept = _remove(host, wanted, kept, started.number)
    fresh = [m for m in wanted.machines if not _runs(host, kept, m.number)]
    for machine in fresh:
        # One that ended comes back with its disk and its keys, as a machine does after a power cut.
        _stop(host, wanted, kept, machine.number)
        kept = _start(host, wanted, kept, machine)
    furnish.write_known_hosts(wanted)
    furnish.write_inventory(wanted)
    _wait(host, fresh)
    return wanted


def down(host: Host) -> bool:
    """Remove everything; absent is fine. True when there was anything. HostError names what could not be removed."""
    known = record.load(host.root)
    if known is None and not host.root.exists():
        return False
    require(host.system, programs=False)
    made = lab(host.state_root, 1, known.subnet if known else DEFAULT_SUBNET)
    sockets = sorted(made.control.iterdir()) if made.control.is_dir() else []
    for argv in plan.close_connections(sockets):
        host.system.run(argv, check=False)
    if known is not None:
        seen = observe(host.system)
        numbers = {m.number for m in known.machines} | set(_numbers(made, seen.namespaces | seen.links))
        for number in sorted(numbers):
            known = _remove(host, made, known, number)
        left = cgroups.remove(host.trees, made.tag)
        for argv in plan.network_down(made, observe(host.system)):
            host.system.run(argv)
        if left:
            raise HostError(f"{', '.join(map(str, left))}: not empty: something of the lab still runs; run it again")
    remove_tree(host.root)
    return True


def status(host: Host) -> list[MachineState]:
    """Every machine of the lab; none when there is no lab."""
    known = record.load(host.root)
    if known is None:
        return []
    made = lab(host.state_root, MAX_MACHINES, known.subnet)
    found = []
    for started in known.machines:
        machine = made.machine(started.number)
        running = host.system.alive(started.pid, started.began)
        memory, cpu = cgroups.usage(host.trees, made.tag, machine.name)
        reachable = running and host.system.answers(machine.address, SSH)
        found.append(MachineState(machine.name, machine.address, running, reachable, memory, cpu))
    return found


def connect(host: Host, name: str, *, plugged: bool) -> None:
    """Pull a machine's cable, or plug it in again: everything in it goes on. UsageError for an unknown name."""
    known = record.load(host.root)
    made = lab(host.state_root, MAX_MACHINES, known.subnet if known else DEFAULT_SUBNET)
    there = {made.machine(m.number).name: made.machine(m.number) for m in (known.machines if known else ())}
    if name not in there:
        raise UsageError(f"the lab has no machine {name!r}: {', '.join(there) or 'make one with `fleet lab up`'}")
    require(host.system, programs=False)
    host.system.run(("ip", "link", "set", there[name].namespace, "up" if plugged else "down"))


def _refuse_foreign(host: Host, wanted: Lab) -> None:
    """UsageError when something that is not this lab's has its names or its network."""
    seen = observe(host.system)
    taken = sorted(name for name in seen.links | seen.namespaces if name.startswith(wanted.tag))
    routed = host.system.run(("ip", "-4", "route", "show", "root", str(wanted.network))).strip()
    if taken or routed:
        raise UsageError(
            f"--subnet: {wanted.network} is in use on this host ({', '.join(taken) or routed.splitlines()[0]}):"
            " choose another, or take that lab down with its FLEET_STATE_DIR; nothing was changed"
        )


def _runs(host: Host, known: LabRecord, number: int) -> bool:
    started = known.of(number)
    return started is not None and host.system.alive(started.pid, started.began)


def _start(host: Host, made: Lab, known: LabRecord, machine: LabMachine) -> LabRecord:
    for argv in plan.machine_up(made, machine):
        host.system.run(argv)
    groups, refused = cgroups.create(host.trees, made.tag, machine.name)
    for sentence in refused:
        host.tell(sentence)
    furnish.write_machine(host.system, made, machine, groups, made.machines)
    pid, began = host.system.spawn(furnish.launcher(machine), machine.folder / "launch.log")
    known = known.having(Started(machine.number, pid, began))
    record.save(host.root, known)
    return known


def _remove(host: Host, made: Lab, known: LabRecord, number: int) -> LabRecord:
    """One machine with all that is of it; absent is fine."""
    _stop(host, made, known, number)
    remove_tree(made.machine(number).folder)
    known = known.without(number)
    record.save(host.root, known)
    return known


def _stop(host: Host, made: Lab, known: LabRecord, number: int) -> None:
    """End a machine: processes, namespace, link, control groups; its folder stays."""
    machine, started = made.machine(number), known.of(number)
    if started is not None and host.system.alive(started.pid, started.began):
        host.system.kill(started.pid)
    _end_processes(host, machine)
    for argv in plan.machine_down(machine.namespace, observe(host.system)):
        host.system.run(argv)
    left = cgroups.remove(host.trees, made.tag, machine.name)
    if left:
        raise HostError(f"{machine.name}: {left[0]} is not empty: something in the machine does not end; run it again")


def _end_processes(host: Host, machine: LabMachine) -> None:
    """Everything in the machine's network namespace ends with its first process; what does not is killed."""
    end = time.monotonic() + GONE_SECONDS
    while machine.namespace in observe(host.system).namespaces:
        pids = host.system.run(("ip", "netns", "pids", machine.namespace), check=False).split()
        if not pids:
            return
        if time.monotonic() > end:
            raise HostError(f"{machine.name}: processes {', '.join(pids)} do not end")
        for pid in pids:
            host.system.kill(int(pid))
        time.sleep(POLL)


def _numbers(made: Lab, names: Iterable[str]) -> list[int]:
    """Numbers of the machines that have those names."""
    prefix = f"{made.tag}m"
    return [
        int(name.removeprefix(prefix)) for name in names if name.startswith(prefix) and name[len(prefix) :].isdigit()
    ]


def _wait(host: Host, machines: Iterable[LabMachine]) -> None:
    """Until every SSH server greets."""
    missing = list(machines)
    end = time.monotonic() + UP_SECONDS
    while missing:
        missing = [m for m in missing if not host.system.answers(m.address, SSH)]
        if missing and time.monotonic() > end:
            first = missing[0]
            said = (first.folder / "launch.log").read_text(encoding="utf-8", errors="replace")[-2000:]
            raise DeadlineError(
                f"{', '.join(m.name for m in missing)}: no SSH server after {UP_SECONDS:.0f} s;"
                f" {first.name} said:\n{said}"
            )
        if missing:
            time.sleep(POLL)
