"""`fleet history`: the medians of a folder of runs per release, and where their level changed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from fleet.cli.console import clean, ink_for, out, out_items, say
from fleet.cli.options import THRESHOLD, ThresholdOption
from fleet.errors import UsageError

if TYPE_CHECKING:
    from fleet.analysis.releases import Series
    from fleet.analysis.study import Study
    from fleet.cli.console import Ink


def history(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Run folders, at any depth in it.")],
    by: Annotated[
        str,
        typer.Option(
            "--by",
            metavar="NAME",
            envvar="FLEET_BY",
            help="What a release is of: manager, testbed, or a program such as kubernetes.",
        ),
    ] = "manager",
    threshold: ThresholdOption = THRESHOLD,
    into: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", envvar="FLEET_OUT", show_default=False, help="Write history.md, .json and drawings."
        ),
    ] = None,
    output: Annotated[
        Literal["table", "json", "markdown"],
        typer.Option("-o", "--output", envvar="FLEET_OUTPUT", help="How to print it."),
    ] = "table",
) -> None:
    """Show medians per release over the runs in a folder, and where their level has changed."""
    from fleet.analysis.releases import history as over_time
    from fleet.analysis.releases import release_by
    from fleet.cli.comparison_view import share
    from fleet.report.releases import markdown

    least = share(threshold)
    if into is not None and into.exists() and not into.is_dir():
        raise UsageError(f"--out: {into} is not a folder")
    studies, left_out = _studies(folder)
    found = over_time(studies, release_by(by), least)
    if into is not None:
        _write(into, found, left_out)
    if output == "json":
        out_items("History", _items(found), left_out=left_out)
    elif output == "markdown":
        out(markdown(found, left_out))
    else:
        out(_table(found, ink_for(sys.stdout)))
        for why in left_out:
            say(f"left out: {clean(why)}")


def _studies(folder: Path) -> tuple[list[Study], list[str]]:
    """The runs that can be used, and why others cannot. UsageError when there is none."""
    from fleet.analysis.study import analyse
    from fleet.results.folder import RUN, RunFolder

    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder; name the one that holds run folders, such as results/")
    found: list[Study] = []
    left_out: list[str] = []
    for path in sorted(file.parent for file in folder.rglob(RUN) if not file.parent.is_symlink()):
        try:
            study = analyse(RunFolder.open(path))
        except UsageError as error:
            left_out.append(str(error))
            continue
        if study.verdict.status == "invalid" or study.run.status == "running":
            left_out.append(f"{study.run.id}: {study.run.status if study.run.ended is None else study.verdict.status}")
        else:
            found.append(study)
    if not found:
        told = "".join(f"\n{why}" for why in left_out)
        raise UsageError(f"{folder} holds no run that can be used{told}")
    return found, left_out


def _items(every: Sequence[Series]) -> list[dict[str, Any]]:
    return [
        {
            "ground": series.ground,
            "experiment": series.experiment,
            "stage": series.stage,
            **series.setting._asdict(),
            "releases": [asdict(release) for release in series.releases],
            "changes": [{**asdict(change), "share": change.share} for change in series.changes],
            "runs": [asdict(entry) for entry in series.entries],
        }
        for series in every
    ]


def _table(every: Sequence[Series], ink: Ink) -> str:
    from fleet.cli.table import Cell, Column, render, terminal_width
    from fleet.report.releases import said

    columns = [Column("STAGE"), Column("LAYOUT"), Column("WECS", right=True), Column("RUNS", right=True)]
    columns += [Column("P50 s", right=True), Column("CHANGE", right=True), Column("RELEASE")]
    rows: list[list[Cell | str]] = []
    for series in every:
        setting = series.setting
        for one in series.releases:
            change = next((change for change in series.changes if change.release == one.name), None)
            told = Cell("") if change is None else Cell(f"{change.share:+.1%}", "fail" if change.share > 0 else "ok")
            layout = " ".join(part for part in (setting.layout, setting.point) if part)
            rows.append([series.stage, layout, str(setting.wecs), str(one.runs), f"{one.median:.3f}", told, one.name])
    lines = [render(columns, rows, ink, width=terminal_width())]
    lines += [f"changed: {clean(said(series, change))}" for series in every for change in series.changes]
    return "\n".join(lines)


def _write(into: Path, every: Sequence[Series], left_out: Sequence[str]) -> None:
    """`history.md`, `history.json` and a drawing for each series."""
    import json

    from fleet.report.exports.svg import alone, file_name
    from fleet.report.releases import drawings, markdown

    into.mkdir(parents=True, exist_ok=True)
    made = drawings(every)
    pictures = "".join(f"\n![{drawing.title}]({file_name(drawing.title)})\n" for drawing in made)
    (into / "history.md").write_text(markdown(every, left_out) + pictures, encoding="utf-8")
    whole = {"format": 1, "left_out": list(left_out), "series": _items(every)}
    (into / "history.json").write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
    for drawing in made:
        (into / file_name(drawing.title)).write_text(alone(drawing), encoding="utf-8")
