"""Two runs against each other: per stage, layout and WEC count how far B moved, and whether that is better or worse."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from fleet.analysis.comparable import Difference, differences
from fleet.analysis.compare_tables import Figure, figures
from fleet.analysis.costs import Cost, costs
from fleet.analysis.samples import Sample, Setting
from fleet.analysis.shift import Shift, holm, shift, tail_interval
from fleet.analysis.stats import quantile
from fleet.analysis.study import Study
from fleet.model.manager_record import ManagerRecord

Outcome = Literal["better", "worse", "no difference", "too few to tell", "not comparable", "not judged"]

HEADLINE = ("downsync", "e2e", "e2e_reported")
"""Stages that the overall verdict is made of; they are corrected for their number by themselves."""
BETWEEN = ("downsync", "workload")
"""The same of two managers: arrival and readiness."""
SHARED = (
    "downsync", "downsync_scheduled", "downsync_last", "downsync_spread", "workload", "status", "e2e", "e2e_scheduled",
    "e2e_reported",
)  # fmt: skip
"""Stages that mean the same in every manager, as far as their promises do."""
ARRIVAL = frozenset({"downsync", "downsync_last"})
"""Those whose begin `ManagerRecord.downsync_begins` says."""
PROMISED = frozenset({"e2e", "e2e_reported", "e2e_scheduled", "status"})
"""Those that end with a status that is complete: what that means is the manager's contract."""
_COSTS = {
    "requests": "requests to the hub",
    "manager_cpu": "CPU s of the manager and its agents",
    "server_cpu": "CPU s of the hub's API servers and stores",
}
NEEDED = 5
"""Samples on each side: with 4 and 4, Mann-Whitney cannot get below p = 0.029 whatever they are."""
ALPHA = 0.05
"""Chance of one false alarm in a family of cells, after Holm's correction."""
TAIL_NEEDED = 20
"""Samples on each side before p90 is judged by itself: below, it is the largest or second largest."""
MISSING_ALPHA = 0.01
"""Of Fisher's exact test that one run lost more samples than the other."""

Key = tuple[str, Setting]
"""Stage and setting."""


@dataclass(frozen=True)
class Side:
    """One run's samples of a cell; seconds."""

    count: int
    missing: int
    p50: float | None = None
    p90: float | None = None
    max: float | None = None


@dataclass(frozen=True)
class Cell:
    """One stage at one setting, in both runs. Relative values are shares of A's median."""

    stage: str
    setting: Setting
    a: Side
    b: Side
    outcome: Outcome
    reason: str
    shift: Shift | None = None
    relative: float | None = None
    relative_low: float | None = None
    relative_high: float | None = None
    p: float | None = None
    """After Holm's correction over its family."""
    tail: float | None = None
    """Relative change of p90 where the intervals of both sides do not touch; None where they do, or are not known. A
    rate limiter leaves half of the objects alone and holds up the rest, which no shift of the middle shows."""

    @property
    def layout(self) -> str:
        """Of the setting."""
        return self.setting.layout

    @property
    def wecs(self) -> int:
        """Of the setting."""
        return self.setting.wecs


@dataclass(frozen=True)
class Comparison:
    """Run B against run A."""

    a: Study
    b: Study
    threshold: float
    """Least relative shift that matters, 0.1 for 10 %."""
    outcome: Outcome
    reasons: Sequence[str]
    differences: Sequence[Difference]
    forced: bool
    cells: Sequence[Cell] = ()
    series: Mapping[Key, tuple[Sequence[float], Sequence[float]]] = field(default_factory=dict)
    """Seconds of both runs, ascending, of each cell that both have."""
    contracts: Sequence[str] = ()
    """Of two managers: what each promises of a status that is complete."""
    costs: tuple[Sequence[Cost], Sequence[Cost]] = ((), ())
    """Of two managers: what each took."""
    figures: Sequence[Figure] = ()
    """Of the tables of an experiment with a body of its own."""

    @property
    def headline(self) -> Sequence[str]:
        """Stages that the verdict is made of."""
        return BETWEEN if self.contracts else _headline(self.a, self.b)

    @property
    def shown(self) -> Sequence[str]:
        """Stages that a short table has: those, and of two managers end to end, which is not judged."""
        return (*BETWEEN, "e2e", "e2e_reported") if self.contracts else self.headline


