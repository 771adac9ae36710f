"""Calls the runner: progress on stderr, the report's path on stdout, the verdict on stderr."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import fleet.experiment as runner
from fleet.cli.console import out, say, say_error, wants_colour
from fleet.cli.refit import FleetUp
from fleet.experiment.console import Plain, choose
from fleet.experiment.progress import RunProgress
from fleet.experiments import registry
from fleet.model.experiment_file import ExperimentFile
from fleet.model.fleet_file import FleetFile
from fleet.results.folder import RunFolder

if TYPE_CHECKING:
    from fleet.cli.live import Shown


def progress() -> RunProgress:
    """Bars on a terminal; plain lines in a log, in CI, and where motion is not wanted."""
    return choose(sys.stderr) if wants_colour(sys.stderr) else Plain(sys.stderr)


def execute(
    fleet: FleetFile, file: Path, spec: ExperimentFile, results: Path, *, keep: bool, live: bool = False
) -> int:
    """Run it, with a view of it where `live` is wanted; the exit code."""
    if not live:
        return _execute(fleet, file, spec, results, keep=keep, view=None)
    from fleet.cli.live import live as beside

    with beside() as view:
        return _execute(fleet, file, spec, results, keep=keep, view=view)


def _execute(
    fleet: FleetFile, file: Path, spec: ExperimentFile, results: Path, *, keep: bool, view: Shown | None
) -> int:
    refit = FleetUp(fleet, file.absolute().parent.parent)
    outcome = runner.run(
        fleet, file, registry.of(spec), spec, results_root=results, progress=view or progress(), keep=keep,
        reconfigure=refit,
    )  # fmt: skip
    # pandas and matplotlib come only now: while it measures, the driver's memory and start time are its own.
    from fleet.cli.reporting import PAGE, exit_code, make, page_of, tell

    folder = RunFolder.open(outcome.folder)
    study = make(folder)
    if view is not None:
        view.report(folder.path / PAGE)
    out(page_of(folder))
    tell(study)
    return exit_code(study.verdict, study.failures, outcome.exit_code)


def clean_up(fleet: FleetFile, file: Path, run_id: str | None) -> int:
    """Remove what killed runs left, of one run or of all; the exit code."""
    done = runner.clean(fleet, run_id, fleet_path=file)
    for cluster, resource, count in done.removed:
        say(f"{cluster}: {count} {resource} removed")
    for sentence in done.left:
        say_error(sentence)
    if done.clean and not done.removed:
        say("nothing was left: the clusters are clean")
    return 0 if done.clean else 1
