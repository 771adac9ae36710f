#!/usr/bin/python
"""Make the machines of a fleet on this host, or remove them: network namespaces or virtual machines."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_machines
short_description: Converge the machines that this host carries
description:
  - V(lab) makes network namespaces with SSH servers (root), V(qemu) virtual machines with cloud-init.
  - Machines that run as they should are left alone.
author: ["The maintainers (@kubestellar)"]
options:
  provider: {description: What makes them., type: str, choices: [lab, qemu], required: true}
  state:
    description: V(absent) removes all of the provider's.
    type: str
    choices: [present, absent]
    default: present
  state_root: {description: Folder of all fleets of this user (absolute)., type: path, required: true}
  count: {description: How many there shall be., type: int, default: 1}
  subnet: {description: Of the lab; 256 private addresses., type: str, default: ""}
  image:
    description: "Of virtual machines, as in C(fleet.vm.spec.Image): path, or url and sha256."
    type: dict
    default: {}
  size: {description: "Of virtual machines, as in C(fleet.vm.spec.Size).", type: dict, default: {}}
"""

EXAMPLES = r"""
- name: One virtual machine
  fleet_machines:
    provider: qemu
    state_root: /srv/fleet
    image: {path: /srv/images/debian-12-genericcloud-amd64.qcow2}
"""

RETURN = r"""
machines:
  description: Name of each, and the variables by which Ansible reaches it.
  returned: always
  type: dict
"""

import json
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.fleet_module import Imports, outcome, serve

IMPORTS = Imports()
with IMPORTS:
    from fleet.host.change import Change
    from fleet.lab import control as lab_control
    from fleet.lab.cgroups import hierarchies
    from fleet.lab.system import LinuxSystem
    from fleet.toolchain.store import default_cache
    from fleet.vm import control as vm_control
    from fleet.vm.spec import wanted_of

ARGUMENTS = {
    "provider": {"type": "str", "choices": ["lab", "qemu"], "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "state_root": {"type": "path", "required": True},
    "count": {"type": "int", "default": 1},
    "subnet": {"type": "str", "default": ""},
    "image": {"type": "dict", "default": {}},
    "size": {"type": "dict", "default": {}},
}


def hosts(file: Path) -> dict[str, Any]:
    """Name and variables of the machines that there are; none before the first."""
    try:
        return dict(json.loads(file.read_bytes())["_meta"]["hostvars"])
    except FileNotFoundError:
        return {}


def seen(provider: str, host: Any) -> dict[str, str]:
    """Each machine in words."""
    found = lab_control.status(host) if provider == "lab" else vm_control.status(host)
    return {f"machine {m.name}": f"{m.address} {'ready' if m.reachable else 'not reachable'}" for m in found}


def expected(given: dict[str, Any], before: dict[str, str]) -> dict[str, str]:
    """What there would be; the addresses of new ones are not known before."""
    prefix = "m" if given["provider"] == "lab" else "vm"
    names = [f"machine {prefix}{n}" for n in range(1, given["count"] + 1)] if given["state"] == "present" else []
    kept = {name: text for name, text in before.items() if text.endswith(" ready")}
    return {name: kept.get(name, "ready") for name in names}


def run(module: AnsibleModule) -> dict[str, Any]:
    """Make, or remove."""
    given, root = module.params, Path(module.params["state_root"])
    host: Any
    if given["provider"] == "lab":
        mounts = Path("/proc/mounts").read_text(encoding="utf-8")
        host = lab_control.Host(LinuxSystem(), root, tuple(hierarchies(mounts)), module.log)
        file = host.root / "hosts.json"
    else:
        host = vm_control.Host(LinuxSystem(), root, default_cache(), module.log)
        file = host.files.inventory
    before = seen(given["provider"], host)
    if module.check_mode:
        return outcome(Change.between(before, expected(given, before)), machines=hosts(file))
    if given["state"] == "absent":
        lab_control.down(host) if given["provider"] == "lab" else vm_control.down(host)
    elif given["provider"] == "lab":
        lab_control.up(host, given["count"], given["subnet"] or None)
    else:
        vm_control.up(host, given["count"], wanted_of(given["image"], given["size"]))
    return outcome(Change.between(before, seen(given["provider"], host)), machines=hosts(file))


if __name__ == "__main__":
    serve(ARGUMENTS, IMPORTS, run)
