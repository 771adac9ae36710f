"""`fleet plan`: what it refuses, what it writes, what it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Fleet

REFERENCE = Path(__file__).parents[3] / "results" / "wec-scaling" / "reference"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "give the number of WECs, such as `fleet plan 100`"),
        (["0"], "Invalid value for 'N'"),
        (["10", "--manager", "kubestella"], 'manager: "kubestella" is not one of'),
        (["10", "--driver", "docker"], 'control_plane_driver: "docker" is not one of'),
        (["10", "--driver", "existing"], "control_plane_driver: existing clusters are not built"),
        (["10", "-e", "transport_its_qsp=9"], "transport_its_qsp: there is no such variable; did you mean"),
        (["10", "-e", "transport_its_qps=-1"], "transport_its_qps"),
        (["10", "--manager", "ocm", "-e", "manager=none"], "manager is given by an option and by -e: keep one"),
        (["10", "--model", "absent.json"], "absent.json: No such file or directory; make it with"),
        (["--fit", "absent"], "--fit absent: is no folder"),
        (["--fit", "."], "no run can be used; nothing was written:\n       there is no run folder"),
    ],
)
def test_bad_input_is_refused_and_nothing_is_written(fleet: Fleet, tmp_path: Path, words: list[str], said: str) -> None:
    ran = fleet("plan", *words)
    assert ran.code == 2
    assert said in ran.err
    assert not (tmp_path / "state").exists()


def test_a_model_is_made_of_runs_and_read_back(fleet: Fleet, tmp_path: Path) -> None:
    made = fleet("plan", "--fit", str(REFERENCE))
    assert made.code == 0, made.err
    file = tmp_path / "state" / "sizing.json"
    assert f"11 observations of 1 runs in {file}" in made.err
    assert "driver dense, 1 kwok nodes, manager kubestellar: 1, 10, 50, 100 WECs" in made.err
    assert file.stat().st_mode & 0o777 == 0o600
    ran = fleet("plan", "250", "-o", "json")
    assert ran.code == 0, ran.err
    answer = json.loads(ran.out)
    assert (answer["kind"], answer["wecs"], answer["model"]["wecs"]) == ("SizingPlan", 250, [1, 10, 50, 100])
    figures = {figure["name"]: figure for figure in answer["items"]}
    slow = figures["downsync_p50.one-to-many"]
    # 250 calls of the first 125 ManifestWorks, 10 at once and 5 a second, and the hold-back: 50 s is the floor.
    assert 50 <= slow["value"] < 52
    assert (slow["extrapolatedBeyond"], slow["points"], slow["origin"]) == (100, 4, "theory and fitted")
    fast = fleet("plan", "250", "-o", "json", "-e", "transport_its_qps=1000", "-e", "transport_its_burst=2000")
    quick = {figure["name"]: figure for figure in json.loads(fast.out)["items"]}["downsync_p50.one-to-many"]
    assert 2 <= quick["value"] < 4
    assert any("no load was measured at these client limits" in note for note in json.loads(fast.out)["notes"])


def test_people_get_tables_and_where_the_machine_ends(fleet: Fleet) -> None:
    assert fleet("plan", "--fit", str(REFERENCE)).code == 0
    ran = fleet("plan", "5000")
    assert ran.code == 0
    assert "5000 WECs, driver dense, 1 kwok nodes, manager kubestellar" in ran.out
    assert "theory and fitted: 4 points of 1 fleet, extrapolated beyond 100" in ran.out
    assert "5000 WECs: does not fit this machine; " in ran.out
    assert "wec_count is at most 1000" in ran.err


def test_a_fleet_that_nobody_measured_has_what_the_check_reckons_with(fleet: Fleet) -> None:
    ran = fleet("plan", "3", "--driver", "kind", "--manager", "none")
    assert ran.code == 0, ran.err
    assert "from no run" in ran.out
    assert "estimated before a build, rounded up" in ran.out
    assert "note: no run of such a fleet is known" in ran.out
