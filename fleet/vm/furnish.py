"""The files of virtual machines: keys, seeds, known hosts, the inventory."""

from __future__ import annotations

import json
from collections.abc import Sequence

from fleet.host.files import private_directory, write_private
from fleet.lab.furnish import ensure_key
from fleet.lab.spec import SshFiles
from fleet.lab.system import System
from fleet.vm import plan, seed
from fleet.vm.spec import USER, Vm


def ensure_keys(system: System, files: SshFiles, vm: Vm) -> None:
    """The user's key and the machine's host key, made when they are missing."""
    private_directory(vm.folder)
    ensure_key(system, files.key, "fleet-vm")
    ensure_key(system, vm.host_key, vm.name)


def write_seed(system: System, program: str, files: SshFiles, vm: Vm, *, outside: bool) -> None:
    """The seed's image; it holds the machine's private host key, so that nobody else may read it."""
    folder = vm.folder / "seed"
    private_directory(folder)
    content = {
        "user-data": seed.user_data(
            vm,
            authorized=files.key.with_suffix(".pub").read_text(encoding="ascii").strip(),
            host_private=vm.host_key.read_text(encoding="ascii"),
            host_public=vm.host_key.with_suffix(".pub").read_text(encoding="ascii").strip(),
        ),
        "network-config": seed.network_config(vm, outside=outside),
    }
    content["meta-data"] = seed.meta_data(vm, "".join(content.values()))
    paths = [folder / name for name in sorted(content)]
    for path in paths:
        write_private(path, content[path.name].encode())
    vm.seed.unlink(missing_ok=True)
    write_private(vm.seed, b"")
    system.run(plan.seed(program, vm, paths))


def write_known_hosts(files: SshFiles, machines: Sequence[Vm]) -> None:
    """Every machine's host key by its port on loopback: nothing is trusted on first use."""
    lines = []
    for vm in machines:
        kind, key = vm.host_key.with_suffix(".pub").read_text(encoding="ascii").split()[:2]
        lines.append(f"[127.0.0.1]:{vm.port} {kind} {key}\n")
    write_private(files.known_hosts, "".join(lines).encode())


def variables(files: SshFiles, vm: Vm) -> dict[str, str | int]:
    """How Ansible reaches a machine."""
    options = (
        f"-F none -o UserKnownHostsFile={files.known_hosts} -o GlobalKnownHostsFile=none -o StrictHostKeyChecking=yes"
        " -o IdentitiesOnly=yes -o ConnectTimeout=30"
    )
    return {
        "ansible_host": "127.0.0.1",
        "ansible_port": vm.port,
        "ansible_user": USER,
        "ansible_ssh_private_key_file": str(files.key),
        "ansible_ssh_common_args": options,
        "ansible_control_path_dir": str(files.control),
        "fleet_known_hosts": str(files.known_hosts),
    }


def write_inventory(files: SshFiles, machines: Sequence[Vm]) -> None:
    """What `inventories/qemu` prints: the hub on vm1, WECs on the others, or on vm1 too when it is alone."""
    private_directory(files.control)
    hosts = {vm.name: variables(files, vm) for vm in machines}
    names = list(hosts)
    document = {
        "hub_hosts": {"hosts": names[:1]},
        "wec_hosts": {"hosts": names[1:] or names},
        "fleet_hosts": {"children": ["hub_hosts", "wec_hosts"]},
        "_meta": {"hostvars": hosts},
    }
    write_private(files.inventory, (json.dumps(document, indent=1) + "\n").encode())
