#!/usr/bin/python
"""Whether one machine can hold the fleet, before anything is changed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_capacity
short_description: Compare what a fleet needs with what a machine has left
description:
  - Changes nothing. Control planes that are on the machine already count as paid for.
  - Runs with an interpreter that can import C(fleet).
options:
  state_dir: {description: The machine's folder of this fleet (absolute)., type: path, required: true}
  hub_planes: {description: Control planes of the hub on this machine., type: int, required: true}
  wecs: {description: WECs on this machine., type: int, required: true}
  manager: {description: The manager of the fleet., type: str, default: none}
  hubs: {description: Control planes of the hub that an agent of each WEC dials., type: int, default: 0}
  driver: {description: Driver of the WECs., type: str, required: true}
  simulator: {description: What plays the nodes of the WECs., type: str, default: none}
  shard_size: {description: Control planes in one dense process., type: int, default: 25}
  variables: {description: The variables of the inventory as they are recorded., type: dict, default: {}}
  names: {description: Names of the WECs of this machine., type: list, elements: str, default: []}
  may_tune: {description: Whether host_tuning may raise kernel limits, as root., type: bool, default: false}
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
"""

import os
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.fleet_module import Imports, serve

IMPORTS = Imports()
with IMPORTS:
    from fleet.host.layout import Layout
    from fleet.host.limits import Need, measure_room, refuse, shortages
    from fleet.host.records import stored_planes
    from fleet.managers.installed import agents_of
    from fleet.managers.installer import installer
    from fleet.model.variables import Variables
    from fleet.platforms.converge import to_come
    from fleet.simulators.simulator import simulator

ARGUMENTS = {
    "state_dir": {"type": "path", "required": True},
    "hub_planes": {"type": "int", "required": True},
    "wecs": {"type": "int", "required": True},
    "manager": {"type": "str", "default": "none"},
    "hubs": {"type": "int", "default": 0},
    "driver": {"type": "str", "required": True},
    "simulator": {"type": "str", "default": "none"},
    "shard_size": {"type": "int", "default": 25},
    "variables": {"type": "dict", "default": {}},
    "names": {"type": "list", "elements": "str", "default": []},
    "may_tune": {"type": "bool", "default": False},
    "may_become": {"type": "bool", "default": False},
}


def run(module: AnsibleModule) -> dict[str, Any]:
    """Measure, compare, refuse what cannot be fixed by host_tuning."""
    given = module.params
    folder = Path(given["state_dir"])
    stored = stored_planes(Layout(folder))
    hub = max(0, given["hub_planes"] - sum(1 for s in stored if s.role != "wec"))
    wecs = max(0, given["wecs"] - sum(1 for s in stored if s.role == "wec" and s.driver == given["driver"]))
    agents = max(0, given["wecs"] * given["hubs"] - agents_of(folder))
    manager = installer(given["manager"])
    platforms = to_come(Layout(folder), Variables.model_validate(given["variables"]), given["names"])
    nodes = simulator(given["simulator"]).weight
    need = Need(hub, wecs, given["driver"], given["shard_size"], agents, manager.plane, manager.agent, nodes, platforms)
    found = shortages(need, measure_room(folder.parent))
    raisable = [shortage for shortage in found if shortage.sysctl]
    root_user = os.geteuid() == 0 or given["may_become"]
    tune = given["may_tune"] and root_user and len(raisable) == len(found)
    refuse([] if tune else found)
    return {"changed": False, "sysctls": dict(s.sysctl for s in raisable if s.sysctl), "uid": os.geteuid()}


if __name__ == "__main__":
    serve(ARGUMENTS, IMPORTS, run)
