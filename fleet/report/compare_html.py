"""The page of a comparison: verdict first, what differs between the runs, both curves of each cell in one plot."""

from __future__ import annotations

from markupsafe import Markup

from fleet.analysis.compare import ALPHA, NEEDED, Cell, Comparison, cost_rows
from fleet.report.compare_plots import COLOUR_A, COLOUR_B, both
from fleet.report.pages import fill
from fleet.report.tables import ABSENT, Table

LAYOUT_NAMES = {"one-to-one": "1-to-1", "one-to-many": "1-to-many"}
MEANING = {
    "better": "B is faster than A by more than the least effect that matters.",
    "worse": "B is slower than A by more than the least effect that matters.",
    "no difference": "no shift of down-sync or end-to-end as large as the least effect that matters.",
    "too few to tell": "the samples do not suffice to say anything.",
    "not judged": "the numbers stand side by side; limits or promises differ.",
    "not comparable": "these two runs do not answer the question.",
}


def page(comparison: Comparison) -> str:
    """The whole page; the same comparison gives the same bytes. Everything from outside is escaped."""
    headline = [cell for cell in comparison.cells if cell.stage in comparison.headline]
    rest = [cell for cell in comparison.cells if cell.stage not in comparison.headline]
    return fill(
        "compare.html",
        a=comparison.a,
        b=comparison.b,
        outcome=comparison.outcome,
        meaning=MEANING[comparison.outcome],
        tone=comparison.outcome.replace(" ", "-"),
        reasons=comparison.reasons,
        threshold=f"{comparison.threshold:.0%}".replace("%", "\N{NO-BREAK SPACE}%"),
        differences=differences(comparison),
        blocking=sum(1 for difference in comparison.differences if difference.blocks),
        headline=table(headline),
        figures=_figures(comparison),
        contracts=comparison.contracts,
        costs=_costs(comparison),
        rest=table(rest),
        main_drawings=_drawings(comparison, headline),
        more_drawings=_drawings(comparison, _largest(rest)),
        colour_a=COLOUR_A,
        colour_b=COLOUR_B,
        needed=NEEDED,
        alpha=f"{ALPHA:.0%}".replace("%", "\N{NO-BREAK SPACE}%"),
    )


def differences(comparison: Comparison) -> Table:
    """What is not the same in both runs, alongside the numbers."""
    body = [(d.field, d.a, d.b, "yes" if d.blocks else "no") for d in comparison.differences]
    return Table(("what", "A", "B", "forbids to compare"), body)


def _figures(comparison: Comparison) -> Table:
    """Of the tables of an experiment with a body of its own."""
    head = ("table", "row", "figure", "A", "B", "verdict")
    rows = [
        (one.table, one.row, f"{one.column} {one.unit}".strip(), f"{one.a:.4g}", f"{one.b:.4g}", one.outcome)
        for one in comparison.figures
    ]
    return Table(head, rows, frozenset(head[3:5]))


def _costs(comparison: Comparison) -> Table:
    """Per object and WEC, of two managers."""
    head = ("per object and WEC", "setting", "A", "B")
    rows = [(name, str(setting), _seconds(a), _seconds(b)) for name, setting, a, b in cost_rows(comparison)]
    return Table(head, rows, frozenset(head[2:]))


def table(cells: list[Cell]) -> Table:
    """One row per cell; seconds, and shares of A's median."""
    head = ("stage", "layout", "WECs", "verdict", "n A", "n B", "p50 A", "p50 B", "p90 A", "p90 B", "shift",
            "95 % interval", "relative", "p (Holm)", "why")  # fmt: skip
    body = [
        (
            cell.stage,
            _layout(cell),
            str(cell.wecs),
            cell.outcome,
            _count(cell.a.count, cell.a.missing),
            _count(cell.b.count, cell.b.missing),
            _seconds(cell.a.p50),
            _seconds(cell.b.p50),
            _seconds(cell.a.p90),
            _seconds(cell.b.p90),
            ABSENT if cell.shift is None else f"{cell.shift.estimate:+.3f}",
            ABSENT if cell.shift is None else f"{cell.shift.low:+.3f} to {cell.shift.high:+.3f}",
            ABSENT if cell.relative is None else f"{cell.relative:+.1%}".replace("%", "\N{NO-BREAK SPACE}%"),
            ABSENT if cell.p is None else "< 0.001" if cell.p < 0.001 else f"{cell.p:.3f}",  # noqa: PLR2004 - three digits
            cell.reason.replace("%", "\N{NO-BREAK SPACE}%"),
        )
        for cell in cells
    ]
    return Table(head, body, frozenset(head[4:14]) | {"WECs"})


def _slug(point: str) -> str:
    return "".join(f"-{part}" for part in point.replace("=", "-").split())


def _layout(cell: Cell) -> str:
    name = LAYOUT_NAMES.get(cell.layout, cell.layout)
    return f"{name}, {cell.setting.point}" if cell.setting.point else name


def _count(count: int, missing: int) -> str:
    return f"{count} ({missing} missing)" if missing else str(count)


def _seconds(value: float | None) -> str:
    return ABSENT if value is None else f"{value:.3f}"


def _largest(cells: list[Cell]) -> list[Cell]:
    """Of the stages that are only looked into: the largest WEC count, and whatever moved."""
    most = max((cell.wecs for cell in cells), default=0)
    return [cell for cell in cells if cell.wecs == most or cell.outcome in ("better", "worse")]


def _drawings(comparison: Comparison, cells: list[Cell]) -> list[tuple[Markup, str, str]]:
    """SVG, title and verdict of each cell that both runs have samples of."""
    drawn: list[tuple[Markup, str, str]] = []
    for cell in cells:
        a, b = comparison.series.get((cell.stage, cell.setting), ((), ()))
        if a and b:
            many = "WEC" if cell.wecs == 1 else "WECs"
            title = f"{cell.stage}, {_layout(cell)}, {cell.wecs} {many}"
            svg = both(title, a, b, f"{cell.stage}-{cell.layout}-{cell.wecs}{_slug(cell.setting.point)}")
            drawn.append((Markup(svg), title, cell.outcome))  # noqa: S704 - matplotlib escapes the texts it writes
    return drawn
