#!/usr/bin/python
"""Make the hub of a fleet by KubeStellar's own chart, in the ITS's kind cluster; or tell whether that can work here."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_chart_hub
short_description: Converge the hub of a fleet by KubeStellar's chart
description:
  - The kind cluster of the ITS must run on this machine. Waits until every space does its work.
  - Runs with an interpreter that can import C(fleet).
options:
  fleet: {description: Name of the fleet., type: str, required: true}
  state_dir: {description: The machine's folder of this fleet (absolute)., type: path, required: true}
  state:
    description: V(checked) changes nothing, and fails where helm, Docker or the charts cannot be had.
    type: str
    choices: [present, checked]
    default: present
  its: {description: Name of the inventory and transport space., type: str, default: its1}
  wdses: {description: Names of the workload description spaces., type: list, elements: str, default: [wds1]}
  limits: {description: Client limits as in C(fleet.model.fleet_file.ClientLimits)., type: dict, default: {}}
  chart: {description: KubeStellar's core chart., type: str, required: true}
  chart_version: {description: Its version., type: str, default: ""}
  ingress: {description: Chart of the ingress controller., type: str, required: true}
  ingress_version: {description: "Its version, unless its name says it.", type: str, default: ""}
  bind_address: {description: Address of the API servers., type: str, default: 127.0.0.1}
  node_image: {description: Image of kind nodes., type: str, default: ""}
  container_engine: {description: Docker of kind nodes., type: str, default: auto}
  forbidden: {description: "Variables that have no effect on this hub, by name; those that are set are refused.", type: dict, default: {}}
"""  # noqa: E501 -- one line per option

EXAMPLES = r"""
- name: The hub
  fleet_chart_hub:
    fleet: demo
    state_dir: /srv/fleet/demo
    chart: /srv/charts/core-chart-0.30.0.tgz
    ingress: /srv/charts/ingress-nginx-4.12.1.tgz
    container_engine: system
    node_image: published
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
    from fleet.host.change import Change
    from fleet.host.machine import Machine, Options
    from fleet.host.program_folder import ProgramFolder
    from fleet.install import ansible_values
    from fleet.managers.kubestellar.chart import check_chart, converge_chart
    from fleet.managers.kubestellar.chart_plan import Chart, ChartSpec

ARGUMENTS = {
    "fleet": {"type": "str", "required": True},
    "state_dir": {"type": "path", "required": True},
    "state": {"type": "str", "choices": ["present", "checked"], "default": "present"},
    "its": {"type": "str", "default": "its1"},
    "wdses": {"type": "list", "elements": "str", "default": ["wds1"]},
    "limits": {"type": "dict", "default": {}},
    "chart": {"type": "str", "required": True},
    "chart_version": {"type": "str", "default": ""},
    "ingress": {"type": "str", "required": True},
    "ingress_version": {"type": "str", "default": ""},
    "bind_address": {"type": "str", "default": "127.0.0.1"},
    "node_image": {"type": "str", "default": ""},
    "container_engine": {"type": "str", "default": "auto"},
    "forbidden": {"type": "dict", "default": {}},
}


def run(module: AnsibleModule) -> dict[str, Any]:
    """Check, or converge, and return what Ansible wants to know."""
    given = module.params
    root = Path(given["state_dir"])
    options = Options(node_image=given["node_image"], engine=given["container_engine"])
    spec = ChartSpec(
        machine=Machine(given["fleet"], root, ProgramFolder(root, check=True), options, check=module.check_mode),
        its=given["its"],
        wdses=tuple(given["wdses"]),
        limits=ansible_values.limits(given["limits"]),
        kubestellar=Chart(given["chart"], given["chart_version"]),
        ingress=Chart(given["ingress"], given["ingress_version"]),
        bind_address=given["bind_address"],
        forbidden=given["forbidden"],
    )
    if given["state"] == "checked":
        check_chart(spec)
    change = converge_chart(spec) if given["state"] == "present" else Change.none()
    return outcome(change, notes=list(change.notes))


if __name__ == "__main__":
    serve(ARGUMENTS, IMPORTS, run)
