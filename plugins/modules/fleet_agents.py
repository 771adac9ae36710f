#!/usr/bin/python
"""Make exactly the WECs asked for members of the hub, with their OCM agents and the status agent."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_agents
short_description: Register the WECs of one machine at the hub
description:
  - Takes the whole list of WECs of this machine; others that are registered from here leave first.
  - With C(state=left) nothing is registered; only the WECs that are not in C(wecs) leave.
  - With C(state=retired) nothing is registered; all WECs leave the ITSes that are not named, which must still run.
  - Runs with an interpreter that can import C(fleet).
options:
  fleet: {description: Name of the fleet., type: str, required: true}
  state_dir: {description: The machine's folder of this fleet (absolute)., type: path, required: true}
  toolchain_dir: {description: Folder of the upstream programs., type: path, required: true}
  crds_dir: {description: Folder of the upstream CRDs; C(crds) beside C(toolchain_dir) by default., type: path}
  wecs: {description: Names of the WECs that stay or become members., type: list, elements: str, required: true}
  state:
    description: Whether to register what is missing, or only to let go WECs, or ITSes, that are too many.
    type: str
    choices: [registered, left, retired]
    default: registered
  its: {description: Name of the inventory and transport space., type: str, default: its1}
  further_itses:
    description: More of them, on this machine; every WEC is registered at each, with an OCM agent of its own.
    type: list
    elements: str
    default: []
  hub_kubeconfig: {description: Admin kubeconfig of the ITS; by default the one on this machine., type: path}
  hub_server: {description: URL by which agents reach the ITS; else the kubeconfig's., type: str, default: ""}
  link_server: {description: URL of this machine's link to the ITS, which its agents then dial., type: str, default: ""}
  hub_access:
    description: What C(fleet_hub_access) told, when the hub is on another machine.
    type: dict
    suboptions:
      server: {description: URL of the ITS., type: str, required: true}
      context: {description: Name of the hub in kubeconfigs., type: str, required: true}
      ca: {description: Its certificate authority as PEM., type: str, required: true}
  hub_secrets: {description: Its C(secrets)., type: dict}
  machine: {description: The machine's name in the inventory., type: str, default: ""}
  limits: {description: Client limits as in C(fleet.model.fleet_file.ClientLimits)., type: dict, default: {}}
  status_sync_interval: {description: How often an agent looks at what it applied., type: str, default: 10s}
  extra_args: {description: Flags of every OCM agent., type: list, elements: str, default: []}
  env: {description: Environment of every OCM agent., type: dict, default: {}}
  status_agent: {description: Whether our status agent runs., type: bool, default: true}
  status_agent_parity: {description: Whether it calls the hub as ocm-status-addon does., type: bool, default: false}
  status_agent_journal: {description: Whether it writes a line per WorkStatus write., type: bool, default: false}
  status_agent_extra_args: {description: Flags., type: list, elements: str, default: []}
  status_agent_env: {description: Environment., type: dict, default: {}}
  parallelism: {description: WECs that register at the same time., type: int, default: 8}
  join_seconds: {description: Deadline of one WEC's registration., type: float, default: 240}
  leave_seconds: {description: Longest time without progress while a WEC leaves., type: float, default: 60}
"""

EXAMPLES = r"""
- name: Two members
  fleet_agents:
    fleet: demo
    state_dir: /srv/fleet/demo
    toolchain_dir: /srv/fleet/toolchain/bin
    wecs: [wec001, wec002]
"""

