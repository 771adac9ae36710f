"""What the manager, the node simulator, the drivers and the platforms that the variables name say of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fleet.host.drivers.driver import driver_kind, driver_kinds
from fleet.host.plan import PLAIN
from fleet.managers import installer as managers
from fleet.managers.installer import not_had
from fleet.model.fleet_file import EXISTING
from fleet.model.variable_rules import Problem
from fleet.model.variable_types import told
from fleet.model.variables import Variables
from fleet.platforms import platform as platforms
from fleet.platforms.platform import Platform
from fleet.simulators import simulator as simulators


@dataclass(frozen=True)
class Chosen:
    """As in ManagerRules."""

    machines: int = 1
    """How many the fleet has."""

    def planes(self, variables: Variables) -> dict[str, str]:
        """As in ManagerRules; none of a manager that there is not."""
        if variables.manager not in managers.known():
            return {}
        return {plane.name: plane.role for plane in managers.installer(variables.manager).planes(variables)}

    def problems(self, variables: Variables) -> Iterator[Problem]:
        """As in ManagerRules."""
        for name, known in _known():
            if getattr(variables, name) not in known:
                yield Problem(name, f"{told(getattr(variables, name))} is not one of {', '.join(known)}")
        if variables.manager in managers.known():
            chosen = managers.installer(variables.manager)
            if why := not_had(chosen, variables.manager_version):
                yield Problem("manager_version", f"{why} of {variables.manager}")
            yield from chosen.problems(variables, self.machines)
        yield from platform_problems(variables, {name: platforms.platform(name) for name in platforms.known()})


def platform_problems(variables: Variables, known: Mapping[str, Platform]) -> Iterator[Problem]:
    """What is wrong with the platforms of a fleet; `known` are all that there are."""
    for name in variables.platform:
        if name not in known:
            yield Problem("platform", f"{told(name)} is not one of {', '.join(known)}")
            continue
        chosen = known[name]
        for other in set(chosen.clashes) & set(variables.platform):
            yield Problem("platform", f"{name} and {other} cannot be in one WEC: leave one of them out")
        yield from chosen.problems(variables)
    shaped = [name for name in variables.platform if name in known and known[name].needs(variables).nodes != PLAIN]
    if len(shaped) > 1:
        text = f"{' and '.join(shaped)} each need nodes of their own shape in one WEC: leave one of them out"
        yield Problem("platform", text)
    able = [name for name in driver_kinds() if driver_kind(name).platforms]
    if variables.platform and variables.control_plane_driver not in able:
        yield Problem(
            "platform",
            f"needs API servers alongside its programs; control_plane_driver is {variables.control_plane_driver}: set"
            f" control_plane_driver={' or '.join(able)}",
        )


def _known() -> Iterator[tuple[str, list[str]]]:
    """Each variable that names a package, and the names that there are."""
    yield "manager", managers.known()
    yield "node_simulator", simulators.known()
    yield "control_plane_driver", [*driver_kinds(), EXISTING]
    yield "hub_driver", [*(name for name in driver_kinds() if driver_kind(name).of_hub), EXISTING]
