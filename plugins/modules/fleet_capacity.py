#!/usr/bin/python
"""Whether one machine can hold the fleet, before anything is changed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_capacity
short_description: Compare what a fleet needs with what a machine has left
description:
  - Changes nothing. Control planes that are on the machine already count as paid for.
  - Runs with an interpreter that can import C(fleet).
author: ["The maintainers (@kubestellar)"]
options:
  state_dir: {description: The machine's folder of this fleet (absolute)., type: path, required: true}
  hub_planes: {description: Control planes of the hub on this machine., type: int, required: true}
  wecs: {description: WECs on this machine., type: int, required: true}
  names: {description: Their names., type: list, elements: str, default: []}
  simulator: {description: What plays their nodes (a package of C(fleet.simulators))., type: str, default: none}
  wec_nodes: {description: Nodes of each WEC., type: int, default: 1}
  hollow_nodes: {description: How many of them are hollow when several simulators play them., type: int, default: 0}
  hollow_per_process: {description: Hollow nodes in one process., type: int, default: 250}
  hollow_placement:
    description: Where the processes of hollow nodes are; V(pods) of the real node of each WEC.
    type: str
    choices: [process, pods]
    default: process
  hollow_address: {description: Address of hollow nodes; empty is the machine's own., type: str, default: ""}
  manager: {description: The manager of the fleet., type: str, default: none}
  hubs: {description: Control planes of the hub that an agent of each WEC dials., type: int, default: 0}
  driver: {description: Driver of the WECs., type: str, required: true}
  shard_size: {description: Control planes in one dense process., type: int, default: 25}
  variables: {description: The variables of the inventory as they are recorded., type: dict, default: {}}
  may_tune: {description: "Whether host_tuning may raise kernel limits, as root.", type: bool, default: false}
  may_become: {description: Whether it can become root when this user is not., type: bool, default: false}
"""

EXAMPLES = r"""
- name: Room for a hub and 20 WECs
  fleet_capacity: {state_dir: /srv/fleet/demo, hub_planes: 2, wecs: 20, hubs: 1, manager: kubestellar, driver: dense}
"""

RETURN = r"""
sysctls:
  description: Kernel limits that host_tuning must raise, name to value.
  returned: always
  type: dict
uid:
  description: The user that the programs would run as.
  returned: always
  type: int
notes:
  description: Sentences for the user on what this machine can do in part only.
  returned: always
  type: list
  elements: str
"""

import os
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.fleet_module import NODES, Imports, serve

IMPORTS = Imports()
with IMPORTS:
    from fleet.host.drivers.driver import driver_kind
    from fleet.host.layout import Layout
    from fleet.host.limits import Need, measure_room, refuse, shortages
    from fleet.host.machine import Machine, Options
    from fleet.host.plan import ControlPlane
    from fleet.host.program_folders import ProgramFolders
    from fleet.host.records import stored_planes
    from fleet.managers.installed import agents_of
    from fleet.managers.installer import installer
    from fleet.model.variables import Variables
    from fleet.platforms.converge import to_come
    from fleet.simulators.simulator import simulator

ARGUMENTS = NODES | {
    "state_dir": {"type": "path", "required": True},
    "hub_planes": {"type": "int", "required": True},
    "wecs": {"type": "int", "required": True},
    "names": {"type": "list", "elements": "str", "default": []},
    "manager": {"type": "str", "default": "none"},
    "hubs": {"type": "int", "default": 0},
    "driver": {"type": "str", "required": True},
    "shard_size": {"type": "int", "default": 25},
    "variables": {"type": "dict", "default": {}},
    "may_tune": {"type": "bool", "default": False},
    "may_become": {"type": "bool", "default": False},
}


def _machine(given: dict[str, Any], variables: Variables) -> Machine:
    """As the simulator sees it: nothing is started here, so no program is needed."""
    options = Options(
        simulator=given["simulator"],
        wec_nodes=given["wec_nodes"],
        hollow_nodes=given["hollow_nodes"],
        hollow_per_process=given["hollow_per_process"],
        hollow_placement=given["hollow_placement"],
        hollow_address=given["hollow_address"],
        hosted=variables.programs_shared,
    )
    folder = Path(given["state_dir"])
    return Machine(folder.name, folder, ProgramFolders((), check=True), options, check=True)


def run(module: AnsibleModule) -> dict[str, Any]:
    """Measure, compare, refuse what cannot be fixed by host_tuning."""
    given = module.params
    folder = Path(given["state_dir"])
    stored = stored_planes(Layout(folder))
    hub = max(0, given["hub_planes"] - sum(1 for s in stored if s.role != "wec"))
    names = given["names"]
    wecs = max(0, given["wecs"] - sum(1 for s in stored if s.role == "wec" and s.driver == given["driver"]))
    agents = max(0, given["wecs"] * given["hubs"] - agents_of(folder))
    manager = installer(given["manager"])
    variables = Variables.model_validate(given["variables"])
    platforms = to_come(Layout(folder), variables, names)
    machine, played_by = _machine(given, variables), simulator(given["simulator"])
    played_by.check(machine, [ControlPlane(name, "wec", given["driver"]) for name in names])
    nodes = played_by.weight(machine, names)
    need = Need(
        hub_planes=hub,
        wecs=wecs,
        driver=given["driver"],
        shard_size=given["shard_size"],
        wec=driver_kind(given["driver"]).weight(variables),
        agents=agents,
        hub_plane=manager.plane,
        agent=manager.agent_weight(variables),
        nodes=nodes,
        platforms=platforms,
    )
    found = shortages(need, measure_room(folder.parent))
    raisable = [shortage for shortage in found if shortage.sysctl]
    root_user = os.geteuid() == 0 or given["may_become"]
    tune = given["may_tune"] and root_user and len(raisable) == len(found)
    refuse([] if tune else found)
    sysctls = dict(s.sysctl for s in raisable if s.sysctl)
    return {"changed": False, "sysctls": sysctls, "uid": os.geteuid(), "notes": machine.notes}


if __name__ == "__main__":
    serve(ARGUMENTS, IMPORTS, run)
