#!/usr/bin/python
"""Take WECs off the hub that no machine lets go: their machine is gone, or they moved."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_purge
short_description: Take off the hub what the fleet no longer has
description:
  - For WECs of machines that left the inventory, and of machines that do not answer and lost WECs to others.
  - Runs on the hub's machine, with an interpreter that can import C(fleet).
options:
  fleet: {description: Name of the fleet., type: str, required: true}
  state_dir: {description: The hub machine's folder of this fleet (absolute)., type: path, required: true}
  its: {description: Name of the inventory and transport space., type: str, default: its1}
  wecs: {description: "The whole fleet: machine to the list of its WECs.", type: dict, required: true}
  leave_seconds: {description: Longest time without progress while a WEC leaves., type: float, default: 60}
"""

EXAMPLES = r"""
- name: Nobody else
  fleet_purge: {fleet: demo, state_dir: /srv/fleet/demo, wecs: {m2: [wec001, wec002]}}
"""

RETURN = r"""
notes: {description: Sentences for the user., returned: always, type: list, elements: str}
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.fleet_module import Imports, outcome, serve

IMPORTS = Imports()
with IMPORTS:
    from fleet.host.layout import Layout
    from fleet.managers.ocm.leave import LeaveOptions
    from fleet.managers.ocm.purge import purge

ARGUMENTS = {
    "fleet": {"type": "str", "required": True},
    "state_dir": {"type": "path", "required": True},
    "its": {"type": "str", "default": "its1"},
    "wecs": {"type": "dict", "required": True},
    "leave_seconds": {"type": "float", "default": 60},
}


def run(module: AnsibleModule) -> dict[str, Any]:
    """Look, and take off."""
    given = module.params
    wanted = {str(wec): str(machine) for machine, wecs in given["wecs"].items() for wec in wecs}
    options = LeaveOptions(works_seconds=given["leave_seconds"], cluster_seconds=given["leave_seconds"])
    layout = Layout(Path(given["state_dir"]))
    change = purge(layout, given["its"], wanted, check=module.check_mode, options=options)
    return outcome(change, notes=list(change.notes))


if __name__ == "__main__":
    serve(ARGUMENTS, IMPORTS, run)
