"""Documentation of the action plugin fleet_node_image; the work is done on the controller by plugins/action."""

DOCUMENTATION = r"""
module: fleet_node_image
short_description: Build or find the image of kind nodes on the controller
description:
  - Builds the image from Debian's packages and the upstream programs into a content-addressed cache when it is not
    there; needs root then. Runs on the controller.
  - In check mode nothing is built; RV(ignore:changed) says whether it would be.
options:
  source:
    description: The folder C(node_image/) of the checkout.
    type: path
    required: true
  toolchain_source:
    description: The folder C(toolchain/) of the checkout, whose control plane goes into the image.
    type: path
    required: true
  directory:
    description: Programs of one's own instead of O(toolchain_source).
    type: path
  sha256:
    description: Program to sha256; required with O(directory).
    type: dict
    default: {}
  image:
    description: C(published) for kind's own, or a reference pinned by digest; nothing is built then.
    type: str
    default: ""
  mirror:
    description: Debian mirror; without it debootstrap's own choice.
    type: str
    default: ""
author: ["The maintainers (@kubestellar)"]
"""

EXAMPLES = r"""
- name: Build the image of kind nodes
  fleet_node_image:
    source: "{{ playbook_dir }}/node_image"
    toolchain_source: "{{ playbook_dir }}/toolchain"
"""

RETURN = r"""
reference:
  description: What a container engine calls the image.
  type: str
  returned: success
archive:
  description: File to load it from; empty for one that is pulled.
  type: str
  returned: success
"""
