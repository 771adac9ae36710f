"""Options that several commands share: one name, one environment variable, one help text each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from fleet.cli import complete

Format = Literal["table", "json"]
WideFormat = Literal["table", "wide", "json"]

FleetOption = Annotated[
    str | None,
    typer.Option(
        "--fleet",
        autocompletion=complete.fleets,
        metavar="NAME|FILE",
        show_default=False,
        help="The fleet: its name or the path of its fleet.json [env: FLEET_FILE, FLEET_NAME; else the only one]",
    ),
]
OutputOption = Annotated[Format, typer.Option("-o", "--output", envvar="FLEET_OUTPUT", help="How to print it.")]
WideOption = Annotated[WideFormat, typer.Option("-o", "--output", envvar="FLEET_OUTPUT", help="How to print it.")]
ResultsOption = Annotated[
    Path, typer.Option("--results", metavar="DIR", envvar="FLEET_RESULTS", help="Folder of the run folders.")
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", envvar="FLEET_YES", help="Do not ask.")]
ThresholdOption = Annotated[
    str, typer.Option("--threshold", metavar="PERCENT", envvar="FLEET_THRESHOLD", help="Least shift that matters.")
]
BudgetOption = Annotated[
    str | None,
    typer.Option(
        "--budget",
        metavar="DURATION",
        envvar="FLEET_BUDGET",
        show_default=False,
        help="Begin nothing that would end later than that, such as 30m. [none]",
    ),
]
RESULTS = Path("results")
THRESHOLD = "10%"


def budget_seconds(text: str | None) -> float:
    """What `--budget` says; without it there is no end. UsageError."""
    from fleet.errors import UsageError
    from fleet.model.duration import parse_duration

    if text is None:
        return float("inf")
    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageError(f"--budget: {error}") from error
