"""A league: which managers take turns on the same WECs, with which limits, and under which loads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from fleet.errors import SpecError
from fleet.model import yaml_source
from fleet.model.base import Model, Name
from fleet.model.checkout import checkout
from fleet.model.client_limits import Count, Rate, with_rates
from fleet.model.misspelt import misspelt
from fleet.model.model_errors import validate
from fleet.model.set_words import set_words

FOLDER = Path("experiments") / "leagues"
"""Of the checkout: leagues that can be named without a path."""

Division = Literal["closed", "open"]
"""closed: as each manager's distribution has it. open: client limits raised, and what `open` of an entrant says."""
DIVISIONS: tuple[Division, ...] = ("closed", "open")


class Entrant(Model):
    """One manager as it takes part."""

    name: Name
    """For tables."""
    variables: dict[str, Any]
    """Inventory variables that make it: `manager`, and what belongs to that."""
    open: dict[str, Any] = Field(default_factory=dict)
    """What it may set in the open division besides its client limits."""

    @model_validator(mode="after")
    def _names_a_manager(self) -> Self:
        if not isinstance(self.variables.get("manager"), str):
            raise ValueError("variables.manager is missing: name the manager that it is")
        return self


class Load(Model):
    """One load, alike for all."""

    name: Name
    set: dict[str, Any] = Field(default_factory=dict)
    """Fields of the experiment, dotted, as `--set` has them."""


class Raised(Model):
    """What every client limit of a manager is set to in the open division."""

    qps: Rate = 1000
    burst: Count = 2000


class Turn(Model):
    """One run of the league: what is set up, and what is sent."""

    round: int
    """From 1."""
    entrant: Name
    division: Division
    load: Name

    def __str__(self) -> str:
        """For people."""
        return f"round {self.round}, {self.entrant}, {self.division}, {self.load}"


class League(Model):
    """The format of a league's file."""

    format: Literal[1]
    name: Name
    """Of its folder, `results/league-<name>/`."""
    description: str = ""
    variables: dict[str, Any] = Field(default_factory=dict)
    """Of every fleet: `wec_count`, `control_plane_driver`."""
    entrants: list[Entrant] = Field(min_length=2)
    divisions: list[Division] = Field(default=[*DIVISIONS], min_length=1)
    raised: Raised = Raised()
    experiment: Literal["lifecycle", "wec-scaling"] = "lifecycle"
    """What a turn runs. `wec-scaling` creates only, and is shorter."""
    wecs: list[int] = Field(min_length=1)
    """WEC counts of every run; the fleet has as many as the largest, unless `variables` says otherwise."""
    layouts: list[Literal["one-to-one", "one-to-many"]] = Field(default=["one-to-one", "one-to-many"], min_length=1)
    set: dict[str, Any] = Field(default_factory=dict)
    """Fields of the experiment in every load, as `set` of a load has them."""
    loads: list[Load] = Field(min_length=1)
    rounds: int = Field(default=5, ge=1, le=100)
    """Repeats: in each, every entrant has a turn in every division under every load."""

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        for field, names in (("entrants", [e.name for e in self.entrants]), ("loads", [e.name for e in self.loads])):
            twice = {name for name in names if names.count(name) > 1}
            if twice:
                raise ValueError(f"{field}: the name {min(twice)} is given twice: give each its own")
        return self

    def turns(self) -> Iterator[Turn]:
        """In the order in which they are played. Every other round goes backwards (A B C, C B A): what drifts with
        time, such as heat or a growing disk, falls on all alike."""
        fleets = [(entrant.name, division) for entrant in self.entrants for division in self.divisions]
        for number in range(1, self.rounds + 1):
            for entrant, division in fleets if number % 2 else reversed(fleets):
                for load in self.loads:
                    yield Turn(round=number, entrant=entrant, division=division, load=load.name)

    def entrant(self, name: str) -> Entrant:
        """By its name."""
        return next(entrant for entrant in self.entrants if entrant.name == name)

    def load(self, name: str) -> Load:
        """By its name."""
        return next(load for load in self.loads if load.name == name)

    def fleet_of(self, turn: Turn, limits: Sequence[str]) -> dict[str, Any]:
        """Inventory variables for that turn; `limits` names the client limits that its manager has."""
        entrant = self.entrant(turn.entrant)
        given = {"wec_count": max(self.wecs), **self.variables, **entrant.variables}
        if turn.division == "closed":
            return given
        return {**given, **with_rates(limits, qps=self.raised.qps, burst=self.raised.burst), **entrant.open}

    def sets(self, load: str) -> list[str]:
        """`FIELD=VALUE` of that load, the ones of every load first."""
        return set_words({**self.set, **self.load(load).set})

    @property
    def words(self) -> list[str]:
        """Of `fleet experiment run`, alike for all turns."""
        layouts = [word for layout in self.layouts for word in ("--layout", layout)]
        return [self.experiment, "--wecs", ",".join(map(str, self.wecs)), *layouts]


def find(text: str) -> Path:
    """The file of a league: a path, or the name of one in `experiments/leagues`. SpecError naming the nearest."""
    if "/" in text or text.endswith((".yaml", ".yml")):
        return Path(text)
    folder = checkout() / FOLDER
    known = sorted(file.stem for file in folder.glob("*.yaml"))
    if text in known:
        return folder / f"{text}.yaml"
    close = misspelt([text], known)
    hint = f"did you mean `{close[text]}`?" if text in close else f"there are {', '.join(known)}"
    raise SpecError(f"there is no league {text!r}: {hint}; or give the path of a file", field="LEAGUE")


def load(file: Path) -> League:
    """The league of a file; SpecError with file, line and field."""
    source = yaml_source.read(file)
    return validate(League, source.data, lambda path: (file, source.line(path)))
