"""The files of a lab and its machines: keys, known hosts, what a machine's first process reads, the inventory."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from fleet.host.files import private_directory, write_private
from fleet.lab import plan
from fleet.lab.spec import USER, Lab, LabMachine
from fleet.lab.system import System


def ensure_key(system: System, file: Path, comment: str) -> str:
    """An ed25519 key pair at `file`, made when it is missing; the public line."""
    private_directory(file.parent)
    if not file.exists():
        system.run(("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(file)))
    return file.with_name(f"{file.name}.pub").read_text(encoding="ascii").strip()


def write_machine(
    system: System, lab: Lab, machine: LabMachine, cgroups: Sequence[Path], hosts: Sequence[LabMachine]
) -> Path:
    """Everything that the machine's first process reads, as one private file."""
    private_directory(machine.folder)
    client = ensure_key(system, lab.key, "fleet-lab")
    host_key = machine.folder / "ssh" / "host_key"
    ensure_key(system, host_key, machine.name)
    steps = plan.mounts(machine.folder, machine.namespace)
    uid = machine.uid
    names = "".join(f"{other.address} {other.name}\n" for other in hosts)
    document = {
        "hostname": machine.name,
        "namespace": machine.namespace,
        "cgroups": [str(group) for group in cgroups],
        "folders": [
            str(machine.folder / "over" / lower.strip("/") / part)
            for lower in plan.OVERLAYS
            for part in ("upper", "work")
        ],
        "mounts": [list(step) for step in steps],
        "uid": uid,
        "home": f"home/{USER}",
        "files": {
            "etc/hostname": f"{machine.name}\n",
            "etc/hosts": f"127.0.0.1 localhost\n{names}",
            "etc/ssh/fleet_host_key": host_key.read_text(encoding="ascii"),
            "etc/ssh/fleet_authorized_keys": f"{client}\n",
            "etc/ssh/fleet_sshd_config": plan.sshd_config(machine, USER),
        },
        # '*' is no password that fits, and unlike '!' does not lock the account.
        "append": {
            "etc/passwd": f"{USER}:x:{uid}:{uid}::/home/{USER}:/bin/bash",
            "etc/group": f"{USER}:x:{uid}:",
            "etc/shadow": f"{USER}:*:19000:0:99999:7:::",
        },
        "sshd": plan.sshd(system.which("sshd") or "/usr/sbin/sshd"),
    }
    file = machine.folder / "machine.json"
    write_private(file, (json.dumps(document, indent=1) + "\n").encode())
    return file


def write_known_hosts(lab: Lab) -> None:
    """Every machine's host key by its address: nothing is trusted on first use."""
    lines = []
    for machine in lab.machines:
        public = (machine.folder / "ssh" / "host_key.pub").read_text(encoding="ascii").split()
        lines.append(f"{machine.address} {public[0]} {public[1]}\n")
    write_private(lab.known_hosts, "".join(lines).encode())


def write_inventory(lab: Lab) -> None:
    """What `inventories/lab` prints: the hub on m1, WECs on the others, or on m1 too when it is alone."""
    private_directory(lab.control)
    options = (
        f"-F none -o UserKnownHostsFile={lab.known_hosts} -o GlobalKnownHostsFile=none -o StrictHostKeyChecking=yes"
        " -o IdentitiesOnly=yes -o ConnectTimeout=10"
    )
    hosts = {
        machine.name: {
            "ansible_host": machine.address,
            "ansible_user": USER,
            "ansible_ssh_private_key_file": str(lab.key),
            "ansible_ssh_common_args": options,
            "ansible_control_path_dir": str(lab.control),
            "fleet_known_hosts": str(lab.known_hosts),
        }
        for machine in lab.machines
    }
    names = list(hosts)
    document = {
        "hub_hosts": {"hosts": names[:1]},
        "wec_hosts": {"hosts": names[1:] or names},
        "fleet_hosts": {"children": ["hub_hosts", "wec_hosts"]},
        "_meta": {"hostvars": hosts},
    }
    write_private(lab.inventory, (json.dumps(document, indent=1) + "\n").encode())


def launcher(machine: LabMachine) -> plan.Argv:
    """How the machine is started by this interpreter."""
    return plan.launcher(sys.executable, machine)
