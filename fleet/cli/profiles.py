"""`fleet profiles`: fetch heap, goroutine and CPU profiles of any program; show or compare those that were fetched."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleet.cli.console import ink_for, out, out_items, say_error
from fleet.cli.options import FleetOption, OutputOption
from fleet.errors import FleetError, UsageError

if TYPE_CHECKING:
    from fleet.analysis.pprof import Profile
    from fleet.model.experiment_file import ProfileKind
    from fleet.observe.pprof import Fetched

TYPES = {"heap": "inuse_space", "goroutine": "goroutine", "cpu": "cpu"}
MOST_SECONDS = 600


def profiles(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CLUSTER|PROGRAM]...", show_default=False, help="Of these [all that serve profiles]."),
    ] = None,
    kinds: Annotated[
        list[str] | None,
        typer.Option(
            "--kind",
            metavar="heap|goroutine|cpu",
            envvar="FLEET_KIND",
            show_default=False,
            help="May be given several times. [heap]",
        ),
    ] = None,
    seconds: Annotated[
        int, typer.Option("--seconds", min=1, max=MOST_SECONDS, envvar="FLEET_SECONDS", help="Of a CPU profile.")
    ] = 10,
    folder: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", envvar="FLEET_OUT", show_default=False, help="[profiles-FLEET-TIME]"),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--read", metavar="FILE", show_default=False, help="Show this file; fetch nothing.")
    ] = None,
    base: Annotated[
        Path | None,
        typer.Option("--base", metavar="OLD", show_default=False, help="With --read: what FILE has more than OLD."),
    ] = None,
    sample_type: Annotated[
        str, typer.Option("--sample-type", metavar="TYPE", help="With --read: alloc_space, samples, ... [the default]")
    ] = "",
    count: Annotated[int, typer.Option("--top", min=1, envvar="FLEET_TOP", help="Functions to show.")] = 10,
    fleet: FleetOption = None,
    output: OutputOption = "table",
) -> None:
    """Fetch profiles into a folder, or read fetched ones. That slows the programs; exits with 1 when one failed."""
    if file is not None:
        if names or kinds:
            raise UsageError("--read shows a file: leave the names and --kind away")
        _show(file, base, sample_type, count, output)
        return
    if base is not None or sample_type:
        raise UsageError("--base and --sample-type go with --read FILE")
    _fetch(list(names or []), _kinds(kinds or ["heap"]), seconds, folder, fleet, output)


def _kinds(asked: list[str]) -> list[ProfileKind]:
    from fleet.observe.pprof import PAGES

    for name in asked:
        if name not in PAGES:
            raise typer.BadParameter(f"{name!r} is not one of {', '.join(PAGES)}", param_hint="--kind")
    return [kind for kind in PAGES if kind in asked]


def _fetch(
    names: list[str], kinds: list[ProfileKind], seconds: int, folder: Path | None, asked: str | None, output: str
) -> None:
    from fleet.model import fleet_load
    from fleet.observe.pprof import chosen
    from fleet.observe.pprof_away import fetch_everywhere

    found = fleet_load.load(fleet_load.find(asked), kubeconfigs=False)
    programs = chosen(found, names)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    target = folder if folder is not None else Path(f"profiles-{found.name}-{stamp}")
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise UsageError(f"--out: {target} is not a folder; name another")
    import asyncio

    answers = asyncio.run(fetch_everywhere(found, programs, kinds, cpu_seconds=seconds))
    rows = [_stored(target, one) for one in answers]
    if output == "json":
        out_items("ProfileList", rows, fleet=found.name, folder=str(target))
    else:
        from fleet.cli.table import Column, render

        columns = [Column("PROGRAM"), Column("KIND"), Column("TOTAL", right=True), Column("COSTLIEST"), Column("FILE")]
        shown = ("program", "kind", "total", "costliest", "file")
        cells = [[str(row[key]) for key in shown] for row in rows if row["file"]]
        out(render(columns, cells, ink_for(sys.stdout)))
    failed = [row for row in rows if row["error"]]
    for row in failed:
        say_error(f"{row['program']}, {row['kind']}: {row['error']}")
    if failed:
        raise typer.Exit(1)


def _stored(folder: Path, one: Fetched) -> dict[str, str | int]:
    """Write one answer; what the list shows of it."""
    from fleet.analysis.pprof import read, top, total
    from fleet.observe.profiler import store
    from fleet.report.flame import amount

    row: dict[str, str | int] = {
        "program": one.component.program,
        "kind": one.kind,
        "size": len(one.data),
        "total": "",
        "costliest": "",
        "file": "",
        "error": one.error,
    }
    if one.error:
        return row
    profile = read(one.data)
    wanted = TYPES[one.kind]
    unit = profile.sample_types[profile.index(wanted)].unit
    costs = top(profile, wanted, 1)
    row["file"] = str(store(folder, one))
    row["total"] = amount(total(profile, wanted), unit)
    row["costliest"] = f"{costs[0].function.rpartition('/')[2]} {amount(costs[0].flat, unit)}" if costs else "-"
    return row


def _show(file: Path, base: Path | None, sample_type: str, count: int, output: str) -> None:
    from fleet.analysis.pprof import difference, top, total
    from fleet.report.flame import amount

    profile = _read(file)
    if base is not None:
        profile = difference(_read(base), profile)
    kind = profile.sample_types[profile.index(sample_type)]
    costs = top(profile, kind.type, count)
    if output == "json":
        items = [{"function": c.function, "flat": c.flat, "cumulative": c.cumulative} for c in costs]
        out_items("ProfileTop", items, sampleType=kind.type, unit=kind.unit, total=total(profile, kind.type))
        return
    from fleet.cli.table import Column, render

    columns = [Column("FLAT", right=True), Column("CUMULATIVE", right=True), Column("FUNCTION")]
    rows = [[amount(c.flat, kind.unit), amount(c.cumulative, kind.unit), c.function] for c in costs]
    out(f"{kind.type} of {amount(total(profile, kind.type), kind.unit)}{', what is more than before' if base else ''}")
    out(render(columns, rows, ink_for(sys.stdout)))


def _read(path: Path) -> Profile:
    from fleet.analysis.pprof import read

    try:
        return read(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; name a profile that was fetched") from error
    except FleetError as error:
        raise UsageError(f"{path}: {error}") from error
