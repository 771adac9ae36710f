"""`fleet experiment`: list, show, plan, run and clean experiments."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from fleet.cli.console import ink_for, out, out_items, say
from fleet.cli.options import RESULTS, FleetOption, OutputOption, ResultsOption

if TYPE_CHECKING:
    from fleet.spec.experiment_file import ExperimentFile

app = typer.Typer(help="List, show, plan, run and clean experiments.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(metavar="NAME|FILE", help="A name in experiments/, or a file.")]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="FIELD=VALUE", envvar="FLEET_SET", show_default=False, help="Any field: workload.objects=10."
    ),
]
WecsOption = Annotated[
    str | None,
    typer.Option("--wecs", metavar="1,5,10|all", envvar="FLEET_WECS", show_default=False, help="WEC counts to sweep."),
]
LayoutOption = Annotated[
    list[str] | None,
    typer.Option(
        "--layout",
        metavar="one-to-one|one-to-many",
        envvar="FLEET_LAYOUT",
        show_default=False,
        help="May be given twice.",
    ),
]
ObjectsOption = Annotated[
    int | None,
    typer.Option("--objects", metavar="N", envvar="FLEET_OBJECTS", show_default=False, help="Objects per policy."),
]
RepeatsOption = Annotated[
    int | None,
    typer.Option("--repeats", metavar="N", envvar="FLEET_REPEATS", show_default=False, help="Counted trials of each."),
]
WorkloadOption = Annotated[
    str | None,
    typer.Option(
        "--workload",
        metavar="deployment|pod|configmap",
        envvar="FLEET_WORKLOAD",
        show_default=False,
        help="Kind of the objects.",
    ),
]


def _load(
    name: str,
    sets: list[str] | None = None,
    wecs: str | None = None,
    layouts: list[str] | None = None,
    objects: int | None = None,
    repeats: int | None = None,
    workload: str | None = None,
) -> tuple[Path, ExperimentFile]:
    """The experiment with its overrides."""
    from fleet.spec import experiment_load

    file = experiment_load.find(name)
    flags: dict[str, Any] = {
        "wecs": None if wecs is None else experiment_load.parse_wecs(wecs),
        "layouts": layouts or None,
        "workload.objects": objects,
        "repeats": repeats,
        "workload.kind": workload,
    }
    return file, experiment_load.load(file, sets=sets or [], flags=flags)


@app.command("list")
def list_(output: OutputOption = "table") -> None:
    """List the experiments in experiments/."""
    from fleet.cli import table
    from fleet.errors import SpecError
    from fleet.spec import experiment_load

    items = []
    for name, file in experiment_load.available().items():
        try:
            description = experiment_load.load(file).description
        except SpecError as error:
            description = f"(cannot be read: {error})"
        items.append({"name": name, "file": str(file), "description": " ".join(description.split())})
    if output == "json":
        out_items("ExperimentList", items)
    elif items:
        columns = [table.Column("EXPERIMENT"), table.Column("DESCRIPTION")]
        rows = [[item["name"], item["description"]] for item in items]
        out(table.render(columns, rows, ink_for(sys.stdout), width=table.terminal_width()))
    else:
        say("there are no experiments here: run this command in a checkout, or give a file")


@app.command()
def show(
    name: NameArgument,
    sets: SetOption = None,
    wecs: WecsOption = None,
    layout: LayoutOption = None,
    objects: ObjectsOption = None,
    repeats: RepeatsOption = None,
    workload: WorkloadOption = None,
    output: Annotated[
        Literal["yaml", "json"], typer.Option("-o", "--output", envvar="FLEET_OUTPUT", help="How to print it.")
    ] = "yaml",
) -> None:
    """Print the whole experiment, defaults and overrides filled in."""
    from fleet.cli.experiment_view import as_yaml

    _, spec = _load(name, sets, wecs, layout, objects, repeats, workload)
    if output == "json":
        out(spec.model_dump_json(indent=2))
    else:
        out(as_yaml(spec))


@app.command()
def plan(
    name: NameArgument,
    sets: SetOption = None,
    wecs: WecsOption = None,
    layout: LayoutOption = None,
    objects: ObjectsOption = None,
    repeats: RepeatsOption = None,
    workload: WorkloadOption = None,
    fleet: FleetOption = None,
    output: OutputOption = "table",
) -> None:
    """Print what a run would do on this fleet; touches nothing."""
    from fleet.cli.experiment_view import as_table, rows_of
    from fleet.experiment import plan as planned_trials
    from fleet.spec import fleet_load

    _, spec = _load(name, sets, wecs, layout, objects, repeats, workload)
    found = fleet_load.load(fleet_load.find(fleet))
    planned = rows_of(planned_trials(found, spec))
    if output == "json":
        out_items("TrialPlanList", [row.document() for row in planned], fleet=found.name, experiment=spec.name)
    else:
        out(as_table(planned, ink_for(sys.stdout)))


@app.command()
def run(
    name: NameArgument,
    sets: SetOption = None,
    wecs: WecsOption = None,
    layout: LayoutOption = None,
    objects: ObjectsOption = None,
    repeats: RepeatsOption = None,
    workload: WorkloadOption = None,
    keep: Annotated[
        bool, typer.Option("--keep", envvar="FLEET_KEEP", help="Leave the objects in the clusters.")
    ] = False,
    results: ResultsOption = RESULTS,
    fleet: FleetOption = None,
) -> None:
    """Run an experiment on the fleet; prints the report's path, and the verdict on stderr."""
    from fleet.spec import fleet_load

    _, spec = _load(name, sets, wecs, layout, objects, repeats, workload)
    file = fleet_load.find(fleet)
    found = fleet_load.load(file)

    from fleet.cli.experiment_run import execute

    raise typer.Exit(execute(found, file, spec, results, keep=keep))


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
    from fleet.spec import fleet_load

    file = fleet_load.find(fleet)
    raise typer.Exit(clean_up(fleet_load.load(file), file, run_id))
