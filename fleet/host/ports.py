"""Port blocks of every fleet on this machine: taken and given back under a lock, outside the ephemeral range."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from filelock import FileLock
from filelock import Timeout as LockTimeout

from fleet.errors import CapacityError, HostError
from fleet.host.files import private_directory, write_private

EPHEMERAL_FILE = Path("/proc/sys/net/ipv4/ip_local_port_range")
FORMAT = 1
LOWEST = 16_000
"""Below lie the registered ports of well-known daemons; kwokctl counts downward from 32766."""
HIGHEST = 65_535
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
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except (psutil.Error, PermissionError):
        return "another program"
    return "another program"


def bindable(port: int, address: str = "127.0.0.1") -> bool:
    """Whether a listener could be opened on that port right now."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
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
                    f"{self.file}: format {document['format']} is not {FORMAT}: it was written by another release of this program"
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

    def take(self, fleet: str, owner: str, count: int, *, in_use: bool = True, address: str = "127.0.0.1") -> Block:
        """The owner's block of `count` ports: the one it has, else the first free one.

        `in_use` False says that none of the owner's programs run: then a stranger that sits on one of the ports of
        the block it has moves it to another block. Raises CapacityError when no block is free.
        """
        with self._locked():
            blocks = self.blocks()
            mine = next((b for b in blocks if (b.fleet, b.owner) == (fleet, owner)), None)
            notes: list[str] = []
            if mine is not None:
                taken = [] if in_use else [p for p in mine.ports if not bindable(p, address)]
                if mine.count == count and not taken:
                    return mine
                notes += [
                    f"port {port} of {owner} is held by {holder_of(port)}: moved to another block" for port in taken
                ]
                blocks.remove(mine)
            block = self._free_block(blocks, fleet, owner, count, address, notes)
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

    def _free_block(
        self, blocks: list[Block], fleet: str, owner: str, count: int, address: str, notes: list[str]
    ) -> Block:
        """The first run of `count` ports that is unregistered and bindable."""
        registered = {port for block in blocks for port in block.ports}
        low, high = self._ephemeral
        for first, last in ((LOWEST, min(low - 1, HIGHEST)), (max(high + 1, LOWEST), HIGHEST)):
            start = first
            while start + count - 1 <= last:
                blocked = next(
                    (p for p in range(start, start + count) if p in registered or not bindable(p, address)), None
                )
                if blocked is None:
                    return Block(fleet, owner, start, count, tuple(notes))
                if blocked not in registered:
                    notes.append(f"port {blocked} is held by {holder_of(blocked)}: skipped")
                start = blocked + 1
        raise CapacityError(
            f"no {count} consecutive free ports for {owner} outside the ephemeral range {low}-{high}; {len(registered)} are"
            f" registered in {self.file}: take down a fleet that is no longer needed"
        )

    def _write(self, blocks: list[Block]) -> None:
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
                f"{lock} is held by another program for more than {LOCK_SECONDS:.0f} s: wait for it to end, then try again"
            ) from error
