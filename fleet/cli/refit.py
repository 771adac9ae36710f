"""Changes the client limits of a fleet that runs, for experiments that sweep them: `fleet up` in a process of its own.

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
from fleet.observe import priority
from fleet.spec.fleet_file import FleetFile

TOLD_LINES = 8
"""Of what a failed `fleet up` said."""


def variables(fleet: FleetFile, limits: Mapping[str, float]) -> dict[str, str]:
    """What `fleet up` must be told to make this very fleet with other limits, as the words of its `-e`.

    What the fleet file does not hold (extra arguments, ports) comes from the inventory again; so does nearly everything
    of a fleet over several machines.
    """
    try:
        values: dict[str, Any] = rebuild.variables(fleet)
    except UsageError:
        values = {"wec_nodes": fleet.wec_nodes}
    return {name: _word(value) for name, value in {"fleet_name": fleet.name, **values, **limits}.items()}


def _word(value: str | float) -> str:
    """As YAML has it: a whole number without a point or an exponent."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not value.is_integer():
        return repr(value)
    return value if isinstance(value, str) else str(int(value))


class FleetUp:
    """Reconfigures through `fleet up`; what it says is shown only when it fails."""

    def __init__(self, fleet: FleetFile, state_root: Path) -> None:
        self._fleet = fleet
        self._root = state_root
        self._inventory = fleet.inventory if fleet.inventory and Path(fleet.inventory).exists() else ""

    async def __call__(self, limits: Mapping[str, float]) -> None:
        """Run it to its end; when cancelled, wait for it all the same: half a change is worse than a late end."""
        command = [sys.executable, "-m", "fleet", "up"]
        for name, value in variables(self._fleet, limits).items():
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
            raise FleetError(f"`fleet up` with {json.dumps(dict(limits))} ended with {process.returncode}:\n{last}")
