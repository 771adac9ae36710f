"""`fleet ab` on real fleets: a planted slowdown is found, and each run says how exact its latencies are.

FLEET_TEST_AB=1 turns it on: it needs the machine for itself. Alongside other live tests 4 pairs were too few to tell.
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
    pytest.mark.skipif("FLEET_TEST_AB" not in os.environ, reason="needs an idle machine: `make test-ab` runs it"),
]
SETTINGS = ("manager=ocm", "wec_count=2", "control_plane_driver=dense", "audit=sample")
EXPERIMENT = ("--wecs", "2", "--layout", "one-to-many", "--objects", "3", "--repeats", "1")


def test_a_slow_link_is_worse_and_the_error_is_known(tmp_path: Path) -> None:
    variables = [word for setting in SETTINGS for word in ("-e", setting)]
    with state_folder() as state:
        lab = Lab("ab", state, {})
        slow = ("ab", "wan={rtt: 0ms}", "wan={rtt: 300ms}", "--pairs", "4")
        options = (*EXPERIMENT, "--set", "warmup=1", "--set", "quiet=1s", "--results", str(tmp_path), "-o", "json")
        ran = lab.run([str(BIN / "python"), "-m", "fleet", *slow, *variables, *options], seconds=1800).check(3)
        left = lab.processes()
    document = json.loads(ran.out)
    assert (document["kind"], document["verdict"], document["known"]) == ("AbComparison", "worse", True)
    downsync = next(item for item in document["items"] if item["stage"] == "downsync")
    assert downsync["shift"]["low"] > 0
    assert left == []
    assert [path.name for path in tmp_path.glob("ab/*/*")] != []
    for file in tmp_path.glob("wec-scaling/*/summary.json"):
        stages = {stage["stage"]: stage for stage in json.loads(file.read_text())["stamps"]["stages"]}
        assert 0 < stages["downsync"]["joined"] <= stages["downsync"]["samples"] == 6
