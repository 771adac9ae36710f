"""Held-out check of `fleet plan`: fleets of several sizes are measured, the largest is predicted from the others.

Each fleet is built from nothing, rests (`idle`), is loaded (`wec-scaling`) and is taken down. Its runs lie in a folder
for each size below the results folder: what is there is not measured again, so that a run that was cut short goes on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from fleet.analysis.sizing.estimate import Estimator, Question
from fleet.analysis.sizing.line import Estimate
from fleet.analysis.sizing.observation import Observation
from fleet.analysis.sizing.reading import read
from fleet.analysis.stats import P99_NEEDS
from fleet.analysis.theory import theory_of
from fleet.cli.run_list import find_all
from fleet.results.folder import RunFolder
from tests.bench.ratios import HEADER
from tests.live.conftest import own_lab

MOST_ERROR = 0.15
"""Of the measured value: what the prediction of the held-out fleet may be away from it."""
JUDGED = ("memory", "idle_cpu", "downsync_p50", "downsync_p99")
TOLD = ("rss", "descriptors", "inotify", "threads", "ports", "build_seconds", "build_cpu", "load_cpu_seconds")
"""Shown alongside them, and not judged."""
EXPERIMENTS = ("idle", "wec-scaling")
COMMAND_SECONDS = 3600


@dataclass(frozen=True)
class Sizing:
    """What is built, and how each is measured."""

    results: Path
    counts: Sequence[int] = (10, 20, 50)
    held_out: int = 100
    manager: str = "kubestellar"
    repeats: int = 3
    """At least, of each load."""
    samples: int = P99_NEEDS
    """Of each layout, at least: a small fleet is loaded more often, so that it has a p99."""
    settle: str = "30s"
    window: str = "60s"

    def load(self, count: int) -> list[str]:
        """Words of `fleet experiment run wec-scaling` over so many WECs."""
        repeats = max(self.repeats, math.ceil(self.samples / count))
        words = ["--wecs", str(count), "--repeats", str(repeats), "--set", "warmup=1"]
        return [*words, "--layout", "one-to-one"] if self.manager == "none" else words

    @property
    def rest(self) -> list[str]:
        """Words of `fleet experiment run idle`."""
        return ["--repeats", "3", "--set", f"settle={self.settle}", "--set", f"window={self.window}"]


@dataclass(frozen=True)
class Held:
    """A quantity of the held-out fleet, as it was predicted and as it was."""

    what: str
    predicted: Estimate
    measured: float
    judged: bool

    @property
    def error(self) -> float:
        """Of the measured value."""
        return self.predicted.value / self.measured - 1 if self.measured else math.inf

    @property
    def holds(self) -> bool:
        """Whether it is near enough, or is only shown."""
        return not self.judged or abs(self.error) <= MOST_ERROR

    def line(self) -> str:
        """One row of the printed table, as `ratios.HEADER` has it."""
        low, high = (
            math.nan if one is None else one / self.measured for one in (self.predicted.low, self.predicted.high)
        )
        goal = f"within {MOST_ERROR:.0%}: {'holds' if self.holds else 'FAILS'}" if self.judged else "shown"
        return (
            f"{self.what:<44} {self.predicted.value:>10.4g} {self.measured:>10.4g} {'':<9}"
            f"{1 + self.error:>8.3f}x  [{low:.3f}, {high:.3f}]  goal {goal}"
        )


def run(plan: Sizing, say: Callable[[str], None] = print) -> list[Held]:
    """Measure what is missing, fit, compare; a row is printed for each quantity that both sides have."""
    for count in (*plan.counts, plan.held_out):
        measure(plan, count)
    found = {count: observations(plan, count) for count in (*plan.counts, plan.held_out)}
    held = compare([one for count in plan.counts for one in found[count]], found[plan.held_out], plan.held_out)
    say(f"{plan.held_out} WECs, predicted from {', '.join(map(str, plan.counts))} ({plan.manager}, dense)\n{HEADER}")
    for row in held:
        say(row.line())
    return held


def measure(plan: Sizing, count: int) -> None:
    """Build a fleet of that size, measure it, take it down; RuntimeError when a run of it cannot be used."""
    folder = plan.results / str(count)
    missing = [name for name in EXPERIMENTS if not _valid(folder / name)]
    if not missing:
        return
    words = {"idle": plan.rest, "wec-scaling": plan.load(count)}
    with own_lab("b-size", {"wec_count": count, "manager": plan.manager}) as lab:
        lab.playbook("site.yml").check()
        for name in missing:
            command = ["experiment", "run", name, "--fleet", lab.name, "--results", str(folder), *words[name]]
            ran = lab.fleet(*command, seconds=COMMAND_SECONDS)
            if ran.code:
                raise RuntimeError(
                    f"{name} over {count} WECs ended with {ran.code}:\n{ran.out[-500:]}\n{ran.err[-3000:]}"
                )


def observations(plan: Sizing, count: int) -> list[Observation]:
    """Of every run of that size that can be used."""
    return [one for path in find_all(plan.results / str(count)) for one in read(RunFolder.open(path)).observations]


def compare(fitted: Sequence[Observation], held_out: Sequence[Observation], count: int) -> list[Held]:
    """Quantities that both have: those that are judged, then the others."""
    question = Question(held_out[0].setup, held_out[0].limits, held_out[0].variables)
    estimator = Estimator(fitted, question, theory=theory_of(question.setup.manager))
    figures = {figure.name: figure for figure in estimator.figures(count)}
    rows = []
    for name, judged in [*((name, True) for name in JUDGED), *((name, False) for name in TOLD)]:
        for key, figure in figures.items():
            values = list(_measured(key, held_out)) if key.partition(".")[0] == name else []
            if values:
                rows.append(Held(figure.text, figure.estimate, median(values), judged))
    return rows


def _measured(key: str, held_out: Sequence[Observation]) -> Iterator[float]:
    """Of the held-out fleet: `name` at rest, or `name.layout` of a load."""
    name, _, layout = key.partition(".")
    for one in held_out:
        if name in one.values and one.layout == layout:
            yield one.values[name]


def _valid(folder: Path) -> bool:
    return any(RunFolder.open(path).read_run().status == "valid" for path in folder.glob("*") if path.is_dir())
