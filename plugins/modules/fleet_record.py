#!/usr/bin/python
"""Write the fleet file: what was built, where it listens, with which versions, flags and limits."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_record
short_description: Write fleet.json
description:
  - Reads what the machines' folders and supervisors have, and writes C(fleet.json) when it would say something new.
  - Runs with an interpreter that can import C(fleet).
author: ["The maintainers (@kubestellar)"]
options:
  fleet: {description: Name of the fleet., type: str, required: true}
  state_dir: {description: The controller's folder of this fleet (absolute)., type: path, required: true}
  machines: {description: Machines as in C(fleet.model.fleet_file.Machine)., type: list, elements: dict, required: true}
  found:
    description: What C(fleet_inspect) returned on each machine that answered.
    type: list
    elements: dict
    default: []
  kubeconfigs: {description: Their C(kubeconfigs)., type: dict, default: {}}
  state:
    description: Whether the file says that the fleet is complete (V(present)) or that it is being built, or is removed.
    type: str
    choices: [present, building, absent]
    default: present
  variables: {description: Variables that all machines have alike., type: dict, default: {}}
  variables_of: {description: By machine those that differ., type: dict, default: {}}
  given: {description: Variables that C(-e) has set since the fleet exists., type: dict, default: {}}
  toolchain_digest: {description: Digest of the upstream programs., type: str, default: ""}
  versions: {description: Versions of the upstream programs by source., type: dict, default: {}}
  inventory: {description: Path of the inventory that built it., type: str, default: ""}
"""

EXAMPLES = r"""
- name: The fleet file
  fleet_record:
    fleet: demo
    state_dir: /srv/fleet/demo
    machines: [{name: localhost, state_dir: /srv/fleet/demo}]
    toolchain_digest: 0123abcd
"""

RETURN = r"""
path:
  description: The fleet file.
  returned: always
  type: str
fleet_state:
  description: What the file says now, V(built) or V(building); empty in check mode and for one that was removed.
  returned: always
  type: str
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.fleet_module import Imports, outcome, serve

IMPORTS = Imports()
with IMPORTS:
    from pydantic import ValidationError

    from fleet.errors import UsageError
    from fleet.inventory.inspection import Inspection
    from fleet.inventory.record import FILE, RecordSpec, begin_record, forget, write_record
    from fleet.model.fleet_file import Machine

ARGUMENTS = {
    "fleet": {"type": "str", "required": True},
    "state_dir": {"type": "path", "required": True},
    "machines": {"type": "list", "elements": "dict", "required": True},
    "found": {"type": "list", "elements": "dict", "default": [], "no_log": False},
    "kubeconfigs": {"type": "dict", "default": {}, "no_log": True},
    "state": {"type": "str", "choices": ["present", "building", "absent"], "default": "present"},
    "variables": {"type": "dict", "default": {}},
    "variables_of": {"type": "dict", "default": {}},
    "given": {"type": "dict", "default": {}},
    "toolchain_digest": {"type": "str", "default": ""},
    "versions": {"type": "dict", "default": {}},
    "inventory": {"type": "str", "default": ""},
}


def machines_of(given: list[dict[str, Any]], variables: dict[str, Any]) -> tuple[Machine, ...]:
    """The machines, each with its own `variables`; UsageError names the field that is wrong."""
    try:
        return tuple(Machine.model_validate({**m, "variables": variables.get(str(m.get("name")), {})}) for m in given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise UsageError(f"machines: {'.'.join(str(p) for p in first['loc'])}: {first['msg']}") from error


def found_of(parts: list[dict[str, Any]], kubeconfigs: dict[str, str]) -> tuple[Inspection, ...]:
    """What the machines returned, each with the kubeconfigs of its control planes."""
    found = []
    for part in parts:
        told = Inspection.model_validate(part)
        names = {cluster.name for cluster in told.clusters}
        own = {name: text for name, text in kubeconfigs.items() if name in names}
        found.append(told.model_copy(update={"kubeconfigs": own}))
    return tuple(found)


def run(module: AnsibleModule) -> dict[str, Any]:
    """Describe, compare, write."""
    given = module.params
    if given["state"] == "absent":
        return outcome(forget(Path(given["state_dir"]), check=module.check_mode), path="", fleet_state="")
    spec = RecordSpec(
        fleet=given["fleet"],
        root=Path(given["state_dir"]),
        machines=machines_of(given["machines"], given["variables_of"]),
        found=found_of(given["found"], given["kubeconfigs"]),
        toolchain_digest=given["toolchain_digest"],
        versions={name: str(version) for name, version in given["versions"].items()},
        inventory=given["inventory"],
        variables=given["variables"],
        given=given["given"],
    )
    begins = given["state"] == "building"
    change = (begin_record if begins else write_record)(spec, check=module.check_mode)
    state = "" if module.check_mode else "building" if begins else "built"
    return outcome(change, path=str(spec.root / FILE), fleet_state=state)


if __name__ == "__main__":
    serve(ARGUMENTS, IMPORTS, run)
