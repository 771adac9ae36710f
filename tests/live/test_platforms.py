"""Each platform in a WEC: built, unchanged by a second run, supervised, measured in the short form, taken out again.

Headlamp's frontend, which needs no platform, over two WECs. `make test-platforms` runs them: the programs of
a platform take minutes to compile where they are not in a cache.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.live.conftest import state_folder
from tests.live.lab import Lab, changed
from tests.live.runs import valid

pytestmark = [
    pytest.mark.live,
    pytest.mark.xdist_group("platforms"),
    pytest.mark.skipif(os.environ.get("FLEET_TEST_PLATFORMS") != "1", reason="minutes: `make test-platforms` runs it"),
]

EXPERIMENTS = {
    "karpenter": ("karpenter-scale",),
    "kubevirt": ("kubevirt-density",),
    "kyverno": ("admission-latency",),
    "kueue": ("scheduler-throughput-kueue",),
}
"""Of each platform, those that are about it."""
BACK_SECONDS = 60.0


@pytest.fixture(scope="module", params=sorted(EXPERIMENTS))
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """One WEC of ten nodes, no manager, not built yet."""
    variables = {"manager": "none", "wec_count": 1, "wec_nodes": 10, "platform": [request.param]}
    with state_folder() as state:
        made = Lab(f"t-{request.param}", state, variables)
        try:
            yield made
        finally:
            made.playbook("playbooks/teardown.yml").check()
            assert made.processes() == []


@pytest.fixture(scope="module")
def plain() -> Iterator[Lab]:
    """Two WECs of five nodes without platform and manager."""
    with state_folder() as state:
        made = Lab("t-plain", state, {"manager": "none", "wec_count": 2, "wec_nodes": 5})
        try:
            made.playbook("site.yml").check()
            yield made
        finally:
            made.playbook("playbooks/teardown.yml").check()
            assert made.processes() == []


@pytest.mark.skipif(
    not all(map(shutil.which, ("node", "npm", "chromium"))), reason="apt-get install nodejs npm chromium"
)
def test_the_frontend_is_measured_in_the_short_form(plain: Lab, tmp_path: Path) -> None:
    done = plain.fleet("experiment", "run", "ui-load", "--quick", "--fleet", plain.name, "--results", str(tmp_path))
    valid(plain, done)


def name_of(lab: Lab) -> str:
    """Of the platform."""
    found = lab.variables["platform"]
    assert isinstance(found, list)
    return str(found[0])


def test_it_is_built_and_a_second_run_changes_nothing(lab: Lab) -> None:
    assert changed(lab.playbook("site.yml").check()) > 0
    again = lab.playbook("site.yml", "--diff").check()
    assert changed(again) == 0, again.out
    looked = lab.playbook("site.yml", "--check", "--diff").check()
    assert changed(looked) == 0, looked.out
    (recorded,) = json.loads((lab.folder / "fleet.json").read_text())["platforms"]
    assert recorded["name"] == name_of(lab)
    assert recorded["version"].startswith("v")
    assert recorded["wecs"] == ["wec001"]


def test_a_program_that_dies_comes_back(lab: Lab) -> None:
    folder = lab.folder / "platforms" / name_of(lab) / "wec001"

    def programs() -> dict[str, psutil.Process]:
        return {process.name(): process for process in psutil.process_iter() if _cwd(process) == str(folder)}

    for name, process in programs().items():
        process.kill()
        end = time.monotonic() + BACK_SECONDS
        while name not in (there := programs()) or there[name].pid == process.pid:
            assert time.monotonic() < end, f"{name} did not come back"
            time.sleep(0.2)


def test_its_experiments_are_valid_in_the_short_form(lab: Lab, tmp_path: Path) -> None:
    for experiment in EXPERIMENTS[name_of(lab)]:
        done = lab.fleet("experiment", "run", experiment, "--quick", "--fleet", lab.name, "--results", str(tmp_path))
        valid(lab, done)


def test_it_is_taken_out_and_the_wec_stays(lab: Lab) -> None:
    assert changed(lab.playbook("site.yml", platform=[]).check()) > 0
    assert not (lab.folder / "platforms" / name_of(lab) / "wec001").exists()
    assert changed(lab.playbook("site.yml", platform=[]).check()) == 0


def _cwd(process: psutil.Process) -> str:
    try:
        return process.cwd()
    except psutil.Error:
        return ""