RETURN = r"""
notes:
  description: Sentences for the user, such as finalizers that had to be taken off for a WEC that does not answer.
  returned: always
  type: list
  elements: str
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.fleet_module import ENV, FLAGS, HUB, Imports, outcome, serve

IMPORTS = Imports()
with IMPORTS:
    from fleet.host.files import write_private
    from fleet.install import ansible_values
    from fleet.managers.kubestellar.status_config import StatusSpec
    from fleet.managers.ocm.access import GivenAccess
    from fleet.managers.ocm.agents import AgentsSpec
    from fleet.managers.ocm.join import JoinOptions
    from fleet.managers.ocm.leave import LeaveOptions
    from fleet.managers.ocm.memberships import converge_memberships, leave_memberships, retire_seats
    from fleet.managers.ocm.programs import AgentPrograms

ARGUMENTS = HUB | {
    "wecs": {"type": "list", "elements": "str", "required": True},
    "state": {"type": "str", "choices": ["registered", "left", "retired"], "default": "registered"},
    "further_itses": {"type": "list", "elements": "str", "default": []},
    "hub_kubeconfig": {"type": "path"},
    "hub_server": {"type": "str", "default": ""},
    "link_server": {"type": "str", "default": ""},
    "hub_access": {
        "type": "dict",
        "options": {name: {"type": "str", "required": True} for name in ("server", "context", "ca")},
    },
    "hub_secrets": {"type": "dict", "no_log": True},
    "machine": {"type": "str", "default": ""},
    "status_sync_interval": {"type": "str", "default": "10s"},
    "extra_args": FLAGS,
    "env": ENV,
    "status_agent": {"type": "bool", "default": True},
    "status_agent_parity": {"type": "bool", "default": False},
    "status_agent_journal": {"type": "bool", "default": False},
    "status_agent_extra_args": FLAGS,
    "status_agent_env": ENV,
    "parallelism": {"type": "int", "default": 8},
    "join_seconds": {"type": "float", "default": 240},
    "leave_seconds": {"type": "float", "default": 60},
}


def access_of(given: dict[str, Any], folder: Path) -> GivenAccess | None:
    """What the hub made for this machine; None on the hub's own."""
    place, secrets = given["hub_access"], given["hub_secrets"]
    if not place or not secrets:
        return None
    return GivenAccess(
        server=place["server"],
        context=place["context"],
        ca=place["ca"],
        registrar=secrets["registrar"],
        first=secrets["bootstrap"],
        status=secrets["status_agent"],
        folder=folder,
    )


def spec_of(given: dict[str, Any], check: bool) -> AgentsSpec:
    """The values of one call."""
    machine, upstream = ansible_values.machine(given, check=check), ansible_values.upstream(given, check=check)
    limits = ansible_values.limits(given["limits"])
    return AgentsSpec(
        machine=machine,
        upstream=upstream,
        wecs=tuple(given["wecs"]),
        its=given["its"],
        hub_kubeconfig=Path(given["hub_kubeconfig"]) if given["hub_kubeconfig"] else None,
        hub_server=given["hub_server"],
        link_server=given["link_server"],
        access=access_of(given, machine.layout.root / "hub"),
        machine_name=given["machine"],
        programs=AgentPrograms(
            machine.layout,
            upstream,
            limits,
            given["status_sync_interval"],
            ansible_values.component_extra(given["extra_args"], given["env"]),
        ),
        status=StatusSpec(
            enabled=given["status_agent"],
            limits=limits,
            parity=given["status_agent_parity"],
            journal=given["status_agent_journal"],
            extra=ansible_values.component_extra(given["status_agent_extra_args"], given["status_agent_env"]),
        ),
        join=JoinOptions(given["parallelism"], given["join_seconds"]),
        leave=LeaveOptions(works_seconds=given["leave_seconds"], cluster_seconds=given["leave_seconds"]),
    )


def run(module: AnsibleModule) -> dict[str, Any]:
    """Converge, or let go; return what Ansible wants to know."""
    registrar = (module.params["hub_secrets"] or {}).get("registrar")
    if registrar:
        # Only for the time of this call: whoever takes the machine over must not find it.
        file = Path(module.tmpdir) / "registrar.kubeconfig"
        write_private(file, registrar.encode())
        module.params["hub_kubeconfig"] = str(file)
    spec, further = spec_of(module.params, module.check_mode), module.params["further_itses"]
    if module.params["state"] == "registered":
        change = converge_memberships(spec, further)
    elif module.params["state"] == "left":
        change = leave_memberships(spec)
    else:
        change = retire_seats(spec, further)
    return outcome(change, notes=list(change.notes))


if __name__ == "__main__":
    serve(ARGUMENTS, IMPORTS, run)
