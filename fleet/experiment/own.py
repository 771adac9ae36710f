"""The base of experiments with a body of their own: everything of the protocol that most of them have alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Generic, TypeVar

from fleet.experiment.cleanup import CleanReport, remove
from fleet.experiment.definition import EVERYTHING, Needs, PlanTable
from fleet.experiment.prepare import check
from fleet.experiment.session import Session
from fleet.managers import registry
from fleet.managers.manager import Manager, Spaces
from fleet.model.experiment_file import ExperimentFile, Profiles
from fleet.model.fleet_file import FleetFile
from fleet.model.run_names import trial_id
from fleet.model.stage import Stage

S = TypeVar("S", bound=ExperimentFile)


@dataclass(frozen=True)
class PlannedTrial:
    """One trial of an experiment with a body of its own; derive from it for what else one has."""

    id: str
    repeat: int
    """Counts from 0; -1 for a warm-up, whose samples are not counted."""
    point: str = ""
    """What other trials have another value of, as `clusters=10` or `policies=none`; trials of one point belong
    together."""
    clusters: tuple[str, ...] = ()
    """Of the fleet, that it uses."""
    what: str = ""
    """What it does, in a few words."""

    def __str__(self) -> str:
        """For people: `clusters=10, repeat 2`."""
        turn = "warm-up" if self.repeat < 0 else f"repeat {self.repeat + 1}"
        return ", ".join(part for part in (self.point, self.what, turn) if part)


class OwnExperiment(ABC, Generic[S]):
    """Implements `fleet.experiment.definition.Experiment`; a subclass says `name`, `file`, `plan` and `run`."""

    name: ClassVar[str]
    file: ClassVar[type[ExperimentFile]]
    everybody: ClassVar[bool] = False
    own_stages: ClassVar[tuple[Stage, ...]] = ()
    """Latencies between the marks that its watches see."""

    def cannot(self, manager: Manager, /) -> str:  # noqa: ARG002 - for those that can not
        """It can be done under every manager."""
        return ""

    @abstractmethod
    def plan(self, spec: S, fleet: FleetFile, manager: Manager) -> Sequence[Any]:
        """As in the protocol."""

    def table(self, trials: Sequence[Any]) -> PlanTable:
        """A row per trial."""
        rows = [
            (t.id, t.point, "warm-up" if t.repeat < 0 else str(t.repeat + 1), str(len(t.clusters)), t.what)
            for t in trials
        ]
        head = ("TRIAL", "POINT", "REPEAT", "CLUSTERS", "WHAT")
        end = f"{len(trials)} trials"
        return PlanTable(head, rows, frozenset({"REPEAT", "CLUSTERS"}), [asdict(t) for t in trials], end)

    def bounded(self, spec: S, fleet: FleetFile, manager: Manager) -> Sequence[str]:  # noqa: ARG002
        """Its stages."""
        return [stage.name for stage in self.stages(spec)]

    def stages(self, spec: S) -> Sequence[Stage]:  # noqa: ARG002 - for those whose stages depend on it
        """Its own."""
        return self.own_stages

    def profiles(self, spec: S, /) -> Profiles:
        """As written."""
        return spec.profiles

    def needs(self, spec: S, fleet: FleetFile, trials: Sequence[Any]) -> Needs:  # noqa: ARG002
        """All clusters of the fleet."""
        return EVERYTHING

    def refits(self, trials: Sequence[Any]) -> bool:  # noqa: ARG002
        """It leaves the fleet as it is."""
        return False

    async def admit(self, spec: S, fleet: FleetFile, spaces: Spaces, trials: Sequence[Any]) -> None:  # noqa: ARG002
        """Every opened cluster answers, every WEC is a member, nothing of another run is left."""
        if spaces.all():
            await check(spaces, registry.of(fleet))

    @abstractmethod
    async def run(self, session: Session, trials: Sequence[Any]) -> None:
        """As in the protocol."""

    async def clean(self, session: Session, trials: Sequence[Any], seconds: float) -> CleanReport:  # noqa: ARG002
        """The run's namespaces, with everything in them, in the clusters whose clients are open."""
        return await remove(session.spaces, session.manager, session.names.run_id, timeout=seconds, workload=())


def repeated(spec: ExperimentFile, points: Sequence[str], clusters: Sequence[str] = ()) -> list[PlannedTrial]:
    """Trials of each point in turn, warm-ups first, then round after round over all points: what drifts during the run
    must not look like an effect of the point."""
    rounds = [-1] * spec.warmup + list(range(spec.repeats))
    turns = [(repeat, point) for repeat in rounds for point in points]
    return [PlannedTrial(trial_id(n), repeat, point, tuple(clusters)) for n, (repeat, point) in enumerate(turns)]
