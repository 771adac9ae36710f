"""The inventory variables that build a recorded fleet again, and what stands against it; pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from fleet.errors import UsageError
from fleet.managers.installer import installer
from fleet.model.fleet_file import FleetFile
from fleet.results.run import RunRecord

SHARD_SIZE = 25
"""`dense_shard_size` of the inventory, where the record does not say otherwise."""
_WEC = re.compile(r"^(.*?)(\d{3,})$")


PLACE = frozenset({"machine_state_dir"})
"""Variables of where that fleet lay, which are not those of where it is built again."""


def variables(fleet: FleetFile) -> dict[str, Any]:
    """The recorded variables, as `site.yml` takes them. UsageError for a fleet that it cannot build here.

    Of a file of an older release, which records none: counts, driver, limits and switches as the file has them.
    """
    if len(fleet.machines) != 1 or fleet.machines[0].connection != "local":
        raise UsageError(
            f"the fleet of that run was on {len(fleet.machines)} machines: build it with its inventory, then give its "
            "name with --fleet"
        )
    if not fleet.variables:
        return _read_back(fleet)
    return {name: value for name, value in fleet.variables.items() if name not in PLACE}


def as_far_as_known(fleet: FleetFile) -> dict[str, Any]:
    """Of a file of an older release: what it says, for a change of that very fleet with its own inventory.

    Extra flags and ports that were given with `-e` are not in it.
    """
    try:
        values = variables(fleet)
    except UsageError:
        values = {"wec_nodes": fleet.wec_nodes, **_of_manager(fleet), **fleet.limits}
        carrying = {wec.machine for wec in fleet.wecs()}
        links = {machine.wan for machine in fleet.machines if machine.name in carrying}
        values["wan"] = own.written() if len(links) == 1 and (own := links.pop()) is not None else {}
    return values if values["wan"] else {name: value for name, value in values.items() if name != "wan"}


def _read_back(fleet: FleetFile) -> dict[str, Any]:
    """What a file without variables says of them."""
    wecs = fleet.wecs()
    if not wecs:
        raise UsageError("the fleet of that run had no WECs: there is nothing to build again")
    drivers = {cluster.driver for cluster in wecs}
    if len(drivers) != 1:
        raise UsageError(
            f"the WECs of that run had several drivers ({', '.join(sorted(drivers))}): site.yml builds one"
        )
    shards = sum(1 for program in fleet.components if program.component == "dense")
    size = SHARD_SIZE if shards in (0, math.ceil(len(wecs) / SHARD_SIZE)) else math.ceil(len(wecs) / shards)
    return {
        "wec_count": len(wecs),
        "wec_prefix": _prefix([cluster.name for cluster in wecs]),
        "wec_nodes": fleet.wec_nodes,
        **_of_manager(fleet),
        "control_plane_driver": drivers.pop(),
        "dense_shard_size": size,
        "control_plane_debug": any("--enable-pprof" in program.argv for program in fleet.components),
        "monitoring_enabled": any(program.component == "prometheus" for program in fleet.components),
        "wan": link.written() if (link := fleet.machines[0].wan) is not None else {},
        **fleet.limits,
    }


def _of_manager(fleet: FleetFile) -> dict[str, Any]:
    return {"manager": fleet.manager.name, **installer(fleet.manager.name).unrecorded(fleet)}


def refuse(run: RunRecord, versions: Mapping[str, str]) -> None:
    """UsageError when the run cannot be done again with the upstream `versions` of this checkout."""
    if run.status == "running":
        raise UsageError(f"{run.id} did not finish: it is under way, or its driver died; name a run that has ended")
    old = run.fleet.versions
    # What the toolchain has got since is no part of that fleet.
    wrong = sorted(name for name in old if old[name] != versions.get(name))
    if wrong:
        told = ", ".join(f"{name} {old[name]} (here {versions.get(name, 'none')})" for name in wrong)
        where = f": check out {run.git.removesuffix('-dirty')}" if run.git else ""
        raise UsageError(f"{run.id} ran with other versions: {told}{where}")
    installer(run.fleet.manager.name).refuse(run.fleet.manager)


def unlike(recorded: FleetFile, found: FleetFile) -> list[str]:
    """What of a fleet that is there differs from the recorded one, as sentences."""
    was, now = variables(recorded), variables(found)
    told = [f"{name} {now[name]} instead of {was[name]}" for name in was if was[name] != now.get(name, was[name])]
    if any(found.versions.get(name) != version for name, version in recorded.versions.items()):
        told.append("other versions of the upstream programs")
    return told


def _prefix(names: list[str]) -> str:
    """What all WECs begin with; UsageError when they are not numbered as site.yml numbers them."""
    match = _WEC.match(names[0])
    prefix = match[1] if match else ""
    if set(names) != {f"{prefix}{number:03d}" for number in range(1, len(names) + 1)}:
        raise UsageError(
            f"the WECs of that run ({names[0]} to {names[-1]}) are not numbered from 001: site.yml does that"
        )
    return prefix
