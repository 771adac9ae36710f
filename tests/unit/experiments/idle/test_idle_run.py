"""A run of idle over a real supervisord with small programs in the place of control planes, to its observations."""

from __future__ import annotations

import datetime
import sys
from pathlib import Path

import pytest

from fleet.analysis.sizing.reading import read
from fleet.analysis.study import analyse
from fleet.experiment.progress import Silent
from fleet.experiment.runner import Runner
from fleet.experiments.idle.experiment import EXPERIMENT, IdleFile
from fleet.host.supervise import Program, Supervisor
from fleet.model.fleet_file import BringUp, Cluster, FleetFile, Machine
from fleet.results.folder import RunFolder

WAITS = "import signal; signal.pause()"
WORKS = "while True: pass"


def fleet(root: Path) -> FleetFile:
    """Two WECs of one dense process, built a second ago."""
    now = datetime.datetime.now(datetime.UTC)
    began = (now - datetime.timedelta(seconds=6)).isoformat(timespec="milliseconds")
    return FleetFile(
        name="demo",
        created="2026-01-01T00:00:00Z",
        toolchain_digest="none",
        bring_up=BringUp(began=began, seconds=5.0, wecs=2),
        machines=[Machine(name="localhost", state_dir=str(root))],
        clusters=[
            Cluster(
                name=name, role="wec", machine="localhost", driver="dense", server="https://127.0.0.1:1",
                kubeconfig=str(root / name),
            )
            for name in ("wec001", "wec002")
        ],
    )  # fmt: skip


async def test_every_program_is_weighed_and_the_run_becomes_observations(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    programs = [
        Program("dense.0", (sys.executable, "-c", WORKS), stop_seconds=2),
        Program("kwok.wec001", (sys.executable, "-c", WAITS), stop_seconds=2),
    ]
    supervisor.converge("g", programs)
    root = supervisor.layout.root
    spec = IdleFile(experiment="idle", repeats=2, settle=0.0, window=1.0)
    outcome = await Runner(fleet(root), root, EXPERIMENT, spec, tmp_path / "results", progress=Silent()).run()
    folder = RunFolder.open(outcome.folder)
    assert list(outcome.reasons) == []
    study = analyse(folder)
    (parts, by_program) = study.own.tables
    assert [row[1] for row in parts.rows] == ["WECs", "nodes", "others", "total"] * 2
    assert [row[1] for row in by_program.rows] == ["dense.0", "kwok.wec001", "supervisord"]

    found = read(folder)
    assert found.why_not == ""
    first, second = found.observations
    assert (first.source, first.wecs, str(first.setup)) == ("rest", 2, "driver dense, 1 kwok nodes, manager none")
    assert first.values["memory"] == pytest.approx(
        sum(first.values[f"memory.{p}"] for p in ("planes", "nodes", "other"))
    )
    assert first.values["idle_cpu.planes"] > first.values["idle_cpu.nodes"]
    assert first.values["peak_rss.planes"] >= first.values["rss.planes"] > 0
    assert first.values["build_seconds"] == 5.0
    assert first.values["build_cpu"] >= 0
    assert "build_seconds" not in second.values