def compare(a: Study, b: Study, *, threshold: float = 0.10, force: bool = False) -> Comparison:
    """Compare two analysed runs. Blocking differences make it `not comparable` unless `force`."""
    found = differences(a, b)
    blocking = [difference for difference in found if difference.blocks]
    if blocking and not force:
        names = ", ".join(difference.field for difference in blocking)
        reasons = [f"the runs differ in {names}; --force compares them all the same"]
        return Comparison(a, b, threshold, "not comparable", reasons, found, forced=False)
    groups_a, groups_b = _grouped(a.samples), _grouped(b.samples)
    if a.run.manager.name != b.run.manager.name and not (a.own.stages or b.own.stages):
        return _managers(a, b, groups_a, groups_b, threshold, found, bool(blocking))
    rank = {stage: number for number, stage in enumerate(dict.fromkeys((*a.stages, *b.stages)))}
    keys = sorted({*groups_a, *groups_b}, key=lambda key: (rank[key[0]], key[1].order))
    head = _headline(a, b)
    finest = _resolutions(a, b)
    cells = _corrected(
        [_cell(key, groups_a.get(key, ()), groups_b.get(key, ())) for key in keys], threshold, head, finest
    )
    series = {
        key: (_seconds(groups_a[key]), _seconds(groups_b[key])) for key in keys if key in groups_a and key in groups_b
    }
    by_table = figures(a.own.tables, b.own.tables, threshold)
    outcome, reasons = _overall(cells, head, by_table)
    if blocking:
        names = ", ".join(difference.field for difference in blocking)
        reasons.append(f"compared by force although the runs differ in {names}")
    return Comparison(a, b, threshold, outcome, reasons, found, bool(blocking), cells, series, figures=by_table)


def _resolutions(a: Study, b: Study) -> Mapping[str, float]:
    """Seconds below which a shift of a stage is none; of stages that say so."""
    return {stage.name: stage.resolution for stage in (*a.run.stages, *b.run.stages) if stage.resolution}


def _headline(a: Study, b: Study) -> Sequence[str]:
    """Stages that the verdict is made of: all of an experiment's own, where it has any."""
    return tuple(dict.fromkeys((*a.own.stages, *b.own.stages))) or HEADLINE


def _managers(  # noqa: PLR0917 - both runs, and how they are compared
    a: Study,
    b: Study,
    groups_a: Mapping[Key, list[Sample]],
    groups_b: Mapping[Key, list[Sample]],
    threshold: float,
    found: Sequence[Difference],
    forced: bool,
) -> Comparison:
    """Two managers: only the stages that mean the same in both, and no verdict where the promises or the class of the
    limits differ."""
    keys = sorted(
        (key for key in {*groups_a, *groups_b} if key[0] in SHARED),
        key=lambda key: (SHARED.index(key[0]), key[1].order),
    )
    cells = _corrected([_cell(key, groups_a.get(key, ()), groups_b.get(key, ())) for key in keys], threshold, BETWEEN)
    cells = [_unjudged(cell, why) if (why := _why_not(cell.stage, a, b)) else cell for cell in cells]
    outcome, reasons = _overall(cells, BETWEEN)
    reasons = [*dict.fromkeys(c.reason for c in cells if c.outcome == "not judged"), *reasons]
    series = {
        key: (_seconds(groups_a[key]), _seconds(groups_b[key])) for key in keys if key in groups_a and key in groups_b
    }
    contracts = [_contract("A", a.run.manager), _contract("B", b.run.manager)]
    cost = costs(a.run, a.recorded), costs(b.run, b.recorded)
    return Comparison(a, b, threshold, outcome, reasons, found, forced, cells, series, contracts, cost)


def limits_class(study: Study) -> str:
    """`default` when every client limit is as the manager's own distribution has it, else `changed`."""
    defaults = study.run.manager.defaults
    own = any(defaults.get(name, value) != value for name, value in study.run.fleet.limits.items())
    swept = any(
        defaults.get(name, value) != value for plan in study.recorded.trials for name, value in plan.limits.items()
    )
    return "changed" if own or swept else "default"


