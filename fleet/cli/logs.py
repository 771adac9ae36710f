"""`fleet logs`: the last lines of a program's log, or of all programs of a cluster, and what follows."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleet.cli.console import clean, ink_for, out, say
from fleet.cli.options import FleetOption
from fleet.cli.remote_logs import remote_programs, tail_command
from fleet.errors import FleetError, UsageError

if TYPE_CHECKING:
    from fleet.model.fleet_file import FleetFile, Machine

POLL = 0.25
CHUNK = 65_536


def logs(
    name: Annotated[
        str, typer.Argument(metavar="CLUSTER|PROGRAM", help="For example wec001 or kube-apiserver.wec001.")
    ],
    follow: Annotated[bool, typer.Option("-f", "--follow", envvar="FLEET_FOLLOW", help="Go on until Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option("-n", "--lines", min=0, envvar="FLEET_LINES", help="Last lines of each.")] = 50,
    fleet: FleetOption = None,
) -> None:
    """Print logs of a program or of a whole cluster."""
    from fleet.cli.incomplete import as_it_is_now
    from fleet.model import fleet_load

    found_fleet = as_it_is_now(fleet_load.load(fleet_load.find(fleet), kubeconfigs=False))
    away = remote_programs(found_fleet, name)
    if away is not None:
        _print_remote(*away, lines, follow=follow)
        return
    files = find_logs(found_fleet, name)
    tails = [Tail(file) for file in files]
    _print([(tail, tail.last(lines)) for tail in tails], several=len(tails) > 1)
    while follow:
        fresh = [(tail, found) for tail in tails if (found := tail.fresh())]
        if fresh:
            _print(fresh, several=len(tails) > 1)
        else:
            time.sleep(POLL)


def _print_remote(machine: Machine, programs: list[str], lines: int, *, follow: bool) -> None:
    """Print what `tail` prints there."""
    from fleet.remote.shell import FabricShell

    argv = tail_command(machine, programs, lines, follow=follow)
    with FabricShell(machine) as shell:
        if follow:
            shell.follow(argv, lambda block: out(clean(block.decode(errors="replace").rstrip("\r\n"))))
        else:
            out("\n".join(clean(line) for line in shell.run(argv).splitlines()))


def find_logs(fleet: FleetFile, name: str) -> list[Path]:
    """Log files of the program or cluster of that name, sorted; UsageError with the nearest name when there is none."""
    from fleet.model.model_errors import nearest, shown

    local = [Path(machine.state_dir) / "log" for machine in fleet.machines if machine.connection == "local"]
    present = {file.stem: file for folder in local if folder.is_dir() for file in sorted(folder.glob("*.log"))}
    if name in present:
        return [present[name]]
    clusters = {cluster.name for cluster in fleet.clusters}
    if name in clusters:
        recorded = {c.program for c in fleet.components if c.cluster == name} | _carriers(fleet, name)
        chosen = sorted(stem for stem in present if stem in recorded or stem.partition(".")[2] == name)
        if chosen:
            return [present[stem] for stem in chosen]
        raise UsageError(f"{name} has no log on this machine")
    if name in {component.program for component in fleet.components}:
        raise UsageError(f"{name} has no log on this machine")
    raise UsageError(f"there is no cluster or program {shown(name)}{nearest(name, clusters | present.keys())}")


def _carriers(fleet: FleetFile, name: str) -> set[str]:
    """Programs that carry the control plane with others (the dense driver's); empty when they are not known."""
    from fleet.cli.cluster import named
    from fleet.cli.drivers import driver_of

    try:
        return {share.program for share in driver_of(fleet, named(fleet, name)).processes(name)}
    except (FleetError, KeyError):
        return set()


@dataclass
class Tail:
    """One log, read from its end; reopened when it was rotated."""

    file: Path
    _offset: int = 0
    _inode: int = 0
    _rest: bytes = b""

    def last(self, count: int) -> list[str]:
        """The last `count` whole lines."""
        try:
            with self.file.open("rb") as stream:
                size = stream.seek(0, os.SEEK_END)
                block, start = b"", size
                while start > 0 and block.count(b"\n") <= count:
                    start = max(0, start - CHUNK)
                    stream.seek(start)
                    block = stream.read(size - start)
                self._offset, self._inode = size, os.fstat(stream.fileno()).st_ino
        except OSError as error:
            raise UsageError(f"{self.file} cannot be read: {error.strerror}") from error
        found = block.decode(errors="replace").splitlines()
        return found[-count:] if count else []

    def fresh(self) -> list[str]:
        """Whole lines written since the last look; a rotated or cut file is read from its start."""
        try:
            with self.file.open("rb") as stream:
                info = os.fstat(stream.fileno())
                if info.st_ino != self._inode or info.st_size < self._offset:
                    self._inode, self._offset, self._rest = info.st_ino, 0, b""
                stream.seek(self._offset)
                block = self._rest + stream.read()
                self._offset = stream.tell()
        except FileNotFoundError:
            return []  # between the two renames of a rotation
        whole, newline, self._rest = block.rpartition(b"\n")
        return whole.decode(errors="replace").splitlines() if newline else []


def _print(found: list[tuple[Tail, list[str]]], *, several: bool) -> None:
    ink = ink_for(sys.stdout)
    for tail, lines in found:
        if several and lines:
            out(ink(f"==> {tail.file.stem} <==", "head"))
        for block in _blocks(lines):
            out(block)
    if not any(lines for _, lines in found):
        say("no lines yet")


def _blocks(lines: list[str]) -> Iterator[str]:
    """Lines joined for fewer writes; without escapes, which a log may hold."""
    for start in range(0, len(lines), 1000):
        yield "\n".join(clean(line) for line in lines[start : start + 1000])
