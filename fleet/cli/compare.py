"""`fleet compare`: is run B better or worse than run A, and by how much."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from fleet.cli.console import ink_for, out, out_items
from fleet.cli.options import RESULTS, THRESHOLD, OutputOption, ResultsOption, ThresholdOption


def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="The run to compare with: folder, id or its end.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The run to judge.")],
    threshold: ThresholdOption = THRESHOLD,
    force: Annotated[
        bool, typer.Option("--force", envvar="FLEET_FORCE", help="Compare although machine, versions or spec differ.")
    ] = False,
    page: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", envvar="FLEET_OUT", show_default=False, help="Write the page with the curves."
        ),
    ] = None,
    results: ResultsOption = RESULTS,
    output: OutputOption = "table",
) -> int:
    """Compare two runs. Ends with 3 when B is worse, 2 when they are not comparable, 4 with too few samples to tell."""
    from fleet.cli.comparison_view import EXIT_CODES, document, items, lines, share, write_page

    least = share(threshold)
    from fleet.analysis.compare import compare as judge
    from fleet.analysis.study import analyse
    from fleet.cli.run_list import choose

    one, two = choose(a, results), choose(b, results)
    found = judge(analyse(one), analyse(two), threshold=least, force=force)
    if page is not None:
        write_page(page, found)
    if output == "json":
        out_items("Comparison", items(found), **document(found))
    else:
        out(lines(found, ink_for(sys.stdout)))
    return EXIT_CODES[found.outcome]
