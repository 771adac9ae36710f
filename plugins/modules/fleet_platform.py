#!/usr/bin/python
"""Install the platforms of a fleet in the WECs of one machine, or take them out: one module for every platform."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_platform
short_description: Converge the platforms in the WECs of one machine
description:
  - What happens is the platform's business (C(fleet.platforms.<name>.install)); this hands over variables.
  - Runs with an interpreter that can import C(fleet).
author: ["The maintainers (@kubestellar)"]
options:
  fleet: {description: Name of the fleet., type: str, required: true}
  state_dir: {description: The machine's folder of this fleet (absolute)., type: path, required: true}
  state:
    description:
      - V(left) takes out what is not wanted, before control planes change; V(installed) brings in what is.
    type: str
    choices: [left, installed]
    required: true
  variables: {description: The variables of the inventory as they are recorded., type: dict, default: {}}
  toolchain_dirs: {description: Folders of the upstream programs., type: list, elements: path, default: []}
  wecs: {description: WECs of this machine., type: list, elements: str, default: []}
"""

EXAMPLES = r"""
- name: KubeVirt in the first WEC
  fleet_platform:
    fleet: demo
    state_dir: /srv/fleet/demo
    toolchain_dirs: [/srv/fleet/toolchain/kubevirt/bin]
    state: installed
    variables: {platform: [kubevirt], wec_count: 1}
    wecs: [wec001]
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
    from fleet.host.machine import Machine
    from fleet.install.upstream import UpstreamFolders
    from fleet.model.variables import Variables
    from fleet.platforms.converge import converge, leave

ARGUMENTS = {
    "fleet": {"type": "str", "required": True},
    "state_dir": {"type": "path", "required": True},
    "state": {"type": "str", "choices": ["left", "installed"], "required": True},
    "variables": {"type": "dict", "default": {}},
    "toolchain_dirs": {"type": "list", "elements": "path", "default": []},
    "wecs": {"type": "list", "elements": "str", "default": []},
}


def run(module: AnsibleModule) -> dict[str, Any]:
    """Hand over."""
    given = module.params
    upstream = UpstreamFolders.of([Path(folder) for folder in given["toolchain_dirs"]], check=module.check_mode)
    machine = Machine(given["fleet"], Path(given["state_dir"]), upstream, check=module.check_mode)
    act = converge if given["state"] == "installed" else leave
    change = act(machine, upstream, Variables.model_validate(given["variables"]), given["wecs"])
    result: dict[str, Any] = outcome(change, notes=[*change.notes, *machine.notes])
    return result


if __name__ == "__main__":
    serve(ARGUMENTS, IMPORTS, run)
