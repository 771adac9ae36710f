"""What `run.json` says of the driver: at the start where and with what, at the end how well it kept up."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import fleet as project
from fleet.kube.looplag import LoopLag
from fleet.kube.reflector import Reflector
from fleet.managers import registry
from fleet.model.experiment_file import ExperimentFile
from fleet.model.fleet_file import FleetFile
from fleet.model.stage import Stage
from fleet.observe import priority
from fleet.remote.clock import clocks
from fleet.results.folder import RunFolder
from fleet.results.machine import clock_info, machine_facts
from fleet.results.run import DriverFacts, RunRecord, without_paths

GIT_SECONDS = 5.0


def begin_record(folder: RunFolder, spec: ExperimentFile, fleet: FleetFile, stages: Sequence[Stage] = ()) -> RunRecord:
    """The record of a run that begins now, status `running`."""
    return RunRecord(
        id=folder.id,
        experiment=spec.name,
        started=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        seed=spec.seed,
        spec=spec,
        fleet=without_paths(fleet),
        manager=registry.of(fleet).record(fleet),
        stages=list(stages),
        inventory_sha256=fleet.inventory_sha256,
        version=project.__version__,
        git=git_commit(),
        machine=machine_facts(),
        clock=clock_info(),
        clocks=clocks(fleet),
        notes=[note] if (note := priority.note()) else [],
    )


def driver_facts(lag: LoopLag, reflectors: Sequence[Reflector], gaps: int, dropped: int) -> DriverFacts:
    """How well the driver kept up, over the whole run."""
    return DriverFacts(
        loop_lag_p99=lag.p99_seconds,
        loop_lag_max=lag.max_seconds,
        watches=len(reflectors),
        events=sum(reflector.stats.events for reflector in reflectors),
        gaps=gaps,
        relists=sum(reflector.stats.relists for reflector in reflectors),
        dropped=dropped,
    )


def git_commit() -> str:
    """Commit of the checkout that this package lies in, `-dirty` appended; empty outside a checkout."""
    folder = Path(project.__file__).resolve().parents[1]
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=GIT_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
