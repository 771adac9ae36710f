"""Variables of a fleet that is to be built, checked before anything is touched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fleet.errors import UsageError
from fleet.managers.variable_check import Chosen
from fleet.model.fleet_file import EXISTING
from fleet.model.misspelt import misspelt
from fleet.model.variable_rules import checked
from fleet.model.variables import Variables


def checked_variables(values: Mapping[str, Any], what: str = "") -> Variables:
    """All variables of a fleet on this machine with these set; UsageError with all that is wrong with them, each after
    `what`."""
    unknown = [name for name in values if name not in Variables.model_fields]
    close = misspelt(unknown, Variables.model_fields.keys())
    problems = [
        f"{name}: there is no such variable" + (f"; did you mean `{close[name]}`?" if name in close else "")
        for name in unknown
    ]
    done = checked(values, manager=Chosen(1))
    problems += [str(problem) for problem in done.problems]
    if done.variables.control_plane_driver == EXISTING:
        problems.append("control_plane_driver: existing clusters are not built, and take nothing of this machine")
    if problems:
        raise UsageError("\n".join(f"{what}{problem}" for problem in problems))
    return done.variables
