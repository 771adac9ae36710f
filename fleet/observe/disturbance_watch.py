"""All of one machine that could disturb a run, looked at with each sample: programs, host, certificates, leaders."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from fleet.kube.client import KubeClient
from fleet.model.fleet_file import FleetFile
from fleet.observe.certificates import Certificates
from fleet.observe.leaders import Leaders, electing
from fleet.observe.machine_watch import machine_state
from fleet.observe.program_changes import ProgramChanges, local_instances
from fleet.results.events import Line, ProcessSample


class DisturbanceWatch:
    """Raw lines only: what of it disturbs a trial is for `fleet.analysis.disturbances` to say."""

    def __init__(self, fleet: FleetFile, hub: Sequence[KubeClient]) -> None:
        self._fleet = fleet
        chosen = electing(fleet)
        self._leaders = Leaders([client for client in hub if client.cluster in chosen])
        self._programs = ProgramChanges(local_instances(fleet))
        self._certificates: Certificates | None = None

    async def look(self, samples: Sequence[ProcessSample]) -> list[Line]:
        """What is to be recorded; `samples` are the programs of this round.

        Programs come last: on another machine the answer's arrival stands for the moment of the look.
        """
        if self._certificates is None:
            self._certificates = await asyncio.to_thread(Certificates, self._fleet)
        lines: list[Line] = [await asyncio.to_thread(machine_state, self._fleet)]
        lines += await asyncio.to_thread(self._certificates.look)
        lines += await self._leaders.look()
        lines += await asyncio.to_thread(self._programs.look, samples)
        return lines
