#!/usr/bin/python
"""Remove a fleet from one machine: programs, ports, folder."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_teardown
short_description: Remove every trace of a fleet from one machine
description:
  - Ends all programs in order, gives the ports back, removes the folder. What is absent is fine.
author: ["The maintainers (@kubestellar)"]
options:
  fleet: {description: Name of the fleet., type: str, required: true}
  state_dir: {description: The machine's folder of this fleet (absolute)., type: path, required: true}
"""

EXAMPLES = r"""
- name: Nothing of it is left
  fleet_teardown: {fleet: demo, state_dir: /srv/fleet/demo}
"""

RETURN = "# nothing but changed and diff"

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.fleet_module import Imports, outcome, serve

IMPORTS = Imports()
with IMPORTS:
    from fleet.faults.helper import abandon
    from fleet.host.machine import Machine
    from fleet.host.program_folders import ProgramFolders
    from fleet.host.validate import check_name
    from fleet.install.control_planes import teardown

ARGUMENTS = {"fleet": {"type": "str", "required": True}, "state_dir": {"type": "path", "required": True}}


def run(module: AnsibleModule) -> dict[str, Any]:
    """Check the name, then remove."""
    fleet, root = module.params["fleet"], Path(module.params["state_dir"])
    check_name("fleet_name", fleet)
    if root.name != fleet:
        module.fail_json(msg=f"state_dir: {root} is not the folder of fleet {fleet}: nothing was removed")
    machine = Machine(fleet, root, ProgramFolders((), check=True), check=module.check_mode)
    if not module.check_mode:
        abandon(root)
    return outcome(teardown(machine))


if __name__ == "__main__":
    serve(ARGUMENTS, IMPORTS, run)
