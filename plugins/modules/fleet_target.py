#!/usr/bin/python
"""What a machine has to offer before anything of ours is on it; runs with any Python, imports nothing of ours."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_target
short_description: Look at a machine, and refuse one that cannot be used
description:
  - Changes nothing. Needs no package; the machine's own Python is enough to run it, and must be new enough for ours.
options:
  state_dir: {description: The machine's folder of this fleet (absolute)., type: path, required: true}
  disk_bytes: {description: Free space that must be there when nothing was sent yet., type: int, default: 0}
"""

EXAMPLES = r"""
- name: Look
  fleet_target: {state_dir: /home/fleet/.local/state/fleet/demo}
"""

RETURN = r"""
python: {description: Path of the interpreter., returned: always, type: str}
version: {description: "Its version, such as 3.11.", returned: always, type: str}
machine: {description: "Processor, such as x86_64.", returned: always, type: str}
identity: {description: The same for two names of one machine., returned: always, type: str}
sent: {description: Names of the archives that are unpacked there., returned: always, type: list, elements: str}
exists: {description: Whether the fleet has a folder there., returned: always, type: bool}
"""

import os
import platform
import shutil
import sys
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

OLDEST = (3, 11)
GIB = 1024**3
COMPLETE = ".complete"
"""As `fleet.target.bundle` ends every archive."""


def problems(state_dir: Path, disk_bytes: int, sent: list[str]) -> list[str]:
    """Sentences about what makes the machine unusable."""
    found = []
    if sys.version_info[:2] < OLDEST:
        found.append(
            f"its Python is {platform.python_version()}, 3.11 or newer is needed: install one"
            " (Ubuntu 22.04: apt-get install python3.11) and name it with target_python_interpreter"
        )
    folder = next(path for path in (state_dir, *state_dir.parents) if os.path.exists(path))  # noqa: PTH110 - below
    # os.path.exists is false, and does not raise, where a folder above cannot be entered.
    if not os.access(folder, os.W_OK | os.X_OK):
        found.append(f"{folder} cannot be written by uid {os.geteuid()}: set machine_state_dir")
    free = shutil.disk_usage(folder).free
    if not sent and free < disk_bytes:
        found.append(
            f"{free / GIB:.1f} GiB are free in {folder}, {disk_bytes / GIB:.1f} are needed:"
            " free some, or set machine_state_dir to a larger disk"
        )
    return found


def identity() -> str:
    """The boot and the process namespace: machines that share a kernel differ in the second."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{boot} {Path('/proc/self/ns/pid').readlink()}"


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "state_dir": {"type": "path", "required": True},
            "disk_bytes": {"type": "int", "default": 0},
        },
        supports_check_mode=True,
    )
    state_dir = Path(module.params["state_dir"])
    archives = state_dir / "sent"
    there = os.path.isdir(archives)  # noqa: PTH112 - false, and no error, where a folder above cannot be entered
    sent = sorted(marker.parent.name for marker in archives.glob(f"*/{COMPLETE}")) if there else []
    found = problems(state_dir, module.params["disk_bytes"], sent)
    if found:
        module.fail_json(msg=f"this machine cannot be used: {'; '.join(found)}. Nothing was changed.")
    module.exit_json(
        changed=False,
        python=os.path.realpath(sys.executable),
        version=f"{sys.version_info[0]}.{sys.version_info[1]}",
        machine=platform.machine(),
        identity=identity(),
        sent=sent,
        exists=state_dir.is_dir(),
    )


if __name__ == "__main__":
    main()
