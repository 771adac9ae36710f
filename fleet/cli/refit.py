"""Changes client limits, links, served sources, simulated nodes or the manager's release of a fleet that runs, for
experiments that do that: `fleet up` in its own process.

A process of its own, because Ansible would make the driver's event loop late and takes over its signals.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fleet.cli import rebuild
from fleet.cli.recorded import GIVEN
from fleet.errors import FleetError
from fleet.experiment.reconfigure import OWN, Nodes, Release
from fleet.managers.installer import installer
from fleet.model.fleet_file import FleetFile
from fleet.model.link import Link
from fleet.observe import priority

_Wanted = tuple[dict[str, float], Link | None, int, Nodes | None, Release]
TOLD_LINES = 8
"""Of what a failed `fleet up` said."""


def variables(
    fleet: FleetFile,
    limits: Mapping[str, float],
    link: Link | None = None,
    serving: int | None = None,
    nodes: Nodes | None = None,
    release: Release = OWN,
) -> dict[str, Any]:
    """What makes this very fleet with other limits, with `link` on every machine, with the manager for the first
    `serving` sources and in `release`, and with these nodes in each WEC: the recorded variables, and these.

    What differs from machine to machine comes from the inventory again. What `-e` has given stays what it was.
    """
    values = dict(fleet.variables) or rebuild.as_far_as_known(fleet)
    if link is not None:
        values["wan"] = link.written()
    if serving is not None and (how := installer(fleet.manager.name).serving) is not None:
        values[how.variable] = serving
    if nodes is not None:
        values |= {"node_simulator": nodes.simulator, "wec_nodes": nodes.count}
    if release.version:
        values["manager_version"] = release.version
    if release.restart:
        values["manager_restart"] = release.restart
    numbers = {name: int(value) if float(value).is_integer() else value for name, value in limits.items()}
    return {**values, **numbers, "fleet_name": fleet.name, GIVEN: dict(fleet.given)}


class FleetUp:
    """Reconfigures through `fleet up`; what it says is shown only when it fails.

    A change of links, served sources, nodes or the release alone plays only what it needs: some seconds, and no other
    program is touched.
    """

    def __init__(self, fleet: FleetFile, state_root: Path) -> None:
        self._fleet = fleet
        self._root = state_root
        self._inventory = fleet.inventory if fleet.inventory and Path(fleet.inventory).exists() else ""
        self._has: _Wanted | None = (dict(fleet.limits), None, len(fleet.served()), None, OWN)
        """What the fleet was last given; None after a change that failed, which may have stopped half-way."""

    async def __call__(
        self, limits: Mapping[str, float], link: Link | None, serving: int, nodes: Nodes | None, release: Release, /
    ) -> None:
        """Run it to its end; when cancelled, wait for it all the same: half a change is worse than a late end."""
        wanted = (dict(limits), link, serving, nodes, release)
        tags = self._tags(*wanted)
        self._has = None
        with tempfile.TemporaryDirectory(prefix="fleet-refit-") as folder:
            file = Path(folder) / "variables.json"
            file.write_text(json.dumps(variables(self._fleet, *wanted)), encoding="utf-8")
            said, code = await self._play(file, tags)
        if code:
            last = "\n".join(said.splitlines()[-TOLD_LINES:])
            extra = "".join(f" and {one}" for one in (link, nodes) if one is not None)
            extra += f" and {self._fleet.manager.name} {release}" if release != OWN else ""
            what = f"{json.dumps(wanted[0])}{extra} for {serving} sources"
            raise FleetError(f"`fleet up` with {what} ended with {code}:\n{last}")
        self._has = wanted

    async def _play(self, variables_file: Path, tags: str) -> tuple[str, int]:
        """What `fleet up` said, and its exit code."""
        command = [sys.executable, "-m", "fleet", "up", "-e", f"@{variables_file}"]
        command += ["--tags", tags] if tags else []
        command += ["-i", self._inventory] if self._inventory else []
        process = await asyncio.create_subprocess_exec(
            *command,
            env={**os.environ, "FLEET_STATE_DIR": str(self._root)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=priority.give_up,  # the driver may be real-time, and what it starts is not the driver
        )
        reading = asyncio.ensure_future(process.communicate())
        try:
            said, _ = await asyncio.shield(reading)
        except asyncio.CancelledError:
            await reading
            raise
        return said.decode(errors="replace"), process.returncode or 0

    def _tags(
        self, limits: dict[str, float], link: Link | None, serving: int, nodes: Nodes | None, release: Release
    ) -> str:
        """The parts of site.yml that the change needs; empty for all, where limits change or a change failed."""
        if self._has is None or self._has[0] != limits:
            return ""
        how = installer(self._fleet.manager.name).serving
        parts = ["link"] if link != self._has[1] else []
        parts += ["wecs"] if nodes != self._has[3] else []
        parts += ["hub"] if release != self._has[4] else []
        parts += how.parts if how is not None and serving != self._has[2] else ()
        return ",".join(("binaries", *parts, "record"))
