"""Whether a fleet and its machine can hold the pods of an experiment, before anything is changed."""

from __future__ import annotations

from pathlib import Path

from fleet.errors import UsageError
from fleet.host.limits import GIB, measure_room
from fleet.model.fleet_file import FleetFile

PODS_OF_NODE = 110
"""Capacity of a simulated node."""


def check_nodes(fleet: FleetFile, subject: str, pods: int) -> None:
    """UsageError with the numbers when the nodes of one WEC do not hold so many. `subject` begins the sentence, with
    the field and the count."""
    room = fleet.wec_nodes * PODS_OF_NODE
    if pods > room:
        raise UsageError(
            f"{subject} do not fit {fleet.wec_nodes} nodes of {PODS_OF_NODE} pods ({room}): lower it, or"
            f" fleet up -e wec_nodes={-(-pods // PODS_OF_NODE)}"
        )


def check_memory(fleet: FleetFile, subject: str, count: int, each: float, fix: str = "") -> None:
    """UsageError with the numbers when `count` objects of `each` bytes do not fit this machine; a fleet on others is
    not looked at. `subject` as above, `fix` ends the sentence."""
    here = next((machine for machine in fleet.machines if machine.connection == "local"), None)
    if here is None:
        return
    need, left = count * each, measure_room(Path(here.state_dir).parent).memory
    if need > left:
        raise UsageError(
            f"{subject} need about {need / GIB:.1f} GiB, and this machine has {left / GIB:.1f} GiB left:"
            f" {int(left / each)} fit{fix}"
        )
