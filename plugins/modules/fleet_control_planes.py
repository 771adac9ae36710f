#!/usr/bin/python
"""Make the control planes of one machine what they should be: one call for all of them."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_control_planes
short_description: Converge the control planes of one machine
description:
  - Takes the whole list of control planes of the hub, or of the WECs; others of that part are removed.
  - Runs with an interpreter that can import C(fleet).
author: ["The maintainers (@kubestellar)"]
options:
  fleet: {description: Name of the fleet., type: str, required: true}
  state_dir: {description: The machine's folder of this fleet (absolute)., type: path, required: true}
  toolchain_dirs: {description: Folders of the upstream programs., type: list, elements: path, required: true}
  part:
    description: What this call owns.
    type: str
    choices: [hub, wecs]
    required: true
  planes:
    description: Control planes that must exist.
    type: list
    elements: dict
    required: true
    suboptions:
      name: {description: Name., type: str, required: true}
      role: {description: "Role: C(wec), else one of the manager's.", type: str, required: true}
      signs: {description: Whether it signs certificates of clusters that register., type: bool, default: false}
      aggregates: {description: Whether it passes requests on to another server., type: bool, default: false}
      dialled: {description: Whether agents dial it; not read., type: bool, default: false}
  driver: {description: Driver of all of them., type: str, default: process}
  bind_address: {description: Address of the API servers., type: str, default: 127.0.0.1}
  ports: {description: Port of an API server by name; the registry chooses the others., type: dict, default: {}}
  apiserver_extra_args: {description: Flags., type: list, elements: str, default: []}
  etcd_extra_args: {description: Flags., type: list, elements: str, default: []}
  kcm_extra_args: {description: Flags., type: list, elements: str, default: []}
  scheduler_extra_args: {description: Flags., type: list, elements: str, default: []}
  simulator_extra_args: {description: Flags of the node simulator., type: list, elements: str, default: []}
  env: {description: Environment of every program of a control plane., type: dict, default: {}}
  env_of: {description: "Environment by part, apiserver, etcd, kcm, scheduler or simulator.", type: dict, default: {}}
  overrides:
    description: Settings of one control plane or role (C(fleet.model.plane_settings)), added to the others.
    type: dict
    default: {}
  variables:
    description: The variables of the inventory as they are recorded; platforms need something of their control planes.
    type: dict
    default: {}
  wec_nodes: {description: Fake nodes of each WEC., type: int, default: 1}
  simulator: {description: What plays them (a package of C(fleet.simulators))., type: str, default: none}
  hollow_nodes: {description: How many of them are hollow when several simulators play them., type: int, default: 0}
  hollow_per_process: {description: Hollow nodes in one process., type: int, default: 250}
  hollow_placement:
    description: Where the processes of hollow nodes are; V(pods) of the real node of each WEC.
    type: str
    choices: [process, pods]
    default: process
  hollow_address: {description: Address of hollow nodes; empty is the machine's own., type: str, default: ""}
  parallelism: {description: Control planes brought up at once; 0 is twice the number of cores., type: int, default: 0}
  shard_size: {description: Control planes in one dense process., type: int, default: 25}
  hibernate: {description: Dense control planes sleep after so long without a connection., type: str, default: ""}
  hosted: {description: Many instances of the simulator in one process., type: bool, default: true}
  openapi: {description: Control planes of dense processes serve OpenAPI., type: bool, default: false}
  sharing: {description: Control planes of one dense process share what never changes., type: bool, default: true}
  debug: {description: "Open etcd's pprof, listeners of controllers and simulators.", type: bool, default: false}
  ready_seconds: {description: Deadline of one API server's readiness., type: float, default: 300}
  node_image: {description: Image of kind nodes., type: str, default: ""}
  node_archive: {description: File on this machine to load it from; without it the image is pulled., type: path}
  container_engine:
    description: Docker of kind nodes, one that this machine runs or one that the fleet starts.
    type: str
    choices: [auto, own, system]
    default: auto
"""

EXAMPLES = r"""
- name: Two WECs
  fleet_control_planes:
    fleet: demo
    state_dir: /srv/fleet/demo
    toolchain_dirs: [/srv/fleet/toolchain/bin]
    part: wecs
    planes:
      - {name: wec001, role: wec}
      - {name: wec002, role: wec}
    driver: dense
"""

RETURN = r"""
planes:
  description: Every control plane of the call.
  returned: always
  type: list
  elements: dict
  sample: [{name: wec001, role: wec, driver: dense, server: "https://127.0.0.1:16000", kubeconfig: /srv/fleet/demo/k}]
notes:
  description: Sentences for the user, such as ports that were skipped.
  returned: always
  type: list
  elements: str
"""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.fleet_module import ENV, FLAGS, MACHINE, NODES, Imports, outcome, serve

IMPORTS = Imports()
with IMPORTS:
    from fleet.host.machine import Machine, Options, at_once
    from fleet.host.plan import ALL_PARTS, ControlPlane, Extra
    from fleet.host.program_folders import ProgramFolders
    from fleet.install.control_planes import converge
    from fleet.model.duration import parse_duration
    from fleet.model.plane_settings import PlaneSettings
    from fleet.model.variables import Variables
    from fleet.platforms.platform import needs_of

