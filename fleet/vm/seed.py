"""The NoCloud seed of a machine: what cloud-init makes of it at its first boot. Pure."""

from __future__ import annotations

import hashlib
from typing import Any

import yaml

from fleet.vm.spec import GUEST_ADDRESS, GUEST_DNS, GUEST_GATEWAY, USER, Vm

HEADER = "#cloud-config\n"


def user_data(vm: Vm, *, authorized: str, host_private: str, host_public: str) -> str:
    """One user with one key, no password anywhere, and a host key that was known before the machine was.

    Nothing is downloaded: packages are the image's.
    """
    document: dict[str, Any] = {
        "hostname": vm.name,
        "manage_etc_hosts": True,
        "users": [
            {
                "name": USER,
                "shell": "/bin/bash",
                "sudo": "ALL=(ALL) NOPASSWD:ALL",
                "lock_passwd": True,
                "ssh_authorized_keys": [authorized],
            }
        ],
        "disable_root": True,
        "ssh_pwauth": False,
        "ssh_deletekeys": True,
        "ssh_genkeytypes": [],
        "ssh_keys": {"ed25519_private": host_private, "ed25519_public": host_public},
        "package_update": False,
        "package_upgrade": False,
    }
    return HEADER + yaml.safe_dump(document, sort_keys=False)


def meta_data(vm: Vm, content: str) -> str:
    """cloud-init starts again when the instance's id changes, so it carries a digest of the rest."""
    digest = hashlib.sha256(content.encode()).hexdigest()[:12]
    return yaml.safe_dump({"instance-id": f"fleet-{vm.name}-{digest}", "local-hostname": vm.name}, sort_keys=False)


def network_config(vm: Vm, *, outside: bool) -> str:
    """The one address that QEMU's user-mode network has; fixed, so that no DHCP client is needed."""
    card: dict[str, Any] = {"match": {"macaddress": vm.mac}, "set-name": "eth0", "addresses": [GUEST_ADDRESS]}
    if outside:
        card |= {"routes": [{"to": "0.0.0.0/0", "via": GUEST_GATEWAY}], "nameservers": {"addresses": [GUEST_DNS]}}
    return yaml.safe_dump({"version": 2, "ethernets": {"eth0": card}}, sort_keys=False)
