"""`fleet status`: every cluster, every program, memory; exit 0 only when the fleet is complete and all is well."""

from __future__ import annotations

import sys
from dataclasses import asdict

import typer

from fleet.cli.console import ink_for, out, out_items, say
from fleet.cli.options import FleetOption, WideOption


def status(fleet: FleetOption = None, output: WideOption = "table") -> None:
    """Show every cluster and program. Exits with 0 only when all is well."""
    from fleet.cli import status_view, table
    from fleet.cli.incomplete import as_it_is_now
    from fleet.cli.status_collect import collect
    from fleet.model import fleet_load

    file = fleet_load.find(fleet)
    fleet_file = as_it_is_now(fleet_load.load(file, kubeconfigs=False))
    fleet_load.check_kubeconfigs(fleet_file, file)
    found = collect(fleet_file, file)
    if output == "json":
        out_items("FleetStatus", [asdict(row) for row in found.clusters], **found.document())
    else:
        out(status_view.page(found, ink_for(sys.stdout), width=table.terminal_width(), wide=output == "wide"))
    problems = found.problems()
    if problems:
        say(status_view.problems(problems, ink_for(sys.stderr)))
        raise typer.Exit(1)
