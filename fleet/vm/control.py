"""Makes virtual machines what they should be, removes them without a trace, and says how they are."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from fleet.errors import DeadlineError, HostError, UsageError
from fleet.host.files import private_directory, remove_tree
from fleet.host.ports import Registry
from fleet.lab.plan import close_connections
from fleet.lab.spec import SshFiles
from fleet.lab.system import System
from fleet.vm import furnish, plan, record
from fleet.vm.image import Fetch, ensure_image, https
from fleet.vm.record import Started, VmRecord
from fleet.vm.requirements import require
from fleet.vm.spec import FOLDER, MAX_MACHINES, Vm, Wanted

PORT_FLEET = ".vm"
"""In the port registry; no fleet can have this name."""
UP_SECONDS = 900.0
"""From a machine's start to its SSH server's greeting: seconds with KVM, minutes under emulation."""
GONE_SECONDS = 20.0
POLL = 0.2
KVM = Path("/dev/kvm")


@dataclass(frozen=True)
class Host:
    """Where the machines live: the programs of this host, the state folder, and the cache of images."""

    system: System
    state_root: Path
    cache: Path
    tell: Callable[[str], None] = field(default=lambda _: None)
    machine: str = field(default_factory=platform.machine)
    """Processor, as the kernel names it."""
    kvm: bool = field(default_factory=lambda: os.access(KVM, os.R_OK | os.W_OK))
    fetch: Fetch = https

    @property
    def files(self) -> SshFiles:
        """The machines' folder."""
        return SshFiles(self.state_root / FOLDER)

    @property
    def registry(self) -> Registry:
        """Ports of this user on this host."""
        return Registry(self.state_root)

    @property
    def architecture(self) -> plan.Architecture:
        """How QEMU is called here; UsageError on another processor."""
        try:
            return plan.ARCHITECTURES[self.machine]
        except KeyError as error:
            known = ", ".join(plan.ARCHITECTURES)
            raise UsageError(f"virtual machines are made on {known}, and this is {self.machine}") from error


@dataclass(frozen=True)
class VmState:
    """One machine now."""

    name: str
    address: str
    accelerator: str
    """kvm, or tcg: emulated."""
    running: bool
    reachable: bool


def up(host: Host, machines: int, wanted: Wanted) -> list[Vm]:
    """Exactly that many machines, each answering over SSH; those that run as they should are left alone.

    One that ended, or that has another size now, is started with its disk; one of another image is made again.
    UsageError before anything is changed; DeadlineError names the machines that do not answer.
    """
    if not 0 < machines <= MAX_MACHINES:
        raise UsageError(f"--machines: {machines} is not between 1 and {MAX_MACHINES}")
    kvm = _kvm(host, wanted)
    seed_program = require(host.system, host.architecture)
    base, base_format = ensure_image(wanted.image, host.cache, fetch=host.fetch, tell=host.tell)
    private_directory(host.files.root)
    known = record.load(host.files.root)
    for number in [started.number for started in known.machines if started.number > machines]:
        known = _remove(host, known, number)
    made, fresh = [], []
    for number in range(1, machines + 1):
        started = known.of(number)
        runs = started is not None and host.system.alive(started.pid, started.began)
        vm = _vm(host, number, in_use=runs)
        made.append(vm)
        if runs and started is not None and started.wanted == wanted:
            continue
        known = _stop(host, known, vm, wanted)
        furnish.ensure_keys(host.system, host.files, vm)
        furnish.write_seed(host.system, seed_program, host.files, vm, outside=wanted.size.outside)
        if not vm.disk.exists():
            host.system.run(plan.disk(vm, base, base_format, wanted.size.disk_gib))
        known = _start(host, known, vm, wanted, kvm=kvm)
        fresh.append(vm)
    furnish.write_known_hosts(host.files, made)
    furnish.write_inventory(host.files, made)
    _wait(host, known, fresh)
    return made


def _kvm(host: Host, wanted: Wanted) -> bool:
    """Whether to try KVM; UsageError when it is requested and may not be used."""
    if wanted.size.accelerator == "kvm" and not host.kvm:
        raise UsageError(f"size.accelerator: {KVM} is not there or not for you: join its group, or write tcg")
    return host.kvm and wanted.size.accelerator != "tcg"


