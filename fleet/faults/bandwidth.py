"""The fault `bandwidth`: a machine's agents and the hub have so many bits a second for each other."""

from __future__ import annotations

from pathlib import Path

from fleet.faults.by_link import LinkApi, through_link
from fleet.faults.by_route import PEER, device_to, hub_of, routed, without_root
from fleet.faults.fault import Aim, Chosen, Plain
from fleet.faults.stores import run
from fleet.faults.targets import machine_of
from fleet.host.link import SocketControl, bring, toxics
from fleet.model.base import Model
from fleet.model.during import Action
from fleet.model.fleet_file import FleetFile
from fleet.model.link import Link, Rate, shown_rate


class BandwidthSettings(Model):
    """Of `bandwidth`."""

    rate: Rate = 100_000.0
    """Each way, of all connections together; written as `100kbit`."""


class Bandwidth(Plain):
    """See `Fault`."""

    name = "bandwidth"
    settings = BandwidthSettings

    def aims(self, wanted: Action, fleet: FleetFile, chosen: Chosen) -> list[Aim]:  # noqa: ARG002 - one machine
        """See `Fault`. Without a link: all that the machine sends waits in a queue of that rate."""
        machine = fleet.machine(machine_of(wanted, fleet))
        if machine.wan is not None:
            return [through_link(wanted, fleet)]
        return [routed(wanted, fleet, machine.name, hub_of(machine, wanted, fleet).address, [])]

    def refuse(self, aim: Aim, root: Path) -> str:  # noqa: ARG002 - the machine's own tools
        """See `Fault`."""
        if PEER not in aim.facts:
            return ""
        return without_root("ip", "tc")

    def inject(self, aim: Aim, root: Path) -> None:
        """See `Fault`."""
        rate = BandwidthSettings.model_validate(aim.settings).rate
        if PEER not in aim.facts:
            was = Link.model_validate(aim.facts["link"])
            bring(SocketControl(LinkApi(root).socket), toxics(was.model_copy(update={"rate": rate})))
            return
        run("tc", "qdisc", "add", "dev", device_to(aim.facts[PEER]), "root", "tbf", "rate", shown_rate(rate),
            "burst", "4kb", "latency", "400ms")  # fmt: skip

    def heal(self, aim: Aim, root: Path) -> None:
        """See `Fault`."""
        if PEER not in aim.facts:
            bring(SocketControl(LinkApi(root).socket), toxics(Link.model_validate(aim.facts["link"])))
            return
        device = device_to(aim.facts[PEER])
        if "qdisc tbf" in run("tc", "qdisc", "show", "dev", device):
            run("tc", "qdisc", "del", "dev", device, "root")

    def abandon(self, aim: Aim, root: Path) -> None:
        """See `Fault`."""
        if PEER in aim.facts:
            self.heal(aim, root)
