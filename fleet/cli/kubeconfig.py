"""`fleet kubeconfig`: where the kubeconfigs are, and one merged file for other tools."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from fleet.cli.cluster import named
from fleet.cli.console import ink_for, out, out_items
from fleet.cli.options import FleetOption, OutputOption


def kubeconfig(
    name: Annotated[str | None, typer.Argument(metavar="[CLUSTER]", show_default=False, help="One cluster.")] = None,
    merge: Annotated[
        Path | None,
        typer.Option(
            "--merge",
            metavar="FILE",
            envvar="FLEET_MERGE",
            show_default=False,
            help="Write contexts fleet-<fleet>-<cluster> into FILE; what else is in it stays.",
        ),
    ] = None,
    fleet: FleetOption = None,
    output: OutputOption = "table",
) -> None:
    """Print where the kubeconfigs are, or merge them."""
    from fleet.cli.kubeconfig_merge import merge_into
    from fleet.cli.table import Column, render
    from fleet.model import fleet_load

    found = fleet_load.load(fleet_load.find(fleet))
    chosen = sorted(found.clusters, key=lambda c: c.name) if name is None else [named(found, name)]
    if merge is not None:
        out(str(merge_into(merge, found.name, chosen)))
    elif output == "json":
        items = [
            {"cluster": c.name, "context": c.context or f"fleet-{found.name}-{c.name}", "path": c.kubeconfig}
            for c in chosen
        ]
        out_items("KubeconfigList", items, fleet=found.name)
    elif name is not None:
        out(chosen[0].kubeconfig)
    else:
        rows = [[c.name, c.kubeconfig] for c in chosen]
        out(render([Column("CLUSTER"), Column("KUBECONFIG")], rows, ink_for(sys.stdout)))
