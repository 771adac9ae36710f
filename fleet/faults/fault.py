"""What a fault is to the engine: where it aims, how it is injected and healed on the machines of its target."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from pydantic import Field

from fleet.model.base import Model
from fleet.model.during import Action
from fleet.model.fleet_file import FleetFile


class Aim(Model):
    """One fault's part on one machine, worked out before the run; crosses to that machine as JSON."""

    key: str = ""
    """Unique in the run: names the repair note and what the fault keeps on the machine."""
    action: str
    target: str
    """As the experiment has it, for people."""
    fleet: str
    machine: str
    planes: list[str] = Field(default_factory=list)
    """Control planes that it is done to, each as a whole."""
    parts: list[str] = Field(default_factory=list)
    """Programs that it is done to."""
    clusters: list[str] = Field(default_factory=list)
    """Control planes that it takes away: watches of them are cut off, their programs may end and come back."""
    programs: list[str] = Field(default_factory=list)
    """Programs whose end or restart is a part of it."""
    rewinds: bool = False
    """Its control planes are put back to an older state."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """What the experiment gives it, checked (`Fault.settings`)."""
    facts: dict[str, Any] = Field(default_factory=dict)
    """What the fault read from the fleet file for its other half."""
    repair: str
    """The command that undoes it when nothing else has."""

    @property
    def held(self) -> frozenset[str]:
        """What no second fault may be done to at the same time."""
        return frozenset(self.planes or self.parts or [f"machine {self.machine}"])


class NoSettings(Model):
    """Of a fault that has none."""


class Fault(Protocol):
    """One kind of fault. All but `aims` run on the target's machine, in a process of their own; they may block."""

    @property
    def name(self) -> str:
        """The word of `action`."""
        ...

    @property
    def settings(self) -> type[Model]:
        """What `with` may hold."""
        ...

    @property
    def momentary(self) -> bool:
        """Whether it is over as soon as it is done: without `for` it is healed, that is waited for, at once."""
        ...

    @property
    def prepares(self) -> bool:
        """Whether `prepare` has something to do."""
        ...

    def aims(self, wanted: Action, fleet: FleetFile, chosen: Chosen) -> list[Aim]:
        """One per machine. UsageError for a target that this fleet does not have, or that this cannot be done to.
        `wanted.settings` are checked already."""
        ...

    def refuse(self, aim: Aim, root: Path) -> str:
        """Why this machine cannot do it, and what would help; empty when it can. Changes nothing."""
        ...

    def prepare(self, aim: Aim, root: Path) -> None:
        """What must be done before the load: `heal` undoes that too."""
        ...

    def inject(self, aim: Aim, root: Path) -> None:
        """Do it; `root` is the fleet's folder on that machine. FleetError when it cannot be done."""
        ...

    def heal(self, aim: Aim, root: Path) -> None:
        """Undo it, and wait until what it took away works again; done twice, or by a later process, it is no error."""
        ...

    def abandon(self, aim: Aim, root: Path) -> None:
        """The fleet is about to be removed: undo only what lies outside of its folder."""
        ...


class Chosen(Protocol):
    """Chooses some of many, the same each time."""

    def __call__(self, names: list[str], share: str | None, /) -> list[str]:
        """At least one of the names, in their order."""
        ...


class Plain:
    """What most faults have: no settings, nothing to refuse or to prepare."""

    settings: type[Model] = NoSettings
    prepares = False
    momentary = False

    def refuse(self, aim: Aim, root: Path) -> str:  # noqa: ARG002 - as every fault
        """Every machine can do it."""
        return ""

    def prepare(self, aim: Aim, root: Path) -> None:
        """Nothing."""

    def abandon(self, aim: Aim, root: Path) -> None:
        """Nothing: its processes end with the fleet's, and its files go with the folder."""
