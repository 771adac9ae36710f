"""`fleet plan`: what a fleet would take that is not built yet, and where this machine ends."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from fleet.cli.build import SetVariables
from fleet.cli.console import ink_for, out, out_items, say
from fleet.cli.options import OutputOption
from fleet.errors import UsageError

MOST_PLANNED = 10_000


def plan(
    wecs: Annotated[
        int | None,
        typer.Argument(metavar="N", min=1, max=MOST_PLANNED, show_default=False, help="WECs of the fleet."),
    ] = None,
    driver: Annotated[
        str | None,
        typer.Option("--driver", metavar="NAME", envvar="FLEET_DRIVER", show_default=False, help="Of the WECs."),
    ] = None,
    nodes: Annotated[
        str | None,
        typer.Option(
            "--nodes",
            metavar="NAME",
            envvar="FLEET_NODES",
            show_default=False,
            help="Node simulator; how many in each WEC is -e wec_nodes=N.",
        ),
    ] = None,
    manager: Annotated[
        str | None,
        typer.Option("--manager", metavar="NAME", envvar="FLEET_MANAGER", show_default=False, help="Its manager."),
    ] = None,
    platform: Annotated[
        str | None,
        typer.Option("--platform", metavar="NAME", envvar="FLEET_PLATFORM", show_default=False, help="Of its WECs."),
    ] = None,
    variables: SetVariables = None,
    fit: Annotated[
        list[Path] | None,
        typer.Option(
            "--fit",
            metavar="FOLDER",
            show_default=False,
            help="Make this machine's model of these runs: a run folder, or a folder of them. May be repeated.",
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            "--model",
            metavar="FILE",
            envvar="FLEET_MODEL",
            show_default=False,
            help="Read it from here (with --fit: write it). Default: this machine's, else the shipped one.",
        ),
    ] = None,
    output: OutputOption = "table",
) -> None:
    """Say what a fleet of N WECs would take: memory, CPU, ports, time to build, down-sync and so on, with intervals."""
    from fleet.cli.plan_fit import choose, make
    from fleet.cli.plan_machine import asked, declared, resources, this_machine, toolchain_here
    from fleet.cli.plan_view import figure_document, page, rest_document

    if wecs is None and not fit:
        raise UsageError("give the number of WECs, such as `fleet plan 100`, or runs to fit with --fit FOLDER")
    question, chosen = asked(
        {"control_plane_driver": driver, "node_simulator": nodes, "manager": manager, "platform": platform},
        variables or [],
    )
    if fit:
        made = make(fit, model)
        for line in made.lines():
            say(line)
        model = made.file
    if wecs is None:
        return
    from fleet.analysis.sizing.sized import size
    from fleet.model.variables import MOST_WECS

    known = choose(model, question.setup)
    sized = size(known, question, wecs, declared(chosen), resources(), this_machine(), toolchain=toolchain_here(chosen))
    if wecs > MOST_WECS:
        say(f"wec_count is at most {MOST_WECS}: the figures are of a fleet that cannot be built")
    if output == "json":
        out_items("SizingPlan", [figure_document(one) for one in sized.figures], **rest_document(sized))
    else:
        out(page(sized, ink_for(sys.stdout)))
