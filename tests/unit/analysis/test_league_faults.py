"""The table of faults of a league, from trials with numbers worked out by hand."""

from __future__ import annotations

from dataclasses import replace

from fleet.analysis.league import Entry, Standings
from fleet.analysis.league_faults import fault_standings
from fleet.analysis.recovery import FaultTrial
from fleet.analysis.setting import Setting
from fleet.model.league_file import League
from fleet.model.manager_record import ManagerRecord
from fleet.report.league_markdown import markdown
from fleet.results.league import LeagueRecord

WHERE = Setting("one-to-many", 6)
CALM = Entry(
    round=1, entrant="ocm", division="closed", load="calm", run="a", manager=ManagerRecord(name="ocm"), status="valid",
    seconds={}, missing={}, costs={}, floors={}, measured={}, programs=1, memory=1,
    requests={WHERE: [10.0, 12.0, 20.0]}, faults=(), findings=0,
)  # fmt: skip


def trial(number: int, action: str, recovery: float | None, requests: float | None = None) -> FaultTrial:
    return FaultTrial(
        trial=f"t{number:03d}", action=action, target="manager", layout=WHERE.layout, wecs=WHERE.wecs, noticed=0.5,
        recovery=recovery, unrecovered=0 if recovery is not None else 2, backlog=number, requests=requests,
    )  # fmt: skip


def test_a_row_per_fault_and_entrant_over_all_rounds() -> None:
    killed = replace(CALM, load="kill", requests={}, faults=(trial(1, "kill", 2.0, 30.0), trial(2, "kill", None, 50.0)))
    again = replace(killed, round=2, faults=(trial(3, "kill", 4.0, 40.0),), findings=1)
    (one,) = fault_standings([CALM, killed, again])
    assert (one.load, one.entrant, one.row.action, one.row.repeats, one.row.unrecovered) == (
        "kill",
        "ocm",
        "kill",
        3,
        1,
    )
    assert (one.row.recovery_max, one.row.backlog_p50, one.findings) == (4.0, 2, 1)
    # Trials with the fault made 30, 40 and 50 requests, those without 10, 12 and 20.
    assert one.extra == 28.0


def test_loads_in_their_order_then_entrants_in_theirs_and_only_their_own_calm_trials_count() -> None:
    entries = [
        replace(CALM, load="stop", entrant="karmada", faults=(trial(1, "stop", 1.0, 30.0),)),
        CALM,
        replace(CALM, load="kill", faults=(trial(1, "kill", 1.0, 30.0),)),
        replace(CALM, load="stop", faults=(trial(1, "stop", 1.0, 30.0),)),
    ]
    found = [(one.load, one.entrant, one.extra) for one in fault_standings(entries)]
    assert found == [("stop", "karmada", None), ("stop", "ocm", 18.0), ("kill", "ocm", 18.0)]


def test_the_page_begins_with_what_the_faults_did() -> None:
    killed = replace(CALM, load="kill", requests={}, faults=(trial(1, "kill", 2.0, 30.0), trial(2, "kill", None, 50.0)))
    fields = {
        "format": 1, "name": "faults", "wecs": [6], "loads": [{"name": "calm"}, {"name": "kill"}],
        "entrants": [{"name": name, "variables": {"manager": name}} for name in ("ocm", "karmada")],
    }  # fmt: skip
    record = LeagueRecord(league=League.model_validate(fields), started="2026-11-30T12:00:00+00:00", version="0.1.0")
    page = markdown(Standings(record, (), (CALM, killed), tuple(fault_standings([CALM, killed]))))
    assert page.index("## Faults") < page.index("## Entrants")
    (row,) = [line for line in page.splitlines() if line.startswith("| kill ")]
    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        "kill", "kill of manager", "6", "ocm", "2", "0.500", "2.000", "2.000", "1", "1", "28", "0",
    ]  # fmt: skip
