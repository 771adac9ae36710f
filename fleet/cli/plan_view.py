"""The answer of `fleet plan` for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from fleet.analysis.sizing.ends import End
from fleet.analysis.sizing.estimate import DECLARED, Figure
from fleet.analysis.sizing.line import Estimate
from fleet.analysis.sizing.quantity import PART_TEXT, Unit
from fleet.analysis.sizing.sized import Sized
from fleet.cli import units
from fleet.cli.console import Ink
from fleet.cli.table import Cell, Column, render

SPLIT = frozenset({"memory", "idle_cpu"})
"""Shown with their parts; JSON has the parts of all."""
HOUR = 3600.0


def page(sized: Sized, ink: Ink) -> str:
    """Tables of figures, of the pod, and sentences."""
    parts = [_head(sized), _figures(sized, ink)]
    if sized.pod:
        parts.append(_pod(sized, ink))
    parts.append("\n".join(_ends(sized)))
    if sized.notes:
        parts.append("\n".join(f"note: {note}" for note in sized.notes))
    return "\n\n".join(parts) + "\n"


def figure_document(figure: Figure) -> dict[str, Any]:
    """A figure for `-o json`; bytes, cores and seconds as plain numbers."""
    estimate = asdict(figure.estimate)
    whole = {key: value for key, value in asdict(figure).items() if key not in ("estimate", "beyond")}
    return {**whole, **estimate, "extrapolatedBeyond": figure.beyond}


def rest_document(sized: Sized) -> dict[str, Any]:
    """Everything alongside the figures."""
    return {
        "wecs": sized.wecs,
        "setup": sized.question.setup.model_dump(),
        "model": {"from": sized.model, "runs": sized.runs, "wecs": list(sized.counts)},
        "pod": [asdict(field) for field in sized.pod],
        "ends": [asdict(end) for end in sized.ends],
        "notes": sized.notes,
    }


def _head(sized: Sized) -> str:
    counts = ", ".join(map(str, sized.counts))
    source = f"from {sized.model}: {sized.runs} runs, {counts} WECs" if sized.runs else "from no run"
    return f"{sized.wecs} WECs, {sized.question.setup}\n{source}"


def _figures(sized: Sized, ink: Ink) -> str:
    columns = [Column("WHAT"), Column("VALUE", right=True), Column("95 % INTERVAL"), Column("FROM")]
    rows: list[list[Cell | str]] = []
    for figure in sized.figures:
        name, _, part = figure.name.partition(".")
        if part in PART_TEXT and name not in SPLIT:
            continue
        text = f"  {PART_TEXT[part]}" if part in PART_TEXT else figure.text
        rows.append(
            [text, quantity(figure.estimate.value, figure.unit), _interval(figure.estimate, figure.unit), _from(figure)]
        )
    return render(columns, rows, ink)


def _from(figure: Figure) -> Cell:
    if figure.origin == DECLARED:
        return Cell("estimated before a build, rounded up", "dim")
    text = f"{figure.origin}: {figure.points} points of {figure.fleets} fleet{'s' if figure.fleets != 1 else ''}"
    return Cell(f"{text}, {_beyond(figure.beyond)}", "warn") if figure.beyond is not None else Cell(text)


def _beyond(most: int) -> str:
    return f"extrapolated beyond {most}"


def _interval(estimate: Estimate, unit: Unit) -> str:
    if estimate.low is None or estimate.high is None:
        return ""
    return f"{quantity(estimate.low, unit)} to {quantity(estimate.high, unit)}"


def quantity(value: float, unit: Unit) -> str:
    """As people read it."""
    if unit == "bytes":
        return units.size(value)
    if unit == "cores":
        return f"{value:.2f} cores"
    if unit == "count":
        return f"{value:.0f}"
    return f"{value:.3g} s" if value < HOUR else units.span(value)


def _pod(sized: Sized, ink: Ink) -> str:
    columns = [
        Column(f"A POD OF {sized.wecs} WECS"),
        Column("VALUE", right=True),
        Column("AT MOST", right=True),
        Column("FROM"),
    ]
    rows: list[list[Cell | str]] = []
    for field in sized.pod:
        text = field.text if field.beyond is None else f"{field.text}, {_beyond(field.beyond)}"
        rows.append([field.field, field.written, field.at_most, Cell(text, "" if field.beyond is None else "warn")])
    return render(columns, rows, ink)


def _ends(sized: Sized) -> Iterator[str]:
    if not sized.ends:
        yield "nothing of this machine ends"
        return
    first = sized.ends[0]
    verdict = "fits this machine" if sized.wecs <= first.wecs else "does not fit this machine"
    yield f"{sized.wecs} WECs: {verdict}; {first.resource.text} ends first, {_where(first)}"
    if len(sized.ends) > 1:
        yield "then " + "; ".join(f"{end.resource.text} {_where(end)}" for end in sized.ends[1:])


def _where(end: End) -> str:
    low = "" if end.earliest is None else f"{end.earliest} to {'more' if end.latest is None else end.latest}"
    return f"after {end.wecs}" + (f" (95 %: {low})" if low else "")
