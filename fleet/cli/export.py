"""`fleet export`: a run in the formats that other tools read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from fleet.cli import complete
from fleet.cli.console import out
from fleet.cli.options import RESULTS, ResultsOption


def export(
    run: Annotated[
        str, typer.Argument(metavar="RUN", autocompletion=complete.runs, help="The run: folder, id or its end.")
    ],
    format_: Annotated[
        Literal["kube-burner", "perfdata", "junit", "openmetrics", "hdr", "pyroscope", "svg"],
        typer.Option("--format", envvar="FLEET_FORMAT", show_default=False, help="What to write."),
    ],
    folder: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", envvar="FLEET_OUT", show_default=False, help="Where to [default: RUN/exports]."
        ),
    ] = None,
    results: ResultsOption = RESULTS,
) -> None:
    """Write a run for kube-burner, ClusterLoader2, Jenkins, Prometheus, HdrHistogram and so on; prints the paths."""
    from fleet.analysis.study import analyse
    from fleet.cli.exporting import write_all
    from fleet.cli.run_list import choose
    from fleet.report.exports import FORMATS

    chosen = choose(run, results)
    target = folder if folder is not None else chosen.path / "exports"
    files = FORMATS[format_].files(analyse(chosen))
    out("\n".join(str(path) for path in write_all(target, files)))
