"""`fleet league` on a real fleet: managers take turns on the same WEC, and the table has a row of each.

`make test-managers` runs it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.live.conftest import state_folder
from tests.live.lab import BIN, Lab

pytestmark = [
    pytest.mark.live,
    pytest.mark.xdist_group("managers"),
    pytest.mark.skipif(os.environ.get("FLEET_TEST_MANAGERS") != "1", reason="minutes: `make test-managers` runs it"),
]
LEAGUE = """
format: 1
name: two
variables: {control_plane_driver: dense}
entrants:
  - {name: ocm, variables: {manager: ocm}}
  - {name: kubefleet, variables: {manager: kubefleet}, open: {kubefleet_max_unavailable: "100%"}}
divisions: [open]
wecs: [2]
layouts: [one-to-many]
loads: [{name: burst, set: {workload.objects: 3, repeats: 1, warmup: 0}}]
rounds: 1
"""


def test_two_managers_take_turns(tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text(LEAGUE)
    words = [str(BIN / "python"), "-m", "fleet", "league"]
    with state_folder() as state:
        lab = Lab("league", state, {})
        league = ("run", str(tmp_path / "two.yaml"), "--results", str(tmp_path / "results"))
        folder = lab.run([*words, *league], seconds=1200).check().out.strip()
        left = lab.processes()
    assert left == []
    rows = json.loads(lab.run([*words, "table", folder, "-o", "json"]).check().out)["items"]
    assert {(row["entrant"], row["arrival"]["count"], row["arrival"]["missing"]) for row in rows} == {
        ("ocm", 6, 0),
        ("kubefleet", 6, 0),
    }
    assert all(row["changes"][stage]["count"] == 6 for row in rows for stage in ("update", "removal"))
    assert all(row["requests"] > 0 and row["cpu_seconds"]["hub"] > 0 for row in rows)
