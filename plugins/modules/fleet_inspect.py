#!/usr/bin/python
"""Read from one machine what the fleet file says of it, with the kubeconfigs of its control planes."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_inspect
short_description: Say what a machine holds of the fleet
description:
  - Changes nothing. The answer holds kubeconfigs; use C(no_log).
  - Runs with an interpreter that can import C(fleet).
author: ["The maintainers (@kubestellar)"]
options:
  state_dir: {description: The machine's folder of this fleet (absolute)., type: path, required: true}
  machine: {description: The machine's name in the inventory., type: str, required: true}
  versions: {description: Versions of the upstream programs by source., type: dict, default: {}}
  secrets: {description: Whether the kubeconfigs are wanted., type: bool, default: true}
"""

EXAMPLES = r"""
- name: What is there
  fleet_inspect: {state_dir: /srv/fleet/demo, machine: m2}
  no_log: true
"""

RETURN = r"""
found: {description: As C(fleet.inventory.inspection.Inspection) has it., returned: always, type: dict}
kubeconfigs: {description: "Admin kubeconfigs by cluster, secrets.", returned: always, type: dict}
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.fleet_module import Imports, serve

IMPORTS = Imports()
with IMPORTS:
    from fleet.host.layout import Layout
    from fleet.inventory.inspection import inspect

ARGUMENTS = {
    "state_dir": {"type": "path", "required": True},
    "machine": {"type": "str", "required": True},
    "versions": {"type": "dict", "default": {}},
    "secrets": {"type": "bool", "default": True},
}


def run(module: AnsibleModule) -> dict[str, Any]:
    """Read it."""
    given = module.params
    versions = {name: str(version) for name, version in given["versions"].items()}
    layout = Layout(Path(given["state_dir"]))
    found = inspect(layout, given["machine"], versions, secrets=given["secrets"])
    return {
        "changed": False,
        "found": found.model_dump(mode="json", exclude={"kubeconfigs"}),
        "kubeconfigs": found.kubeconfigs,
    }


if __name__ == "__main__":
    serve(ARGUMENTS, IMPORTS, run)
