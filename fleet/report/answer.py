"""The plain answer: a paragraph that somebody reads who reads nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from fleet.analysis.prediction import Prediction
from fleet.analysis.study import Study
from fleet.analysis.summary import Row
from fleet.model.manager_record import ManagerRecord

_POLICIES = {"one-to-one": "one policy per WEC", "one-to-many": "one policy for all WECs"}
_ENDS = {"e2e": "status was back and complete", "e2e_reported": "last status was reported to the hub"}


def seconds(value: float | None) -> str:
    """A latency in prose: `34 ms`, `2.13 s`, `38.4 s`, `not measured`."""
    if value is None:
        return "not measured"
    if abs(value) < 1:
        return f"{value * 1e3:.0f}\N{NO-BREAK SPACE}ms"
    digits = 2 if abs(value) < 10 else 1  # noqa: PLR2004 - three digits either way
    return f"{value:.{digits}f}\N{NO-BREAK SPACE}s"


def answer(study: Study) -> list[str]:
    """Short paragraphs about the largest WEC count of each layout; nothing was measured: one that says so."""
    if study.own.samples or study.own.tables:
        return list(study.own.said) or [" ".join(_own(study.rows, study.own.stages))]
    measured = [p for p in study.predictions if p.downsync_measured is not None]
    if not measured and any(row.count for row in study.rows):
        return [" ".join(_scheduled(study.rows))]
    if not measured:
        return ["No trial was measured whole, so there is no answer to give; what there is stands below."]
    sentences = []
    for layout in ("one-to-one", "one-to-many"):
        mine = [p for p in measured if p.layout == layout]
        if mine:
            sentences.append(" ".join(_layout(max(mine, key=lambda p: p.setting.order), study.rows)))
    sentences += _fixed(measured, study.run.manager)
    if study.run.manager.status is not None and any(row.stage == "e2e" for row in study.rows):
        sentences.append(study.run.manager.status.summary)
    return sentences


def _scheduled(rows: Sequence[Row]) -> list[str]:
    """Of loads with a schedule: the largest setting of each stage that matters."""
    said = []
    for stage, what in (("downsync", "was in its WEC"), ("e2e", "had its status back")):
        mine = [row for row in rows if row.stage == stage and row.count]
        if mine:
            most = max(mine, key=lambda row: row.setting.order)
            said.append(
                f"At {most.setting}, an object {what} after {seconds(most.p50)} (median; slowest {seconds(most.max)})."
            )
    return said


def _own(rows: Sequence[Row], stages: Sequence[str]) -> list[str]:
    """Of an experiment with stages of its own that says nothing by itself: its last stage at the largest setting."""
    measured = [row for row in rows if row.count and row.stage in stages]
    if not measured:
        return ["There are no latencies; what was measured stands below."]
    last = max((row.stage for row in measured), key=stages.index)
    most = max((row for row in measured if row.stage == last), key=lambda row: row.setting.order)
    return [f"At {most.setting}, {last} took {seconds(most.p50)} (median; slowest {seconds(most.max)})."]


def _layout(most: Prediction, rows: Sequence[Row]) -> list[str]:
    here = {row.stage: row for row in rows if row.setting == most.setting}
    downsync = here.get("downsync")
    what = "an object" if most.objects == 1 else f"each of {most.objects} objects"
    point = f" ({most.point})" if most.point else ""
    usual = most.wecs if most.layout == "one-to-one" else 1
    policies = _POLICIES[most.layout] if most.policies == usual else f"{most.policies} policies"
    fleet = f"At {most.wecs} WEC{'s' if most.wecs != 1 else ''} and {policies}{point}"
    said = []
    if downsync is not None and downsync.p50 is not None:
        said.append(
            f"{fleet}, {what} was in its WEC after {seconds(downsync.p50)} (median; slowest {seconds(downsync.max)}); "
            f"from the first object's creation until the last WEC had everything it took "
            f"{seconds(most.downsync_measured)}."
        )
    for stage, end in _ENDS.items():
        row = here.get(stage)
        if row is not None and row.p50 is not None:
            said.append(f"The {end} after {seconds(row.p50)} (median; slowest {seconds(row.max)}).")
    return said


def _fixed(measured: Sequence[Prediction], manager: ManagerRecord) -> list[str]:
    most = max(measured, key=lambda p: (p.setting.order[1:], p.downsync_floor))
    rest = most.downsync_floor - most.fixed
    said = ""
    if manager.fixed:
        names = " and ".join(f"{delay.seconds:.0f} s" for delay in manager.fixed)
        what = " and ".join(dict.fromkeys(delay.name for delay in manager.fixed))
        begin = manager.term("source")
        said = f"{names} of every latency that begins in the {begin} are {manager.shown}'s fixed {what}"
    if not most.floors:
        return [f"{said}."] if said else []
    if rest <= 0:
        limits = "at this size the client-side rate limits add nothing."
        return [f"{said}; {limits}" if said else limits.capitalize()]
    limits = (
        f"at {most.wecs} WECs the client-side rate limits alone require at least {seconds(rest)} more "
        "before the last WEC can have its object."
    )
    return [f"{said}, and {limits}" if said else limits.capitalize()]
