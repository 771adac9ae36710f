"""What an experiment is to the engine: a protocol. The frame of every run (lock, folder, recorder, sampling, clean-up,
verdict) is the engine's; what happens between the first and the last sample is the experiment's.

Experiments that distribute a workload by policies are values of `fleet.experiment.distribution.Distribution`; those
with a body of their own derive from `fleet.experiment.own.OwnExperiment`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from fleet.experiment.cleanup import CleanReport
from fleet.experiment.session import Session
from fleet.managers.manager import Manager, Spaces
from fleet.model.experiment_file import ExperimentFile, Profiles
from fleet.model.fleet_file import FleetFile
from fleet.model.stage import Stage


class Trial(Protocol):
    """What the frame knows of a trial; `str()` of it is for people."""

    @property
    def id(self) -> str:
        """`t000` and so on, in the order in which they run."""
        ...

    @property
    def repeat(self) -> int:
        """Counts from 0; -1 for a warm-up."""
        ...


@dataclass(frozen=True)
class Needs:
    """Which of the fleet's clusters a run opens clients of; None: all of them. None of any: no client is opened."""

    wecs: frozenset[str] | None = frozenset()
    sources: frozenset[str] | None = frozenset()


EVERYTHING = Needs(None, None)


@dataclass(frozen=True)
class PlanTable:
    """What `fleet experiment plan` prints."""

    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    numeric: frozenset[str] = frozenset()
    """Columns that are aligned right."""
    documents: Sequence[Mapping[str, Any]] = field(default_factory=list)
    """The same for `-o json`."""
    end: str = ""
    """A sentence behind it: what all of it comes to."""


class Experiment(Protocol):
    """One experiment. `spec` is of the type `file`, `trials` are what `plan` made."""

    @property
    def name(self) -> str:
        """As the field `experiment` of its files has it."""
        ...

    @property
    def file(self) -> type[ExperimentFile]:
        """What its files have, with defaults and short form."""
        ...

    @property
    def everybody(self) -> bool:
        """Every program with metrics is scraped, not only the hub's: it looks for what grows."""
        ...

    def cannot(self, manager: Manager, /) -> str:
        """Why it cannot be done under that manager, as a sentence without its end; empty when it can."""
        ...

    def plan(self, spec: Any, fleet: FleetFile, manager: Manager) -> Sequence[Any]:
        """Every trial in its order. UsageError, naming the field and with the numbers, for what cannot be done here;
        nothing is touched."""
        ...

    def table(self, trials: Sequence[Any]) -> PlanTable:
        """The trials for people."""
        ...

    def bounded(self, spec: Any, fleet: FleetFile, manager: Manager) -> Sequence[str]:
        """Names that a threshold of its spec may have as `stage`."""
        ...

    def stages(self, spec: Any) -> Sequence[Stage]:
        """Its own stages, kept in run.json; none where the manager's hop table has them."""
        ...

    def profiles(self, spec: Any, /) -> Profiles:
        """Of the programs, while it goes on."""
        ...

    def needs(self, spec: Any, fleet: FleetFile, trials: Sequence[Any]) -> Needs:
        """What is opened before `admit`."""
        ...

    def refits(self, trials: Sequence[Any]) -> bool:
        """It changes the fleet between its trials: refused where nothing can do that."""
        ...

    async def admit(self, spec: Any, fleet: FleetFile, spaces: Spaces, trials: Sequence[Any]) -> None:
        """FleetError when something stands against this run; only reads and reviews, before the run folder is made."""
        ...

    async def run(self, session: Session, trials: Sequence[Any]) -> None:
        """From the prepared frame to the last sample. May be cancelled at any time; ends what it has started."""
        ...

    async def clean(self, session: Session, trials: Sequence[Any], seconds: float) -> CleanReport:
        """Take what the run made out of the clusters, within about so many seconds, however the run ended."""
        ...
