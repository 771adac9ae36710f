"""Faults of the network between one machine's agents and the hub: `disconnect`, `partition`, `bandwidth`.

Where the machine has a link (`wan`) they are done to it. Between machines without one they are routes and queues of the
kernel (root): both ends drop what they would send to the other, so that each direction can be cut by itself.
"""

from __future__ import annotations

import os
import shutil
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from fleet.errors import HostError, UsageError
from fleet.faults.fault import Aim, Chosen, Plain
from fleet.faults.stores import run
from fleet.faults.targets import machine_of
from fleet.host.https import UnixConnection, exchange
from fleet.host.link import NAME, PROXY, SocketControl, bring, toxics
from fleet.model.base import Model
from fleet.model.during import Action
from fleet.model.fleet_file import FleetFile, Machine
from fleet.model.link import Link, Rate, shown_rate

Direction = Literal["both", "to-hub", "from-hub"]
SECONDS = 20.0
STREAMS = {"both": ("upstream", "downstream"), "to-hub": ("upstream",), "from-hub": ("downstream",)}


class LinkApi:
    """The running link of this machine, as toxiproxy's API has it."""

    def __init__(self, root: Path) -> None:
        self.socket = root / "run" / f"{NAME}.sock"

    def send(self, method: str, path: str, body: dict[str, Any] | None = None, *, absent: bool = False) -> None:
        """One request below the link's proxy; with `absent` it may be gone already."""
        try:
            answer = exchange(UnixConnection(self.socket, SECONDS), method, f"/proxies/{PROXY}{path}", body)
        except OSError as error:
            raise HostError(f"the link at {self.socket} does not answer: {error}") from error
        if answer.status >= HTTPStatus.BAD_REQUEST and not (absent and answer.status == HTTPStatus.NOT_FOUND):
            raise HostError(f"the link at {self.socket}: {method} {path}: {answer.status} {answer.text()}")


def linked(wanted: Action, fleet: FleetFile) -> Machine:
    """The machine of a target that has a link; UsageError else."""
    machine = fleet.machine(machine_of(wanted, fleet))
    if machine.wan is None:
        raise UsageError(
            f"the machine {machine.name} reaches the hub without a link, and {wanted.action} is done to one: build the"
            ' fleet with -e \'{"wan": {"rtt": "0ms"}}\''
        )
    return machine


def through_link(wanted: Action, fleet: FleetFile) -> Aim:
    """The aim at that machine's link."""
    machine = linked(wanted, fleet)
    assert machine.wan is not None  # noqa: S101 - `linked` has refused
    upstream = next(
        (word.partition("=")[2] for part in fleet.components if (part.program, part.machine) == (NAME, machine.name)
         for word in part.argv if word.startswith("--upstream=")), ""
    )  # fmt: skip
    own = {"link": machine.wan.model_dump(mode="json"), "upstream": upstream}
    return Aim(
        action=wanted.action,
        target=wanted.target,
        fleet=fleet.name,
        machine=machine.name,
        settings=wanted.settings,
        facts=own,
        repair=f"fleet up --fleet {fleet.name}",
    )


class Disconnect(Plain):
    """Connections of the machine's agents to the hub break, and new ones are refused: an error at once."""

    name = "disconnect"

    def aims(self, wanted: Action, fleet: FleetFile, chosen: Chosen) -> list[Aim]:  # noqa: ARG002 - one machine
        """See `Fault`."""
        return [through_link(wanted, fleet)]

    def inject(self, aim: Aim, root: Path) -> None:  # noqa: ARG002 - all is said by the action
        """See `Fault`."""
        LinkApi(root).send("POST", "", {"enabled": False})

    def heal(self, aim: Aim, root: Path) -> None:  # noqa: ARG002 - the same
        """See `Fault`."""
        LinkApi(root).send("POST", "", {"enabled": True})


class PartitionSettings(Model):
    """Of `partition`."""

    direction: Direction = "both"
    """What is dropped: everything, what the agents send, or what the hub sends."""


class Partition(Plain):
    """Nothing passes between the machine's agents and the hub, and nobody is informed: connections hang."""

    name = "partition"
    settings = PartitionSettings

    def aims(self, wanted: Action, fleet: FleetFile, chosen: Chosen) -> list[Aim]:  # noqa: ARG002 - one machine
        """See `Fault`. Without a link: one aim at each end that must drop."""
        machine = fleet.machine(machine_of(wanted, fleet))
        if machine.wan is not None:
            return [through_link(wanted, fleet)]
        hub = _hub_of(machine, wanted, fleet)
        direction = PartitionSettings.model_validate(wanted.settings).direction
        here = _routed(wanted, fleet, machine.name, hub.address, _loses(machine, fleet, hub))
        there = _routed(wanted, fleet, hub.name, machine.address, [])
        return {"both": [here, there], "to-hub": [here], "from-hub": [there]}[direction]

    def refuse(self, aim: Aim, root: Path) -> str:  # noqa: ARG002 - the machine's own tools
        """See `Fault`."""
        return _without_root("ip") if "peer" in aim.facts else ""

    def inject(self, aim: Aim, root: Path) -> None:
        """See `Fault`."""
        if "peer" in aim.facts:
            run("ip", "route", "replace", "blackhole", f"{aim.facts['peer']}/32")
            return
        settings = PartitionSettings.model_validate(aim.settings)
        for stream in STREAMS[settings.direction]:
            toxic = {"name": f"hang_{stream}", "type": "timeout", "stream": stream, "attributes": {"timeout": 0}}
            LinkApi(root).send("POST", "/toxics", toxic)

    def heal(self, aim: Aim, root: Path) -> None:
        """See `Fault`."""
        if "peer" in aim.facts:
            if run("ip", "route", "show", "type", "blackhole", f"{aim.facts['peer']}/32").strip():
                run("ip", "route", "del", "blackhole", f"{aim.facts['peer']}/32")
            return
        for stream in STREAMS["both"]:
            LinkApi(root).send("DELETE", f"/toxics/hang_{stream}", absent=True)

    def abandon(self, aim: Aim, root: Path) -> None:
        """See `Fault`."""
        if "peer" in aim.facts:
            self.heal(aim, root)


