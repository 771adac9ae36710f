"""Faults of the network that are done to a machine's link: where they aim, and the API of the running link."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import Any

from fleet.errors import HostError, UsageError
from fleet.faults.fault import Aim
from fleet.faults.targets import machine_of
from fleet.host.https import UnixConnection, exchange
from fleet.host.link import NAME, PROXY
from fleet.model.during import Action
from fleet.model.fleet_file import FleetFile, Machine

SECONDS = 20.0


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
