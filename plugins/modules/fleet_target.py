#!/usr/bin/python
"""What a machine has to offer before anything of ours is on it; runs with any Python, imports nothing of ours."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_target
short_description: Look at a machine, and refuse one that cannot be used
description:
  - Changes nothing. Needs no package; the machine's own Python is enough to run it, and must be new enough for ours.
author: ["The maintainers (@kubestellar)"]
options:
  state_dir: {description: The machine's folder of this fleet (absolute)., type: path, required: true}
  disk_bytes: {description: Free space that must be there when nothing was sent yet., type: int, default: 0}
  ports:
    description: Ports that API servers shall have here, by control plane; one that another program holds is refused.
    type: dict
    default: {}
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

import json
import os
import platform
import shutil
import socket
import sys
from pathlib import Path
from typing import Any

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


def taken(state_dir: Path, ports: dict[str, Any]) -> list[str]:
    """Sentences about ports that somebody else has; those that the registry says are this fleet's own are fine."""
    blocks = registered(state_dir.parent / "ports.json")
    found = []
    for plane, port in sorted((str(plane), int(port)) for plane, port in ports.items()):
        holder = next((b for b in blocks if b["start"] <= port < b["start"] + b["count"]), None)
        if holder is None and not bindable(port):
            found.append(f"control_plane_ports: port {port} for {plane} is held by another program: choose another")
        elif holder is not None and (holder["fleet"], holder["owner"]) != (state_dir.name, plane):
            owner = f"{holder['owner']} of fleet {holder['fleet']}"
            found.append(f"control_plane_ports: port {port} for {plane} is held by {owner}: choose another")
    return found


def registered(file: Path) -> list[dict[str, Any]]:
    """The blocks of `fleet.host.ports.Registry`; none when the file is missing, or is not one: that is reported
    later."""
    try:
        return list(json.loads(file.read_text(encoding="utf-8"))["blocks"])
    except (OSError, ValueError, KeyError, TypeError):
        return []


def bindable(port: int) -> bool:
    """As `fleet.host.ports.bindable`: whether a listener could be opened on any address of this machine."""
    for address in ("0.0.0.0", "127.0.0.1"):  # noqa: S104 - bound, never listening
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True


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
            "ports": {"type": "dict", "default": {}},
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
    found = taken(state_dir, module.params["ports"])
    if found:
        module.fail_json(msg=f"{'; '.join(found)}. Nothing was changed.")
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
