"""`league.json`: a league, and the run that each of its turns made."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from fleet.errors import UsageError
from fleet.model.base import Model
from fleet.model.league_file import League, Turn
from fleet.results.folder import RunFolder

FILE = "league.json"


class Played(Turn):
    """A turn that was played."""

    run: str = ""
    """Its run folder, relative to the league's; empty where there is none."""
    status: str = ""
    """Of the run's verdict, as `analyse` had it then."""
    error: str = ""
    """Why there is no run."""
    ended: str
    """Wall clock, ISO 8601."""

    @property
    def turn(self) -> Turn:
        """What was played."""
        return Turn.model_validate(self.model_dump(include=set(Turn.model_fields)))


class LeagueRecord(Model):
    """The whole file."""

    format: Literal[1] = 1
    league: League
    started: str
    """Wall clock, ISO 8601."""
    version: str = ""
    """Of this program."""
    turns: list[Played] = Field(default_factory=list)
    """In the order in which they were played."""

    def open(self) -> list[Turn]:
        """Turns without a run, in their order: never played, or failed."""
        done = {played.turn for played in self.turns if played.run}
        return [turn for turn in self.league.turns() if turn not in done]


def read(folder: Path) -> LeagueRecord:
    """UsageError when it is missing, damaged or of a newer format."""
    file = folder / FILE
    try:
        return LeagueRecord.model_validate_json(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError(f"{folder}: has no {FILE}; name the folder that `fleet league run` has made") from error
    except (OSError, ValidationError, UnicodeDecodeError) as error:
        first = str(error).splitlines()[0]
        raise UsageError(f"{file}: cannot be read ({first}); take it from the backup, or run the league again") from error


def write(folder: Path, record: LeagueRecord) -> None:
    """Replace it whole. MeasurementError when the disk refuses."""
    RunFolder(folder).write(FILE, record.model_dump_json(indent=2).encode() + b"\n")
