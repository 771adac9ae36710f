"""The host as a lab needs it: programs that are run to their end, one that stays, and what `ip` reports."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import psutil

from fleet.errors import HostError
from fleet.lab.plan import Argv, Observed

RUN_SECONDS = 30.0
CONNECT_SECONDS = 1.0
NO_PROGRAM = "not found"


class System(Protocol):
    """What a lab does to its host. `FakeSystem` writes it down instead."""

    def is_root(self) -> bool:
        """Whether namespaces may be made."""
        ...

    def which(self, program: str) -> str | None:
        """Where a program is."""
        ...

    def run(self, argv: Sequence[str], *, check: bool = True) -> str:
        """Run to the end; its output. HostError with what it said when it fails and `check` is set."""
        ...

    def spawn(self, argv: Sequence[str], log: Path) -> tuple[int, float]:
        """Start a program that outlives us; its process id and when it began (seconds since the epoch)."""
        ...

    def alive(self, pid: int, began: float) -> bool:
        """Whether that very process still runs."""
        ...

    def kill(self, pid: int) -> None:
        """End it at once; absent is fine."""
        ...

    def answers(self, address: str, port: int) -> bool:
        """Whether an SSH server greets there."""
        ...


class LinuxSystem:
    """This host."""

    def is_root(self) -> bool:
        """As in System."""
        return os.geteuid() == 0

    def which(self, program: str) -> str | None:
        """As in System; sbin is looked at too."""
        path = os.environ.get("PATH", os.defpath)
        return shutil.which(program, path=f"{path}:/usr/sbin:/sbin")

    def run(self, argv: Sequence[str], *, check: bool = True) -> str:
        """As in System."""
        program = self.which(argv[0])
        if program is None:
            raise HostError(f"{argv[0]}: {NO_PROGRAM}: install it")
        done = subprocess.run(
            [program, *argv[1:]], capture_output=True, text=True, timeout=RUN_SECONDS, check=False, close_fds=True
        )
        if check and done.returncode:
            said = (done.stderr or done.stdout).strip()
            raise HostError(f"`{' '.join(argv)}` failed ({done.returncode}): {said}")
        return done.stdout

    def spawn(self, argv: Sequence[str], log: Path) -> tuple[int, float]:
        """As in System."""
        with log.open("ab") as stream:
            process = subprocess.Popen(
                list(argv), stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, start_new_session=True, cwd="/"
            )
        return process.pid, psutil.Process(process.pid).create_time()

    def alive(self, pid: int, began: float) -> bool:
        """As in System; a process that ended and was not collected counts as gone."""
        try:
            process = psutil.Process(pid)
            return abs(process.create_time() - began) < 1.0 and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def kill(self, pid: int) -> None:
        """As in System."""
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            return

    def answers(self, address: str, port: int) -> bool:
        """As in System."""
        try:
            with socket.create_connection((address, port), CONNECT_SECONDS) as connection:
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False


def observe(system: System) -> Observed:
    """Links, namespaces and blackhole routes of the host."""
    links = json.loads(system.run(("ip", "-json", "link", "show")) or "[]")
    spaces = json.loads(system.run(("ip", "-json", "netns", "list")) or "[]")
    routes = json.loads(system.run(("ip", "-json", "-4", "route", "show", "type", "blackhole")) or "[]")
    return Observed(
        frozenset(link["ifname"] for link in links if "ifname" in link),
        frozenset(space["name"] for space in spaces),
        frozenset(route["dst"] for route in routes),
    )


class FakeSystem:
    """Runs nothing: keeps what it was asked, and answers from what it was given. For tests and `--dry-run`."""

    def __init__(self, *, root: bool = True, lacking: Sequence[str] = (), fails: str = "") -> None:
        self.ran: list[Argv] = []
        self.living: dict[int, float] = {}
        self.links: set[str] = set()
        self.namespaces: set[str] = set()
        self.blackholes: set[str] = set()
        self._root, self._lacking, self._fails = root, frozenset(lacking), fails
        self._next = 1000

    def is_root(self) -> bool:
        """As given."""
        return self._root

    def which(self, program: str) -> str | None:
        """Everything is there but what was said to lack."""
        return None if program in self._lacking else f"/usr/sbin/{program}"

    def run(self, argv: Sequence[str], *, check: bool = True) -> str:
        """Keeps it; `ip` is answered and followed as far as a lab uses it."""
        words = tuple(argv)
        if words[:2] == ("ip", "-json"):
            return self._shown(words)
        self.ran.append(words)
        if self._fails and self._fails in " ".join(words) and check:
            raise HostError(f"`{' '.join(words)}` failed (1): refused")
        match words:
            case ("ip", "link", "add", name, *_):
                self.links.add(name)
            case ("ip", "link", "delete", name):
                self.links.discard(name)
            case ("ip", "netns", "add", name):
                self.namespaces.add(name)
            case ("ip", "netns", "delete", name):
                self.namespaces.discard(name)
            case ("ip", "route", "add", "blackhole", network, *_):
                self.blackholes.add(network)
            case ("ip", "route", "delete", "blackhole", network, *_):
                self.blackholes.discard(network)
            case ("ssh-keygen", *_, "-f", file):
                Path(file).write_text("private\n", encoding="ascii")
                Path(f"{file}.pub").write_text(
                    f"ssh-ed25519 AAAA{Path(file).parent.parent.name} made\n", encoding="ascii"
                )
        return ""

    def _shown(self, words: Argv) -> str:
        if "link" in words:
            return json.dumps([{"ifname": name} for name in sorted(self.links)])
        if "netns" in words:
            return json.dumps([{"name": name} for name in sorted(self.namespaces)])
        return json.dumps([{"dst": network} for network in sorted(self.blackholes)])

    def spawn(self, argv: Sequence[str], log: Path) -> tuple[int, float]:
        """A process that lives until it is killed."""
        self.ran.append(tuple(argv))
        log.touch()
        pid, self._next = self._next, self._next + 1
        self.living[pid] = float(pid)
        return pid, float(pid)

    def alive(self, pid: int, began: float) -> bool:
        """Whether it was spawned and not killed."""
        return self.living.get(pid) == began

    def kill(self, pid: int) -> None:
        """Forgets it."""
        self.living.pop(pid, None)

    def answers(self, address: str, port: int) -> bool:
        """Always, while anything lives."""
        return bool(address and port and self.living)
