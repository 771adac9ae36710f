"""The commands that build the fleet of a run again, run its experiment and make its report."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from typing import Any

from fleet.model.fleet_file import FleetFile


def commands(fleet: FleetFile) -> Sequence[str]:
    """Lines for a shell, from the folder of the project; what was set with `-e` is in the first.

    A fleet file of an older release does not have what was set: then only the number of WECs is given.
    """
    given: dict[str, Any] = {**fleet.given} or {"wec_count": len(fleet.wecs())}
    given.setdefault("fleet_name", fleet.name)
    build = ["ansible-playbook", "site.yml", *(("-i", fleet.inventory) if fleet.inventory else ())]
    build += [word for name, value in sorted(given.items()) for word in ("-e", _extra(name, value))]
    run = ["fleet", "experiment", "run", "experiment.yaml", "--fleet", given["fleet_name"]]
    return [
        shlex.join(build),
        f"{shlex.join(run)}  # the file below",
        "fleet reproduce RUN  # both at once, from the folder of this run, and a comparison with it",
        "fleet report RUN     # this page again, from run.json and events.jsonl alone",
    ]


def _extra(name: str, value: Any) -> str:
    """As `-e` takes it: everything but plain words as JSON, which keeps its type."""
    plain = isinstance(value, str | int | float) and not isinstance(value, bool)
    return f"{name}={value}" if plain and " " not in str(value) else json.dumps({name: value})
