"""Takes WECs out of the hub: works first, then ManagedCluster, namespace, requests; bounded when a WEC is dead."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from fleet.install.objects import Ledger, drop_finalizers, remove
from fleet.install.waiting import drained
from fleet.kube.client import KubeClient
from fleet.kube.errors import NotFound
from fleet.kube.resources import CSRS, MANAGED_CLUSTERS, MANIFEST_WORKS, NAMESPACES, ROLE_BINDINGS
from fleet.managers.ocm import names

OCM_DOMAIN = "open-cluster-management.io"


@dataclass(frozen=True)
class LeaveOptions:
    """Bounds of one call; seconds are counted from the last progress, not from the start."""

    parallelism: int = 32
    """WECs that are waited for at the same time; nearly all of it is waiting."""
    works: str = ""
    """Label of the works that the manager makes, and takes back once the cluster matches no policy. Empty: there are
    none to wait for."""
    works_seconds: float = 60.0
    """For the manager to take those back."""
    cluster_seconds: float = 60.0
    """For OCM to clean up and let the ManagedCluster go."""
    dead_seconds: float = 10.0
    """Instead of both when the WEC does not answer."""
    poll: float = 0.5
    """Seconds between two looks at the hub."""


class Leave:
    """One run over one hub. `reachable` says whether a WEC's API server answers."""

    def __init__(
        self,
        hub: KubeClient,
        *,
        reachable: Callable[[str], Awaitable[bool]],
        ledger: Ledger,
        options: LeaveOptions | None = None,
    ) -> None:
        self.hub = hub
        self.options = options or LeaveOptions()
        self.ledger = ledger
        self._reachable = reachable

    async def run(self, wecs: Iterable[str]) -> None:
        """Take out all of them; what was on the hub for each is gone at the end.

        All stop matching policies at once: a manager goes over a policy again for every change it sees, and one burst
        costs one pass and not one pass per WEC.
        """
        wecs = list(wecs)
        gate = asyncio.Semaphore(self.options.parallelism)
        await asyncio.gather(*(self._unlabel(wec) for wec in wecs))

        async def one(wec: str) -> None:
            async with gate:
                await self.one(wec)

        await asyncio.gather(*(one(wec) for wec in wecs))

    async def one(self, wec: str) -> None:
        """Take out one WEC. Policies stay as they are: the cluster stops matching them."""
        cluster = await self._cluster(wec)
        alive = await self._reachable(wec)
        if cluster is not None:
            self.ledger.record(f"managedcluster {wec}", "registered", None)
            await self._unlabel(wec)
            await self._drained(wec, alive=alive)
            await remove(self.hub, MANAGED_CLUSTERS, wec)
            if not await self._gone(wec, self._bound(self.options.cluster_seconds, alive=alive)):
                await self._force(wec, alive=alive)
        await self._namespace(wec)
        await self.hub.delete_collection(CSRS, label_selector=f"{names.CLUSTER_LABEL}={wec}")

    async def _unlabel(self, wec: str) -> None:
        """Take off the labels that policies select by; OCM's own stay."""
        cluster = await self._cluster(wec)
        labels = (cluster or {"metadata": {}})["metadata"].get("labels") or {}
        ours = {key: None for key in labels if not key.split("/", 1)[0].endswith(OCM_DOMAIN)}
        if ours:
            with contextlib.suppress(NotFound):
                await self.hub.patch(MANAGED_CLUSTERS, wec, {"metadata": {"labels": ours}})

    async def _drained(self, wec: str, *, alive: bool) -> None:
        """Wait for the manager's works to go."""
        if not self.options.works:
            return

        async def count() -> int:
            works = await self.hub.list_all(MANIFEST_WORKS, wec, label_selector=self.options.works)
            return len(works)

        left = await drained(count, self._bound(self.options.works_seconds, alive=alive), self.options.poll)
        if left and alive:
            self.ledger.notes.append(
                f"{wec}: {left} ManifestWorks of policies were still there after its labels were gone; OCM deletes them"
            )

    async def _gone(self, wec: str, seconds: float) -> bool:
        async def count() -> int:
            if await self._cluster(wec) is None:
                return 0
            return 1 + len(await self.hub.list_all(MANIFEST_WORKS, wec))

        return await drained(count, seconds, self.options.poll) == 0

    async def _force(self, wec: str, *, alive: bool) -> None:
        """Take off OCM's own finalizers of this one cluster, nothing else, and say so."""
        dropped: list[str] = []
        works = await self.hub.list_all(MANIFEST_WORKS, wec)
        for work in works:
            await remove(self.hub, MANIFEST_WORKS, work["metadata"]["name"], wec)
            dropped += await drop_finalizers(
                self.hub, MANIFEST_WORKS, work["metadata"]["name"], wec, frozenset({names.WORK_FINALIZER})
            )
        for binding in await self.hub.list_all(ROLE_BINDINGS, wec):
            if binding["metadata"].get("deletionTimestamp"):
                name = binding["metadata"]["name"]
                dropped += await drop_finalizers(self.hub, ROLE_BINDINGS, name, wec, frozenset({names.ROLE_FINALIZER}))
        dropped += await drop_finalizers(self.hub, MANAGED_CLUSTERS, wec, None, names.CLUSTER_FINALIZERS)
        why = "its agent did not finish in time" if alive else "its API server does not answer"
        self.ledger.notes.append(
            f"{wec}: {why}: {len(dropped)} finalizers of OCM were taken off on the hub ({len(works)} ManifestWorks);"
            " what they had applied stays in the WEC"
        )
        if not await self._gone(wec, self.options.cluster_seconds):
            self.ledger.notes.append(
                f"managedcluster {wec} is still there: somebody else's finalizer holds it or its works"
            )

    async def _namespace(self, wec: str) -> None:
        """OCM keeps a cluster's namespace; with the WEC gone nothing in it has a meaning."""
        if not await remove(self.hub, NAMESPACES, wec):
            return

        async def count() -> int:
            try:
                await self.hub.get(NAMESPACES, wec)
            except NotFound:
                return 0
            return 1

        if await drained(count, self.options.cluster_seconds, self.options.poll):
            self.ledger.notes.append(
                f"namespace {wec} on the hub is still terminating: its controller manager is behind"
            )

    async def _cluster(self, wec: str) -> dict[str, Any] | None:
        try:
            return await self.hub.get(MANAGED_CLUSTERS, wec)
        except NotFound:
            return None

    def _bound(self, seconds: float, *, alive: bool) -> float:
        return seconds if alive else min(seconds, self.options.dead_seconds)
