"""Port blocks of every fleet on this machine: taken and given back under a lock, outside the ephemeral
range."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import psutil
from filelock import FileLock
from filelock import Timeout as LockTimeout

from fleet.errors import CapacityError, HostError, UsageError
from fleet.host.files import private_directory, write_private

EPHEMERAL_FILE = Path("/proc/sys/net/ipv4/ip_local_port_range")
FORMAT = 1
LOWEST = 16_000
"""Below lie the registered ports of well-known daemons; kwokctl counts downward from 32766."""
HIGHEST = 65_535
STEP = 500
"""Registries begin at multiples of it: about as many ports as 150 control planes take."""
LOCK_SECONDS = 60.0


@dataclass(frozen=True)
class Block:
    """`count` consecutive ports from `start`, held by `owner` (a control plane, an agent) of `fleet`.

    `notes` says which ports were skipped, and who holds them; it is not stored.
    """

    fleet: str
    owner: str
    start: int
    count: int
    notes: tuple[str, ...] = ()

    def port(self, index: int) -> int:
        """The port at `index`, 0 <= index < count."""
        if not 0 <= index < self.count:
            raise IndexError(f"port {index} of a block of {self.count}")
        return self.start + index

    @property
    def ports(self) -> range:
        """All ports of the block."""
        return range(self.start, self.start + self.count)


def ephemeral_range(file: Path = EPHEMERAL_FILE) -> tuple[int, int]:
    """First and last port that the kernel hands out to clients."""
    low, high = file.read_text(encoding="ascii").split()
    return int(low), int(high)


def holder_of(port: int) -> str:
    """Who listens on a TCP port, as far as this user may see: `name (pid 12)`, or `another program`."""
    try:
        for connection in psutil.net_connections(kind="tcp"):
            address = connection.laddr
            if connection.status == psutil.CONN_LISTEN and connection.pid and address and address[1] == port:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except (psutil.Error, PermissionError):
        return "another program"
    return "another program"


def bindable(port: int) -> bool:
    """Whether a listener could be opened on that port right now, on loopback or on any address of this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))  # noqa: S104 - bound, never listening
        except OSError:
            return False
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True