def _start(host: Host, known: VmRecord, vm: Vm, wanted: Wanted, *, kvm: bool) -> VmRecord:
    argv = plan.qemu(vm, wanted, host.architecture, kvm=kvm)
    pid, began = host.system.spawn(argv, vm.folder / "qemu.log")
    known = known.having(Started(number=vm.number, pid=pid, began=began, wanted=wanted, kvm=kvm))
    record.save(host.files.root, known)
    return known


def down(host: Host) -> bool:
    """Remove every machine with its disk, keys and ports; absent is fine. True when there was anything."""
    files = host.files
    known = record.load(files.root)
    if not files.root.exists():
        return False
    sockets = sorted(files.control.iterdir()) if files.control.is_dir() else []
    for argv in close_connections(sockets):
        host.system.run(argv, check=False)
    for started in known.machines:
        known = _remove(host, known, started.number)
    host.registry.give_back(PORT_FLEET)
    remove_tree(files.root)
    return True


def status(host: Host) -> list[VmState]:
    """Every machine that there is."""
    found = []
    for started in record.load(host.files.root).machines:
        vm = _vm(host, started.number, in_use=True)
        running = host.system.alive(started.pid, started.began)
        reachable = running and host.system.answers("127.0.0.1", vm.port)
        found.append(VmState(vm.name, f"127.0.0.1:{vm.port}", "kvm" if started.kvm else "tcg", running, reachable))
    return found


def _vm(host: Host, number: int, *, in_use: bool) -> Vm:
    block = host.registry.take(PORT_FLEET, f"vm{number}", 1, in_use=in_use)
    return Vm(number, host.files.root, block.start)


def _stop(host: Host, known: VmRecord, vm: Vm, wanted: Wanted | None) -> VmRecord:
    """End a machine; its disk goes too unless it is of the same image and may be started again."""
    started = known.of(vm.number)
    if started is not None and host.system.alive(started.pid, started.began):
        host.system.kill(started.pid)
        end = time.monotonic() + GONE_SECONDS
        while host.system.alive(started.pid, started.began):
            if time.monotonic() > end:
                raise HostError(f"{vm.name}: its process {started.pid} does not end")
            time.sleep(POLL)
    if started is None or wanted is None or started.wanted.image != wanted.image:
        vm.disk.unlink(missing_ok=True)
    known = known.without(vm.number)
    record.save(host.files.root, known)
    return known


def _remove(host: Host, known: VmRecord, number: int) -> VmRecord:
    vm = _vm(host, number, in_use=True)
    known = _stop(host, known, vm, None)
    remove_tree(vm.folder)
    host.registry.give_back(PORT_FLEET, vm.name)
    return known


def _wait(host: Host, known: VmRecord, machines: Iterable[Vm]) -> None:
    """Until every SSH server greets; a machine whose QEMU ends is reported at once, with what it said.

    One that ends with KVM is emulated, unless KVM was requested: a device that opens is not yet one that works.
    """
    missing = list(machines)
    end = time.monotonic() + UP_SECONDS
    while missing:
        for vm in missing:
            started = known.of(vm.number)
            if started is not None and host.system.alive(started.pid, started.began):
                continue
            if started is None or not started.kvm or started.wanted.size.accelerator == "kvm":
                raise HostError(f"{vm.name}: QEMU ended: {_tail(vm.folder / 'qemu.log')}")
            host.tell(f"{vm.name}: QEMU ended with KVM ({_tail(vm.folder / 'qemu.log', 200)}): emulated instead")
            known = _start(host, known, vm, started.wanted, kvm=False)
        missing = [vm for vm in missing if not host.system.answers("127.0.0.1", vm.port)]
        if missing and time.monotonic() > end:
            first = missing[0]
            raise DeadlineError(
                f"{', '.join(vm.name for vm in missing)}: no SSH server after {UP_SECONDS:.0f} s; the console of"
                f" {first.name} ends with:\n{_tail(first.console)}"
            )
        if missing:
            time.sleep(POLL)


def _tail(file: Path, characters: int = 2000) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")[-characters:].strip()
    except FileNotFoundError:
        return "nothing"
