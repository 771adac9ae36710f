"""Run folders under the results folder: found, chosen by name, and listed with their verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from fleet.cli import units
from fleet.cli.console import Ink
from fleet.cli.table import Cell, Column, render
from fleet.errors import UsageError
from fleet.model.model_errors import nearest
from fleet.results.folder import RUN, RunFolder, newest

STYLES = {"valid": "ok", "partial": "warn", "invalid": "fail", "running": "warn", "unreadable": "fail"}


@dataclass(frozen=True)
class RunRow:
    """One run as a list shows it; seconds is None while it did not finish."""

    experiment: str
    id: str
    path: str
    status: str
    started: str = ""
    seconds: float | None = None
    fleet: str = ""
    wecs: str = ""
    layouts: str = ""
    reasons: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """For `-o json`."""
        return asdict(self)


def find_all(results: Path) -> list[Path]:
    """Run folders, newest first; empty when there are none. UsageError when `results` is no folder."""
    if results.exists() and not results.is_dir():
        raise UsageError(f"{results}: is not a folder; name the folder that holds the runs of each experiment")
    found = [file.parent for file in results.glob(f"*/*/{RUN}") if not file.parent.is_symlink()]
    return sorted(found, key=lambda path: (path.name, path.parent.name), reverse=True)


def choose(asked: str | None, results: Path) -> RunFolder:
    """The newest run, or the one that `asked` names: a folder, an id, the end of an id, or an experiment's newest.

    Raises UsageError when none or several fit.
    """
    if asked is None:
        return newest(results)
    if (Path(asked) / RUN).is_file() or asked.startswith((".", "/")):
        return RunFolder.open(Path(asked))
    every = find_all(results)
    short = asked.rpartition("/")[2]
    fits = [path for path in every if short and (path.name == short or path.name.endswith(f"-{short}"))]
    if len(fits) == 1:
        return RunFolder.open(fits[0])
    if fits:
        raise UsageError(f"several runs fit {asked!r}: {', '.join(path.name for path in fits)}")
    if asked in {path.parent.name for path in every}:
        return newest(results, asked)
    names = {path.name for path in every} | {path.parent.name for path in every}
    raise UsageError(f"there is no run {asked!r} in {results}{nearest(asked, names) if names else ''}")


def rows_of(paths: Sequence[Path]) -> list[RunRow]:
    """What the list shows of each; a folder that cannot be read says so."""
    return [_row(path) for path in paths]


def _row(path: Path) -> RunRow:
    try:
        record = RunFolder.open(path).read_run()
    except UsageError as error:
        return RunRow(path.parent.name, path.name, str(path), "unreadable", reasons=[str(error)])
    wecs = record.spec.wecs
    return RunRow(
        experiment=path.parent.name,
        id=path.name,
        path=str(path),
        status=record.status,
        started=record.started,
        seconds=_seconds(record.started, record.ended),
        fleet=record.fleet.name,
        wecs=wecs if isinstance(wecs, str) else ",".join(str(count) for count in wecs),
        layouts=",".join(record.spec.layouts),
        reasons=list(record.reasons),
    )


def _seconds(started: str, ended: str | None) -> float | None:
    try:
        return (
            None if ended is None else (datetime.fromisoformat(ended) - datetime.fromisoformat(started)).total_seconds()
        )
    except ValueError:
        return None


def table(rows: Sequence[RunRow], ink: Ink) -> str:
    """The list for people; ends with a newline."""
    columns = [Column("EXPERIMENT"), Column("RUN"), Column("VERDICT"), Column("FLEET"), Column("WECS")]
    columns.append(Column("TOOK", right=True))
    lines: list[list[Cell | str]] = [
        [
            row.experiment,
            row.id,
            Cell("unfinished" if row.status == "running" else row.status, STYLES.get(row.status, "")),
            row.fleet,
            row.wecs,
            "-" if row.seconds is None else units.span(row.seconds),
        ]
        for row in rows
    ]
    return render(columns, lines, ink) + "\n"
