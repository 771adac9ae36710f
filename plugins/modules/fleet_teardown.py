#!/usr/bin/python
"""Remove a fleet from one machine: programs, ports, folder."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_teardown
short_description: Remove every trace of a fleet from one machine
description:
  - Ends all programs in order, gives the ports back, removes the folder. What is absent is fine.
options:
  fleet: {description: Name of the fleet., type: str, required: true}
  state_dir: {description: The machine's folder of this fleet (absolute)., type: path, required: true}
"""

EXAMPLES = r"""
- name: Nothing of it is left
  fleet_teardown: {fleet: demo, state_dir: /srv/fleet/demo}
"""

RETURN = "# nothing but changed and diff"

import traceback
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

try:
    from fleet.errors import FleetError
    from fleet.host.converge import teardown
    from fleet.host.machine import Machine
    from fleet.host.program_folder import ProgramFolder
    from fleet.host.validate import check_name

    IMPORT_ERROR = None
except ImportError:
    IMPORT_ERROR = traceback.format_exc()


def run(module: AnsibleModule) -> dict[str, Any]:
    """Check the name, then remove."""
    fleet, root = module.params["fleet"], Path(module.params["state_dir"])
    check_name("fleet_name", fleet)
    if root.name != fleet:
        module.fail_json(msg=f"state_dir: {root} is not the folder of fleet {fleet}: nothing was removed")
    machine = Machine(fleet, root, ProgramFolder(root, check=True), check=module.check_mode)
    before, after = (change := teardown(machine)).text()
    return {"changed": change.changed, "diff": {"before": before, "after": after}}


def main() -> None:
    """Entry point."""
    arguments = {"fleet": {"type": "str", "required": True}, "state_dir": {"type": "path", "required": True}}
    module = AnsibleModule(argument_spec=arguments, supports_check_mode=True)
    if IMPORT_ERROR:
        module.fail_json(msg=missing_required_lib("kubestellar-fleet-testbed"), exception=IMPORT_ERROR)
    try:
        result = run(module)
    except FleetError as error:
        module.fail_json(msg=str(error), error=type(error).__name__)
    else:
        module.exit_json(**result)


if __name__ == "__main__":
    main()
