"""What a host must have before virtual machines can be made on it; everything that lacks is reported at once."""

from __future__ import annotations

from fleet.errors import UsageError
from fleet.lab.system import System
from fleet.vm.plan import Architecture

PACKAGES = {
    "qemu-system-x86_64": "qemu-system-x86",
    "qemu-system-aarch64": "qemu-system-arm",
    "qemu-img": "qemu-utils",
    "ssh-keygen": "openssh-client",
    "ssh": "openssh-client",
}
"""Programs and the packages of Debian and Ubuntu that bring them."""
SEED_PROGRAMS = ("genisoimage", "xorriso", "mkisofs")
"""Any of them makes the seed; the first is what Debian's package of that name brings."""


def require(system: System, architecture: Architecture) -> str:
    """The program that makes seeds. UsageError unless this host has all programs; nothing was changed."""
    needed = (architecture.program, "qemu-img", "ssh-keygen", "ssh")
    packages = {PACKAGES[program] for program in needed if system.which(program) is None}
    seed = next((program for program in SEED_PROGRAMS if system.which(program) is not None), "")
    if not seed:
        packages.add(SEED_PROGRAMS[0])
    if architecture.firmware is not None and not architecture.firmware.is_file():
        packages.add("qemu-efi-aarch64")
    if packages:
        names = sorted(packages)
        raise UsageError(
            f"virtual machines need {', '.join(names)}: apt-get install --no-install-recommends {' '.join(names)}; "
            "nothing was changed"
        )
    return seed
