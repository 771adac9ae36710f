"""`fleet league`: what is refused, in which order turns are played, what is kept, and what the table says of it.

Runs are those of a simulated manager in a checkout whose `fleet` moves them in place; live: tests/live/test_league.py.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.analysis.simulator import Hops
from tests.unit.analysis.test_compare import study
from tests.unit.cli.conftest import Fleet
from tests.unit.report.made import run_record

LEAGUE = """
format: 1
name: two
description: Two of them
entrants:
  - {name: slow, variables: {manager: ocm}}
  - {name: fast, variables: {manager: kubestellar}, open: {transport_concurrency: 2}}
divisions: [closed]
experiment: wec-scaling
wecs: [4]
loads: [{name: burst, set: {workload.objects: 1}}]
rounds: 3
"""
FAKE = """
import json, pathlib, shutil, sys
here = pathlib.Path(__file__).parents[1]
def given(word):
    return sys.argv[sys.argv.index(word) + 1]
log = open(here / "calls", "a")
if sys.argv[1] == "up":
    manager = json.load(open(given("-e")[1:]))["manager"]
    (here / "manager").write_text(manager)
    log.write(f"up {manager}\\n")
elif sys.argv[1] == "down":
    log.write("down\\n")
else:
    manager = (here / "manager").read_text()
    ready = sorted((here / "ready" / manager).glob("*"))
    if not ready:
        sys.exit("there is no room")
    root = pathlib.Path(given("--results")) / "wec-scaling"
    root.mkdir(parents=True, exist_ok=True)
    log.write(f"run {manager}\\n")
    print(shutil.move(ready[0], root / ready[0].name) / "report.html")
"""


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A checkout with three runs of each manager that have happened, the current folder; `league.yaml` lies in it."""
    folder = tmp_path / "work"
    (folder / "fleet").mkdir()
    (folder / "site.yml").touch()
    (folder / "fleet" / "__init__.py").touch()
    (folder / "fleet" / "__main__.py").write_text(FAKE)
    (folder / "league.yaml").write_text(LEAGUE)
    for manager, bind in (("ocm", 4000), ("kubestellar", 2000)):
        (folder / "ready" / manager).mkdir(parents=True)
        for seed in range(3):
            run = f"20261122T18000{seed}Z-0000{bind}"
            record = run_record(run, 4)
            study(tmp_path / "made", counts=(4,), seed=seed, hops=Hops(bind=bind, jitter=5), record=record)
            (made,) = (tmp_path / "made" / "wec-scaling").iterdir()
            made.rename(folder / "ready" / manager / run)
    return folder


@pytest.mark.parametrize(
    ("was", "now", "said"),
    [
        ("manager: ocm", "manager: okm", "manager: 'okm' is not one of"),
        ("manager: ocm", "wec_nodes: 1", "entrants.0: variables.manager is missing"),
        ("name: fast", "name: slow", "the name slow is given twice"),
        ("workload.objects", "workload.objekts", "workload.objekts"),
        ("wecs: [4]", "wecs: [0]", "wecs"),
        ("divisions: [closed]", "divisions: [both]", "divisions"),
        ("rounds: 3", "rounds: 0", "rounds"),
        ("transport_concurrency", "transport_concurency", "transport_concurency"),
    ],
)
def test_wrong_input_builds_nothing(fleet: Fleet, work: Path, was: str, now: str, said: str) -> None:
    text = LEAGUE.replace("divisions: [closed]", "divisions: [closed, open]") if "concurency" in now else LEAGUE
    (work / "league.yaml").write_text(text.replace(was, now))
    ran = fleet("league", "run", "./league.yaml")
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert not (work / "results").exists()
    assert not (work / "calls").exists()


def test_a_name_that_there_is_not(fleet: Fleet, work: Path) -> None:
    (work / "experiments" / "leagues").mkdir(parents=True)
    (work / "experiments" / "leagues" / "managers.yaml").touch()
    ran = fleet("league", "run", "manager")
    assert ran.code == 2
    assert "did you mean `managers`?" in ran.err


def test_turns_go_back_and_forth_and_the_table_ranks(fleet: Fleet, work: Path) -> None:
    ran = fleet("league", "run", "./league.yaml")
    assert ran.code == 0, ran.err
    calls = (work / "calls").read_text().split("\n")
    assert [call for call in calls if call.startswith("run")] == [
        "run ocm", "run kubestellar", "run kubestellar", "run ocm", "run ocm", "run kubestellar",
    ]  # fmt: skip
    assert calls[-2] == "down"
    folder = Path(ran.out.strip())
    table = fleet("league", "table", str(folder), "-o", "json")
    rows = [row for row in json.loads(table.out)["items"] if row["layout"] == "one-to-many"]
    assert [(row["place"], row["entrant"], row["rounds"]) for row in rows] == [(1, "fast", 3), (2, "slow", 3)]
    assert rows[0]["against"] is None
    assert rows[1]["against"]["verdict"] == "slower"
    assert 1.5 < rows[1]["against"]["low"] <= rows[1]["against"]["ratio"] < 2.5
    assert rows[0]["arrival"]["interval"][0] < rows[0]["arrival"]["p50"] < rows[0]["arrival"]["interval"][1] * 1.05
    page = fleet("league", "table", str(folder)).out
    assert "# League: Two of them" in page
    assert "slow takes 4." in page
    limits = page.partition("Client limits of the closed division, requests a second / at once:")[2]
    assert "- fast: `transport_wds` 5 / 10," in limits
    assert all(run.parent.name == "wec-scaling" for run in folder.glob("*/2026*"))


def test_what_fails_is_kept_and_played_again(fleet: Fleet, work: Path) -> None:
    kept = max((work / "ready" / "ocm").iterdir())
    kept.rename(work / "last")
    first = fleet("league", "run", "./league.yaml")
    assert first.code == 4
    folder = Path(first.out.strip())
    record = json.loads((folder / "league.json").read_text())
    assert [turn["entrant"] for turn in record["turns"] if turn["error"]] == ["slow"]
    assert "there is no room" in first.err
    page = fleet("league", "table", str(folder)).out
    assert "- round 3, slow, closed, burst: slow, closed: `fleet experiment run` ended with 1" in page
    assert "**Turns without a run that counts: 1** of 6" in page
    (work / "last").rename(kept)
    again = fleet("league", "run", str(folder))
    assert (again.code, Path(again.out.strip())) == (0, folder)
    assert sum(line.startswith("run") for line in (work / "calls").read_text().splitlines()) == 6
    assert "Turns without a run that counts" not in fleet("league", "table", str(folder)).out


def test_no_turn_begins_after_the_budget_also_on_the_same_fleet(fleet: Fleet, work: Path) -> None:
    (work / "league.yaml").write_text(LEAGUE.replace("loads: [", "loads: [{name: again, set: {}}, "))
    ran = fleet("league", "run", "./league.yaml", "--budget", "50ms")
    assert ran.code == 4
    assert (work / "calls").read_text().split() == ["up", "ocm", "run", "ocm", "down"]
    assert "the next turn would end after the budget" in ran.err
    record = json.loads((Path(ran.out.strip()) / "league.json").read_text())
    assert [(turn["entrant"], turn["load"]) for turn in record["turns"]] == [("slow", "again")]


def test_a_folder_that_is_no_league(fleet: Fleet, work: Path) -> None:
    ran = fleet("league", "table", str(work))
    assert ran.code == 2
    assert "has no league.json" in ran.err
