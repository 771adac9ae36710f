#!/usr/bin/python
"""Make what the machines of WECs need to get into the hub; runs on the hub's machine."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_hub_access
short_description: Make the credentials by which other machines register their WECs
description:
  - The bootstrap and registrar credentials live some hours and are stored nowhere; use C(no_log).
  - Runs with an interpreter that can import C(fleet).
options:
  fleet: {description: Name of the fleet., type: str, required: true}
  state_dir: {description: The hub machine's folder of this fleet (absolute)., type: path, required: true}
  its: {description: Name of the inventory and transport space., type: str, default: its1}
  hub_server: {description: URL by which agents reach the ITS; else the kubeconfig's., type: str, default: ""}
"""

EXAMPLES = r"""
- name: Access to the hub
  fleet_hub_access: {fleet: demo, state_dir: /srv/fleet/demo}
  no_log: true
"""

RETURN = r"""
built: {description: Whether there is a hub that answers., returned: always, type: bool}
server: {description: URL of the ITS., returned: when built, type: str}
context: {description: Name of the hub in kubeconfigs., returned: when built, type: str}
ca: {description: Its certificate authority as PEM., returned: when built, type: str}
secrets: {description: "Kubeconfigs: C(registrar), C(bootstrap), C(status_agent).", returned: when built, type: dict}
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.fleet_module import Imports, serve

IMPORTS = Imports()
with IMPORTS:
    from fleet.host.layout import Layout
    from fleet.managers.ocm.access import grant

ARGUMENTS = {
    "fleet": {"type": "str", "required": True},
    "state_dir": {"type": "path", "required": True},
    "its": {"type": "str", "default": "its1"},
    "hub_server": {"type": "str", "default": ""},
}


def run(module: AnsibleModule) -> dict[str, Any]:
    """Make them."""
    given = module.params
    layout = Layout(Path(given["state_dir"]))
    made = grant(layout, given["fleet"], given["its"], server=given["hub_server"], check=module.check_mode)
    if made is None:
        return {"changed": False, "built": False, "server": "", "context": "", "ca": "", "secrets": {}}
    return {
        "changed": False,
        "built": True,
        "server": made.server,
        "context": made.context,
        "ca": made.ca,
        "secrets": {"registrar": made.registrar, "bootstrap": made.first, "status_agent": made.status},
    }


if __name__ == "__main__":
    serve(ARGUMENTS, IMPORTS, run)
