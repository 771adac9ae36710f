"""Figures of a fleet of N WECs: lines through the observations of its setup, floors of client limits, and notes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fleet.analysis.sizing.floors import floor_at
from fleet.analysis.sizing.line import Declared, Estimate, Line, Point, line_of
from fleet.analysis.sizing.observation import Observation, Setup
from fleet.analysis.sizing.quantity import BY_NAME, LATENCIES, PARTS, QUANTITIES, Unit
from fleet.analysis.theory import Theory
from fleet.model.client_limits import ClientLimits

Load = tuple[str, int]
"""Layout, objects per policy."""
FITTED, THEORY, DECLARED = "fitted", "theory and fitted", "declared"
Limits = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Figure:
    """One figure of a fleet that is not built yet."""

    name: str
    """Of `quantity.QUANTITIES`; behind a dot the part, or the layout of a load."""
    text: str
    unit: Unit
    estimate: Estimate
    origin: str
    points: int = 0
    fleets: int = 0
    """That the points are of."""
    beyond: int | None = None
    """Extrapolated beyond the most WECs (or below the fewest) that were measured; None: within."""


@dataclass(frozen=True)
class Question:
    """The fleet that is requested, but for its size."""

    setup: Setup
    limits: Mapping[str, float] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    """Recorded ones that are not at their defaults (`observation.changed_variables`)."""


class Estimator:
    """Figures for one question.

    `declared` are lines of quantities that stand in where nothing was measured, by name.
    """

    def __init__(
        self,
        observations: Sequence[Observation],
        question: Question,
        *,
        theory: Theory | None = None,
        declared: Mapping[str, Declared] | None = None,
    ) -> None:
        self.question, self._theory, self._declared = question, theory, declared or {}
        self.used = [one for one in observations if one.setup == question.setup]
        self._rest = [one for one in self.used if one.source == "rest"]
        self._lines: dict[str, tuple[Line | None, int]] = {}
        self._loads = _chosen_loads(one for one in self.used if one.source == "load")

    def figures(self, wecs: int) -> list[Figure]:
        """Every figure that can be had, in the order of `QUANTITIES`."""
        found: list[Figure] = []
        for quantity in QUANTITIES:
            if quantity.of_rest:
                found += self._resting(quantity.name, wecs)
            else:
                for load, observations in self._loads.items():
                    found += self._loaded(quantity.name, load, observations, wecs)
        return found

    def resting(self, wecs: int) -> list[Figure]:
        """Those of the fleet at rest."""
        return [figure for one in QUANTITIES if one.of_rest for figure in self._resting(one.name, wecs)]

    def notes(self) -> list[str]:
        """What a reader must know of the figures."""
        return [*_of_variables(self.question, self.used), *self._of_limits(), *_of_programs(self.used)]

    def _resting(self, name: str, wecs: int) -> Iterator[Figure]:
        for key in (name, *(f"{name}.{part}" for part in PARTS)):
            line, fleets = self._line(key)
            if line is not None and any(y for _, y in line.points):
                yield _figure(key, line, line.at(wecs).at_least(0.0), wecs, FITTED, fleets)
            elif key in self._declared and line is None:
                quantity = BY_NAME[name]
                yield Figure(key, quantity.text, quantity.unit, self._declared[key].at(wecs), DECLARED)

    def _line(self, key: str) -> tuple[Line | None, int]:
        """Of a quantity at rest (or of a part of it), and of how many fleets; the search for an end asks often."""
        if key not in self._lines:
            once, found = BY_NAME[key.partition(".")[0]].once, dict[str, tuple[Point, str]]()
            for number, one in enumerate(self._rest):
                if key in one.values:
                    same = f"{one.fleet} {one.wecs}" if once else str(number)
                    found.setdefault(same, ((float(one.wecs), one.values[key]), one.fleet))
            points = list(found.values())
            self._lines[key] = line_of([point for point, _ in points]), len({fleet for _, fleet in points})
        return self._lines[key]

    def _loaded(self, name: str, load: Load, observations: Sequence[Observation], wecs: int) -> Iterator[Figure]:
        mine = [one for one in observations if name in one.values]
        share = LATENCIES.get(name)
        mine = _of_limits_first(mine, self.question.limits)

        def floor(count: int, limits: Mapping[str, float]) -> float:
            return 0.0 if share is None else floor_at(self._theory, load, count, share, limits)

        points = [(float(one.wecs), one.values[name] - floor(one.wecs, one.limits)) for one in mine]
        line = line_of(points)
        if line is None:
            return
        least = floor(wecs, self.question.limits)
        estimate = line.at(wecs).plus(least).at_least(least)
        origin = THEORY if share is not None and self._theory is not None else FITTED
        yield _figure(f"{name}.{load[0]}", line, estimate, wecs, origin, len({one.fleet for one in mine}), load)

    def _of_limits(self) -> Iterator[str]:
        """Loads of fleets with other client limits than requested."""
        measured = {_limits(one.limits) for one in self.used if one.source == "load"}
        asked = _limits(self.question.limits)
        if not measured or asked in measured:
            return
        if self._theory is None:
            yield (
                "no load was measured at these client limits, and no theory of them is known: down-sync is of others"
            )
        else:
            yield (
                "no load was measured at these client limits: down-sync is their floor, and what others took beyond"
                " theirs"
            )
        if any("load_cpu" in one.values for one in self.used):
            yield "CPU and memory under load are of fleets with other client limits"


def _figure(  # noqa: PLR0917 - the parts of a figure
    key: str, line: Line, estimate: Estimate, wecs: int, origin: str, fleets: int, load: Load | None = None
) -> Figure:
    quantity = BY_NAME[key.partition(".")[0]]
    text = quantity.text if load is None else f"{quantity.text}, {load[0]}, {load[1]} per policy"
    within = line.least <= wecs <= line.most
    beyond = None if within else line.most if wecs > line.most else line.least
    return Figure(key, text, quantity.unit, estimate, origin, len(line.points), fleets, beyond)


def _limits(limits: Mapping[str, float]) -> Limits:
    """All of them: a fleet file of an older release lacks some, whose defaults then held."""
    whole = {**ClientLimits().model_dump(), **limits}
    return tuple(sorted((name, float(value)) for name, value in whole.items()))


def _of_limits_first(observations: list[Observation], limits: Mapping[str, float]) -> list[Observation]:
    """Those of the very limits where they make a line, else all."""
    same = [one for one in observations if _limits(one.limits) == _limits(limits)]
    return same if line_of([(float(one.wecs), 0.0) for one in same]) is not None else observations


def _chosen_loads(observations: Iterator[Observation]) -> dict[Load, list[Observation]]:
    """Of each layout the objects per policy that were measured with most numbers of WECs; the fewest of several."""
    found: defaultdict[Load, list[Observation]] = defaultdict(list)
    for one in observations:
        found[one.layout, one.objects].append(one)
    best: dict[str, Load] = {}
    for load in sorted(found):
        counts = len({one.wecs for one in found[load]})
        if load[0] not in best or counts > len({one.wecs for one in found[best[load[0]]]}):
            best[load[0]] = load
    return {load: found[load] for load in sorted(best.values(), reverse=True)}


def _of_variables(question: Question, used: Sequence[Observation]) -> Iterator[str]:
    """Variables that the fleets had otherwise than requested."""
    names = sorted({*question.variables, *(name for one in used for name in one.variables)})
    for name in names:
        asked = question.variables.get(name, "its default")
        had = {str(one.variables.get(name, "its default")) for one in used}
        if had - {str(asked)}:
            yield f"{name}: the figures are of fleets with {', '.join(sorted(had))}, not {asked}"


def _of_programs(used: Sequence[Observation]) -> Iterator[str]:
    digests = {one.toolchain for one in used}
    if len(digests) > 1:
        yield f"the fleets ran {len(digests)} builds of the upstream programs: a line goes through all of them"
