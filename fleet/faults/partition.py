"""The fault `partition`: nothing passes between a machine's agents and the hub, and no error says so.

Of a link all that arrives is dropped. Between machines without one both ends drop what they would send to the other, so
that each direction can be cut by itself.
"""

from __future__ import annotations

from pathlib import Path
from threading import Timer
from typing import Literal

from fleet.faults.by_link import LinkApi, through_link
from fleet.faults.by_route import PEER, hub_of, loses, routed, without_root
from fleet.faults.fault import Aim, Chosen, Plain
from fleet.faults.stores import run
from fleet.faults.targets import machine_of
from fleet.model.base import Model
from fleet.model.during import Action
from fleet.model.fleet_file import FleetFile

Direction = Literal["both", "to-hub", "from-hub"]
STREAMS = {"both": ("upstream", "downstream"), "to-hub": ("upstream",), "from-hub": ("downstream",)}
ANSWER_SECONDS = 0.3
"""The answer to the order may have to go where the route will lead nowhere."""


class PartitionSettings(Model):
    """Of `partition`."""

    direction: Direction = "both"
    """What is dropped: everything, what the agents send, or what the hub sends."""


class Partition(Plain):
    """See `Fault`."""

    name = "partition"
    settings = PartitionSettings

    def __init__(self) -> None:
        self._cuts: dict[str, Timer] = {}

    def aims(self, wanted: Action, fleet: FleetFile, chosen: Chosen) -> list[Aim]:  # noqa: ARG002 - one machine
        """See `Fault`. Without a link: one aim at each end that must drop."""
        machine = fleet.machine(machine_of(wanted, fleet))
        if machine.wan is not None:
            return [through_link(wanted, fleet)]
        hub = hub_of(machine, wanted, fleet)
        direction = PartitionSettings.model_validate(wanted.settings).direction
        here = routed(wanted, fleet, machine.name, hub.address, loses(machine, fleet, hub))
        there = routed(wanted, fleet, hub.name, machine.address, [])
        return {"both": [here, there], "to-hub": [here], "from-hub": [there]}[direction]

    def refuse(self, aim: Aim, root: Path) -> str:  # noqa: ARG002 - the machine's own tools
        """See `Fault`."""
        return without_root("ip") if PEER in aim.facts else ""

    def inject(self, aim: Aim, root: Path) -> None:
        """See `Fault`."""
        if PEER in aim.facts:
            cut = Timer(ANSWER_SECONDS, run, ("ip", "route", "replace", "blackhole", f"{aim.facts[PEER]}/32"))
            self._cuts[aim.key] = cut
            cut.start()
            return
        settings = PartitionSettings.model_validate(aim.settings)
        for stream in STREAMS[settings.direction]:
            toxic = {"name": f"hang_{stream}", "type": "timeout", "stream": stream, "attributes": {"timeout": 0}}
            LinkApi(root).send("POST", "/toxics", toxic)

    def heal(self, aim: Aim, root: Path) -> None:
        """See `Fault`."""
        if PEER in aim.facts:
            if (cut := self._cuts.pop(aim.key, None)) is not None:
                cut.cancel()
                cut.join()
            if run("ip", "route", "show", "type", "blackhole", f"{aim.facts[PEER]}/32").strip():
                run("ip", "route", "del", "blackhole", f"{aim.facts[PEER]}/32")
            return
        for stream in STREAMS["both"]:
            LinkApi(root).send("DELETE", f"/toxics/hang_{stream}", absent=True)

    def abandon(self, aim: Aim, root: Path) -> None:
        """See `Fault`."""
        if PEER in aim.facts:
            self.heal(aim, root)