def cost_rows(found: Comparison) -> list[tuple[str, Setting, float | None, float | None]]:
    """What each run took per object and WEC: quantity, setting, A, B."""
    sides = [{cost.setting: cost for cost in side} for side in found.costs]
    settings = [setting for setting in sides[0] if setting in sides[1]]
    return [
        (name, setting, getattr(sides[0][setting], attribute), getattr(sides[1][setting], attribute))
        for attribute, name in _COSTS.items()
        for setting in settings
    ]


def _why_not(stage: str, a: Study, b: Study) -> str:
    """Why a cell gets no verdict; empty when it does."""
    one, two = limits_class(a), limits_class(b)
    if one != two:
        return f"the client limits of A are {one}, those of B {two}: what moved may be the limits"
    if stage in PROMISED and a.run.manager.status != b.run.manager.status:
        return "the managers promise different things of a complete status: see both below"
    begins = a.run.manager.downsync_begins, b.run.manager.downsync_begins
    if stage in ARRIVAL and begins[0] != begins[1]:
        return f"downsync begins when the object was {begins[0]} in A and {begins[1]} in B"
    return ""


def _unjudged(cell: Cell, why: str) -> Cell:
    return cell if cell.outcome == "not comparable" else replace(cell, outcome="not judged", reason=why)


def _contract(side: str, manager: ManagerRecord) -> str:
    said = manager.status.summary if manager.status else "No status returns to the object."
    poll = manager.status.poll_seconds if manager.status else None
    return f"{side}, {manager.shown}: {said}" + (f" Statuses are polled every {poll:g} s." if poll else "")


def _grouped(samples: Sequence[Sample]) -> dict[Key, list[Sample]]:
    groups: defaultdict[Key, list[Sample]] = defaultdict(list)
    for sample in samples:
        if sample.counted:
            groups[sample.stage, sample.setting].append(sample)
    return dict(groups)


def _seconds(group: Sequence[Sample]) -> list[float]:
    return sorted(sample.seconds for sample in group if sample.seconds is not None)


def _side(group: Sequence[Sample]) -> Side:
    ordered = _seconds(group)
    if not ordered:
        return Side(0, len(group))
    missing = len(group) - len(ordered)
    return Side(len(ordered), missing, quantile(ordered, 0.5), quantile(ordered, 0.9), ordered[-1])


def _cell(key: Key, a: Sequence[Sample], b: Sequence[Sample]) -> Cell:
    """The cell with its shift, p not yet corrected, and the outcomes that need no p."""
    stage, setting = key
    cell = Cell(stage, setting, _side(a), _side(b), "no difference", "")
    if not a or not b:
        return replace(cell, outcome="not comparable", reason=f"only {'A' if a else 'B'} has this cell")
    gone = lost(cell.a, cell.b, MISSING_ALPHA)
    if gone is not None:
        return replace(cell, outcome=gone[0], reason=gone[1])
    if min(cell.a.count, cell.b.count) < NEEDED:
        text = f"{cell.a.count} and {cell.b.count} samples; {NEEDED} on each side are needed"
        return replace(cell, outcome="too few to tell", reason=text)
    whole_a = [sample for sample in a if sample.seconds is not None]
    whole_b = [sample for sample in b if sample.seconds is not None]
    moved = shift(
        [sample.seconds or 0.0 for sample in whole_a],
        [sample.seconds or 0.0 for sample in whole_b],
        ([sample.trial for sample in whole_a], [sample.trial for sample in whole_b]),
    )
    base = cell.a.p50
    if base is None or base <= 0:
        return replace(
            cell, shift=moved, outcome="not comparable", reason="A's median is not above 0, so no share of it"
        )
    return replace(
        cell,
        shift=moved,
        relative=moved.estimate / base,
        relative_low=moved.low / base,
        relative_high=moved.high / base,
        p=moved.p,
        tail=_tail(_seconds(a), _seconds(b), moved.design_effect),
    )


def _tail(a: Sequence[float], b: Sequence[float], effect: float) -> float | None:
    if min(len(a), len(b)) < TAIL_NEEDED:
        return None
    (low_a, high_a), (low_b, high_b) = tail_interval(a, 0.9, effect), tail_interval(b, 0.9, effect)
    apart = low_b > high_a or low_a > high_b
    return quantile(b, 0.9) / quantile(a, 0.9) - 1 if apart and quantile(a, 0.9) > 0 else None


