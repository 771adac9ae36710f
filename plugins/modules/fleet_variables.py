#!/usr/bin/python
"""Documentation of the action of the same name, which runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_variables
short_description: Check the variables of all machines of the fleet
description:
  - Checks every variable of C(fleet.model.variables) of every machine in C(fleet_hosts); all errors at once.
  - Reports variables that nothing reads and that are written much like one of ours, and derived ones that were set.
  - An action plugin; no machine is reached. Run it once.
author: ["The maintainers (@kubestellar)"]
options:
  only:
    description: Check these alone. Empty for all of them, and for how they suit one another.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Check the variables
  fleet_variables:
  run_once: true
"""

RETURN = r"""
variables:
  description: The recorded variables that all machines have alike.
  returned: success
  type: dict
hosts:
  description: By machine, those that differ from machine to machine.
  returned: success
  type: dict
given:
  description: What C(-e) has set since the fleet exists.
  returned: success
  type: dict
"""
