"""What a shell completes besides words of the program itself: fleets, experiments and runs by their names."""

from __future__ import annotations

import os
from pathlib import Path


def fleets(incomplete: str) -> list[str]:
    """Names of the fleets of this user."""
    from fleet.model.fleet_load import known

    return [name for name in known() if name.startswith(incomplete)]


def experiments(incomplete: str) -> list[str]:
    """Names of the experiments that ship, and those in experiments/."""
    from fleet.model.experiment_load import available

    return [name for name in available() if name.startswith(incomplete)]


def runs(incomplete: str) -> list[str]:
    """Ids of the runs in the results folder, newest first."""
    from fleet.cli.run_list import find_all

    results = Path(os.environ.get("FLEET_RESULTS", "results"))
    return [path.name for path in find_all(results) if path.name.startswith(incomplete)] if results.is_dir() else []
