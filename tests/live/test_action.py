"""The GitHub action in a clean folder: two clones, an environment of its own, two fleets, and the summary of the job.

The steps of its YAML run in order with the variables that a runner sets (tools/steps.py). FLEET_TEST_ACTION=1 turns
it on: it installs an environment from PyPI.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.live.conftest import state_folder
from tools.steps import Runner, inputs, play

ROOT = Path(__file__).resolve().parents[2]
WECS = "3"
pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif("FLEET_TEST_ACTION" not in os.environ, reason="FLEET_TEST_ACTION=1 turns it on"),
]


def test_a_pull_request_is_compared_with_its_base(tmp_path: Path) -> None:
    for side in ("base", "head"):
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(tmp_path / side)], check=True)
    action = yaml.safe_load((tmp_path / "head" / ".github/actions/ab/action.yml").read_text(encoding="utf-8"))
    options = "--quick --wecs 1,3 --set workload.objects=3 --set warmup=0"
    given = {"a": "base", "b": "head", "wecs": WECS, "pairs": "3", "options": options}
    temp = tmp_path / "temp"
    temp.mkdir()
    with state_folder() as state:
        runner = Runner(tmp_path, temp, inputs(action, given), env={"FLEET_STATE_DIR": str(state)})
        ran = dict(play(action, runner))
        left = [path for path in state.iterdir() if path.is_dir()]
    assert {name: code for name, code in ran.items() if code} == {}
    assert {name for name, code in ran.items() if code is None} == {"Toolchain of earlier runs", "Reports"}
    summary = runner.summary.read_text(encoding="utf-8")
    assert f"## Fleet of {WECS} WECs, wec-scaling: " in summary
    assert "downsync" in summary
    assert runner.outputs["compare", "verdict"] in {"not worse", "unknown"}
    results = Path(runner.outputs["compare", "results"])
    assert len(list(results.glob("wec-scaling/*/report.html"))) == 6  # 3 pairs
    assert (results / "verdict.md").stat().st_size > 0
    assert left == []
