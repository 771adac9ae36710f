"""What a lab is made of: its network, its machines, their names, addresses and folders. Pure values."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path

from fleet.errors import UsageError

DEFAULT_SUBNET = "10.77.0.0/24"
MAX_MACHINES = 100
FIRST_HOST = 10
"""Machine n has the address 10 + n of the network; 1 is the bridge's."""
PREFIX_BITS = 24
USER = "fleet"
FIRST_UID = 34_000
"""Machine n's user is 34000 + n: inotify is counted per user of the kernel, so each machine has its own."""
FOLDER = ".lab"
"""Below the state folder; no fleet can have this name."""


@dataclass(frozen=True)
class LabMachine:
    """One machine of the lab."""

    number: int
    tag: str
    network: ipaddress.IPv4Network
    root: Path
    """The lab's folder."""

    @property
    def name(self) -> str:
        """`m1` and so on; its hostname and its name in the inventory."""
        return f"m{self.number}"

    @property
    def address(self) -> str:
        """Its address on the bridge."""
        return str(self.network.network_address + FIRST_HOST + self.number)

    @property
    def mac(self) -> str:
        """Its link's address, always the same: a machine that comes back is found at once by those who remember it."""
        return "02:00:" + ":".join(f"{byte:02x}" for byte in (self.network.network_address + self.number).packed)

    @property
    def uid(self) -> int:
        """Of its ordinary user."""
        return FIRST_UID + self.number

    @property
    def namespace(self) -> str:
        """Its network namespace, and the host's end of its link."""
        return f"{self.tag}{self.name}"

    @property
    def folder(self) -> Path:
        """What it writes outside of the host's own files."""
        return self.root / self.name


@dataclass(frozen=True)
class SshFiles:
    """How a set of machines that we made is reached: all under one folder of the controller."""

    root: Path

    @property
    def key(self) -> Path:
        """The private key by which the machines' user is reached."""
        return self.root / "ssh" / "id_ed25519"

    @property
    def known_hosts(self) -> Path:
        """The machines' host keys, written by those who made them."""
        return self.root / "ssh" / "known_hosts"

    @property
    def control(self) -> Path:
        """Sockets of shared SSH connections."""
        return self.root / "cp"

    @property
    def inventory(self) -> Path:
        """What `inventories/lab` or `inventories/qemu` reads."""
        return self.root / "hosts.json"


@dataclass(frozen=True)
class Lab(SshFiles):
    """All machines on one bridge."""

    network: ipaddress.IPv4Network
    count: int

    @property
    def tag(self) -> str:
        """Begins the names of all that the lab has on this host: `fl` and the network's two middle bytes."""
        _, second, third, _ = self.network.network_address.packed
        return f"fl{second:02x}{third:02x}"

    @property
    def gateway(self) -> str:
        """The bridge's own address: where the controller is seen from."""
        return str(self.network.network_address + 1)

    @property
    def machines(self) -> tuple[LabMachine, ...]:
        """In order."""
        return tuple(self.machine(number) for number in range(1, self.count + 1))

    def machine(self, number: int) -> LabMachine:
        """The machine of that number."""
        return LabMachine(number, self.tag, self.network, self.root)


def lab(state_root: Path, machines: int, subnet: str = DEFAULT_SUBNET) -> Lab:
    """The lab under that state folder; UsageError for a count or a network that cannot be."""
    if not 1 <= machines <= MAX_MACHINES:
        raise UsageError(f"--machines: {machines} is not between 1 and {MAX_MACHINES}")
    try:
        network = ipaddress.IPv4Network(subnet)
    except ValueError as error:
        raise UsageError(f"--subnet: {subnet!r} is not an IPv4 network such as {DEFAULT_SUBNET}: {error}") from error
    if network.prefixlen != PREFIX_BITS or not network.is_private or network.is_loopback:
        raise UsageError(f"--subnet: {subnet} must be a private network of 256 addresses, such as {DEFAULT_SUBNET}")
    return Lab(state_root / FOLDER, network, machines)
