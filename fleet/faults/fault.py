"""What a fault is to the engine: where it aims, how it is injected and healed on the machine of its target."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Protocol

from pydantic import Field

from fleet.model.base import Model
from fleet.model.fleet_file import FleetFile


class Aim(Model):
    """One fault with its target, worked out before the run; crosses to the target's machine as JSON."""

    action: str
    target: str
    kind: Literal["control plane", "program"]
    fleet: str
    machine: str
    clusters: list[str] = Field(default_factory=list)
    """Control planes that it takes away: watches of them are cut off, their programs may end and come back."""
    programs: list[str] = Field(default_factory=list)
    """Programs whose end or restart is a part of it."""
    repair: str
    """The command that undoes it when nothing else has."""


class Fault(Protocol):
    """One kind of fault. `inject` and `heal` run on the target's machine, in a process of their own; they may block."""

    name: str
    """The word of `action`."""

    def aim(self, target: str, fleet: FleetFile) -> Aim:
        """UsageError for a target that this fleet does not have, or that this fault cannot be done to."""
        ...

    def inject(self, aim: Aim, root: Path) -> None:
        """Do it; `root` is the fleet's folder on that machine. FleetError when it cannot be done."""
        ...

    def heal(self, aim: Aim, root: Path) -> None:
        """Undo it, and wait until what it took away works again; done twice it is no error."""
        ...
