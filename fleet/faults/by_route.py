"""Faults of the network between two machines without a link: where they aim, and the kernel's routes (root).

An aim of these has the fact `peer`: the address that the machine is cut off from.
"""

from __future__ import annotations

import os
import shutil
from urllib.parse import urlsplit

from fleet.errors import UsageError
from fleet.faults.fault import Aim
from fleet.faults.stores import run
from fleet.model.during import Action
from fleet.model.fleet_file import FleetFile, Machine

PEER = "peer"


def hub_of(machine: Machine, wanted: Action, fleet: FleetFile) -> Machine:
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


def loses(machine: Machine, fleet: FleetFile, hub: Machine) -> list[str]:
    """Control planes of that machine that a driver on the hub's machine would lose sight of."""
    return [c.name for c in fleet.clusters if c.machine == machine.name] if hub.connection == "local" else []


def routed(wanted: Action, fleet: FleetFile, machine: str, peer: str, clusters: list[str]) -> Aim:
    """The aim at what a machine sends to a peer; `clusters` are those that somebody loses sight of."""
    return Aim(
        action=wanted.action,
        target=wanted.target,
        fleet=fleet.name,
        machine=machine,
        clusters=clusters,
        settings=wanted.settings,
        facts={PEER: peer},
        repair=f"fleet up --fleet {fleet.name}",
    )


def without_root(*tools: str) -> str:
    """Why this machine cannot do it; empty when it can."""
    if os.geteuid() != 0:
        return "routes and queues of the kernel need root: log in to that machine as root, or give it a link (wan)"
    lacking = [tool for tool in tools if shutil.which(tool) is None]
    return f"{' and '.join(lacking)} is missing: install iproute2" if lacking else ""


def device_to(peer: str) -> str:
    """The interface by which the kernel sends to that address."""
    words = run("ip", "-o", "route", "get", peer).split()
    return words[words.index("dev") + 1]
