"""The commands of virtual machines, as argument lists: disk, seed, and QEMU itself. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fleet.vm.spec import Vm, Wanted

Argv = tuple[str, ...]
QCOW2_MAGIC = b"QFI\xfb"
UEFI_ARM = Path("/usr/share/qemu-efi-aarch64/QEMU_EFI.fd")
"""Debian's and Ubuntu's qemu-efi-aarch64; an arm64 machine has no BIOS."""
SANDBOX = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"
"""QEMU's own seccomp filter: it starts no program and gains no rights."""


@dataclass(frozen=True)
class Architecture:
    """How QEMU is called for this processor."""

    program: str
    machine: str
    cpu: str
    console: str
    """Of its serial port, for a kernel that is started without a boot loader."""
    firmware: Path | None = None


ARCHITECTURES = {
    # Virtualisation is switched off: `max` shows it, and the guest would load KVM under emulation.
    "x86_64": Architecture("qemu-system-x86_64", "q35", "max,svm=off,vmx=off", "ttyS0"),
    "aarch64": Architecture("qemu-system-aarch64", "virt", "max", "ttyAMA0", UEFI_ARM),
}
"""By `platform.machine()`."""


def disk(vm: Vm, base: Path, base_format: str, gib: int) -> Argv:
    """A copy-on-write disk over the image; the guest grows its file system to the size."""
    return ("qemu-img", "create", "-q", "-f", "qcow2", "-F", base_format, "-b", str(base), str(vm.disk), f"{gib}G")


def seed(program: str, vm: Vm, files: Sequence[Path]) -> Argv:
    """An ISO 9660 image that cloud-init knows by its label."""
    begin = ("xorriso", "-as", "mkisofs") if program == "xorriso" else (program,)
    return (*begin, "-quiet", "-output", str(vm.seed), "-volid", "cidata", "-joliet", "-rock", *map(str, files))


def qemu(vm: Vm, wanted: Wanted, architecture: Architecture, *, kvm: bool) -> Argv:
    """The machine, in the foreground, without a screen; emulated without `kvm`."""
    size, image = wanted.size, wanted.image
    forward = f"hostfwd=tcp:127.0.0.1:{vm.port}-:22"
    argv: list[str] = [
        architecture.program,
        *("-name", vm.name),
        *("-machine", architecture.machine),
        *("-accel", "kvm" if kvm else "tcg,thread=multi"),
        *("-cpu", architecture.cpu),
        *("-smp", str(size.cpus)),
        *("-m", f"{size.memory_mib}M"),
        "-nodefaults",
        "-no-user-config",
        *("-display", "none"),
        *("-sandbox", SANDBOX),
        *("-drive", f"if=none,id=disk,format=qcow2,discard=unmap,file={vm.disk}"),
        *("-device", "virtio-blk-pci,drive=disk"),
        *("-drive", f"if=none,id=seed,format=raw,readonly=on,file={vm.seed}"),
        *("-device", "virtio-blk-pci,drive=seed"),
        *("-netdev", f"user,id=net,restrict={'off' if size.outside else 'on'},{forward}"),
        *("-device", f"virtio-net-pci,netdev=net,mac={vm.mac}"),
        *("-device", "virtio-rng-pci"),
        *("-chardev", f"file,id=console,path={vm.console}"),
        *("-serial", "chardev:console"),
    ]
    if image.kernel:
        argv += ["-kernel", image.kernel, "-initrd", image.initrd]
        argv += ["-append", f"root={image.root} rw console={architecture.console} ds=nocloud"]
    elif architecture.firmware is not None:
        argv += ["-bios", str(architecture.firmware)]
    return tuple(argv)


def format_of(beginning: bytes) -> str:
    """`qcow2` or `raw`, by an image's first bytes."""
    return "qcow2" if beginning.startswith(QCOW2_MAGIC) else "raw"
