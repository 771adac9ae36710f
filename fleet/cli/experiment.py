"""`fleet experiment`: list, show, plan, run and clean experiments."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from typing import Annotated, Any, Literal

import typer

from fleet.cli import complete
from fleet.cli.console import ink_for, out, out_items, say
from fleet.cli.options import RESULTS, FleetOption, OutputOption, ResultsOption
from fleet.cli.overrides import Overrides, overridable

app = typer.Typer(help="List, show, plan, run and clean experiments.", no_args_is_help=True)

NameArgument = Annotated[
    str,
    typer.Argument(metavar="NAME|FILE", help="A name in experiments/, or a file.", autocompletion=complete.experiments),
]


@app.command("list")
def list_(output: OutputOption = "table") -> None:
    """List the experiments in experiments/."""
    from fleet.cli import table
    from fleet.errors import SpecError
    from fleet.experiments import registry
    from fleet.model import experiment_load

    items: list[dict[str, Any]] = []
    for name, file in experiment_load.available().items():
        try:
            spec = registry.load(file)
        except SpecError as error:
            description, managers = f"(cannot be read: {error})", {}
        else:
            description, managers = spec.description, registry.able(registry.of(spec))
        able = [manager for manager, why in managers.items() if not why]
        item = {"name": name, "file": str(file), "description": " ".join(description.split()), "managers": able}
        items.append(item | {"cannot": {manager: why for manager, why in managers.items() if why}})
    if output == "json":
        out_items("ExperimentList", items)
    elif items:
        columns = [table.Column("EXPERIMENT"), table.Column("MANAGERS"), table.Column("DESCRIPTION")]
        rows = [[item["name"], _those(item["managers"], item["cannot"]), item["description"]] for item in items]
        out(table.render(columns, rows, ink_for(sys.stdout), width=table.terminal_width()))
    else:
        say("there are no experiments here: run this command in a checkout, or give a file")


def _those(able: Sequence[str], cannot: Collection[str]) -> str:
    """Managers in few words: a table has 80 columns."""
    if len(cannot) < len(able):
        return f"all but {', '.join(cannot)}" if cannot else "all"
    return ", ".join(able)


@app.command()
@overridable
def show(
    name: NameArgument,
    overrides: Overrides,
    output: Annotated[
        Literal["yaml", "json"], typer.Option("-o", "--output", envvar="FLEET_OUTPUT", help="How to print it.")
    ] = "yaml",
) -> None:
    """Print the whole experiment, defaults and overrides filled in."""
    from fleet.cli.experiment_view import as_yaml

    spec = overrides.load(name)
    if output == "json":
        out(spec.model_dump_json(indent=2))
    else:
        out(as_yaml(spec))


@app.command()
@overridable
def plan(
    name: NameArgument,
    overrides: Overrides,
    fleet: FleetOption = None,
    output: OutputOption = "table",
) -> None:
    """Print what a run would do on this fleet; touches nothing."""
    from fleet.cli.experiment_view import as_table, schedule
    from fleet.experiment.runner import faults_of
    from fleet.experiment.runner import plan as planned_trials
    from fleet.experiments import registry
    from fleet.model import fleet_load

    spec = overrides.load(name)
    found = fleet_load.load(fleet_load.find(fleet))
    experiment = registry.of(spec)
    trials = planned_trials(found, experiment, spec)
    planned = experiment.table(trials)
    faults = [one.document for one in faults_of(spec, found, trials)]
    able = registry.able(experiment)
    if output == "json":
        extra: dict[str, Any] = {
            "fleet": found.name,
            "experiment": spec.name,
            "manager": found.manager.name,
            "managers": able,
        }
        extra |= {"during": faults} if faults else {}
        out_items("TrialPlanList", [dict(row) for row in planned.documents], **extra)
    else:
        ink = ink_for(sys.stdout)
        out(as_table(planned, found.manager.name, able, ink) + schedule(faults, ink))


@app.command()
@overridable
def run(
    name: NameArgument,
    overrides: Overrides,
    keep: Annotated[
        bool, typer.Option("--keep", envvar="FLEET_KEEP", help="Leave the objects in the clusters.")
    ] = False,
    live: Annotated[
        bool,
        typer.Option(
            "--live", envvar="FLEET_LIVE", help="Show the run while it goes on: a page on loopback, and here."
        ),
    ] = False,
    results: ResultsOption = RESULTS,
    fleet: FleetOption = None,
) -> None:
    """Run an experiment on the fleet; prints the report's path, and the verdict on stderr."""
    from fleet.model import fleet_load

    spec = overrides.load(name)
    file = fleet_load.find(fleet)
    found = fleet_load.load_built(file)

    from fleet.cli.experiment_run import execute

    raise typer.Exit(execute(found, file, spec, results, keep=keep, live=live))


@app.command()
def clean(
    run_id: Annotated[
        str | None,
        typer.Option("--run", metavar="ID", envvar="FLEET_RUN", show_default=False, help="Only this run's. [all]"),
    ] = None,
    fleet: FleetOption = None,
) -> None:
    """Remove what killed runs left in the clusters. Exits with 1 when something cannot be removed."""
    from fleet.cli.experiment_run import clean_up
    from fleet.model import fleet_load

    file = fleet_load.find(fleet)
    raise typer.Exit(clean_up(fleet_load.load(file), file, run_id))
