"""`fleet league`: managers in turn on the same WECs, and the table of what they did."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from fleet import __version__
from fleet.cli.build import InventoryOption, checked_name
from fleet.cli.console import out, out_items, say
from fleet.cli.options import RESULTS, THRESHOLD, BudgetOption, ResultsOption, ThresholdOption, budget_seconds
from fleet.errors import FleetError, UsageError

if TYPE_CHECKING:
    from fleet.cli.arm import Arm
    from fleet.model.league_file import Division, League, Turn
    from fleet.results.league import LeagueRecord, Played

app = typer.Typer(help="Measure managers side by side, and make the table.", no_args_is_help=True)

INCOMPLETE = 4
"""Exit code when a turn has no run that counts."""


@app.command()
def run(
    league: Annotated[
        str,
        typer.Argument(
            metavar="LEAGUE|FILE|FOLDER", help="A name in experiments/leagues/, a file, or a league to go on with."
        ),
    ],
    budget: BudgetOption = None,
    keep: Annotated[bool, typer.Option("--keep", envvar="FLEET_KEEP", help="Leave the fleet up.")] = False,
    fleet: Annotated[
        str, typer.Option("--fleet", metavar="NAME", envvar="FLEET_NAME", help="Name of its fleet.")
    ] = "league",
    inventory: InventoryOption = None,
    results: ResultsOption = RESULTS,
) -> None:
    """Play a league, or go on with one; what was measured is kept. Ends with 4 when a turn has no run."""
    from fleet.results.folder import RunFolder
    from fleet.results.league import write

    limit = budget_seconds(budget)
    if inventory is not None and not inventory.exists():
        raise UsageError(f"the inventory {inventory} does not exist: give it with -i")
    folder, record = _opened(league, results)
    arms = _arms(record.league, checked_name(fleet, "--fleet"), inventory, folder)
    RunFolder.check_root(results)
    folder.mkdir(parents=True, exist_ok=True)
    write(folder, record)
    say(f"{len(record.open())} turns to play; results: {folder}")
    try:
        for played in _played(record, arms, folder, limit):
            record = record.model_copy(update={"turns": [*record.turns, played]})
            write(folder, record)
    finally:
        if not keep:
            next(iter(arms.values())).down()
    out(str(folder))
    raise typer.Exit(INCOMPLETE if record.open() else 0)


@app.command()
def table(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER...", help="Of leagues of one file.")],
    threshold: ThresholdOption = THRESHOLD,
    into: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", envvar="FLEET_OUT", show_default=False, help="Write it there."),
    ] = None,
    output: Annotated[
        Literal["markdown", "json"], typer.Option("-o", "--output", envvar="FLEET_OUTPUT", help="How to print it.")
    ] = "markdown",
) -> None:
    """Make the table of a league from its raw runs."""
    from fleet.analysis.league import standings
    from fleet.cli.comparison_view import share
    from fleet.report.league_markdown import items, markdown
    from fleet.results.league import read

    least = share(threshold)
    records = [(folder, read(folder)) for folder in folders]
    if any(record.league != records[0][1].league for _, record in records[1:]):
        raise UsageError("these folders are of different leagues: give those of one file")
    found = standings(records, least)
    if output == "json":
        out_items("LeagueStandings", items(found))
        return
    page = markdown(found)
    if into is None:
        out(page.rstrip("\n"))
        return
    into.write_text(page, encoding="utf-8")
    say(f"written: {into}")


def _opened(text: str, results: Path) -> tuple[Path, LeagueRecord]:
    """A folder and what it holds so far; nothing is made."""
    from fleet.model import league_file
    from fleet.results.league import LeagueRecord, read

    if Path(text).is_dir():
        return Path(text).absolute(), read(Path(text))
    found = league_file.load(league_file.find(text))
    now = datetime.now(UTC)
    folder = results.absolute() / f"league-{found.name}" / now.strftime("%Y%m%dT%H%M%SZ")
    return folder, LeagueRecord(league=found, started=now.isoformat(timespec="seconds"), version=__version__)


def _arms(league: League, fleet: str, inventory: Path | None, folder: Path) -> dict[tuple[str, Division], Arm]:
    """By entrant and division: one fleet, changed from turn to turn. All variables and loads are checked here."""
    from fleet.cli.arm import Arm
    from fleet.cli.given_variables import checked_variables
    from fleet.cli.overrides import Overrides
    from fleet.managers.installer import installer
    from fleet.model.checkout import checkout
    from fleet.model.league_file import Turn

    here, made = checkout(), {}
    wanted = Overrides(wecs=",".join(map(str, league.wecs)), layouts=[*league.layouts])
    for load in league.loads:
        wanted.with_sets(league.sets(load.name)).load(league.experiment)
    for entrant in league.entrants:
        manager = str(entrant.variables["manager"])
        limits = installer(manager).limits
        for division in league.divisions:
            turn = Turn(round=1, entrant=entrant.name, division=division, load=league.loads[0].name)
            values = league.fleet_of(turn, limits)
            label = f"{entrant.name}, {division}"
            checked_variables(values, f"{label}: ")
            made[entrant.name, division] = Arm(label, fleet, here, values, league.words, inventory, folder)
    return made


def _played(
    record: LeagueRecord, arms: dict[tuple[str, Division], Arm], folder: Path, budget: float
) -> Iterator[Played]:
    """Turns while there is time: those in a row with the same fleet share it."""
    began, longest = time.monotonic(), 0.0
    now_up: tuple[int, str, Division] | None = None
    missing: FleetError | None = None
    for turn in record.open():
        start = time.monotonic()
        if start - began + longest > budget:
            say(f"the next turn would end after the budget of {budget:.0f} s")
            return
        wanted, arm = (turn.round, turn.entrant, turn.division), arms[turn.entrant, turn.division]
        if wanted != now_up:
            say(f"round {turn.round}: {arm.label}")
            now_up, missing = wanted, _up(arm)
        yield _turn(turn, arm, record.league, folder) if missing is None else _failed(turn, missing)
        longest = max(longest, time.monotonic() - start)


def _up(arm: Arm) -> FleetError | None:
    """Its fleet, up; else why it is not."""
    try:
        arm.up()
    except FleetError as error:
        return error
    return None


def _turn(turn: Turn, arm: Arm, league: League, folder: Path) -> Played:
    from dataclasses import replace

    from fleet.analysis.study import analyse
    from fleet.results.league import Played

    words: Sequence[str] = [*arm.words, *(word for text in league.sets(turn.load) for word in ("--set", text))]
    start = time.monotonic()
    try:
        made = replace(arm, words=words).run()
        status = analyse(made).verdict.status
    except FleetError as error:
        return _failed(turn, error)
    say(f"{turn}: {made.id}: {status}, {time.monotonic() - start:.0f} s")
    path = made.path.relative_to(folder)
    return Played(**turn.model_dump(), run=str(path), status=status, ended=_now())


def _failed(turn: Turn, error: FleetError) -> Played:
    from fleet.results.league import Played

    say(f"{turn}: {error}")
    return Played(**turn.model_dump(), error=str(error), ended=_now())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
