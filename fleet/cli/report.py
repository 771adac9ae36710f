"""`fleet report` and `fleet runs`: make a report again from its folder; list the runs there are."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from fleet.cli import complete
from fleet.cli.console import ink_for, out, out_items, say
from fleet.cli.options import RESULTS, OutputOption, ResultsOption


def report(
    run: Annotated[
        str | None,
        typer.Argument(metavar="[RUN|DIR]", autocompletion=complete.runs, show_default=False, help="Default: newest."),
    ] = None,
    results: ResultsOption = RESULTS,
    format_: Annotated[
        Literal["html", "markdown"],
        typer.Option("--format", envvar="FLEET_FORMAT", help="markdown: print it, and leave the folder as it is."),
    ] = "html",
    sample: Annotated[
        str | None,
        typer.Option(
            "--sample",
            metavar="NAME[@WEC]|slowest[:STAGE]",
            envvar="FLEET_SAMPLE",
            show_default=False,
            help="Print one sample's timeline and its raw lines instead.",
        ),
    ] = None,
    open_: Annotated[
        bool, typer.Option("--open/--no-open", envvar="FLEET_OPEN", help="Show it in the browser.")
    ] = False,
) -> None:
    """Make the report of a run again. Needs its folder alone, no cluster; prints the report's path."""
    from fleet.cli.run_list import choose

    folder = choose(run, results)
    if sample is not None:
        from fleet.cli.sample_view import tell_sample

        tell_sample(folder, sample)
        return
    if format_ == "markdown":
        from fleet.analysis.study import analyse
        from fleet.report.markdown_page import markdown

        out(markdown(analyse(folder)).rstrip("\n"))
        return
    from fleet.cli.reporting import PAGE, make, page_of, tell

    study = make(folder)
    out(page_of(folder))
    tell(study)
    if open_:
        typer.launch((folder.path / PAGE).as_uri())


def runs(results: ResultsOption = RESULTS, output: OutputOption = "table") -> None:
    """List the runs and their verdicts. Newest first."""
    from fleet.cli.run_list import find_all, rows_of, table

    found = rows_of(find_all(results))
    if output == "json":
        out_items("RunList", [row.document() for row in found])
    elif found:
        out(table(found, ink_for(sys.stdout)))
    else:
        say(f"there are no runs in {results}: start one with `fleet experiment run wec-scaling`")
