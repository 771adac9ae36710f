"""The commands of a lab, as argument lists: what is run to make and remove its network and its machines. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fleet.lab.spec import Lab, LabMachine

Argv = tuple[str, ...]
OVERLAYS = ("/etc", "/var", "/home", "/root")
"""Folders of the host that a machine sees but writes a copy of."""
BLACKHOLE_METRIC = "4096"


@dataclass(frozen=True)
class Observed:
    """What of any lab is on this host now."""

    links: frozenset[str] = frozenset()
    namespaces: frozenset[str] = frozenset()
    blackholes: frozenset[str] = frozenset()


def network_up(lab: Lab, seen: Observed) -> list[Argv]:
    """The bridge. The blackhole comes first: without a bridge, nothing for the machines may take the default route."""
    steps: list[Argv] = []
    if str(lab.network) not in seen.blackholes:
        steps.append(("ip", "route", "add", "blackhole", str(lab.network), "metric", BLACKHOLE_METRIC))
    if lab.tag not in seen.links:
        steps += [
            ("ip", "link", "add", lab.tag, "type", "bridge"),
            ("ip", "address", "add", f"{lab.gateway}/{lab.network.prefixlen}", "dev", lab.tag),
            ("ip", "link", "set", lab.tag, "up"),
        ]
    return steps


def network_down(lab: Lab, seen: Observed) -> list[Argv]:
    """The reverse: the blackhole last."""
    steps: list[Argv] = [("ip", "link", "delete", lab.tag)] if lab.tag in seen.links else []
    if str(lab.network) in seen.blackholes:
        steps.append(("ip", "route", "delete", "blackhole", str(lab.network), "metric", BLACKHOLE_METRIC))
    return steps


def machine_up(lab: Lab, machine: LabMachine) -> list[Argv]:
    """Namespace and link of one machine."""
    name, inside = machine.namespace, ("ip", "-netns", machine.namespace)
    return [
        ("ip", "netns", "add", name),
        ("ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "address", machine.mac, "netns", name),
        ("ip", "link", "set", name, "master", lab.tag, "up"),
        (*inside, "address", "add", f"{machine.address}/{lab.network.prefixlen}", "dev", "eth0"),
        (*inside, "link", "set", "eth0", "up"),
        (*inside, "link", "set", "lo", "up"),
    ]


def machine_down(name: str, seen: Observed) -> list[Argv]:
    """What is left of the machine whose namespace has that name, once its processes are gone."""
    steps: list[Argv] = [("ip", "link", "delete", name)] if name in seen.links else []
    return [*steps, ("ip", "netns", "delete", name)] if name in seen.namespaces else steps


def launcher(python: str, machine: LabMachine) -> Argv:
    """What the host starts for a machine: it joins the machine's cgroups and becomes `enter`."""
    return (python, "-P", "-m", "fleet.lab.launch", str(machine.folder / "machine.json"))


def enter(python: str, namespace: str, file: Path) -> Argv:
    """Into the machine's own view of network, mounts, names, IPC, cgroups and processes; its first process follows.

    The process namespace ends with it, and with the launcher (`--kill-child`), and takes all mounts along.
    """
    inside = ("unshare", "--mount", "--uts", "--ipc", "--cgroup", "--pid", "--fork", "--kill-child", "--mount-proc")
    return ("nsenter", f"--net=/run/netns/{namespace}", *inside, python, "-P", "-m", "fleet.lab.init", str(file))


def mounts(folder: Path, user: str) -> list[Argv]:
    """The machine's mounts, in order: private, copies of the host's folders, and memory where nothing should stay.

    A fresh sysfs hides the host's cgroups. Kernel settings remain the host's: nothing in a machine may set any.
    """
    steps: list[Argv] = [("mount", "--make-rprivate", "/")]
    for lower in OVERLAYS:
        own = folder / "over" / lower.strip("/")
        options = f"lowerdir={lower},upperdir={own / 'upper'},workdir={own / 'work'}"
        steps.append(("mount", "-t", "overlay", "-o", options, f"{user}-{lower.strip('/')}", lower))
    for target, mode in (("/run", "0755"), ("/dev/shm", "1777"), ("/tmp", "1777")):  # noqa: S108 - mount points
        steps.append(("mount", "-t", "tmpfs", "-o", f"nosuid,nodev,mode={mode}", "tmpfs", target))
    return [*steps, ("mount", "-t", "sysfs", "-o", "ro,nosuid,nodev,noexec", "sysfs", "/sys")]


def sshd_config(machine: LabMachine, user: str) -> str:
    """One user, one key, no password, only on the machine's own address."""
    return "\n".join(
        (
            f"ListenAddress {machine.address}:22",
            "HostKey /etc/ssh/fleet_host_key",
            "AuthorizedKeysFile /etc/ssh/fleet_authorized_keys",
            f"AllowUsers {user}",
            "PermitRootLogin no",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "UsePAM no",
            "UseDNS no",
            "PrintMotd no",
            "X11Forwarding no",
            "AllowTcpForwarding no",
            "MaxSessions 64",
            "MaxStartups 64:30:128",
            "PidFile none",
            "Subsystem sftp internal-sftp",
            "",
        )
    )


def sshd(program: str) -> Argv:
    """The machine's last program; it stays its first process."""
    return (program, "-D", "-f", "/etc/ssh/fleet_sshd_config", "-E", "/var/log/fleet-sshd.log")


def close_connections(sockets: Sequence[Path]) -> list[Argv]:
    """Ends Ansible's shared SSH connections, which would stay for a minute."""
    return [("ssh", "-F", "none", "-o", f"ControlPath={socket}", "-O", "exit", "lab") for socket in sockets]
