"""Changes client limits, links or served WDSes of a fleet that runs, for experiments that sweep them: `fleet up` in its
own process.

A process of its own, because Ansible would make the driver's event loop late and takes over its signals.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fleet.cli import rebuild
from fleet.errors import FleetError, UsageError
from fleet.model.fleet_file import FleetFile
from fleet.model.link import Link
from fleet.observe import priority

TOLD_LINES = 8
"""Of what a failed `fleet up` said."""


def variables(
    fleet: FleetFile, limits: Mapping[str, float], link: Link | None = None, serving: int | None = None
) -> dict[str, str]:
    """What `fleet up` must be told to make this very fleet with other limits, with `link` on every machine, and with
    KubeStellar for the first `serving` WDSes, as the words of its `-e`.

    What the fleet file does not hold (extra arguments, ports) comes from the inventory again; so does nearly everything
    of a fleet over several machines, links that differ from machine to machine among it.
    """
    try:
        values: dict[str, Any] = rebuild.variables(fleet)
        if not values["wan"]:
            del values["wan"]
    except UsageError:
        values = {"wec_nodes": fleet.wec_nodes, **rebuild.wds_variables(fleet)}
        carrying = {wec.machine for wec in fleet.wecs()}
        links = {machine.wan for machine in fleet.machines if machine.name in carrying}
        if len(links) == 1 and (own := links.pop()) is not None:
            values["wan"] = own.written()
    if link is not None:
        values["wan"] = link.written()
    if serving is not None:
        values["wds_serving"] = serving
    return {name: _word(value) for name, value in {"fleet_name": fleet.name, **values, **limits}.items()}


def _word(value: str | float | Mapping[str, Any]) -> str:
    """As YAML has it: a whole number without a point or an exponent."""
    if isinstance(value, Mapping):
        return json.dumps(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not value.is_integer():
        return repr(value)
    return value if isinstance(value, str) else str(int(value))


class FleetUp:
    """Reconfigures through `fleet up`; what it says is shown only when it fails.

    A change of links or served WDSes alone plays only what it needs: some seconds, and no other program is touched.
    """

    def __init__(self, fleet: FleetFile, state_root: Path) -> None:
        self._fleet = fleet
        self._root = state_root
        self._inventory = fleet.inventory if fleet.inventory and Path(fleet.inventory).exists() else ""
        self._limits: Mapping[str, float] = dict(fleet.limits)
        self._link: Link | None = None
        self._serving = len(fleet.served())

    async def __call__(self, limits: Mapping[str, float], link: Link | None, serving: int) -> None:
        """Run it to its end; when cancelled, wait for it all the same: half a change is worse than a late end."""
        command = [sys.executable, "-m", "fleet", "up"]
        if dict(limits) == dict(self._limits):
            command += ["--tags", self._tags(link, serving)]
        self._limits, self._link, self._serving = limits, link, serving
        for name, value in variables(self._fleet, limits, link, serving).items():
            command += ["-e", f"{name}={value}"]
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
        if process.returncode:
            last = "\n".join(said.decode(errors="replace").splitlines()[-TOLD_LINES:])
            what = f"{json.dumps(dict(limits))}{f' and {link}' if link is not None else ''}, wds_serving={serving}"
            raise FleetError(f"`fleet up` with {what} ended with {process.returncode}:\n{last}")

    def _tags(self, link: Link | None, serving: int) -> str:
        """The parts of site.yml that the change needs, where no limits change."""
        parts = [*(["link"] if link != self._link else []), *(["hub"] if serving != self._serving else [])]
        return ",".join(("binaries", *parts, "record"))
