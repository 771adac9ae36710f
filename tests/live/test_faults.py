"""Every fault on a live fleet of plain OCM: it is done, healed, measured, and the fleet is as before.

`make test-faults` runs them (root, for the disks): each is a run of half a minute.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.live.conftest import own_lab
from tests.live.lab import BIN, Lab, changed
from tests.live.waiting import until

pytestmark = [
    pytest.mark.live,
    pytest.mark.xdist_group("faults"),
    pytest.mark.skipif(os.environ.get("FLEET_TEST_FAULTS") != "1", reason="minutes: `make test-faults` runs it"),
]

APPLIED = "appliedmanifestworks.work.open-cluster-management.io"
FAULTS = {
    "stop": "{action: stop, target: wecs, share: 1/3, for: 3s}",
    "kill": "{action: kill, target: etcd.hub1}",
    "pause": "{action: pause, target: wec001, for: 5s}",
    "restart-loop": "{action: restart-loop, target: work-manager.hub1, for: 6s, with: {every: 2s}}",
    "restart-fleet": "{action: restart-fleet, target: fleet}",
    "restore": "{action: restore, target: wec001}",
    "disk-full": "{action: disk-full, target: hub1, for: 4s}",
    "disk-slow": "{action: disk-slow, target: hub1, for: 5s}",
    "disconnect": "{action: disconnect, target: localhost, for: 4s}",
    "partition": "{action: partition, target: localhost, for: 5s, with: {direction: from-hub}}",
    "bandwidth": "{action: bandwidth, target: localhost, for: 5s, with: {rate: 50kbit}}",
    "api-errors": "{action: api-errors, target: localhost, for: 6s}",
    "webhook": "{action: webhook, target: wec001, for: 5s, with: {timeout_seconds: 2}}",
    "crd": f"{{action: crd, target: wec001, for: 2s, with: {{name: {APPLIED}}}}}",
    "node-failure": "{action: node-failure, target: wec001, for: 5s}",
    "expire-certificate": "{action: expire-certificate, target: ocm-agent.wec001, for: 5s}",
}
SPEC = """
experiment: wec-scaling
name: wec-scaling
wecs: [2]
layouts: [one-to-many]
workload: {kind: deployment, objects: 4}
load: {steppedLoad: {burstSize: 1, stepDelay: 2s}}
repeats: 1
warmup: 0
quiet: 1s
timeouts: {settle: 60s, object: 60s, clean: 60s}
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Two WECs with processes of their own, behind a link without a delay."""
    variables = {
        "wec_count": 2, "wec_nodes": 2, "control_plane_driver": "process", "manager": "ocm", "wan": {"rtt": "0ms"}
    }  # fmt: skip
    with own_lab("t-faults", variables) as made:
        made.playbook("site.yml").check()
        yield made


def command(lab: Lab, folder: Path, step: str) -> list[str]:
    """A run with that fault a second after its load began."""
    spec = folder / "spec.yaml"
    spec.write_text(SPEC, encoding="utf-8")
    during = f"during=[{{at: 1s, {step[1:]}]"
    return ["experiment", "run", str(spec), "--set", during, "--fleet", lab.name, "--results", str(folder / "results")]


def events(folder: Path) -> list[dict[str, Any]]:
    (file,) = folder.rglob("events.jsonl")
    return [json.loads(line) for line in file.read_bytes().splitlines()]


@pytest.mark.parametrize("action", FAULTS)
def test_it_is_done_and_healed_and_measured(action: str, lab: Lab, tmp_path: Path) -> None:
    if "disk" in action and os.geteuid() != 0:
        pytest.skip("needs root")
    ran = lab.fleet(*command(lab, tmp_path, FAULTS[action]), seconds=400)
    assert ran.code in (0, 4), ran.err
    lines = events(tmp_path)
    assert [line["action"] for line in lines if line["t"] in ("fault", "healed")] == [action, action]
    troubled = [line["text"] for line in lines if line["t"] == "anomaly" and line["what"].startswith("fault-")]
    assert troubled == []
    (file,) = tmp_path.rglob("summary.json")
    summary = json.loads(file.read_text(encoding="utf-8"))
    (row,) = summary["faults"]
    assert (row["action"], row["repeats"], row["unrecovered"]) == (action, 1, 0), row
    assert not list((lab.folder / "faults").glob("*"))
    status = json.loads(lab.fleet("status", "--fleet", lab.name, "-o", "json").check().out)
    assert '"state": "STOPPED"' not in json.dumps(status)
    checked = lab.fleet("check", str(file.parent))
    assert checked.code in (0, 3), checked.err
    findings = summary.get("checker", {})
    print(f"{action}: recovery {row['recovery_p50']} s, backlog {row['backlog_max']}, {findings}")  # noqa: T201 - wanted


def test_a_driver_and_a_helper_that_are_killed_leave_a_note_and_fleet_up_repairs(lab: Lab, tmp_path: Path) -> None:
    running = lab.start([str(BIN / "fleet"), *command(lab, tmp_path, "{action: pause, target: wec001, for: 1h}")])
    note = lab.folder / "faults" / "000-pause.json"
    try:
        until("it is injected", lambda: any(_stopped(process) for process in lab.processes()), running=running)
        for process in psutil.Process(running.pid).children(recursive=True):
            process.send_signal(signal.SIGKILL)
    finally:
        running.kill()
        running.communicate()
    assert note.exists()
    changed(lab.playbook("site.yml"))
    assert not note.exists()
    assert not any(_stopped(process) for process in lab.processes())
    assert lab.fleet("experiment", "clean", "--fleet", lab.name).code == 0
    assert changed(lab.playbook("site.yml")) == 0


def test_what_this_machine_cannot_do_is_refused_and_nothing_is_made(lab: Lab, tmp_path: Path) -> None:
    ran = lab.fleet(*command(lab, tmp_path, "{action: crd, target: wec001, with: {name: xs.nowhere.example}}"))
    assert ran.code == 2
    assert "wec001 has no CRD xs.nowhere.example" in ran.err
    assert not list(tmp_path.rglob("run.json"))


def _stopped(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_STOPPED
    except psutil.NoSuchProcess:
        return False


def test_a_run_that_is_ended_by_sigterm_heals(lab: Lab, tmp_path: Path) -> None:
    running = lab.start(
        [str(BIN / "fleet"), *command(lab, tmp_path, "{action: partition, target: localhost, for: 1h}")]
    )
    try:
        until("it is injected", lambda: list((lab.folder / "faults").glob("*.json")), running=running)
        running.terminate()
        running.wait(timeout=120)
    except subprocess.TimeoutExpired:
        pytest.fail("the run did not end")
    finally:
        running.kill()
        running.communicate()
    assert not list((lab.folder / "faults").glob("*"))
    assert [line["action"] for line in events(tmp_path) if line["t"] == "healed"] == ["partition"]
