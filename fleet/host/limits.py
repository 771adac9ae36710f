"""Whether this machine can hold what is requested, before anything is changed: both numbers, and how to fix it."""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from fleet.errors import CapacityError
from fleet.host.drivers.driver import driver_kind
from fleet.host.ports import HIGHEST, LOWEST, Registry, ephemeral_range
from fleet.host.weight import MIB, NOTHING, Weight

GIB = 1024**3
RESERVE = 512 * MIB
"""Left for the kernel's caches, Ansible and the driver of the experiment."""
INOTIFY_INSTANCES, INOTIFY_WATCHES = "fs.inotify.max_user_instances", "fs.inotify.max_user_watches"
TUNED = {INOTIFY_INSTANCES: 8192, INOTIFY_WATCHES: 524_288}
"""What `host_tuning` raises to: enough for 500 control planes, and a few MiB of the kernel's memory at
most."""


DESCRIPTORS_BASE = 2000
"""Of the hub's API server (206 with 100 WECs during a run), of a shard's etcd (63 for each of 25), and of supervisord
(3 for each of 400 programs)."""


@dataclass(frozen=True)
class Need:
    """What is to be added to the machine: counts of control planes that are not there yet."""

    hub_planes: int
    wecs: int
    driver: str
    shard_size: int
    wec: Weight = NOTHING
    """Of one WEC, without its nodes and agents (`DriverKind.weight`)."""
    agents: int = 0
    """Of WECs, one at each hub that they are members of."""
    hub_plane: Weight = NOTHING
    """Of one control plane of the hub."""
    agent: Weight = NOTHING
    """Of one agent, with what its WEC adds to the hub."""
    nodes: Weight = NOTHING
    """Of all simulated nodes that are to be added, beyond what is there."""
    platforms: Sequence[tuple[str, Weight]] = ()
    """Platforms that WECs shall have, each with what it takes in one of them."""


@dataclass(frozen=True)
class Room:
    """What the machine has left. Sizes in bytes; `inotify_*` are what this user may still take."""

    memory: int
    disk: int
    descriptors: int
    inotify_instances: int
    inotify_watches: int
    inotify_instances_limit: int
    inotify_watches_limit: int
    processes: int
    ports: int


@dataclass(frozen=True)
class Shortage:
    """One thing of which there is too little. `sysctl` is set when root can raise it: `key = value`."""

    what: str
    needed: str
    available: str
    fix: str
    sysctl: tuple[str, int] | None = None

    def text(self) -> str:
        """One sentence with the numbers and how to fix it."""
        return f"{self.what}: {self.needed} needed, {self.available} available: {self.fix}"


def inotify_in_use(uid: int | None = None) -> tuple[int, int]:
    """Inotify instances and watches that this user's processes hold, as far as /proc shows them."""
    uid = os.geteuid() if uid is None else uid
    instances = watches = 0
    for process in psutil.process_iter():
        folder = Path("/proc") / str(process.pid)
        try:
            if folder.stat().st_uid != uid:
                continue
            for descriptor in (folder / "fd").iterdir():
                if os.readlink(descriptor) == "anon_inode:inotify":  # noqa: PTH115 - the target is no path
                    instances += 1
                    info = (folder / "fdinfo" / descriptor.name).read_text(encoding="ascii", errors="replace")
                    watches += info.count("inotify wd:")
        except OSError:
            continue  # it ended, or it is not ours to see
    return instances, watches


def measure_room(state_root: Path) -> Room:
    """What this machine has left for the user who asks; `state_root` need not exist yet."""
    existing = next(path for path in (state_root, *state_root.parents) if path.exists())
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    _, processes = resource.getrlimit(resource.RLIMIT_NPROC)
    used_instances, used_watches = inotify_in_use()
    instances, watches = _proc_number("fs/inotify/max_user_instances"), _proc_number("fs/inotify/max_user_watches")
    low, high = ephemeral_range()
    usable = max(0, min(low - 1, HIGHEST) - LOWEST + 1) + max(0, HIGHEST - max(high + 1, LOWEST) + 1)
    threads_max = min(_proc_number("kernel/threads-max"), _proc_number("kernel/pid_max"))
    return Room(
        memory=_memory_left(),
        disk=shutil.disk_usage(existing).free,
        descriptors=_finite(hard, 1_048_576),
        inotify_instances=instances - used_instances,
        inotify_watches=watches - used_watches,
        inotify_instances_limit=instances,
        inotify_watches_limit=watches,
        processes=min(_finite(processes, threads_max), threads_max) - len(psutil.pids()),
        ports=usable - sum(block.count for block in Registry(state_root).blocks()),
    )


