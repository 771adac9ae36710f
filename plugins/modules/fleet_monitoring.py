#!/usr/bin/python
"""Run Prometheus and its exporter for the fleet of one machine, or end them."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_monitoring
short_description: Converge the monitoring of one machine's fleet
description:
  - Configuration, client certificates, targets for every program of the fleet, and both programs under its supervisor.
  - Runs with an interpreter that can import C(fleet).
author: ["The maintainers (@kubestellar)"]
options:
  fleet: {description: Name of the fleet., type: str, required: true}
  state_dir: {description: The machine's folder of this fleet (absolute)., type: path, required: true}
  state:
    description: V(absent) ends the programs; what they measured stays until the fleet is taken down.
    type: str
    choices: [present, absent]
    default: present
  prometheus: {description: The program., type: path, default: /usr/bin/prometheus}
  exporter: {description: The exporter of the machine., type: path, default: /usr/bin/prometheus-node-exporter}
  rules: {description: Text of the file of recording rules., type: str, default: ""}
  interval: {description: How often every program is scraped., type: str, default: 15s}
  retention: {description: How long values are kept., type: str, default: 7d}
  nodes:
    description: How simulated nodes that have a kubelet are scraped; V(proxy) is through their API server.
    type: str
    choices: [none, proxy, direct]
    default: none
"""

EXAMPLES = r"""
- name: Prometheus for the fleet
  fleet_monitoring:
    fleet: demo
    state_dir: /srv/fleet/demo
    rules: "{{ lookup('ansible.builtin.file', 'rules/fleet.yml') }}"
"""

RETURN = r"""
# What Ansible returns for every task: changed, and diff with what was and will be.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible.module_utils.fleet_module import Imports, outcome, serve

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

IMPORTS = Imports()
with IMPORTS:
    from fleet.host.machine import Machine
    from fleet.host.program_folders import ProgramFolders
    from fleet.inventory.monitoring import MonitoringSpec, converge_monitoring, remove_monitoring

ARGUMENTS = {
    "fleet": {"type": "str", "required": True},
    "state_dir": {"type": "path", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "prometheus": {"type": "path", "default": "/usr/bin/prometheus"},
    "exporter": {"type": "path", "default": "/usr/bin/prometheus-node-exporter"},
    "rules": {"type": "str", "default": ""},
    "interval": {"type": "str", "default": "15s"},
    "retention": {"type": "str", "default": "7d"},
    "nodes": {"type": "str", "choices": ["none", "proxy", "direct"], "default": "none"},
}


def run(module: AnsibleModule) -> dict[str, Any]:
    """Converge, or end."""
    given = module.params
    root = Path(given["state_dir"])
    machine = Machine(given["fleet"], root, ProgramFolders((), check=True), check=module.check_mode)
    if given["state"] == "absent":
        return outcome(remove_monitoring(machine))
    spec = MonitoringSpec(
        machine=machine,
        prometheus=Path(given["prometheus"]),
        exporter=Path(given["exporter"]),
        rules=given["rules"],
        interval=given["interval"],
        retention=given["retention"],
        nodes=given["nodes"],
    )
    return outcome(converge_monitoring(spec))


if __name__ == "__main__":
    serve(ARGUMENTS, IMPORTS, run)
