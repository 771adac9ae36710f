"""What a host must have before a lab can be made on it; everything that lacks is reported at once."""

from __future__ import annotations

from fleet.errors import UsageError
from fleet.lab.system import System

PACKAGES = {
    "sshd": "openssh-server",
    "ssh-keygen": "openssh-client",
    "ssh": "openssh-client",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "mount": "mount",
}
"""Programs and the packages of Debian and Ubuntu that bring them."""


def lacking(system: System) -> list[str]:
    """Packages to install."""
    return sorted({package for program, package in PACKAGES.items() if system.which(program) is None})


def require(system: System, *, programs: bool = True) -> None:
    """UsageError unless this is root on a host that has all programs; nothing was changed."""
    if not system.is_root():
        raise UsageError(
            "a lab of network namespaces needs root: run it as `sudo -E fleet lab ...`; nothing was changed"
        )
    packages = lacking(system) if programs else []
    if packages:
        raise UsageError(
            f"a lab needs {', '.join(packages)}: apt-get install {' '.join(packages)}"
            " (a /usr/sbin/policy-rc.d that exits 101 keeps the host's own sshd from starting); nothing was changed"
        )