def shortages(need: Need, room: Room) -> list[Shortage]:
    """Everything of which there is too little; empty when the machine can hold it."""
    counts = [
        (need.hub_plane, need.hub_planes),
        (need.wec, need.wecs),
        (need.agent, need.agents),
        (need.nodes, int(need.nodes != NOTHING)),
        *((weight, 1) for _, weight in need.platforms),
    ]
    what = f"{need.hub_planes} more control planes of the hub and {need.wecs} more WECs ({need.driver})"
    what += f" with {need.agents} agents" if need.agents else ""
    what += " and their nodes" if need.nodes != NOTHING else ""
    what += f" and {', '.join(name for name, _ in need.platforms)}" if need.platforms else ""
    found = []
    memory = sum(weight.memory * count for weight, count in counts)
    if memory and memory + RESERVE > room.memory:
        each = need.wec.memory + (need.agent.memory * need.agents + need.nodes.memory) // max(1, need.wecs)
        others = need.hub_plane.memory * need.hub_planes + sum(weight.memory for _, weight in need.platforms)
        fits = min(need.wecs, max(0, (room.memory - RESERVE - others) // max(1, each)))
        fewer = f"lower wec_count by {need.wecs - fits}" if need.wecs else "lower wec_nodes"
        found.append(
            Shortage(
                f"memory for {what}",
                _gib(memory + RESERVE),
                _gib(room.memory),
                f"{fewer}{_or_platforms(need)}, or take a larger machine",
            )
        )
    disk = sum(weight.disk * count for weight, count in counts)
    if disk > room.disk:
        found.append(
            Shortage(
                f"disk for {what}",
                _gib(disk),
                _gib(room.disk),
                "set fleet_state_dir to a larger disk, or lower wec_count",
            )
        )
    found += _inotify(counts, room)
    descriptors = DESCRIPTORS_BASE + driver_kind(need.driver).descriptors * min(need.wecs, need.shard_size)
    if (need.wecs or need.hub_planes) and descriptors > room.descriptors:
        line = f"* hard nofile {max(descriptors, 65_536)}"
        fix = f"put `{line}` into /etc/security/limits.d and log in again, or lower dense_shard_size"
        name = "file descriptors of one process (hard limit, ulimit -Hn)"
        found.append(Shortage(name, str(descriptors), str(room.descriptors), fix))
    threads = sum(weight.threads * count for weight, count in counts)
    if threads > room.processes:
        found.append(
            Shortage(
                f"processes and threads for {what}",
                str(threads),
                str(room.processes),
                "raise ulimit -u and kernel.threads-max, or lower wec_count",
            )
        )
    ports = sum(int(weight.ports * count + 1) for weight, count in counts if count)
    if ports > room.ports:
        found.append(
            Shortage(
                f"ports for {what}",
                str(ports),
                str(room.ports),
                f"take down other fleets, {'lower wec_nodes, ' if need.nodes.ports else ''}or narrow"
                " net.ipv4.ip_local_port_range",
            )
        )
    return found


def _or_platforms(need: Need) -> str:
    return " or platform_wecs" if need.platforms else ""


def refuse(found: Sequence[Shortage]) -> None:
    """CapacityError with every shortage, when there is one."""
    if found:
        lines = "\n".join(f"- {shortage.text()}" for shortage in found)
        raise CapacityError(f"this machine cannot hold the fleet; nothing was changed:\n{lines}")


def _inotify(counts: Sequence[tuple[Weight, int]], room: Room) -> list[Shortage]:
    found = []
    for key, field, left, limit in (
        (INOTIFY_INSTANCES, "inotify_instances", room.inotify_instances, room.inotify_instances_limit),
        (INOTIFY_WATCHES, "inotify_watches", room.inotify_watches, room.inotify_watches_limit),
    ):
        needed = sum(getattr(weight, field) * count for weight, count in counts)
        if needed and needed > left:
            value = max(TUNED[key], limit - left + needed)
            found.append(
                Shortage(
                    f"{key} (limit {limit}, {limit - left} in use)",
                    f"{needed} more",
                    str(max(0, left)),
                    f"as root: sysctl -w {key}={value}",
                    (key, value),
                )
            )
    return found


def _memory_left() -> int:
    """MemAvailable, or less inside a memory cgroup."""
    left = psutil.virtual_memory().available
    for limit, usage in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ):
        try:
            left = min(
                left, int(Path(limit).read_text(encoding="ascii")) - int(Path(usage).read_text(encoding="ascii"))
            )
        except (OSError, ValueError):
            continue  # no cgroup of that kind, or "max"
    return left


def _proc_number(name: str) -> int:
    return int((Path("/proc/sys") / name).read_text(encoding="ascii"))


def _finite(value: int, instead: int) -> int:
    return instead if value == resource.RLIM_INFINITY else value


def _gib(size: int) -> str:
    return f"{size / GIB:.1f} GiB"
