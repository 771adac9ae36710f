#!/usr/bin/python
"""Make the hub of a fleet what it should be: OCM's registration in the ITS, KubeStellar for every WDS."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_hub
short_description: Converge the hub of a fleet
description:
  - The control planes of the ITS and the WDSes must run on this machine. Waits until all programs do their work.
  - A WDS that is no longer named is taken off the ITS, with what it had delivered.
  - Runs with an interpreter that can import C(fleet).
options:
  fleet: {description: Name of the fleet., type: str, required: true}
  state_dir: {description: The machine's folder of this fleet (absolute)., type: path, required: true}
  toolchain_dir: {description: Folder of the upstream programs., type: path, required: true}
  crds_dir: {description: Folder of the upstream CRDs; C(crds) beside C(toolchain_dir) by default., type: path}
  state:
    description: V(absent) ends the programs of the hub and the agents; objects and files stay for the teardown.
    type: str
    choices: [present, absent]
    default: present
  its: {description: Name of the inventory and transport space., type: str, default: its1}
  further_itses: {description: More of them; WDSes take all of them in turn., type: list, elements: str, default: []}
  wdses: {description: Names of the workload description spaces., type: list, elements: str, default: [wds1]}
  serving: {description: KubeStellar runs for the first so many of them; all by default., type: int}
  limits: {description: Client limits as in C(fleet.model.fleet_file.ClientLimits)., type: dict, default: {}}
  registration_extra_args: {description: Flags., type: list, elements: str, default: []}
  registration_env: {description: Environment., type: dict, default: {}}
  controller_manager_extra_args: {description: Flags., type: list, elements: str, default: []}
  controller_manager_env: {description: Environment., type: dict, default: {}}
  transport_extra_args: {description: Flags., type: list, elements: str, default: []}
  transport_env: {description: Environment., type: dict, default: {}}
"""

EXAMPLES = r"""
- name: The hub
  fleet_hub:
    fleet: demo
    state_dir: /srv/fleet/demo
    toolchain_dir: /srv/fleet/toolchain/bin
"""

RETURN = r"""
notes:
  description: Sentences for the user.
  returned: always
  type: list
  elements: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.fleet_module import ENV, FLAGS, HUB, Imports, outcome, serve

IMPORTS = Imports()
with IMPORTS:
    from fleet.install import ansible_values
    from fleet.managers.kubestellar.converge import HubSpec, converge_hub, stop_hub

ARGUMENTS = HUB | {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "wdses": {"type": "list", "elements": "str", "default": ["wds1"]},
    "serving": {"type": "int"},
    "further_itses": {"type": "list", "elements": "str", "default": []},
    "registration_extra_args": FLAGS,
    "registration_env": ENV,
    "controller_manager_extra_args": FLAGS,
    "controller_manager_env": ENV,
    "transport_extra_args": FLAGS,
    "transport_env": ENV,
}


def run(module: AnsibleModule) -> dict[str, Any]:
    """Build the values, converge, and return what Ansible wants to know."""
    given, check = module.params, module.check_mode
    spec = HubSpec(
        machine=ansible_values.machine(given, check=check),
        upstream=ansible_values.upstream(given, check=check),
        its=given["its"],
        further=tuple(given["further_itses"]),
        wdses=tuple(given["wdses"]),
        serving=given["serving"],
        limits=ansible_values.limits(given["limits"]),
        registration=ansible_values.component_extra(given["registration_extra_args"], given["registration_env"]),
        controller_manager=ansible_values.component_extra(
            given["controller_manager_extra_args"], given["controller_manager_env"]
        ),
        transport=ansible_values.component_extra(given["transport_extra_args"], given["transport_env"]),
    )
    change = converge_hub(spec) if given["state"] == "present" else stop_hub(spec.machine)
    return outcome(change, notes=list(change.notes))


if __name__ == "__main__":
    serve(ARGUMENTS, IMPORTS, run)
