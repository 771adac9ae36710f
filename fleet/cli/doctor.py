"""`fleet doctor`: what on this machine would stop or slow a fleet, and how to fix each."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from fleet.cli.console import ink_for, out, out_items
from fleet.cli.options import OutputOption


def doctor(
    wecs: Annotated[
        int | None,
        typer.Option(
            "--wecs",
            metavar="N",
            min=1,
            max=1000,
            envvar="FLEET_DOCTOR_WECS",
            show_default=False,
            help="A new fleet of N WECs should fit too.",
        ),
    ] = None,
    output: OutputOption = "table",
) -> None:
    """Check whether this machine can hold a fleet. Exits with 1 when a check fails; each says how to fix it."""
    from fleet.cli.doctor_checks import examine
    from fleet.cli.findings import failed, page

    findings = examine(wecs)
    if output == "json":
        out_items("FindingList", [finding.document() for finding in findings])
    else:
        out(page(findings, ink_for(sys.stdout)))
    if failed(findings):
        raise typer.Exit(1)
