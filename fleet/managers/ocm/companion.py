"""What a manager built on OCM runs alongside the agents of a machine: one program for all its WECs at one hub."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, Self

from fleet.host.machine import Machine
from fleet.host.supervisor_config import Program
from fleet.managers.ocm.access import HubAccess


@dataclass(frozen=True)
class Beside:
    """What was written, and the programs that read it; none when nothing is wanted."""

    programs: tuple[Program, ...] = ()
    digest: str = ""


class Companion(Protocol):
    """Follows the list of the machine's WECs. Its programs are in the supervisor's group of the agents."""

    def at(self, seat: str) -> Self:
        """The one at a further hub (`fleet.managers.ocm.names.at`); empty: at the first of several."""
        ...

    def names(self) -> tuple[str, ...]:
        """Its programs under the supervisor."""
        ...

    def write(self, machine: Machine, access: HubAccess, wecs: Iterable[str]) -> Beside:
        """Write configuration and credential."""
        ...

    def planned(self, machine: Machine) -> list[Program]:
        """Its programs, as the files on disk have them."""
        ...

    def notify(self, machine: Machine, digest: str) -> bool:
        """Make it read what was written unless it has; True when it was notified now."""
        ...

    def without(self, machine: Machine, wecs: Iterable[str]) -> None:
        """Make it let go of WECs before they go."""
        ...

    def forget(self, machine: Machine) -> None:
        """Remove all its files and give its ports back; it must have ended."""
        ...