def lost(a: Side, b: Side, level: float) -> tuple[Outcome, str] | None:
    """A run that loses samples is worse whatever its latencies are: those that came are the lucky ones. None where
    Fisher's exact test does not reject at `level` that both lose alike."""
    import numpy as np  # noqa: PLC0415 - a cold start of the command line must not pay for it
    from scipy.stats import fisher_exact  # noqa: PLC0415

    if a.missing == b.missing == 0:
        return None
    p = float(fisher_exact(np.array([[a.missing, a.count], [b.missing, b.count]])).pvalue)
    if p >= level:
        return None
    share_a, share_b = a.missing / (a.missing + a.count), b.missing / (b.missing + b.count)
    text = f"missing: {a.missing} of {a.missing + a.count} in A, {b.missing} of {b.missing + b.count} in B"
    return ("worse" if share_b > share_a else "better"), text


def _corrected(
    cells: Sequence[Cell], threshold: float, head: Sequence[str] = HEADLINE, finest: Mapping[str, float] | None = None
) -> list[Cell]:
    """Holm's correction, in the family of the headline and in that of the other stages, then each cell's outcome."""
    made = list(cells)
    for headline in (True, False):
        family = [i for i, cell in enumerate(made) if cell.p is not None and (cell.stage in head) == headline]
        for index, p in zip(family, holm([made[i].p or 0.0 for i in family]), strict=True):
            outcome, reason = _judge(made[index], p, threshold, (finest or {}).get(made[index].stage, 0.0))
            made[index] = replace(made[index], p=p, outcome=outcome, reason=reason)
    return made


def _judge(cell: Cell, p: float, least: float, finest: float) -> tuple[Outcome, str]:
    """`finest`: seconds below which a shift is none, however large a share of the median it is."""
    relative, low, high = cell.relative or 0.0, cell.relative_low or 0.0, cell.relative_high or 0.0
    threshold = max(least, finest / (cell.a.p50 or 1.0))
    bound = f"{threshold:.0%}" if threshold == least else f"{finest * 1e3:g} ms"
    moves = [("moved by", relative)] if p < ALPHA and abs(relative) >= threshold else []
    moves += [("p90 moved by", cell.tail)] if cell.tail is not None and abs(cell.tail) >= threshold else []
    if moves:
        worst = max(moves, key=lambda move: move[1])
        return ("worse" if worst[1] > 0 else "better"), ", ".join(f"{what} {share:+.1%}" for what, share in moves)
    if -threshold < low and high < threshold:
        return "no difference", f"the whole interval lies within {bound}"
    if p < ALPHA:
        return "no difference", f"moved by {relative:+.1%}, less than {bound}"
    return "too few to tell", f"the interval ({low:+.0%} to {high:+.0%}) is wider than {bound}"


def _overall(
    cells: Sequence[Cell], headline: Sequence[str] = HEADLINE, by_table: Sequence[Figure] = ()
) -> tuple[Outcome, list[str]]:
    """One worse cell or figure makes it worse: nobody is consoled by another layout's gain."""
    head = [cell for cell in cells if cell.stage in headline]
    found: defaultdict[Outcome, list[Cell]] = defaultdict(list)
    for cell in head:
        found[cell.outcome].append(cell)
    reasons = [_told(cell) for outcome in ("worse", "better") for cell in found[outcome]]
    reasons += [str(one) for outcome in ("worse", "better") for one in by_table if one.outcome == outcome]
    told = {*(cell.outcome for cell in head), *(one.outcome for one in by_table)}
    unsure = len(found["too few to tell"])
    if unsure:
        reasons.append(f"{unsure} of {len(head)} cells of the headline have too few samples to tell")
    alone = len(found["not comparable"])
    if alone:
        reasons.append(f"{alone} of {len(head)} cells of the headline cannot be compared")
    for outcome in ("worse", "better", "no difference", "too few to tell", "not judged"):
        if outcome in told:
            return outcome, reasons
    return "not comparable", [*reasons, f"the runs have no cell of {' or '.join(headline[:2])} in common"]


def _told(cell: Cell) -> str:
    where = f"{cell.stage} ({cell.setting})"
    if cell.shift is None or cell.relative is None:
        return f"{where} is {cell.outcome}: {cell.reason}"
    return (
        f"{where} is {cell.outcome}: {cell.reason}; shift {cell.shift.estimate:+.3f} s, "
        f"95 % interval {cell.shift.low:+.3f} to {cell.shift.high:+.3f} s"
    )
