"""A program of the hub is killed in a trial: the verdict names it. `during` stops its ITS: the verdict says planned.

The last test gives the fleet to another manager, plain OCM, and runs a fault and the checker there.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.conftest import FAST, shared_lab
from tests.live.lab import BIN, Lab
from tests.live.runs import NOISE
from tests.live.waiting import until_written

pytestmark = [pytest.mark.live, pytest.mark.xdist_group("disturbed")]

RUN = ["experiment", "run", "wec-scaling", "--wecs", "2", "--layout", "one-to-many", "--set", "warmup=0"]


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Two dense WECs."""
    with shared_lab("t-disturbed", {"wec_count": 2, **FAST}) as made:
        made.playbook("site.yml").check()
        yield made


def start(lab: Lab, results: Path, *words: str) -> subprocess.Popen[str]:
    return lab.start([str(BIN / "fleet"), *RUN, *words, "--fleet", lab.name, "--results", str(results)])


def ended(results: Path, running: subprocess.Popen[str]) -> dict[str, Any]:
    """`summary.json` of the run, with its exit code and samples."""
    out, err = running.communicate(timeout=600)
    assert running.returncode in (0, 4), f"{out}\n{err}"
    (file,) = results.rglob("summary.json")
    made: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return {**made, "samples": (file.parent / "samples.csv").read_text(encoding="utf-8").splitlines()[1:]}


def pid_of(lab: Lab, program: str) -> int:
    found = json.loads(lab.fleet("status", "--fleet", lab.name, "-o", "json").check().out)
    (pid,) = {entry["pid"] for entry in walk(found) if entry.get("program", entry.get("name")) == program}
    return int(pid)


def walk(value: Any) -> Iterator[dict[str, Any]]:
    """Every mapping with a process id inside a document."""
    if isinstance(value, dict):
        if "pid" in value:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for entry in value:
            yield from walk(entry)


@pytest.mark.parametrize("program", ["etcd.its1", "transport.wds1"])
def test_a_program_of_the_hub_that_is_killed_in_a_drain_is_in_the_verdict(
    program: str, lab: Lab, tmp_path: Path
) -> None:
    victim = pid_of(lab, program)
    running = start(lab, tmp_path, "--repeats", "1")
    try:
        until_written(tmp_path, running, b'"step":"drain"', b'"begin"')
        os.kill(victim, signal.SIGKILL)
        made = ended(tmp_path, running)
    finally:
        running.kill()
    assert made["status"] == "partial"
    told = [reason for reason in made["reasons"] if reason.startswith(f"{program} (machine localhost) ended")]
    assert len(told) == 1, made["reasons"]
    assert "in trial t000: " in told[0]
    assert all("disturbed" in row for row in made["samples"])


def test_what_during_planned_is_told_apart_and_healed(lab: Lab, tmp_path: Path) -> None:
    during = "during=[{at: 500ms, action: stop, target: its1, for: 10s}]"
    running = start(lab, tmp_path, "--repeats", "1", "--set", during, "--set", "timeouts.object=120s")
    try:
        made = ended(tmp_path, running)
    finally:
        running.kill()
    assert any("planned: stop of its1 in trial t000" in sentence for sentence in made["planned"]), made
    assert all("planned-fault" in row for row in made["samples"])
    rest = [reason for reason in made["reasons"] if not any(word in reason for word in NOISE)]
    assert rest == [], rest
    status = lab.fleet("status", "--fleet", lab.name).check()
    assert "its1" in status.out


def test_an_undisturbed_run_beside_them_flags_nothing_and_says_whose_cpu_it_was(lab: Lab, tmp_path: Path) -> None:
    running = start(lab, tmp_path, "--repeats", "1")
    made = ended(tmp_path, running)
    assert not any("disturbed" in row or "planned-fault" in row for row in made["samples"])
    owners = {share["owner"] for share in made["cpu"]}
    assert {"hub control planes", "manager", "agents", "emulated WECs", "driver"} <= owners
    assert sum(share["share"] for share in made["cpu"]) == pytest.approx(1.0)


def test_under_another_manager_a_fault_is_measured_and_the_checker_finds_nothing(lab: Lab, tmp_path: Path) -> None:
    lab.playbook("site.yml", manager="ocm").check()
    # An agent whose WEC was away may have a stale cache for half a minute, and forgets what it then has to delete.
    action = "{action: stop, target: ocm-agent.wec001, for: 3s}"
    during = f"during=[{{draw: {{count: 1, between: [200ms, 600ms], from: [{action}]}}}}]"
    running = start(lab, tmp_path, "--repeats", "1", "--objects", "3", "--set", during)
    try:
        made = ended(tmp_path, running)
    finally:
        running.kill()
    (row,) = made["faults"]
    assert (row["action"], row["target"]) == ("stop", "ocm-agent.wec001")
    assert (row["repeats"], row["unrecovered"]) == (1, 0), made
    (fault,) = made["fault_trials"]
    assert fault["lasted"] >= 3
    assert "checker" not in made, made["findings"]
    (run,) = tmp_path.rglob("run.json")
    checked = lab.fleet("check", str(run.parent))
    assert checked.code == 0, checked.out
    assert "3 objects, 6 deliveries" in checked.out
    assert not list((lab.folder / "faults").glob("*"))