class Registry:
    """The file `<state>/ports.json`, shared by every fleet of this user on this machine."""

    def __init__(self, state_root: Path, *, ephemeral: tuple[int, int] | None = None) -> None:
        self.file = state_root / "ports.json"
        self._ephemeral = ephemeral_range() if ephemeral is None else ephemeral

    def blocks(self, fleet: str | None = None) -> list[Block]:
        """Blocks that are taken, of one fleet or of all, by start; takes no lock."""
        try:
            text = self.file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        try:
            document = json.loads(text)
            if document["format"] != FORMAT:
                raise HostError(
                    f"{self.file}: format {document['format']} is not {FORMAT}: it was written by"
                    f" another release of this program"
                )
            found = [Block(b["fleet"], b["owner"], b["start"], b["count"]) for b in document["blocks"]]
        except (ValueError, KeyError, TypeError) as error:
            raise HostError(
                f"{self.file} is not a port registry ({error!r}): stop the fleets of this machine and remove it"
            ) from error
        return sorted((b for b in found if fleet in (None, b.fleet)), key=lambda b: b.start)

    def find(self, fleet: str, owner: str) -> Block | None:
        """The block of that owner, or None."""
        return next((b for b in self.blocks(fleet) if b.owner == owner), None)

    def take(self, fleet: str, owner: str, count: int, *, in_use: bool = True, start: int = 0) -> Block:
        """The owner's block of `count` ports: the one it has, else the first free one, or the one from `start`.

        `in_use` False says that none of the owner's programs run: then a stranger that sits on one of the ports of
        the block it has moves it to another block. Raises CapacityError when no block is free, UsageError when the
        ports from `start` are another's.
        """
        with self._locked():
            blocks = self.blocks()
            mine = next((b for b in blocks if (b.fleet, b.owner) == (fleet, owner)), None)
            notes: list[str] = []
            if mine is not None:
                taken = [] if in_use else [p for p in mine.ports if not bindable(p)]
                if mine.count == count and not taken and start in (0, mine.start):
                    return mine
                notes += [
                    f"port {port} of {owner} is held by {holder_of(port)}: moved to another block" for port in taken
                ]
                blocks.remove(mine)
            wanted = Block(fleet, owner, start, count)
            block = self._asked_for(blocks, wanted) if start else self._free_block(blocks, wanted, notes)
            self._write([*blocks, block])
            return block

    def give_back(self, fleet: str, owner: str | None = None) -> bool:
        """Give back the block of one owner, or all of a fleet; True when there was one."""
        if not self.blocks(fleet):
            return False
        with self._locked():
            blocks = self.blocks()
            kept = [b for b in blocks if b.fleet != fleet or owner not in (None, b.owner)]
            if len(kept) == len(blocks):
                return False
            self._write(kept)
            return True

    def _asked_for(self, blocks: list[Block], wanted: Block) -> Block:
        """`wanted` itself, when nobody has one of its ports."""
        for port in wanted.ports:
            other = next((b for b in blocks if port in b.ports), None)
            if other is not None or not bindable(port):
                holder = f"{other.owner} of fleet {other.fleet}" if other else holder_of(port)
                raise UsageError(
                    f"control_plane_ports: port {port} for {wanted.owner} is held by {holder}: choose another"
                )
        return wanted

    def _free_block(self, blocks: list[Block], wanted: Block, notes: list[str]) -> Block:
        """The first run of ports that is unregistered and bindable."""
        count = wanted.count
        registered = {port for block in blocks for port in block.ports}
        low, high = self._ephemeral
        for first, last in self._spans():
            start = first
            while start + count - 1 <= last:
                blocked = next((p for p in range(start, start + count) if p in registered or not bindable(p)), None)
                if blocked is None:
                    return replace(wanted, start=start, notes=tuple(notes))
                if blocked not in registered:
                    notes.append(f"port {blocked} is held by {holder_of(blocked)}: skipped")
                start = blocked + 1
        raise CapacityError(
            f"no {count} consecutive free ports for {wanted.owner} outside the ephemeral range"
            f" {low}-{high}; {len(registered)} are"
            f" registered in {self.file}: take down a fleet that is no longer needed"
        )

    def _spans(self) -> list[tuple[int, int]]:
        """Where to look, in order: from a place of this registry's own, so that two state folders rarely
        meet, then from the start."""
        low, high = self._ephemeral
        lower, upper = (LOWEST, min(low - 1, HIGHEST)), (max(high + 1, LOWEST), HIGHEST)
        size = max(0, lower[1] - lower[0] + 1)
        own = (
            lower[0]
            + int.from_bytes(hashlib.sha256(str(self.file).encode()).digest()[:4]) % max(1, size // STEP) * STEP
        )
        return [(own, lower[1]), (lower[0], own - 1), upper]

    def _write(self, blocks: list[Block]) -> None:
        if not blocks:
            self.file.unlink(missing_ok=True)
            return
        entries = [{k: v for k, v in asdict(b).items() if k != "notes"} for b in sorted(blocks, key=lambda b: b.start)]
        text = json.dumps({"format": FORMAT, "blocks": entries}, indent=1) + "\n"
        write_private(self.file, text.encode())

    @contextmanager
    def _locked(self) -> Iterator[None]:
        if not self.file.parent.exists():
            private_directory(self.file.parent)
        lock = self.file.with_name(self.file.name + ".lock")
        try:
            with FileLock(lock, timeout=LOCK_SECONDS, mode=0o600):
                yield
        except LockTimeout as error:
            raise HostError(
                f"{lock} is held by another program for more than {LOCK_SECONDS:.0f} s: wait for it to"
                f" end, then try again"
            ) from error
