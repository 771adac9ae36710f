"""Experiments: what to do with a fleet, step by step, and how to leave it as it was.

`run` and `clean` here, and `runner.plan`, are the whole of what the command line needs; they are synchronous.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import uvloop

from fleet.experiment.cleanup import CleanReport, clean_fleet
from fleet.experiment.definition import Experiment
from fleet.experiment.hold import held
from fleet.experiment.progress import RunProgress
from fleet.experiment.reconfigure import Reconfigure
from fleet.experiment.runner import Outcome, Runner, state_folder
from fleet.model.experiment_file import ExperimentFile
from fleet.model.fleet_file import FleetFile
from fleet.observe import priority

__all__ = ["CleanReport", "Outcome", "Reconfigure", "RunProgress", "clean", "run"]


def run(
    fleet: FleetFile,
    fleet_path: Path,
    experiment: Experiment,
    spec: ExperimentFile,
    results_root: Path,
    *,
    progress: RunProgress,
    keep: bool = False,
    reconfigure: Reconfigure | None = None,
) -> Outcome:
    """Run the experiment; returns when the run folder is complete, whatever happened after it was made.

    `fleet_path` is the `fleet.json`: the lock lies alongside it. `keep` leaves everything in the clusters;
    `reconfigure` changes the fleet for experiments that sweep its limits. Raises FleetError (UsageError for the spec)
    for what is refused before anything was changed.
    """
    state = fleet_path.absolute().parent
    runner = Runner(fleet, state, experiment, spec, results_root, progress=progress, keep=keep, reconfigure=reconfigure)
    priority.take()
    try:
        return uvloop.run(runner.run())
    finally:
        priority.give_up()


def clean(fleet: FleetFile, run_id: str | None = None, *, fleet_path: Path | None = None) -> CleanReport:
    """Remove from every cluster what one run, or any run, left there. FleetError when a run holds the fleet now."""
    state = fleet_path.absolute().parent if fleet_path else state_folder(fleet)
    with held(state, "fleet experiment clean"):
        return asyncio.run(clean_fleet(fleet, run_id))