PLANE = {
    "name": {"type": "str", "required": True},
    "role": {"type": "str", "required": True},
    "signs": {"type": "bool", "default": False},
    "aggregates": {"type": "bool", "default": False},
    "dialled": {"type": "bool", "default": False},
}
ARGUMENTS = MACHINE | {
    "part": {"type": "str", "choices": ["hub", "wecs"], "required": True},
    "planes": {"type": "list", "elements": "dict", "options": PLANE, "required": True},
    "driver": {"type": "str", "default": "process"},
    "bind_address": {"type": "str", "default": "127.0.0.1"},
    "ports": {"type": "dict", "default": {}},
    "apiserver_extra_args": FLAGS,
    "etcd_extra_args": FLAGS,
    "kcm_extra_args": FLAGS,
    "scheduler_extra_args": FLAGS,
    "simulator_extra_args": FLAGS,
    "env": ENV,
    "env_of": ENV,
    "overrides": {"type": "dict", "default": {}},
    "variables": {"type": "dict", "default": {}},
    **NODES,
    "parallelism": {"type": "int", "default": 0},
    "shard_size": {"type": "int", "default": 25},
    "hibernate": {"type": "str", "default": ""},
    "hosted": {"type": "bool", "default": True},
    "openapi": {"type": "bool", "default": False},
    "sharing": {"type": "bool", "default": True},
    "debug": {"type": "bool", "default": False},
    "ready_seconds": {"type": "float", "default": 300},
    "node_image": {"type": "str", "default": ""},
    "node_archive": {"type": "path"},
    "container_engine": {"type": "str", "choices": ["auto", "own", "system"], "default": "auto"},
}


def _extra_of(common: Extra, overrides: dict[str, Any], plane: dict[str, Any]) -> Extra:
    """What all have, then the settings of its role, then its own."""
    for target in (plane["role"], plane["name"]):
        settings = PlaneSettings.model_validate(overrides.get(target, {}))
        common = common.with_settings(settings.model_dump())
    return common


def _for_platforms(plane: ControlPlane, variables: Variables) -> ControlPlane:
    """With what the platforms of the fleet need of it."""
    for needs in needs_of(variables, plane.name):
        plane = needs.given_to(plane)
    return plane


def run(module: AnsibleModule) -> dict[str, Any]:
    """Build the values, converge, and return what Ansible wants to know."""
    given = module.params
    flags = {part: tuple(given[f"{part}_extra_args"]) for part in ALL_PARTS}
    extra = Extra(
        **flags,
        env={name: str(value) for name, value in given["env"].items()},
        env_of={part: {name: str(value) for name, value in env.items()} for part, env in given["env_of"].items()},
    )
    cores = len(os.sched_getaffinity(0))
    driver, address, ports = given["driver"], given["bind_address"], given["ports"]
    planes = [
        ControlPlane(
            p["name"],
            p["role"],
            driver,
            address,
            int(ports.get(p["name"], 0)),
            _extra_of(extra, given["overrides"], p),
            p["signs"],
            p["aggregates"],
        )
        for p in given["planes"]
    ]
    variables = Variables.model_validate(given["variables"])
    planes = [replace(plane, shipped=variables.wecs_under_test) for plane in planes]
    if variables.audit == "sample":
        planes = [replace(plane, audit="sample") for plane in planes]
    planes = [_for_platforms(plane, variables) for plane in planes]
    options = Options(
        parallelism=given["parallelism"] or at_once(cores),
        cores=cores,
        shard_size=given["shard_size"],
        sharing=given["sharing"],
        openapi=given["openapi"],
        hosted=given["hosted"],
        hibernate=parse_duration(given["hibernate"]) if given["hibernate"] else 0.0,
        wec_nodes=given["wec_nodes"],
        simulator=given["simulator"],
        hollow_nodes=given["hollow_nodes"],
        hollow_per_process=given["hollow_per_process"],
        hollow_placement=given["hollow_placement"],
        hollow_address=given["hollow_address"],
        ready_seconds=given["ready_seconds"],
        node_image=given["node_image"],
        node_archive=Path(given["node_archive"]) if given["node_archive"] else None,
        engine=given["container_engine"],
        debug=given["debug"],
    )
    programs = ProgramFolders(tuple(Path(folder) for folder in given["toolchain_dirs"]), check=module.check_mode)
    machine = Machine(given["fleet"], Path(given["state_dir"]), programs, options, check=module.check_mode)
    done = converge(machine, planes, hub=given["part"] == "hub")
    described = [
        {
            "name": p.name,
            "role": p.role,
            "driver": p.driver,
            "server": p.server,
            "kubeconfig": str(machine.layout.kubeconfig(p.name)),
        }
        for p in done.planes
    ]
    return outcome(done.change, notes=list(done.change.notes), planes=described)


if __name__ == "__main__":
    serve(ARGUMENTS, IMPORTS, run)
