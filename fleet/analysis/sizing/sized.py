"""Everything that is said of a fleet of N WECs: figures, pod, what ends first, and what a reader must know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fleet.analysis.sizing.ends import End, Resource, ends
from fleet.analysis.sizing.estimate import Estimator, Figure, Question
from fleet.analysis.sizing.line import Declared
from fleet.analysis.sizing.observation import Computer, Observation
from fleet.analysis.sizing.pod import PodField, pod
from fleet.analysis.theory import theory_of


@dataclass(frozen=True)
class Model:
    """Observations, and whose they are."""

    observations: Sequence[Observation]
    text: str
    """For a sentence: `runs of this machine (FILE)`."""


@dataclass(frozen=True)
class Sized:
    """The answer of `fleet plan`."""

    question: Question
    wecs: int
    model: str
    runs: int
    counts: tuple[int, ...]
    """Numbers of WECs of the fleets that were measured or loaded."""
    figures: list[Figure]
    pod: list[PodField]
    ends: list[End]
    notes: list[str]


def size(  # noqa: PLR0917 - what an answer needs
    model: Model,
    question: Question,
    wecs: int,
    declared: Mapping[str, Declared],
    resources: Sequence[Resource],
    here: Computer,
    toolchain: str = "",
) -> Sized:
    """The answer for `wecs` WECs. `toolchain`: the digest of what would be built here; empty when it is not known."""
    estimator = Estimator(model.observations, question, theory=theory_of(question.setup.manager), declared=declared)
    used = estimator.used
    return Sized(
        question=question,
        wecs=wecs,
        model=model.text,
        runs=len({one.run for one in used}),
        counts=tuple(sorted({one.wecs for one in used})),
        figures=estimator.figures(wecs),
        pod=pod(model.observations, question.setup, wecs),
        ends=ends(estimator.resting, resources),
        notes=[*_of_runs(used), *estimator.notes(), *_of_machine(used, here), *_of_programs(used, toolchain)],
    )


def _of_runs(used: Sequence[Observation]) -> Iterator[str]:
    if not used:
        yield (
            "no run of such a fleet is known: the figures are those of the check before a build, rounded up; "
            "measure fleets of at least three sizes with `fleet experiment run idle` and `wec-scaling`, then "
            "`fleet plan --fit results`"
        )


def _of_machine(used: Sequence[Observation], here: Computer) -> Iterator[str]:
    others = {one.machine for one in used if (one.machine.cpu_model, one.machine.cores) != (here.cpu_model, here.cores)}
    if others:
        told = " and ".join(sorted({f"{one.cores} cores of {one.cpu_model}" for one in others}))
        yield (
            f"measured on {told}; here are {here.cores} of {here.cpu_model}: CPU, time to build and latencies will"
            " differ"
        )


def _of_programs(used: Sequence[Observation], toolchain: str) -> Iterator[str]:
    if used and toolchain and toolchain not in {one.toolchain for one in used}:
        yield "the fleets ran other builds of the upstream programs than would be built here: measure again"
