"""The experiment `hub-upgrade`: the load goes on while the manager is replaced by another version, or restarted."""

from __future__ import annotations

from fleet.errors import SpecError, ToolchainError
from fleet.experiment import steps
from fleet.experiment.distribution import Distribution
from fleet.experiments.hub_upgrade.spec import HubUpgrade, points
from fleet.experiments.hub_upgrade.steps import LoadMeanwhile, PutBack
from fleet.managers.installer import installer, not_had
from fleet.managers.manager import Manager
from fleet.model.checkout import checkout
from fleet.model.fleet_file import FleetFile
from fleet.toolchain import ToolchainMissing, locate


def cannot(manager: Manager) -> str:
    """Without a manager."""
    return "there are no programs of a manager to replace" if manager.name == "none" else ""


def check(spec: HubUpgrade, fleet: FleetFile) -> None:
    """SpecError for a version that the manager cannot have, or whose programs are not built: a build would take minutes
    of the load."""
    name = fleet.manager.name
    for number, upgrade in enumerate(spec.upgrades):
        for field, version in (("from", upgrade.before), ("to", upgrade.to)):
            if why := not_had(installer(name), version):
                raise SpecError(f"{why} of {name}", field=f"upgrades.{number}.{field}")
            if version:
                _built(f"manager:{name}@{version}", f"upgrades.{number}.{field}")


def _built(need: str, field: str) -> None:
    try:
        locate(checkout() / "toolchain", needs=[need])
    except ToolchainMissing as error:
        raise SpecError(f"its programs are not built: run `fleet toolchain build --for {need}`", field=field) from error
    except ToolchainError as error:
        raise SpecError(str(error), field=field) from error


EXPERIMENT = Distribution(
    "hub-upgrade",
    HubUpgrade,
    points,
    measure=(LoadMeanwhile(), steps.Drain(), PutBack()),
    cannot=cannot,
    check=check,
)
