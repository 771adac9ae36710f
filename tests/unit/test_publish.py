"""A published run is packed and whole by its manifest; what was changed since the run is not published."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.model.league_file import Entrant, League, Load
from fleet.results import league
from fleet.results.folder import EVENTS, RunFolder
from tests.unit.report.made import simulated, write_run
from tools.publish import publish


def run_folder(root: Path) -> RunFolder:
    """A sealed run of two WECs."""
    made = write_run(root, simulated([2], repeats=1).ordered(), wecs=2)
    made.seal()
    return made


def test_a_published_run_is_packed_and_whole(tmp_path: Path) -> None:
    run = run_folder(tmp_path / "ran")
    recorded = list(run.events())

    target = RunFolder(publish(run.path, "reference", tmp_path / "results"))

    assert target.path == tmp_path / "results" / "wec-scaling" / "reference"
    assert not target.modified()
    assert not list(target.path.glob("*.csv"))
    assert target.log.name == f"{EVENTS}.gz"
    assert list(target.events()) == recorded


def test_a_run_that_was_changed_is_refused(tmp_path: Path) -> None:
    run = run_folder(tmp_path / "ran")
    with run.log.open("a") as file:
        file.write("\n")
    with pytest.raises(ValueError, match=EVENTS):
        publish(run.path, "reference", tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_what_is_too_large_is_refused_and_the_one_before_stays(tmp_path: Path) -> None:
    before = publish(run_folder(tmp_path / "before").path, "reference", tmp_path / "results")
    events = (before / f"{EVENTS}.gz").read_bytes()
    run = run_folder(tmp_path / "ran")
    (run.path / "raw").mkdir(exist_ok=True)
    (run.path / "raw" / "scheduler.log").write_text("a program's log does not count\n" * 10_000)
    with pytest.raises(ValueError, match="take a shorter run"):
        publish(run.path, "reference", tmp_path / "results", most=1000)
    assert (before / f"{EVENTS}.gz").read_bytes() == events
    assert [path.name for path in before.parent.iterdir()] == ["reference"]
    publish(run.path, "reference", tmp_path / "results", most=200_000)
    assert not (before / "raw").exists() or not list((before / "raw").iterdir())


def test_a_name_of_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="begin with a letter"):
        publish(run_folder(tmp_path / "ran").path, "20261128T234202Z-ddd3e56c", tmp_path / "results")


def test_a_league_goes_with_its_runs(tmp_path: Path) -> None:
    folder = tmp_path / "league"
    made = run_folder(folder)
    made.write("report.html", b"<!doctype html>")
    made.seal()
    run = made.path.relative_to(folder)
    entrants = [Entrant(name=name, variables={"manager": name}) for name in ("ocm", "karmada")]
    file = League(format=1, name="two", entrants=entrants, wecs=[2], loads=[Load(name="one")])
    turns = [*file.turns()][:2]
    played = [
        league.Played(**turns[0].model_dump(), run=str(run), status="valid", ended="2026-11-29T08:00:00Z"),
        league.Played(**turns[1].model_dump(), error="it failed", ended="2026-11-29T08:01:00Z"),
    ]
    league.write(folder, league.LeagueRecord(league=file, started="2026-11-29T07:00:00Z", turns=played))

    target = publish(folder, "reference", tmp_path / "results")

    assert target == tmp_path / "results" / "league-two" / "reference"
    assert league.read(target) == league.read(folder)
    assert not RunFolder(target / run).modified()
    assert (target / run / f"{EVENTS}.gz").is_file()
    assert not (target / run / "report.html").exists()
