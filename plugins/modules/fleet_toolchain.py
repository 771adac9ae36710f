"""Documentation of the action plugin fleet_toolchain; the work is done on the controller by plugins/action."""

DOCUMENTATION = r"""
module: fleet_toolchain
short_description: Build or check the upstream programs on the controller
description:
  - Builds the pinned upstream programs into a content-addressed cache when they are not there, and checks every
    file's sha256 when they are. Runs on the controller.
  - In check mode nothing is built; RV(ignore:changed) says whether it would be.
options:
  source:
    description: The folder C(toolchain/) of the checkout.
    type: path
    required: true
  cache:
    description: Cache folder; without it E(FLEET_CACHE_DIR), else the user's cache folder.
    type: path
  variables:
    description: The variables of the inventory as they are recorded; from them follows what the fleet needs.
    type: dict
    default: {}
  directory:
    description: Programs of one's own; nothing is built then.
    type: path
  sha256:
    description: Program to sha256; required with O(directory).
    type: dict
    default: {}
author: ["The maintainers (@kubestellar)"]
"""

EXAMPLES = r"""
- name: Build the upstream programs
  fleet_toolchain:
    source: "{{ playbook_dir }}/toolchain"
"""

RETURN = r"""
parts:
  description: Each group of programs with C(name), C(root), C(bin) (the folder of its programs, with CRDs in C(crds)
    alongside it) and C(digest); empty in check mode when something is not built.
  type: list
  elements: dict
  returned: success
digest:
  description: Digest over all parts.
  type: str
  returned: success
versions:
  description: Program to upstream version.
  type: dict
  returned: success
"""
