"""`fleet trace`: record, import, show, scale and compare traces of pods."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleet.cli.console import ink_for, out, say
from fleet.cli.options import FleetOption, OutputOption

if TYPE_CHECKING:
    from fleet.trace.file import Trace

app = typer.Typer(help="Record, import, show, scale and compare traces of pods.", no_args_is_help=True)

FileArgument = Annotated[str, typer.Argument(metavar="FILE|NAME", help="A trace: a file, or a name in traces/.")]
OutOption = Annotated[Path, typer.Option("--out", "-f", metavar="FILE", help="The trace to write: NAME.trace.jsonl.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace the file.")]


@app.command()
def record(
    file: OutOption,
    seconds: Annotated[
        str, typer.Option("--for", metavar="DURATION", help="How long, as 10m; 0s: until Ctrl-C.")
    ] = "0s",
    namespace: Annotated[str, typer.Option(show_default=False, help="Only pods there. [all]")] = "",
    selector: Annotated[str, typer.Option(show_default=False, help="Only pods with these labels. [all]")] = "",
    cluster: Annotated[
        list[str] | None, typer.Option(show_default=False, help="Only this cluster; more than once. [all WECs]")
    ] = None,
    force: ForceOption = False,
    fleet: FleetOption = None,
) -> None:
    """Record the pods of all WECs of a fleet at once, by their watches."""
    from fleet.cli.trace_record import record as recorded
    from fleet.model import fleet_load
    from fleet.model.duration import parse_duration
    from fleet.trace.file import write

    _free(file, force)
    try:
        limit = parse_duration(seconds)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--for") from error
    found = fleet_load.load_built(fleet_load.find(fleet))
    made = recorded(found, cluster or [], limit, namespace=namespace or None, selector=selector or None)
    write(file, made, force=force)
    _told(file, made)


@app.command("import")
def import_(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="What FILE is; see `fleet trace importers`.")],
    source: Annotated[Path, typer.Argument(metavar="FILE", help="The file, or the run folder, to read.")],
    file: OutOption,
    machine_cpu: Annotated[
        str, typer.Option(show_default=False, help="CPUs of the machine that fractions are of, as 64.")
    ] = "",
    machine_memory: Annotated[str, typer.Option(show_default=False, help="Its memory, as 256Gi.")] = "",
    force: ForceOption = False,
) -> None:
    """Make a trace of an audit log, events, an etcd snapshot, a public data set, or a run."""
    from fleet.errors import UsageError
    from fleet.trace import quantity
    from fleet.trace.file import write
    from fleet.trace.importers import registry
    from fleet.trace.importers.importer import Machine

    importer = registry.of(kind)
    _free(file, force)
    for flag, value in (("--machine-cpu", machine_cpu), ("--machine-memory", machine_memory)):
        try:
            if value:
                quantity.parse(value)
        except ValueError as error:
            raise UsageError(f"{flag}: {error}: write for example 64, 256Gi") from error
    made = importer.read(source, Machine(machine_cpu, machine_memory))
    write(file, made, force=force)
    _told(file, made)


@app.command()
def importers() -> None:
    """List what a trace can be made from."""
    from fleet.cli import table
    from fleet.trace.importers.registry import IMPORTERS

    rows = [[name, one.text] for name, one in IMPORTERS.items()]
    out(table.render([table.Column("KIND"), table.Column("READS")], rows, ink_for(sys.stdout)))


@app.command()
def show(trace: FileArgument, output: OutputOption = "table") -> None:
    """Print what a trace holds, and what it cannot say."""
    from fleet.cli.trace_view import as_json, as_text
    from fleet.trace import place
    from fleet.trace.file import read
    from fleet.trace.summary import summary

    found = summary(read(place.find(trace)))
    out(as_json(found) if output == "json" else as_text(found))


@app.command()
def scale(
    trace: FileArgument,
    file: OutOption,
    time: Annotated[float, typer.Option(metavar="FACTOR", help="Of every time; 0.1 is ten times faster.")] = 1.0,
    size: Annotated[float, typer.Option(metavar="FACTOR", help="Of the number of pods.")] = 1.0,
    pods: Annotated[int, typer.Option(metavar="N", help="So many pods, chosen at random; 0: all.")] = 0,
    begin: Annotated[str, typer.Option("--from", metavar="DURATION", help="Pods that came from here on.")] = "0s",
    until: Annotated[str, typer.Option(metavar="DURATION", help="And before here; 0s: the end.")] = "0s",
    seed: Annotated[int, typer.Option(help="Of what is chosen at random.")] = 1,
    force: ForceOption = False,
) -> None:
    """Write a trace that is a part of another, or has other times or another size: part, pods, size, then time."""
    from fleet.model.duration import parse_duration
    from fleet.trace import place, scaling
    from fleet.trace.file import read, write

    _free(file, force)
    try:
        first, last = parse_duration(begin), parse_duration(until)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--from, --until") from error
    made = read(place.find(trace))
    if first or last:
        made = scaling.between(made, first, last or float("inf"))
    if pods:
        made = scaling.sampled(made, pods, seed)
    if size != 1:
        made = scaling.sized(made, size, seed)
    if time != 1:
        made = scaling.stretched(made, time)
    write(file, made, force=force)
    _told(file, made)


@app.command()
def drift(
    first: FileArgument,
    second: FileArgument,
    speed: Annotated[float, typer.Option(help="At which the second was played.")] = 1.0,
    output: OutputOption = "table",
) -> None:
    """How far a second recording is from a first, pod by pod. Exits with 3 beyond 5 %."""
    from fleet.cli.trace_view import drift_json, drift_text
    from fleet.errors import ThresholdError, UsageError
    from fleet.trace import fidelity, place
    from fleet.trace.file import read

    found = fidelity.drift(read(place.find(first)).pods, read(place.find(second)).pods, speed)
    if not found.pods:
        raise UsageError(f"{first} and {second} have no key in common: is one a recording of the other?")
    out(drift_json(found) if output == "json" else drift_text(found))
    if found.worst > fidelity.MOST_DRIFT:
        raise ThresholdError(f"the drift is {found.worst:.1%}, above {fidelity.MOST_DRIFT:.0%}")


def _free(file: Path, force: bool) -> None:
    """Before work begins: what would be refused at its end."""
    from fleet.errors import UsageError

    if file.exists() and not force:
        raise UsageError(f"{file} exists: choose another name, or replace it with --force")
    if not file.absolute().parent.is_dir():
        raise UsageError(f"{file}: there is no folder {file.absolute().parent}")


def _told(file: Path, made: Trace) -> None:
    out(str(file))
    left = sum(made.header.left_out.values())
    say(f"{made.header.pods} pods over {made.header.span:.1f} s{f'; {left} left out' if left else ''}")
