"""The driver's own metrics for a Prometheus that runs alongside the fleet: a file that the machine's exporter
serves."""

from __future__ import annotations

import os
from pathlib import Path

from fleet.analysis.exposition import Exposition
from fleet.model.fleet_file import FleetFile

FILE = "fleet_run.prom"


def folders(fleet: FleetFile) -> list[Path]:
    """Where local machines' exporters look; empty when the fleet is not monitored."""
    local = [Path(machine.state_dir) for machine in fleet.machines if machine.connection == "local"]
    return [path for path in (root / "monitoring" / "textfile" for root in local) if path.is_dir()]


def publish(fleet: FleetFile, made: Exposition) -> None:
    """Replace the file by the run's samples so far. OSError when the disk refuses: the caller's run goes on."""
    for folder in folders(fleet):
        # The exporter reads every file that ends in .prom: a half-written one must not.
        partial = folder / f".{FILE}.{os.getpid()}"
        try:
            partial.write_text(made.prometheus(), encoding="utf-8")
            partial.replace(folder / FILE)
        finally:
            partial.unlink(missing_ok=True)
