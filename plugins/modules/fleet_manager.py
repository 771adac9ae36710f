#!/usr/bin/python
"""Install the manager of a fleet on one machine, or take it off: one module for every manager."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_manager
short_description: Converge one machine's part of the manager of a fleet
description:
  - What happens is the manager's business (C(fleet.managers.<name>.install)); this hands over what the inventory says.
  - Runs with an interpreter that can import C(fleet).
author: ["The maintainers (@kubestellar)"]
options:
  fleet: {description: Name of the fleet., type: str, required: true}
  state_dir: {description: The machine's folder of this fleet (absolute)., type: path, required: true}
  state:
    description:
      - On the hub's machine V(hub) (its programs), V(retired) (WECs leave planes of the hub that will go), V(purged)
        (WECs that no machine lets go), V(access) (what the other machines need).
      - On a machine of WECs V(joined) (exactly C(wecs) are members) and V(left) (only let go the others).
      - On any machine V(found) (which manager it has), V(stopped) (all programs end), and, to be followed by another
        manager, V(cleared) (all WECs leave, and nothing of it stays in them) and V(dropped) (nothing of it stays here).
    type: str
    choices: [hub, retired, purged, access, joined, left, found, stopped, cleared, dropped]
    required: true
  manager: {description: Its name; not for V(found) and V(stopped)., type: str, default: none}
  variables: {description: The variables of the inventory as they are recorded., type: dict, default: {}}
  toolchain_dirs:
    description: Folders of the upstream programs; CRDs are in C(crds) alongside each.
    type: list
    elements: path
    default: []
  machine: {description: The machine's name in the inventory., type: str, default: ""}
  wecs: {description: WECs of this machine., type: list, elements: str, default: []}
  fleet_wecs: {description: "The whole fleet: machine to the list of its WECs.", type: dict, default: {}}
  hub_server: {description: URL by which agents reach the hub; else its kubeconfig's., type: str, default: ""}
  link_server: {description: URL of this machine's link to the hub., type: str, default: ""}
  access: {description: What V(access) returned on the hub's machine., type: dict}
  secrets: {description: Its C(secrets)., type: dict}
"""

EXAMPLES = r"""
- name: Two members
  fleet_manager:
    fleet: demo
    state_dir: /srv/fleet/demo
    toolchain_dirs: [/srv/fleet/toolchain/bin]
    manager: ocm
    state: joined
    wecs: [wec001, wec002]
"""

RETURN = r"""
notes:
  description: Sentences for the user, such as finalizers that had to be taken off for a WEC that does not answer.
  returned: always
  type: list
  elements: str
name: {description: The manager that the machine has; empty for none., returned: state is found, type: str}
built: {description: Whether there is a hub that answers., returned: state is access, type: bool}
access: {description: "C(server), C(context) and C(ca) of the hub.", returned: when built, type: dict}
secrets: {description: Kubeconfigs; they live some hours and are stored nowhere., returned: when built, type: dict}
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.fleet_module import Imports, outcome, serve

IMPORTS = Imports()
with IMPORTS:
    from fleet.host.change import Change
    from fleet.host.layout import Layout
    from fleet.host.machine import Machine
    from fleet.install.upstream import UpstreamFolders
    from fleet.managers import installed
    from fleet.managers.installer import Grant, Site, Way, installer
    from fleet.model.variables import Variables

STATES = ["hub", "retired", "purged", "access", "joined", "left", "found", "stopped", "cleared", "dropped"]
ARGUMENTS = {
    "fleet": {"type": "str", "required": True},
    "state_dir": {"type": "path", "required": True},
    "state": {"type": "str", "choices": STATES, "required": True},
    "manager": {"type": "str", "default": "none"},
    "variables": {"type": "dict", "default": {}},
    "toolchain_dirs": {"type": "list", "elements": "path", "default": []},
    "machine": {"type": "str", "default": ""},
    "wecs": {"type": "list", "elements": "str", "default": []},
    "fleet_wecs": {"type": "dict", "default": {}},
    "hub_server": {"type": "str", "default": ""},
    "link_server": {"type": "str", "default": ""},
    "access": {"type": "dict"},
    "secrets": {"type": "dict", "no_log": True},
}
BEGINNING = ("hub", "joined")


def site_of(module: AnsibleModule) -> Site:
    """The machine, and what the inventory says of it."""
    given = module.params
    upstream = UpstreamFolders.of(given["toolchain_dirs"], check=module.check_mode)
    machine = Machine(given["fleet"], Path(given["state_dir"]), upstream, check=module.check_mode)
    variables = Variables.model_validate(given["variables"])
    return Site(machine, upstream, variables, given["machine"], tuple(given["wecs"]))


def way_of(module: AnsibleModule) -> Way:
    """How this machine reaches the hub."""
    given, access, secrets = module.params, module.params["access"], module.params["secrets"]
    grant = Grant(access["server"], access["context"], access["ca"], secrets) if access and secrets else None
    return Way(given["hub_server"], given["link_server"], grant, Path(module.tmpdir))


def run(module: AnsibleModule) -> dict[str, Any]:
    """Hand over."""
    given, state = module.params, module.params["state"]
    if state == "found":
        return {"changed": False, "name": installed.installed(Layout(Path(given["state_dir"])))}
    site, manager = site_of(module), installer(given["manager"])
    if state == "access":
        return granted(manager.grant(site, given["hub_server"]))
    if state in BEGINNING and given["manager"] != "none":
        installed.begin(site.machine, given["manager"])
    wanted = {str(wec): str(machine) for machine, wecs in given["fleet_wecs"].items() for wec in wecs}
    calls = {
        "hub": lambda: manager.hub(site),
        "retired": lambda: manager.retire(site),
        "purged": lambda: manager.purge(site, wanted),
        "joined": lambda: manager.join(site, way_of(module)),
        "left": lambda: manager.leave(site, way_of(module)),
        "cleared": lambda: installed.clear(manager, site, way_of(module)),
        "stopped": lambda: installed.stop(site.machine),
        "dropped": lambda: installed.drop(site.machine, manager),
    }
    change: Change = calls[state]()
    result: dict[str, Any] = outcome(change, notes=[*change.notes, *site.machine.notes])
    return result


def granted(grant: Grant | None) -> dict[str, Any]:
    """What the hub gives to the other machines."""
    if grant is None:
        return {"changed": False, "built": False}
    access = {"server": grant.server, "context": grant.context, "ca": grant.ca}
    return {"changed": False, "built": True, "access": access, "secrets": dict(grant.secrets)}


if __name__ == "__main__":
    serve(ARGUMENTS, IMPORTS, run)
