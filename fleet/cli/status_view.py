"""`fleet status` as a page for people; pure, so that golden files can hold it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fleet.cli import units
from fleet.cli.console import Ink
from fleet.cli.status_model import ClusterRow, ProgramRow, Status
from fleet.cli.table import Cell, Column, render

LISTED_PROGRAMS = 40
"""More programs than this are counted by component, and only those that do not run are named; `-o wide` names all."""
LISTED_PROBLEMS = 10


def page(status: Status, ink: Ink, *, width: int, wide: bool = False) -> str:
    """The whole page; ends with a newline. `width` in columns."""
    parts = [_head(status, ink), _clusters(status, ink, width, wide=wide)]
    if status.programs:
        parts.append(_programs(status.programs, ink, width, wide=wide))
    parts.append(_memory(status, ink))
    return "\n\n".join(part for part in parts if part) + "\n"


def problems(found: Sequence[str], ink: Ink) -> str:
    """What is not well, one line each, for stderr."""
    lines = [f"{ink('not well:', 'fail')} {text}" for text in found[:LISTED_PROBLEMS]]
    if len(found) > LISTED_PROBLEMS:
        lines.append(f"{ink('not well:', 'fail')} and {len(found) - LISTED_PROBLEMS} more")
    return "\n".join(lines)


def _head(status: Status, ink: Ink) -> str:
    members = [row for row in status.clusters if row.registered]
    counts = [_count("ready", sum(row.ready for row in status.clusters), len(status.clusters), "clusters", ink)]
    if members:
        well = sum(not row.unregistered for row in members)
        counts.append(_count("available", well, len(members), "WECs", ink))
    if status.programs:
        running = sum(row.state == "RUNNING" for row in status.programs)
        counts.append(_count("running", running, len(status.programs), "programs", ink))
    first = f"{ink(f'fleet {status.fleet}', 'head')}: " + ", ".join(counts)
    if status.incomplete:
        first += f"\n{ink('incomplete', 'fail')}: {status.incomplete}"
    built = status.created.replace("T", " ").replace("Z", " UTC")
    second = f"built {built}, toolchain {status.toolchain[:12]}, {status.manager}"
    return f"{first}\n{ink(second, 'dim')}"


def _count(word: str, good: int, total: int, what: str, ink: Ink) -> str:
    return ink(f"{good}/{total} {what} {word}", "ok" if good == total else "fail")


def _clusters(status: Status, ink: Ink, width: int, *, wide: bool) -> str:
    columns = [Column("CLUSTER"), Column("ROLE"), Column("DRIVER"), Column("MACHINE"), Column("READY")]
    columns += [Column("REGISTERED"), Column("NODES", right=True)]
    if wide:
        columns.append(Column("SERVER"))
    rows = []
    for row in status.clusters:
        cells: list[Cell | str] = [
            row.name,
            status.terms.get(row.role, row.role.upper()),
            row.driver,
            row.machine,
            _ready(row),
        ]
        cells += [_registered(row), _nodes(row, status.wec_nodes)]
        if wide:
            cells.append(row.server)
        rows.append(cells)
    return render(columns, rows, ink, width=0 if wide else width)


def _ready(row: ClusterRow) -> Cell:
    return Cell("yes", "ok") if row.ready else Cell("no", "fail")


def _registered(row: ClusterRow) -> Cell:
    if not row.registered:
        return Cell("-", "dim")
    return Cell(row.registered, "fail" if row.unregistered else "ok")


def _nodes(row: ClusterRow, wanted: int) -> Cell:
    if row.role != "wec" or row.driver == "existing":
        return Cell("-", "dim")
    return Cell(f"{row.nodes_ready}/{max(row.nodes, wanted)}", "" if row.nodes_ready >= wanted else "fail")


def _programs(programs: Sequence[ProgramRow], ink: Ink, width: int, *, wide: bool) -> str:
    columns = [Column("PROGRAM"), Column("STATE"), Column("PID", right=True), Column("UPTIME", right=True)]
    columns += [Column("CPU", right=True), Column("MEMORY", right=True), Column("FDS", right=True)]
    if wide:
        columns += [Column("MACHINE"), Column("VERSION")]
    rows: list[list[Cell | str]] = []
    if wide or len(programs) <= LISTED_PROGRAMS:
        rows = [_program(row, wide=wide) for row in programs]
    else:
        for component in sorted({row.component for row in programs}):
            rows += _component([row for row in programs if row.component == component])
    rows.append(_total(programs, wide=wide))
    return render(columns, rows, ink, width=0 if wide else width)


def _program(row: ProgramRow, *, wide: bool = False) -> list[Cell | str]:
    state = Cell(row.state.lower(), "ok" if row.state == "RUNNING" else "fail")
    if row.pid:
        numbers = [str(row.pid), units.span(row.uptime), units.cores(row.cpu), units.size(row.pss), str(row.fds)]
    else:
        numbers = ["-"] * 5
    return [row.name, state, *numbers, *([row.machine, row.version] if wide else [])]


def _total(programs: Sequence[ProgramRow], *, wide: bool) -> list[Cell | str]:
    numbers = [
        units.cores(sum(row.cpu for row in programs)),
        units.size(sum(row.pss for row in programs)),
        str(sum(row.fds for row in programs)),
    ]
    texts = [f"{len(programs)} programs", "", "", "", *numbers, *(["", ""] if wide else [])]
    return [Cell(text, "head") for text in texts]


def _component(rows: Sequence[ProgramRow]) -> list[list[Cell | str]]:
    """One line for all programs of a component, then those that are not well."""
    if len(rows) == 1:
        return [_program(rows[0])]
    well = [row for row in rows if row.state == "RUNNING"]
    together: list[Cell | str] = [
        f"{rows[0].component} ({len(rows)})",
        Cell(
            f"{len(well)} running" if len(well) < len(rows) else "running", "ok" if len(well) == len(rows) else "warn"
        ),
        "",
        units.span(_least(row.uptime for row in well)) if well else "-",
        units.cores(sum(row.cpu for row in rows)),
        units.size(sum(row.pss for row in rows)),
        str(sum(row.fds for row in rows)),
    ]
    return [together, *(_program(row) for row in rows if row.state != "RUNNING")]


def _least(values: Iterable[float]) -> float:
    return min(values, default=0.0)


def _memory(status: Status, ink: Ink) -> str:
    lines = []
    for machine in status.machines:
        if machine.looked:
            free = f"{units.size(machine.available)} of {units.size(machine.total)} memory available"
            lines.append(f"{machine.name}: {free}")
        else:
            lines.append(f"{machine.name}: reached by ssh, its programs are not looked at from here")
    return "\n".join(ink(line, "dim") for line in lines)
