"""The fault `disk-full`: the file system of an etcd has no block left.

Before the load its data moves to a file system of its own (ext4 in a file, through a loop device; root), because to
fill the machine's would take every other program with it. Afterwards the data moves back. etcd keeps a file of 64 MB
for what it will write; its empty part is given back first, else a full disk would be felt only after as many bytes.
"""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from fleet.faults import stores
from fleet.faults.back import bring_back, ready
from fleet.faults.fault import Aim, Chosen, Plain
from fleet.faults.notes import kept
from fleet.host.files import private_directory
from fleet.host.supervise import Supervisor
from fleet.model.during import Action
from fleet.model.fleet_file import FleetFile

NEEDS = ("mkfs.ext4", "mount", "umount", "fallocate", "cp")
ROOM = 256 << 20
"""Bytes alongside what etcd has: it keeps two files of 64 MB in reserve."""
BLOCK = 1 << 20


class DiskFull(Plain):
    """See `Fault`."""

    name = "disk-full"
    prepares = True

    def aims(self, wanted: Action, fleet: FleetFile, chosen: Chosen) -> list[Aim]:  # noqa: ARG002 - one etcd
        """See `Fault`."""
        return stores.aims(wanted, fleet)

    def refuse(self, aim: Aim, root: Path) -> str:
        """See `Fault`."""
        if os.geteuid() != 0:
            return "a file system of its own for etcd needs root"
        lacking = [word for word in NEEDS if shutil.which(word) is None]
        if lacking:
            return f"{', '.join(lacking)} is missing: install e2fsprogs, mount and util-linux"
        if not Path("/dev/loop-control").exists():
            return "the kernel has no loop devices (/dev/loop-control)"
        free, needed = shutil.disk_usage(root).free, ROOM + _size(stores.store_of(aim, root).data)
        return "" if free > 2 * needed else f"{root} has {free >> 20} MiB left, and {2 * needed >> 20} MiB are needed"

    def prepare(self, aim: Aim, root: Path) -> None:
        """Move the data to a file system of its own."""
        place, store = _Place(kept(root, aim)), stores.store_of(aim, root)
        private_directory(place.folder)
        private_directory(place.mounted)
        place.image.touch(mode=0o600)
        os.truncate(place.image, ROOM + _size(store.data))
        stores.run("mkfs.ext4", "-q", "-m", "0", str(place.image))
        stores.run("mount", "-o", "loop", str(place.image), str(place.mounted))
        with stores.down(root, store):
            shutil.rmtree(place.mounted / "lost+found")
            stores.run("cp", "-a", f"{store.data}/.", str(place.mounted))
            stores.run("mount", "--bind", str(place.mounted), str(store.data))
        self._wait(aim, root)

    def inject(self, aim: Aim, root: Path) -> None:
        """See `Fault`."""
        store = stores.store_of(aim, root)
        with stores.frozen(root, store.program):
            for file in (store.data / "member" / "wal").iterdir():
                stores.run("fallocate", "--dig-holes", str(file))
            _fill(store.data / "ballast")

    def heal(self, aim: Aim, root: Path) -> None:
        """See `Fault`."""
        place, store = _Place(kept(root, aim)), stores.store_of(aim, root)
        stores.recover(store.data)
        (store.data / "ballast").unlink(missing_ok=True)
        if place.image.exists():
            with stores.down(root, store):
                _move_back(place, store.data)
        self._wait(aim, root)

    def abandon(self, aim: Aim, root: Path) -> None:
        """See `Fault`. Mounts that are in use go with their last user."""
        place, store = _Place(kept(root, aim)), stores.store_of(aim, root)
        for folder in (store.data, place.mounted):
            if os.path.ismount(folder):
                stores.run("umount", "--lazy", str(folder))

    @staticmethod
    def _wait(aim: Aim, root: Path) -> None:
        bring_back(Supervisor(root), stores.store_of(aim, root).users)
        ready(root, aim.clusters)


class _Place:
    """What the fault keeps."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.image = folder / "disk.img"
        self.mounted = folder / "disk"
        self.back = folder / "data"


def _move_back(place: _Place, data: Path) -> None:
    """What the image holds is the newest, also after a reboot, which has forgotten what was mounted."""
    if os.path.ismount(data):
        stores.run("umount", str(data))
        moved = True
    else:
        moved = (place.mounted / "member").exists() or _rebooted(place)
    if moved:
        shutil.rmtree(place.back, ignore_errors=True)
        stores.run("cp", "-a", "--sparse=always", str(place.mounted), str(place.back))
        (place.back / "ballast").unlink(missing_ok=True)
        stores.exchange(data, place.back)
    if os.path.ismount(place.mounted):
        stores.run("umount", str(place.mounted))
    place.image.unlink()


def _rebooted(place: _Place) -> bool:
    """Mount the image where it is not; whether data had been moved there."""
    if not os.path.ismount(place.mounted):
        stores.run("mount", "-o", "loop", str(place.image), str(place.mounted))
    return (place.mounted / "member").exists()


def _fill(ballast: Path) -> None:
    """Write until no block is left."""
    with ballast.open("wb", buffering=0) as file:
        for size in (BLOCK, 4096):
            try:
                while True:
                    file.write(bytes(size))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