class BandwidthSettings(Model):
    """Of `bandwidth`."""

    rate: Rate = 100_000.0
    """Each way, of all connections together; written as `100kbit`."""


class Bandwidth(Plain):
    """The machine's agents and the hub have so many bits a second for each other."""

    name = "bandwidth"
    settings = BandwidthSettings

    def aims(self, wanted: Action, fleet: FleetFile, chosen: Chosen) -> list[Aim]:  # noqa: ARG002 - one machine
        """See `Fault`. Without a link: all that the machine sends waits in a queue of that rate."""
        machine = fleet.machine(machine_of(wanted, fleet))
        if machine.wan is not None:
            return [through_link(wanted, fleet)]
        return [_routed(wanted, fleet, machine.name, _hub_of(machine, wanted, fleet).address, [])]

    def refuse(self, aim: Aim, root: Path) -> str:  # noqa: ARG002 - the machine's own tools
        """See `Fault`."""
        if "peer" not in aim.facts:
            return ""
        return _without_root("ip", "tc")

    def inject(self, aim: Aim, root: Path) -> None:
        """See `Fault`."""
        rate = BandwidthSettings.model_validate(aim.settings).rate
        if "peer" not in aim.facts:
            was = Link.model_validate(aim.facts["link"])
            bring(SocketControl(LinkApi(root).socket), toxics(was.model_copy(update={"rate": rate})))
            return
        run("tc", "qdisc", "add", "dev", _device_to(aim.facts["peer"]), "root", "tbf", "rate", shown_rate(rate),
            "burst", "4kb", "latency", "400ms")  # fmt: skip

    def heal(self, aim: Aim, root: Path) -> None:
        """See `Fault`."""
        if "peer" not in aim.facts:
            bring(SocketControl(LinkApi(root).socket), toxics(Link.model_validate(aim.facts["link"])))
            return
        device = _device_to(aim.facts["peer"])
        if "qdisc tbf" in run("tc", "qdisc", "show", "dev", device):
            run("tc", "qdisc", "del", "dev", device, "root")

    def abandon(self, aim: Aim, root: Path) -> None:
        """See `Fault`."""
        if "peer" in aim.facts:
            self.heal(aim, root)


def _hub_of(machine: Machine, wanted: Action, fleet: FleetFile) -> Machine:
    """The other machine that its agents dial; UsageError where that is itself."""
    dialled = {c.machine for c in fleet.transports()}
    if len(dialled) != 1 or machine.name in dialled:
        raise UsageError(
            f"the machine {machine.name} reaches the hub over its own loopback, and {wanted.action} needs something in"
            ' between: build the fleet with -e \'{"wan": {"rtt": "0ms"}}\''
        )
    hub = fleet.machine(dialled.pop())
    server = next(c.server for c in fleet.transports())
    return hub.model_copy(update={"address": urlsplit(server).hostname or hub.address})


def _loses(machine: Machine, fleet: FleetFile, hub: Machine) -> list[str]:
    """Control planes of that machine that a driver on the hub's machine would lose sight of."""
    return [c.name for c in fleet.clusters if c.machine == machine.name] if hub.connection == "local" else []


def _routed(wanted: Action, fleet: FleetFile, machine: str, peer: str, clusters: list[str]) -> Aim:
    return Aim(
        action=wanted.action,
        target=wanted.target,
        fleet=fleet.name,
        machine=machine,
        clusters=clusters,
        settings=wanted.settings,
        facts={"peer": peer},
        repair=f"fleet up --fleet {fleet.name}",
    )


def _without_root(*tools: str) -> str:
    if os.geteuid() != 0:
        return "routes and queues of the kernel need root: log in to that machine as root, or give it a link (wan)"
    lacking = [tool for tool in tools if shutil.which(tool) is None]
    return f"{' and '.join(lacking)} is missing: install iproute2" if lacking else ""


def _device_to(peer: str) -> str:
    """The interface by which the kernel sends to that address."""
    words = run("ip", "-o", "route", "get", peer).split()
    return words[words.index("dev") + 1]
