"""Sections that a report has only when its run has something to say there: scheduled loads, fights, leaks, links."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fleet.analysis.fidelity import LEAST_ACHIEVED, MOST_LAG_SECONDS, LoadFidelity
from fleet.analysis.fights import TURNS, Activity
from fleet.analysis.findings import PACKAGES
from fleet.analysis.leaks import Leak
from fleet.analysis.own import own_module
from fleet.analysis.prediction import Prediction
from fleet.analysis.roundtrips import RoundTrips
from fleet.analysis.study import Study
from fleet.analysis.theory import PACKAGES as MANAGERS
from fleet.analysis.theory import LinkTheory, theory_of
from fleet.report.exactness import exactness
from fleet.report.recovered import recovered
from fleet.report.section import Section
from fleet.report.tables import ABSENT, Table, data_table

__all__ = ["Section", "sections"]

STEADY_SHOWN = 12
"""Rows of series that do not leak; the rest is in summary.json."""
_CLOSE = 1.5
"""Measured over floor, up to which the limit explains what was measured."""


def sections(study: Study) -> list[Section]:
    """Those that this run has."""
    return list(_sections(study))


def _sections(study: Study) -> Iterator[Section]:
    mine = own_module(PACKAGES, study.run.spec.experiment, "sections")
    if mine is not None:
        yield from mine.sections(study)
    else:
        for data in study.own.tables:
            yield Section(data.name, data.title or data.name, (), data_table(data))
    yield from recovered(study)
    yield from exactness(study)
    if study.leaks:
        yield Section("leaks", "What grows", _grows(study.leaks), _leaks(study.leaks))
    if study.recorded.after_seconds:
        said = [str(fight) for fight in study.fights] or [
            f"Nobody fights: no object changed its writer {TURNS} times between the same two managers."
        ]
        title = "Who writes when the load has ended"
        yield Section("fights", title, said, _activity(study.activity))
    if study.loads:
        rule = (
            f"The load had a schedule, and was kept when at least {LEAST_ACHIEVED:.0%} of the offered rate was "
            f"achieved and no send in a hundred was later than {MOST_LAG_SECONDS * 1e3:.0f} ms."
        )
        yield Section("load", "How true the load was", [rule], _loads(study.loads))
    if study.roundtrips:
        theory = theory_of(study.run.manager.name)
        said = _told(study.roundtrips, theory.link if theory else None)
        yield Section("roundtrips", "What a round trip costs", said, _round_trips(study.roundtrips))
    own = own_module(MANAGERS, study.run.manager.name, "sections")
    if own is not None:
        yield from own.sections(study)
    points = [row for row in study.predictions if row.point]
    if any(plan.limits for plan in study.recorded.trials) and any(row.floors for row in points):
        yield Section("binds", "Which limit binds", [_binds(row) for row in points], _floors(points))


def _grows(found: Sequence[Leak]) -> list[str]:
    leaking = [str(leak) for leak in found if leak.verdict == "leaking"]
    steady = sum(leak.verdict == "steady" for leak in found)
    short = len(found) - len(leaking) - steady
    said = leaking or ["Nothing that was watched long enough leaks." if steady else "Nothing can be said of leaks."]
    return [*said, f"{steady} of {len(found)} series are steady, {short} were watched too short to tell."]


def _leaks(found: Sequence[Leak]) -> Table:
    head = ("program", "quantity", "verdict", "at first", "at last", "per hour", "95 % interval", "why")
    rest = [leak for leak in found if leak.verdict != "leaking"][:STEADY_SHOWN]
    rows = [
        (
            leak.program,
            f"{leak.quantity} ({leak.unit})" if leak.unit else leak.quantity,
            leak.verdict,
            *_trend(leak),
            leak.reason,
        )
        for leak in [*(leak for leak in found if leak.verdict == "leaking"), *rest]
    ]
    return Table(head, rows, frozenset(head[3:7]), frozenset({"why"}))


def _trend(leak: Leak) -> tuple[str, str, str, str]:
    """Its numbers; of a series with too few values there are none."""
    if leak.verdict == "too short to tell" and not any((leak.level, leak.last, leak.per_hour, leak.low, leak.high)):
        return ABSENT, ABSENT, ABSENT, ABSENT
    interval = f"{leak.low:+.2f} to {leak.high:+.2f}"
    return f"{leak.level:.1f}", f"{leak.last:.1f}", f"{leak.per_hour:+.2f}", interval


def _activity(found: Sequence[Activity]) -> Table:
    head = ("cluster", "objects of kind", "objects", "writes", "per object and minute", "who")
    rows = [
        (
            one.cluster,
            one.resource,
            str(one.objects),
            str(one.writes),
            f"{one.per_object_minute:.1f}",
            ", ".join(f"{name} {count}" for name, count in one.writers.items()),
        )
        for one in found
    ]
    return Table(head, rows, frozenset(head[2:5]), frozenset({"who"}))


def _loads(found: Sequence[LoadFidelity]) -> Table:
    late = ("late p50 (ms)", "late p99 (ms)", "late max (ms)")
    head = ("trial", "load", "sends", "offered (1/s)", "achieved (1/s)", *late, "kept")
    rows = [
        (
            one.trial,
            one.load,
            str(one.sends),
            ABSENT if one.offered is None else f"{one.offered:.2f}",
            ABSENT if one.achieved is None else f"{one.achieved:.2f}",
            *(f"{lag * 1e3:.2f}" for lag in (one.lag_p50, one.lag_p99, one.lag_max)),
            "yes" if one.kept_up and one.punctual else "late" if one.kept_up else "no",
        )
        for one in found
    ]
    return Table(head, rows, frozenset(head[2:8]))


def _told(found: Sequence[RoundTrips], theory: LinkTheory | None) -> list[str]:
    """What the link costs down-sync, and the stages that are not as predicted."""
    rule = "Every link between WECs and hub had each round trip in turn. A stage grows by as many as it makes"
    rule += f"; {theory.text}" if theory is not None else "."
    whole = [
        f"{row.layout}, {row.wecs} WEC{'s' if row.wecs != 1 else ''}: down-sync takes {row.base:.3f} s without delay, "
        f"and {row.measured:.2f} round trips more"
        + ("." if row.predicted is None else f" ({row.predicted:.2f} predicted).")
        for row in found
        if row.stage == "downsync"
    ]
    strange = [
        f"Not as predicted: {row.stage} ({row.layout}, {row.wecs}) takes {row.measured:.2f} round trips, not "
        f"{row.predicted:.2f}."
        for row in found
        if row.agrees is False
    ]
    return [rule, *whole, *strange]


def _round_trips(found: Sequence[RoundTrips]) -> Table:
    head = ("stage", "layout", "WECs", "trials", "without delay (s)", "round trips", "95 % interval", "predicted")
    rows = [
        (
            row.stage,
            row.layout,
            str(row.wecs),
            str(row.trials),
            f"{row.base:.3f}",
            f"{row.measured:.2f}",
            ABSENT if row.low is None or row.high is None else f"{row.low:.2f} to {row.high:.2f}",
            ABSENT if row.predicted is None else f"{row.predicted:.2f}",
        )
        for row in found
    ]
    return Table(head, rows, frozenset(head[2:]))


def _binds(row: Prediction) -> str:
    where = f"At {row.setting}"
    if row.downsync_measured is None:
        return f"{where} nothing was measured whole."
    floor = f"the limits require {row.downsync_floor:.1f} s and {row.downsync_measured:.1f} s were measured"
    if not row.binding_limit:
        return f"{where} no limit binds: {floor}, what is fixed included."
    if row.ratio is not None and row.ratio <= _CLOSE:
        return f"{where} {row.binding_limit} binds: {floor}."
    return f"{where} {floor}: {row.binding_limit} binds first, and what follows each event takes the rest."


def _floors(rows: Sequence[Prediction]) -> Table:
    head = ("point", "layout", "WECs", "floor (s)", "measured (s)", "ratio", "binds")
    body = [
        (
            row.point,
            row.layout,
            str(row.wecs),
            f"{row.downsync_floor:.1f}",
            ABSENT if row.downsync_measured is None else f"{row.downsync_measured:.2f}",
            ABSENT if row.ratio is None else f"{row.ratio:.2f}",
            row.binding_limit or "none",
        )
        for row in rows
    ]
    return Table(head, body, frozenset(head[2:6]))
