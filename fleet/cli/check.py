"""`fleet check`: does the history of a run keep the rules that every run must keep."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from fleet.cli import complete
from fleet.cli.console import ink_for, out, out_items, say
from fleet.cli.options import RESULTS, OutputOption, ResultsOption

FOUND = 3
"""Exit code with findings, as of a threshold that does not hold."""


def check(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN]",
            autocompletion=complete.runs,
            show_default=False,
            help="Folder, id or its end. Default: newest.",
        ),
    ] = None,
    bound: Annotated[
        str | None,
        typer.Option(
            "--bound",
            metavar="DURATION",
            envvar="FLEET_BOUND",
            show_default=False,
            help="WECs must converge within this [default: the run's timeouts.object].",
        ),
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option(
            "--write",
            metavar="FOLDER",
            envvar="FLEET_WRITE",
            show_default=False,
            help="Write each finding as a small run with its versions.",
        ),
    ] = None,
    results: ResultsOption = RESULTS,
    output: OutputOption = "table",
) -> int:
    """Check a run's history: nothing lost, doubled, misplaced or undone. Needs only its folder. Findings end with 3."""
    from fleet.analysis.checker.check import check as judge
    from fleet.cli.check_view import document, page, seconds
    from fleet.cli.exporting import write_all
    from fleet.cli.run_list import choose
    from fleet.report.small_run import raw_lines, reproductions

    limit = seconds(bound)
    folder = choose(run, results)
    record = folder.read_run()
    checked = judge(record, folder.events(record.format), limit)
    lines = raw_lines(folder, {number for finding in checked.findings for number in finding.lines})
    if output == "json":
        head = {"run": record.id, "objects": checked.objects, "pairs": checked.pairs, "rules": checked.counts}
        out_items("Findings", [document(finding, lines) for finding in checked.findings], **head)
    else:
        out(page(record.id, checked, lines, ink_for(sys.stdout)))
    if write is not None:
        for made in reproductions(folder, record, checked):
            write_all(write / made.name, made.files)
            say(f"written: {write / made.name}")
    return FOUND if checked.findings else 0
