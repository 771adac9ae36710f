"""Two variants in pairs of runs: per stage how much slower B is, and whether the answer is known yet. Pure.

What is compared within a pair is the logarithm of the ratio of both runs' medians, one for each stage: the mean over
the settings (layout, WEC count, point) that both have. What drifts from pair to pair (heat, a neighbour, caches) is in
both runs of a pair and falls out; what differs between runs of one variant is what the spread of the ratios shows.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fleet.analysis.compare import BETWEEN, HEADLINE, SHARED, Outcome, Side, lost
from fleet.analysis.sequential import Interval, Sequential
from fleet.analysis.setting import Setting
from fleet.analysis.study import Study

LEVEL = 0.01
"""Chance of one false alarm in the headline, over all stages and looks."""
MISSING_SHARE = 0.1
"""Of the level, for losing samples; the rest is for the medians."""


@dataclass(frozen=True)
class Measured:
    """What is compared of one run."""

    run: str
    """Its id."""
    manager: str
    status: str
    reasons: Sequence[str]
    medians: Mapping[tuple[str, Setting], float]
    """By stage and setting; seconds, those above 0."""
    counts: Mapping[str, tuple[int, int]]
    """By stage: samples with an end, and those without."""
    stages: Sequence[str]
    """In the order in which they are shown."""
    headline: Sequence[str]

    @classmethod
    def of(cls, study: Study) -> Measured:
        """Of an analysed run."""
        counts: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
        for row in study.rows:
            counts[row.stage][0] += row.count
            counts[row.stage][1] += row.missing
        return cls(
            study.run.id,
            study.run.manager.name,
            study.verdict.status,
            tuple(study.verdict.reasons),
            {(row.stage, row.setting): row.p50 for row in study.rows if row.p50},
            {stage: (count, missing) for stage, (count, missing) in counts.items()},
            tuple(stage for stage in study.stages if stage in counts),
            tuple(study.own.stages) or HEADLINE,
        )


@dataclass(frozen=True)
class Pair:
    """One run of each variant, one right after the other."""

    a: Measured
    b: Measured

    @property
    def void(self) -> str:
        """Why it does not count; empty when it does."""
        bad = [(name, run) for name, run in (("A", self.a), ("B", self.b)) if run.status == "invalid"]
        return "; ".join(f"{name} ({run.run}) is invalid: {', '.join(run.reasons)}" for name, run in bad)

    def ratio(self, stage: str) -> float | None:
        """Mean log ratio of B's medians to A's; None where they have no setting in common."""
        shared = [key for key in self.a.medians if key[0] == stage and key in self.b.medians]
        if not shared:
            return None
        return math.fsum(math.log(self.b.medians[key] / self.a.medians[key]) for key in shared) / len(shared)


@dataclass(frozen=True)
class StageVerdict:
    """One stage over all pairs. Shares: 0.3 is 30 % slower."""

    stage: str
    headline: bool
    outcome: Outcome
    reason: str
    ratios: Sequence[float]
    """Log ratio of each pair, in the order of the pairs."""
    a: Side
    b: Side
    interval: Interval | None = None

    @property
    def shares(self) -> tuple[float, float, float] | None:
        """Estimate and both ends of the interval; None before the first look."""
        one = self.interval
        return None if one is None else (math.expm1(one.mean), math.expm1(one.low), math.expm1(one.high))


@dataclass(frozen=True)
class Answer:
    """What is known after the pairs that were made."""

    outcome: Outcome
    known: bool
    """More pairs would not change it: the test may stop."""
    stages: Sequence[StageVerdict]
    pairs: Sequence[Pair]
    """Those that count."""
    void: Sequence[str] = field(default=())
    """Why others do not."""


@dataclass(frozen=True)
class Question:
    """What is asked, fixed before the first pair."""

    most: int
    """Pairs that count, at most."""
    threshold: float
    """Least share that matters, 0.1 for 10 %."""
    level: float = LEVEL

    def answer(self, pairs: Sequence[Pair]) -> Answer:
        """After these pairs, in the order in which they were made."""
        good = [pair for pair in pairs if not pair.void]
        void = tuple(pair.void for pair in pairs if pair.void)
        if not good:
            return Answer("too few to tell", False, (), (), void)
        stages, head = _stages(good[0])
        last = len(good) >= self.most
        verdicts = tuple(
            self._stage(stage, good, headline=mine, family=len(head) if mine else len(stages) - len(head), last=last)
            for stage in stages
            for mine in [stage in head]
        )
        judged = [verdict for verdict in verdicts if verdict.headline]
        outcome, known = _overall([verdict.outcome for verdict in judged])
        return Answer(outcome, known, verdicts, tuple(good), void)

    def _stage(self, stage: str, pairs: Sequence[Pair], *, headline: bool, family: int, last: bool) -> StageVerdict:
        ratios = [ratio for pair in pairs if (ratio := pair.ratio(stage)) is not None]
        a, b = (_side(stage, runs) for runs in ([pair.a for pair in pairs], [pair.b for pair in pairs]))
        losing = Sequential(self.level * MISSING_SHARE / family, self.most)
        spent = losing.spent(len(pairs)) - losing.spent(len(pairs) - 1)
        gone = lost(a, b, spent) if spent else None
        interval = Sequential(self.level * (1 - MISSING_SHARE) / family, self.most).interval(ratios)
        outcome, reason = gone or self._judged(interval, len(ratios), last=last)
        return StageVerdict(stage, headline, outcome, reason, ratios, a, b, interval)

    def _judged(self, found: Interval | None, pairs: int, *, last: bool) -> tuple[Outcome, str]:
        """Of the middle. Before the last look "no difference" is said only where the whole interval is below what
        matters."""
        if found is None:
            return "too few to tell", f"{pairs} pairs with this stage"
        bound = math.log1p(self.threshold)
        moved = f"moved by {math.expm1(found.mean):+.1%}"
        if found.excludes_zero and abs(found.mean) >= bound:
            return ("worse" if found.mean > 0 else "better"), moved
        if -bound < found.low and found.high < bound:
            return "no difference", f"the whole interval lies within {self.threshold:.0%}"
        if last and found.excludes_zero:
            return "no difference", f"{moved}, less than {self.threshold:.0%}"
        return "too few to tell", f"the interval is wider than {self.threshold:.0%}"


def _stages(pair: Pair) -> tuple[Sequence[str], set[str]]:
    """All stages that are compared, and the headline; of two managers those that mean the same in both."""
    stages = tuple(dict.fromkeys((*pair.a.stages, *pair.b.stages)))
    if pair.a.manager != pair.b.manager:
        stages = tuple(stage for stage in stages if stage in SHARED)
    wanted = pair.a.headline if pair.a.manager == pair.b.manager else BETWEEN
    return stages, {stage for stage in wanted if stage in stages}


def _side(stage: str, runs: Sequence[Measured]) -> Side:
    counts = [run.counts.get(stage, (0, 0)) for run in runs]
    return Side(sum(count for count, _ in counts), sum(missing for _, missing in counts))


def _overall(outcomes: Sequence[Outcome]) -> tuple[Outcome, bool]:
    """One worse stage makes it worse, and settles it; anything else is settled when every stage is."""
    if "worse" in outcomes:
        return "worse", True
    open_ = not outcomes or "too few to tell" in outcomes
    if "better" in outcomes:
        return "better", not open_
    return ("too few to tell", False) if open_ else ("no difference", True)
