"""What a run will do, trial by trial: made before anything is touched, shown by a dry run, followed by the runner."""

from __future__ import annotations

from dataclasses import dataclass

from fleet.spec.experiment_file import Layout, WorkloadKind


@dataclass(frozen=True)
class TrialPlan:
    """One trial: the objects of every policy of its group, once."""

    id: str
    """`t000` and so on, in the order in which they run."""
    group: int
    """Trials of one group share their policies: same layout, same WECs."""
    layout: Layout
    clusters: tuple[str, ...]
    repeat: int
    """Counts from 0; -1 for a warm-up."""
    kind: WorkloadKind
    policies: int
    objects: int
    """In the WDS, over all policies."""

    @property
    def wecs(self) -> int:
        """How many WECs it spans."""
        return len(self.clusters)

    @property
    def copies(self) -> int:
        """Objects in all WECs together."""
        return self.objects if self.layout == "one-to-one" else self.objects * self.wecs

    def __str__(self) -> str:
        """For people: `one-to-many, 20 WECs, repeat 1`."""
        what = "warm-up" if self.repeat < 0 else f"repeat {self.repeat + 1}"
        return f"{self.layout}, {self.wecs} WEC{'s' if self.wecs != 1 else ''}, {what}"


@dataclass(frozen=True)
class Group:
    """Trials that share their policies: they are applied and settled once."""

    number: int
    trials: tuple[TrialPlan, ...]


def groups(trials: list[TrialPlan]) -> list[Group]:
    """The trials by group, in the order in which they run."""
    numbers = list(dict.fromkeys(trial.group for trial in trials))
    return [Group(number, tuple(trial for trial in trials if trial.group == number)) for number in numbers]
