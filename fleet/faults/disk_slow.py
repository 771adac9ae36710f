"""The fault `disk-slow`: an etcd may write so often a second, by a control group of the kernel (blkio, or io of v2)."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from pydantic import Field

from fleet.errors import HostError
from fleet.faults import stores
from fleet.faults.back import processes
from fleet.faults.fault import Aim, Chosen, Plain
from fleet.host.supervise import Supervisor
from fleet.model.base import Model
from fleet.model.during import Action
from fleet.model.fleet_file import FleetFile

CGROUPS = Path("/sys/fs/cgroup")
V1 = "blkio/blkio.throttle.write_iops_device"


class SlowSettings(Model):
    """Of `disk-slow`."""

    iops: int = Field(default=100, ge=1, le=100_000)
    """Writes a second that reach the device. etcd makes about ten of them for each put that it acknowledges."""


class DiskSlow(Plain):
    """See `Fault`."""

    name = "disk-slow"
    settings = SlowSettings

    def __init__(self, cgroups: Path = CGROUPS) -> None:
        self._cgroups = cgroups

    def aims(self, wanted: Action, fleet: FleetFile, chosen: Chosen) -> list[Aim]:  # noqa: ARG002 - one etcd
        """See `Fault`."""
        return stores.aims(wanted, fleet)

    def refuse(self, aim: Aim, root: Path) -> str:
        """See `Fault`."""
        if os.geteuid() != 0:
            return "a control group needs root"
        if not (self._cgroups / V1).exists() and not self._v2():
            return f"the kernel cannot throttle a device here: neither {self._cgroups / V1} nor an `io` of cgroup v2"
        data = stores.store_of(aim, root).data
        return "" if _device(data) else f"{data} lies on a file system without a device of its own (overlay, tmpfs)"

    def inject(self, aim: Aim, root: Path) -> None:
        """See `Fault`."""
        store, group = stores.store_of(aim, root), self._group(aim)
        device, iops = _device(store.data), SlowSettings.model_validate(aim.settings).iops
        found = processes(Supervisor(root), [store.program])
        if not found:
            raise HostError(f"{store.program} does not run")
        group.mkdir(exist_ok=True)
        if self._v2():
            (group / "io.max").write_text(f"{device} wiops={iops}\n")
        else:
            (group / "blkio.throttle.write_iops_device").write_text(f"{device} {iops}\n")
        for process in found:
            (group / "cgroup.procs").write_text(f"{process.pid}\n")

    def heal(self, aim: Aim, root: Path) -> None:  # noqa: ARG002 - the group is the kernel's
        """See `Fault`."""
        group = self._group(aim)
        if not group.exists():
            return
        for pid in (group / "cgroup.procs").read_text().split():
            with suppress(ProcessLookupError):
                (group.parent / "cgroup.procs").write_text(f"{pid}\n")
        group.rmdir()

    def abandon(self, aim: Aim, root: Path) -> None:
        """See `Fault`."""
        self.heal(aim, root)

    def _group(self, aim: Aim) -> Path:
        parent = self._cgroups if self._v2() else self._cgroups / "blkio"
        return parent / f"fleet-{aim.fleet}-{aim.machine}-{aim.key}"

    def _v2(self) -> bool:
        control = self._cgroups / "cgroup.subtree_control"
        return control.exists() and "io" in control.read_text().split()


def _device(path: Path) -> str:
    """`major:minor` of the whole disk that a path lies on; empty when there is none."""
    number = path.stat().st_dev
    name = f"{os.major(number)}:{os.minor(number)}"
    entry = Path("/sys/dev/block") / name
    if not entry.exists():
        return ""
    whole = entry.resolve().parent / "dev" if (entry / "partition").exists() else entry / "dev"
    return whole.read_text().strip()
