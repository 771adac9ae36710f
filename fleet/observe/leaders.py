"""Who leads: holders of the Leases by which programs of the hub elect a leader, where any of them does."""

from __future__ import annotations

import time
from collections.abc import Sequence

from fleet.errors import KubeError
from fleet.kube.client import KubeClient
from fleet.kube.resources import LEASES
from fleet.model.fleet_file import FleetFile
from fleet.results.events import LeaderChanged

IDENTITY = "apiserver-"
"""Begin of the names of Leases that an API server holds of itself: nobody else may take them."""


def elects(argv: Sequence[str]) -> bool:
    """Whether a program was instructed to elect a leader. The fleet's own programs run without: each runs once."""
    return any(word in ("--leader-elect", "--leader-elect=true", "--enable-leader-election") for word in argv)


def electing(fleet: FleetFile) -> frozenset[str]:
    """Control planes whose Leases are worth a look: a program elects there, or somebody else installed it."""
    chosen = {entry.cluster for entry in fleet.components if entry.cluster and elects(entry.argv)}
    return frozenset(chosen | {cluster.name for cluster in fleet.clusters if not cluster.built})


class Leaders:
    """Compares the holders at each look."""

    def __init__(self, clients: Sequence[KubeClient]) -> None:
        self._clients = tuple(clients)
        self._holders: dict[tuple[str, str], str] = {}

    async def look(self) -> list[LeaderChanged]:
        """What changed since the last call; a control plane that does not answer, or forbids it, is left out."""
        found = []
        for client in self._clients:
            try:
                page = await client.list(LEASES, resource_version="0")  # from the watch cache: etcd is not asked
            except KubeError:
                continue
            for item in page.get("items") or []:
                name = str(item["metadata"]["name"])
                holder = str((item.get("spec") or {}).get("holderIdentity") or "")
                key = (client.cluster, f"{item['metadata']['namespace']}/{name}")
                old = self._holders.get(key)
                self._holders[key] = holder
                if old is not None and old != holder and not name.startswith(IDENTITY):
                    found.append(_line(key, old, holder))
        return found


def _line(key: tuple[str, str], old: str, new: str) -> LeaderChanged:
    return LeaderChanged(ns=time.monotonic_ns(), wall=time.time_ns(), cluster=key[0], lease=key[1], old=old, new=new)
