"""A dockerd of the fleet's own: how it is started, and that nothing of it stays behind."""

from __future__ import annotations

import re
from pathlib import Path

import psutil

from fleet.errors import HostError
from fleet.host.daemon import kill
from fleet.host.drivers.kind.engine import SYSTEM_PATH, Record
from fleet.host.layout import Layout
from fleet.host.supervise import Program

GROUP = "engine"
NAME = "dockerd"
SYSCTLS = (
    *("vm.overcommit_memory", "vm.panic_on_oom", "kernel.panic", "kernel.panic_on_oops"),
    *("kernel.keys.root_maxkeys", "kernel.keys.root_maxbytes"),
    *("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"),
)
"""What kubelet (pkg/kubelet/cm, setupKernelTunables) and dockerd set for the whole machine."""
PATHS = ("/etc/docker/key.json", "/etc/docker", "/run/containerd/s", "/run/containerd", "/run/docker/plugins",
         "/run/docker", "/var/lib/docker", "/opt/containerd/bin", "/opt/containerd/lib", "/opt/containerd")  # fmt: skip
"""What dockerd and its containerd make outside the folders they are given; inner ones first."""
CAP_SYS_RESOURCE = 24
"""Number of the capability (capabilities(7), linux/capability.h)."""
LAST_WITH_OOM_FLAG = 24
"""Major version of Docker; later ones leave their own oom_score_adj alone and know no such flag."""
GRACE = 10.0
CGROUPS = Path("/sys/fs/cgroup")


def cgroup_parent(fleet: str) -> str:
    """The control group of all containers of a fleet."""
    return f"/fleet-kind-{fleet}"


def has_sys_resource(status: Path = Path("/proc/self/status")) -> bool:
    """Whether a container of this machine may be given CAP_SYS_RESOURCE: whether it is in the bounding set."""
    found = re.search(r"(?m)^CapBnd:\s*([0-9a-f]+)$", status.read_text(encoding="ascii"))
    return found is None or bool(int(found[1], 16) >> CAP_SYS_RESOURCE & 1)


def major(version: str) -> int:
    """Of what `dockerd --version` prints; 0 when it is not known."""
    found = re.search(r"version (\d+)\.", version)
    return int(found[1]) if found else 0


def dockerd(layout: Layout, fleet: str, version: int, runtime: Path | None) -> Program:
    """The program: all its files below the fleet's folder; no iptables rule, no forwarding, no docker0 on the host.

    Published ports of loopback are carried by docker-proxy, and a node needs nothing from outside: a bridge is enough.
    `runtime` is `fleet-runc`, for machines without CAP_SYS_RESOURCE.
    """
    argv = [
        "dockerd",
        f"--config-file={layout.engine / 'daemon.json'}",
        f"--host=unix://{socket(layout)}",
        "--group=root",
        f"--data-root={layout.engine / 'data'}",
        f"--exec-root={layout.run / 'engine'}",
        f"--pidfile={layout.run / 'dockerd.pid'}",
        f"--cgroup-parent={cgroup_parent(fleet)}",
        "--exec-opt=native.cgroupdriver=cgroupfs",
        "--bridge=none",
        "--iptables=false",
        "--ip6tables=false",
        "--ip-forward=false",
        "--ip-masq=false",
        "--log-level=warn",
    ]
    if version <= LAST_WITH_OOM_FLAG:
        argv.append("--oom-score-adjust=0")  # lowering it, as it does by default, needs CAP_SYS_RESOURCE
    if runtime is not None:
        argv += [f"--add-runtime=fleet-runc={runtime}", "--default-runtime=fleet-runc"]
    return Program(NAME, tuple(argv), {"PATH": SYSTEM_PATH}, layout.engine, priority=50, stop_seconds=60)


def socket(layout: Layout) -> Path:
    """Where it listens."""
    return layout.run / "docker.sock"


def host_before() -> tuple[dict[str, str], tuple[str, ...]]:
    """The host's values of `SYSCTLS`, and those of `PATHS` that are not there."""
    values = {}
    for name in SYSCTLS:
        file = _sysctl(name)
        if file.exists():
            values[name] = file.read_text(encoding="ascii").strip()
    return values, tuple(path for path in PATHS if not Path(path).exists())


def sweep(layout: Layout, fleet: str, record: Record) -> None:
    """After the daemon has ended: kill what lost it, undo its mounts and groups, give the host its values back.

    HostError when a mount or a process cannot be removed: the folder is left alone then.
    """
    kill(members(fleet), grace=GRACE)
    for mount in mounts_below(layout.root):
        unmount(mount)
    for controller in CGROUPS.iterdir():
        _remove_groups(controller / cgroup_parent(fleet).strip("/"))
    _remove_groups(CGROUPS / cgroup_parent(fleet).strip("/"))
    for name, value in record.sysctls.items():
        file = _sysctl(name)
        if file.read_text(encoding="ascii").strip() != value:
            file.write_text(value, encoding="ascii")
    for path in map(Path, record.absent):
        if path.is_file():
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def members(fleet: str) -> list[psutil.Process]:
    """Processes in the containers of a fleet."""
    mark = f"{cgroup_parent(fleet)}/"
    found = []
    for process in psutil.process_iter():
        try:
            if mark in Path(f"/proc/{process.pid}/cgroup").read_text(encoding="utf-8"):
                found.append(process)
        except OSError:
            continue  # it ended
    return found


def mounts_below(root: Path, table: Path = Path("/proc/self/mountinfo")) -> list[Path]:
    """Mount points below a folder, the innermost first."""
    points = [line.split()[4].encode().decode("unicode_escape") for line in table.read_text("utf-8").splitlines()]
    return sorted((Path(p) for p in points if Path(p).is_relative_to(root)), key=lambda p: len(p.parts), reverse=True)


def unmount(point: Path) -> None:
    """HostError when it is busy."""
    import ctypes  # noqa: PLC0415 -- only where something was left behind

    library = ctypes.CDLL(None, use_errno=True)
    if library.umount2(str(point).encode(), 0) != 0 and point.is_mount():
        raise HostError(f"{point} cannot be unmounted (errno {ctypes.get_errno()}): end what uses it, then try again")


def _remove_groups(top: Path) -> None:
    """A tree of control groups without processes."""
    if top.is_dir():
        for folder in sorted((path for path in top.rglob("*") if path.is_dir()), reverse=True):
            folder.rmdir()
        top.rmdir()


def _sysctl(name: str) -> Path:
    return Path("/proc/sys") / name.replace(".", "/")
