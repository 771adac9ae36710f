"""Documentation of the action plugin fleet_bundle; the work is done on the controller by plugins/action."""

DOCUMENTATION = r"""
module: fleet_bundle
short_description: Make the archive that a machine of the fleet is sent
description:
  - An archive in the controller's cache, named by its content, made once. Runs on the controller.
options:
  kind: {description: What to pack., type: str, choices: [python, toolchain], required: true}
  python: {description: "C(python), C(version) and C(machine) of the target, for kind python.", type: dict, default: {}}
  group: {description: "Name of the group of programs; part of the archive's name.", type: str, default: ""}
  programs: {description: Folder of the upstream programs., type: path}
  crds: {description: Folder of the upstream CRDs., type: path}
  digest: {description: What names the programs., type: str, default: ""}
  cache: {description: Cache folder; the user's by default., type: path}
author: ["The maintainers (@kubestellar)"]
"""

EXAMPLES = r"""
- name: The programs
  fleet_bundle:
    kind: toolchain
    group: kwok
    programs: /srv/toolchain/bin
    crds: /srv/toolchain/crds
    digest: "sha256:0123"
"""

RETURN = r"""
archive: {description: The archive on the controller., type: str, returned: success}
name: {description: The name of its content., type: str, returned: success}
"""
