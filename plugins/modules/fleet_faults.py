#!/usr/bin/python
"""Undo on one machine what an experiment that was killed has left of its faults."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_faults
short_description: Undo faults that an experiment has left on a machine
description:
  - A fault leaves a repair note on its machine before it is injected (C(fleet.faults.notes)). What is noted is undone.
  - Runs with an interpreter that can import C(fleet).
author: ["The maintainers (@kubestellar)"]
options:
  state_dir: {description: The machine's folder of this fleet (absolute)., type: path, required: true}
  last: {description: Whether what cannot be undone is an error; else a later call tries., type: bool, default: true}
"""

EXAMPLES = r"""
- name: Before anything is built on it
  fleet_faults: {state_dir: /srv/fleet/demo, last: false}
"""

RETURN = "# nothing but changed and diff"

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.fleet_module import Imports, serve

IMPORTS = Imports()
with IMPORTS:
    from fleet.faults.helper import heal
    from fleet.faults.notes import pending, repair

ARGUMENTS = {"state_dir": {"type": "path", "required": True}, "last": {"type": "bool", "default": True}}


def run(module: AnsibleModule) -> dict[str, Any]:
    """Look, and undo."""
    root = Path(module.params["state_dir"])
    noted = "".join(f"{aim.action} of {aim.target}\n" for aim in pending(root))
    if module.check_mode or not noted:
        return {"changed": bool(noted), "diff": {"before": noted, "after": ""}}
    left = repair(root, heal)[1]
    if left and module.params["last"]:
        module.fail_json(msg="; ".join(left))
    after = "".join(f"{aim.action} of {aim.target}\n" for aim in pending(root))
    return {"changed": noted != after, "diff": {"before": noted, "after": after}}


if __name__ == "__main__":
    serve(ARGUMENTS, IMPORTS, run)
