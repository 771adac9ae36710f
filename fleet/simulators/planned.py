"""What nodes of WECs that are not there yet would take, for checks and estimates before a fleet is built."""

from __future__ import annotations

from pathlib import Path

from fleet.host.machine import Machine, Options
from fleet.host.program_folders import ProgramFolders
from fleet.host.weight import Weight
from fleet.model.variables import Variables
from fleet.simulators.simulator import simulator

NOBODY = "(planned)"
"""No fleet can have this name, so nothing of one that exists is taken for a part of it."""


def weight_of(variables: Variables, root: Path, wecs: int) -> Weight:
    """Of the nodes of so many WECs together; `root` is the folder of all fleets of the machine."""
    options = Options(
        simulator=variables.node_simulator,
        wec_nodes=variables.wec_nodes,
        hollow_nodes=variables.wec_hollow_nodes,
        hollow_per_process=variables.hollow_per_process,
        hollow_placement=variables.hollow_placement,
        hosted=variables.programs_shared,
    )
    machine = Machine(NOBODY, root / NOBODY, ProgramFolders((), check=True), options, check=True)
    names = [f"{variables.wec_prefix}{number:03d}" for number in range(1, wecs + 1)]
    return simulator(variables.node_simulator).weight(machine, names)
