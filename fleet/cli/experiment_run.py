"""Calls the runner: progress on stderr, the report's path on stdout, the verdict on stderr."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import fleet.experiment as runner
from fleet.cli.console import ink_for, out, say, say_error, wants_colour
from fleet.cli.run_list import STYLES
from fleet.experiment.console import Plain, choose
from fleet.experiment.progress import RunProgress
from fleet.report import remake
from fleet.spec.experiment_file import ExperimentFile
from fleet.spec.fleet_file import FleetFile


def progress() -> RunProgress:
    """Bars on a terminal; plain lines in a log, in CI, and where motion is not wanted."""
    return choose(sys.stderr) if wants_colour(sys.stderr) else Plain(sys.stderr)


def execute(fleet: FleetFile, file: Path, spec: ExperimentFile, results: Path, *, keep: bool) -> int:
    """Run it; the exit code."""
    outcome = runner.run(fleet, file, spec, results_root=results, progress=progress(), keep=keep)
    page = outcome.folder / "report.html"
    if not page.exists():
        page = remake(outcome.folder)
    shown = os.path.relpath(page) if page.is_relative_to(Path.cwd()) else str(page)
    out(shown)
    say(f"{spec.name}: {ink_for(sys.stderr)(outcome.verdict, STYLES.get(outcome.verdict, ''))}")
    for reason in outcome.reasons:
        say(f"  {reason}")
    return outcome.exit_code


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
