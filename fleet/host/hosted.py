"""Many instances of a program in one process: the host's program, and the member that stands for each instance.

A member is to the supervisor what a process of its own would be (`toolchain/many`): it is started, stopped, tailed and
dropped by its own name, and ends when its instance does. Instances share a host by the number in the name of their WEC,
so that one that comes or goes moves no other.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fleet.host.layout import Layout
from fleet.host.pages import PPROF, Pages, Started
from fleet.host.plan import Programs
from fleet.host.supervisor_config import Program

MEMBER = "fleet-member"
PAGES = ".pages"
"""Suffix of the socket on which a host serves profiles and its instances' names."""
STOP_SECONDS = 35
"""A host gives its instances 30 s."""
HOSTS_WITHOUT_NUMBERS = 8
"""WECs whose names have no number are spread over so many hosts."""


@dataclass(frozen=True)
class Hosting:
    """The hosts of one component on one machine."""

    layout: Layout
    programs: Programs
    component: str
    """Of the hosts: they are named `<component>.<number>`."""
    program: str
    """The file that they run."""
    size: int
    """Instances in one process."""
    env: Mapping[str, str] = field(default_factory=dict)

    def number(self, wec: str) -> int:
        """Which host carries the instance of that WEC."""
        found = re.search(r"(\d+)$", wec)
        if found is None:
            return zlib.crc32(wec.encode()) % HOSTS_WITHOUT_NUMBERS
        return max(0, int(found[1]) - 1) // self.size

    def names(self, wecs: Iterable[str]) -> list[str]:
        """The hosts that carry those WECs."""
        return [f"{self.component}.{number}" for number in sorted({self.number(wec) for wec in wecs})]

    def member(self, name: str, wec: str, arguments: Sequence[str]) -> tuple[str, ...]:
        """The command line that stands for one instance: that of the program itself behind the member's own words."""
        socket = self._socket(f"{self.component}.{self.number(wec)}")
        return (str(self.programs.program(MEMBER)), f"--host={socket}", f"--name={name}", *arguments)

    def hosts(self, wecs: Iterable[str], priority: int) -> list[Program]:
        """The hosts of those WECs; `priority` before that of their members."""
        return [
            Program(
                name,
                (str(self.programs.program(self.program)), f"--members={self._socket(name)}"),
                self.env,
                priority=priority,
                stop_seconds=STOP_SECONDS,
            )
            for name in self.names(wecs)
        ]

    def _socket(self, name: str) -> Path:
        return self.layout.run / f"{name}.sock"


def is_member(argv: Sequence[str]) -> bool:
    """Whether a command line is that of a member."""
    return bool(argv) and Path(argv[0]).name == MEMBER


def carrier(argv: Sequence[str], others: Iterable[Sequence[str]]) -> Sequence[str]:
    """Of a member the command line of its host, which is among the others; of any other program its own."""
    if not is_member(argv):
        return argv
    socket = argv[1].removeprefix("--host=")
    return next((other for other in others if f"--members={socket}" in other), argv)


def of_host(started: Started) -> Pages:
    """Profiles of all its instances together, over its unix socket."""
    return Pages(pprof=f"unix:{started.flag('members')}{PAGES}:{PPROF}")
