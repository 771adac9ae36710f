#!/usr/bin/python
"""Run the link between the WECs of one machine and the hub as the inventory requests it, or end it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_link
short_description: Converge the link of one machine
description:
  - A TCP proxy in front of the ITS's API server, for the agents of this machine's WECs, with a delay and a rate.
  - Another delay or rate is given to the running program; no connection breaks.
author: ["The maintainers (@kubestellar)"]
options:
  fleet: {description: Name of the fleet., type: str, required: true}
  state_dir: {description: The machine's folder of this fleet (absolute)., type: path, required: true}
  toolchain_dirs: {description: Folders of the upstream programs., type: list, elements: path, required: true}
  state:
    description: V(absent) ends the link; the agents must reach the hub another way by then.
    type: str
    choices: [present, absent]
    default: present
  wan: {description: "The link as in C(fleet.model.link.Link), for example {rtt: 40ms, rate: 50mbit}.", type: raw}
  hub: {description: Name of the hub's control plane that it leads to., type: str, default: ""}
  upstream: {description: URL of the ITS; by default that of the control plane on this machine., type: str, default: ""}
"""

EXAMPLES = r"""
- name: An edge link
  fleet_link:
    fleet: demo
    state_dir: /srv/fleet/demo
    toolchain_dirs: [/srv/fleet/toolchain/bin]
    wan: {rtt: 40ms, rate: 50mbit}
"""

RETURN = r"""
server:
  description: URL by which agents reach the hub through the link; empty when there is none.
  returned: always
  type: str
notes:
  description: Sentences for the user.
  returned: always
  type: list
  elements: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.fleet_module import MACHINE, Imports, outcome, serve

IMPORTS = Imports()
with IMPORTS:
    from fleet.errors import UsageError
    from fleet.host.link import LinkSpec, converge_link, remove_link
    from fleet.host.machine import Machine
    from fleet.host.records import stored_server
    from fleet.install import ansible_values
    from fleet.model.link import link_of

NOT_BUILT = "https://127.0.0.1:0"
"""Stands for the hub in check mode, before there is one."""
ARGUMENTS = MACHINE | {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "wan": {"type": "raw"},
    "hub": {"type": "str", "default": ""},
    "upstream": {"type": "str", "default": ""},
}


def upstream(given: dict[str, Any], machine: Machine) -> str:
    """The hub's URL."""
    if given["upstream"]:
        return str(given["upstream"])
    try:
        return stored_server(machine, given["hub"])
    except UsageError:
        if machine.check:
            return NOT_BUILT
        raise


def run(module: AnsibleModule) -> dict[str, Any]:
    """Converge, or end."""
    given = module.params
    machine = ansible_values.machine(given, check=module.check_mode)
    if given["state"] == "absent":
        return outcome(remove_link(machine), server="", notes=[])
    link = link_of(given["wan"])
    if link is None:
        raise UsageError("wan: names no link: give {rtt: 0ms} for one without delay, or state=absent")
    done = converge_link(LinkSpec(machine, link, upstream(given, machine)))
    return outcome(done.change, server=done.server, notes=machine.notes)


if __name__ == "__main__":
    serve(ARGUMENTS, IMPORTS, run)
