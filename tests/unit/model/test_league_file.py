"""The file of a league: what a turn's fleet is made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fleet.cli.given_variables import checked_variables
from fleet.cli.overrides import Overrides
from fleet.managers.installer import installer
from fleet.model.league_file import FOLDER, Division, League, Turn, load

LEAGUE = League.model_validate(
    {
        "format": 1, "name": "two", "wecs": [2, 4], "variables": {"wec_nodes": 1}, "raised": {"qps": 300, "burst": 700},
        "entrants": [
            {"name": "plain", "variables": {"manager": "kubestellar"}},
            {"name": "wide", "variables": {"manager": "kubestellar"}, "open": {"transport_concurrency": 9}},
        ],
        "loads": [{"name": "one"}],
    }
)  # fmt: skip
GIVEN = {"manager": "kubestellar", "wec_nodes": 1, "wec_count": 4}


def fleet_of(entrant: str, division: Division) -> dict[str, Any]:
    turn = Turn(round=1, entrant=entrant, division=division, load="one")
    return LEAGUE.fleet_of(turn, installer("kubestellar").limits)


def test_the_closed_division_has_the_defaults() -> None:
    assert fleet_of("plain", "closed") == GIVEN
    assert fleet_of("wide", "closed") == GIVEN


def test_the_open_division_raises_requests_a_second_and_at_once_alone() -> None:
    raised = {name: value for name, value in fleet_of("plain", "open").items() if name not in GIVEN}
    assert raised["transport_wds_qps"] == 300
    assert raised["transport_wds_burst"] == 700
    assert {name.rsplit("_", 1)[-1] for name in raised} == {"qps", "burst"}


def test_what_an_entrant_changes_besides_is_its_own() -> None:
    assert fleet_of("wide", "open") == {**fleet_of("plain", "open"), "transport_concurrency": 9}


@pytest.mark.parametrize(
    "file", sorted((Path(__file__).parents[3] / FOLDER).glob("*.yaml")), ids=lambda file: file.stem
)
def test_the_leagues_of_the_repository_can_be_played(file: Path) -> None:
    league = load(file)
    for turn in league.turns():
        limits = installer(str(league.entrant(turn.entrant).variables["manager"])).limits
        if turn.round == 1:
            checked_variables(league.fleet_of(turn, limits), "")
            wanted = Overrides(wecs=",".join(map(str, league.wecs)), layouts=[*league.layouts])
            assert wanted.with_sets(league.sets(turn.load)).load(league.experiment).name == league.experiment
