"""The programs inside kind nodes of this machine, which no supervisor of ours knows: found by their control group, and
those that are pods of the fleet by an argument."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import psutil

from fleet.host.pods import PodProgram

COMPONENTS = frozenset(("kube-apiserver", "etcd", "kube-controller-manager", "kube-scheduler", "kubelet", "containerd"))
"""What a node's weight is made of; systemd, shims and pauses are a few MiB each."""
CONTAINER = re.compile(r"\b[0-9a-f]{64}\b")


def node_containers(state_dir: Path) -> dict[str, str]:
    """Container id to control plane, of the machine's folder of a fleet (`clusters/<name>/made`: digest, id)."""
    found = {}
    for file in sorted(state_dir.glob("clusters/*/made")):
        try:
            words = file.read_text(encoding="ascii").split()
        except OSError:
            continue  # it is being removed
        if words and CONTAINER.fullmatch(words[-1]):
            found[words[-1]] = file.parent.name
    return found


def node_pids(
    containers: Mapping[str, str],
    proc: Path = Path("/proc"),
    pids: Iterable[int] | None = None,
    *,
    pods: Mapping[str, Sequence[PodProgram]] | None = None,
) -> dict[str, int]:
    """Program (`<component>.<control plane>`) to process id; empty without containers. Nothing of /proc is kept.

    `pods`: programs that run as pods, by control plane.
    """
    if not containers:
        return {}
    found: dict[str, int] = {}
    for pid in sorted(psutil.pids() if pids is None else pids):
        try:
            groups = (proc / str(pid) / "cgroup").read_text(encoding="utf-8", errors="replace")
            plane = next((containers[one] for one in CONTAINER.findall(groups) if one in containers), None)
            if plane is None:
                continue
            words = (proc / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue  # it ended
        component = Path(words[0]).name
        if component in COMPONENTS:
            found.setdefault(f"{component}.{plane}", pid)
            continue
        for pod in (pods or {}).get(plane, ()):
            if pod.argument in words:
                found.setdefault(pod.program, pid)
    return found
