"""The fault `restore`: control planes go back to what their etcd held before the load, as after a restored backup.

The backup is a copy of etcd's folder, taken while its process is stopped for a moment by SIGSTOP: what a power cut
would leave, which etcd is made to start from. As after `etcdutl snapshot restore` the revisions go back too.
"""

from __future__ import annotations

from pathlib import Path

from fleet.faults import stores
from fleet.faults.back import bring_back, ready
from fleet.faults.fault import Aim, Chosen, Plain
from fleet.faults.notes import kept
from fleet.host.files import private_directory
from fleet.host.supervise import Supervisor
from fleet.model.during import Action
from fleet.model.fleet_file import FleetFile


class Restore(Plain):
    """See `Fault`."""

    name = "restore"
    momentary = True
    prepares = True

    def aims(self, wanted: Action, fleet: FleetFile, chosen: Chosen) -> list[Aim]:  # noqa: ARG002 - one etcd
        """See `Fault`."""
        return [aim.model_copy(update={"rewinds": True}) for aim in stores.aims(wanted, fleet)]

    def prepare(self, aim: Aim, root: Path) -> None:
        """Take the backup."""
        private_directory(kept(root, aim))
        store = stores.store_of(aim, root)
        with stores.frozen(root, store.program):
            stores.copy(store.data, self._backup(root, aim))

    def inject(self, aim: Aim, root: Path) -> None:
        """See `Fault`. The API servers are restarted too: what they have cached is newer than what etcd holds."""
        store = stores.store_of(aim, root)
        with stores.down(root, store):
            stores.exchange(store.data, self._backup(root, aim))

    def heal(self, aim: Aim, root: Path) -> None:
        """See `Fault`. The control planes stay as they were restored: to bring them up to date is the manager's."""
        store = stores.store_of(aim, root)
        stores.recover(store.data)
        bring_back(Supervisor(root), store.users)
        ready(root, aim.clusters)

    @staticmethod
    def _backup(root: Path, aim: Aim) -> Path:
        return kept(root, aim) / "etcd"
