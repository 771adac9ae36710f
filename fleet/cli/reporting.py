"""Makes a run's report and prints its verdict: the path for stdout, verdict and latencies for stderr."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fleet.analysis.quality import Verdict
from fleet.analysis.study import Study, analyse
from fleet.analysis.summary import Failure, Row
from fleet.cli.console import Ink, clean, ink_for, say
from fleet.cli.run_list import STYLES
from fleet.cli.table import Cell, Column, render
from fleet.report.render import write
from fleet.results.folder import RunFolder

PAGE = "report.html"
TOLD_STAGES = ("downsync", "e2e", "e2e_reported")
THRESHOLD_CODE = 3
"""A threshold of the spec failed; a verdict that is not valid goes before it."""


def make(folder: RunFolder) -> Study:
    """Analyse the folder and write every report into it.

    The verdict goes into `run.json` too, so that there is one: not while the run goes on, or after its driver died.
    """
    study = analyse(folder)
    verdict = study.verdict
    run = study.run.with_(status=verdict.status, reasons=list(verdict.reasons))
    if run != study.run and study.run.status != "running":
        folder.write_run(run)
        study = replace(study, run=run)
    write(folder, study)
    return study


def page_of(folder: RunFolder) -> str:
    """The report's path, relative to the current folder where it lies below it."""
    page, here = folder.path / PAGE, Path.cwd()
    return str(page.relative_to(here) if page.is_relative_to(here) else page)


def tell(study: Study) -> None:
    """The verdict, its reasons, the main latencies and the thresholds that failed, on stderr."""
    ink = ink_for(sys.stderr)
    verdict = study.verdict
    lines = [f"{study.run.experiment}/{study.run.id}: {ink(verdict.status, STYLES.get(verdict.status, ''))}"]
    lines += [f"  {clean(reason)}" for reason in verdict.reasons]
    lines += [f"  {clean(sentence)}" for sentence in (*verdict.planned, *verdict.known)]
    lines += [f"  {ink('warning:', 'warn')} {clean(warning)}" for warning in verdict.warnings]
    if study.disagrees:
        lines.append(f"  {ink('summary.json and the events disagree:', 'fail')} {clean('; '.join(study.disagrees))}")
    lines += [f"  {ink('found:', 'fail')} {clean(finding)}" for finding in verdict.findings]
    lines += [f"  {clean(sentence)}" for sentence in study.own.said]
    table = latencies(study.rows, ink, study.own.stages or TOLD_STAGES)
    if table:
        lines += ["", table]
    lines += [f"{ink('threshold failed:', 'fail')} {clean(failure.text)}" for failure in study.failures]
    say("\n".join(lines))


def latencies(rows: Sequence[Row], ink: Ink, stages: Sequence[str] = TOLD_STAGES) -> str:
    """Those stages at every setting, in seconds; empty when there are none."""
    chosen = sorted(
        (row for row in rows if row.stage in stages), key=lambda row: (stages.index(row.stage), row.setting.order)
    )
    if not chosen:
        return ""
    points = any(row.point for row in chosen)
    columns = [Column("STAGE"), Column("LAYOUT"), *([Column("POINT")] if points else [])]
    columns += [Column(name, right=True) for name in ("WECS", "COUNT", "MISSING", "P50 s", "P90 s", "MAX s")]
    lines: list[list[Cell | str]] = [
        [
            row.stage,
            row.layout,
            *([row.point] if points else []),
            str(row.wecs),
            str(row.count),
            Cell(str(row.missing), "fail" if row.missing else ""),
            _seconds(row.p50),
            _seconds(row.p90),
            _seconds(row.max),
        ]
        for row in chosen
    ]
    return render(columns, lines, ink)


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def exit_code(verdict: Verdict, failures: Sequence[Failure], outcome: int) -> int:
    """A signal (in the runner's `outcome`) goes before the verdict, the verdict before a threshold."""
    return outcome or verdict.exit_code or (THRESHOLD_CODE if failures else 0)
