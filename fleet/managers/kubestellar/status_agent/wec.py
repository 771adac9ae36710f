"""One WEC: watches its AppliedManifestWorks and the kinds they applied, and has each object's WorkStatus written."""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial
from http import HTTPStatus

from fleet.kube.client import KubeClient
from fleet.kube.errors import NotFound
from fleet.kube.reflector import WatchEvent
from fleet.kube.resources import ALL, APPLIED_MANIFEST_WORKS, Resource
from fleet.kube.view import Key
from fleet.managers.kubestellar.status_agent.hub import HubWriter
from fleet.managers.kubestellar.status_agent.ledger import Ledger, Removal
from fleet.managers.kubestellar.status_agent.metrics import WecGauges
from fleet.managers.kubestellar.status_agent.names import Gvr
from fleet.managers.kubestellar.status_agent.plan import ObjectKey, Plan, applied_by, plan_applied_work, plan_object
from fleet.managers.kubestellar.status_agent.queue import Backoff, Later, ObjectQueue
from fleet.managers.kubestellar.status_agent.watch import keep_watching

log = logging.getLogger(__name__)

WORKERS = 4
"""As ocm-status-addon."""
PARITY_BACKOFF = Backoff(first=0.005, longest=1000.0)
"""client-go's default item backoff, which ocm-status-addon uses."""
_KNOWN = {(r.group, r.version, r.plural): r for r in ALL}


class WecAgent:
    """The agent of one WEC. `run()` lasts until cancelled, or fails when the hub cannot be listed at the start.

    `agent` is the id of the OCM agent whose AppliedManifestWorks are of this hub; empty: all are.
    """

    def __init__(self, name: str, client: KubeClient, hub: HubWriter, *, parity: bool, agent: str = "") -> None:
        self.name = name
        self._client = client
        self._hub = hub
        self._backoff = PARITY_BACKOFF if parity else Backoff()
        self._ledger = Ledger(parity=parity)
        self._queue: ObjectQueue[ObjectKey] = ObjectQueue(self._handle, workers=WORKERS, backoff=self._backoff)
        self._kinds: dict[Gvr, asyncio.Task[None]] = {}
        self._listed: set[Gvr] = set()
        self._works_listed = False
        self._of_agent = agent
        self._foreign: set[str] = set()
        """uids of AppliedManifestWorks of other hubs: their status agents report what those own."""

    async def run(self) -> None:
        """Adopt what the hub holds, then follow the WEC; the client is closed at the end."""
        try:
            for key, name in await self._hub.load():
                self._ledger.adopt(key, name)
            await keep_watching(
                self._client, _applied_manifest_works, self._on_work, self._on_works_listed, Backoff(first=1.0)
            )
        finally:
            for task in self._kinds.values():
                task.cancel()
            await asyncio.gather(*self._kinds.values(), return_exceptions=True)
            await self._queue.close()
            await self._client.close()

    @property
    def ready(self) -> bool:
        """Whether everything that is to be watched has been listed once."""
        return self._works_listed and self._listed >= self._ledger.needed_kinds

    def gauges(self) -> WecGauges:
        """Its present state."""
        hub, local = self._hub.bucket, self._client.limiter
        return WecGauges(
            queue_depth=self._queue.depth,
            unfinished=self._queue.unfinished,
            objects=self._ledger.objects,
            watches=1 + len(self._kinds),
            hub_wait_seconds=hub.waited_seconds,
            local_wait_seconds=local.waited_seconds,
            hub_requests=hub.requests,
            local_requests=local.requests,
            retries=self._queue.retries,
            ready=self.ready,
        )

    # Events of the WEC

    def _on_work(self, event: WatchEvent) -> None:
        uid = event.object["metadata"]["uid"]
        if event.type == "DELETED":
            # Whose it was is known by its uid: what is found missing by a later list comes without its spec.
            self._foreign.discard(uid)
            self._drop_work(uid)
        elif self._of_agent and applied_by(event.object) != self._of_agent:
            self._pass_over(uid)
        else:
            self._add(self._ledger.add_work(plan_applied_work(event.object, self._ledger.interned)))
        self._match_kinds()

    def _pass_over(self, uid: str) -> None:
        """An AppliedManifestWork of another hub; what it owns may have been seen before it, and waits for it."""
        self._foreign.add(uid)
        self._add(self._ledger.unpark(uid))

    def _on_works_listed(self, alive: dict[Key, tuple[str, str]]) -> None:
        uids = {uid for uid, _ in alive.values()}
        self._foreign &= uids
        for uid in self._ledger.works():
            if uid not in uids:
                self._drop_work(uid)
        self._works_listed = True
        self._match_kinds()
        self._add(self._ledger.retain_needed(time.monotonic_ns()))

    def _drop_work(self, uid: str) -> None:
        self._ledger.drop_work(uid)
        self._hub.forget_work(uid)

    def _match_kinds(self) -> None:
        """Start a watch for each kind that is needed now, and stop the others."""
        needed = self._ledger.needed_kinds
        for gvr in needed - self._kinds.keys():
            self._kinds[gvr] = asyncio.get_running_loop().create_task(self._watch_kind(gvr))
        for gvr in self._kinds.keys() - needed:
            self._kinds.pop(gvr).cancel()
            self._listed.discard(gvr)
            self._add(self._ledger.retain(gvr, (), time.monotonic_ns()))

    async def _watch_kind(self, gvr: Gvr) -> None:
        await keep_watching(
            self._client,
            partial(self._resource, gvr),
            partial(self._on_object, gvr),
            partial(self._on_kind_listed, gvr),
            Backoff(first=1.0),
        )

    def _on_object(self, gvr: Gvr, event: WatchEvent) -> None:
        obj, kind = event.object, event.resource.kind
        plan = None if event.type == "DELETED" else plan_object(obj, gvr, kind, event.mono_ns)
        if plan is not None and plan.owner_uid in self._foreign:
            plan = None  # as one that nobody owns
        if plan is not None:
            if self._ledger.observe(plan):
                self._queue.add(plan.key)
            else:
                self._hub.counters.skipped_equal += 1
            return
        metadata = obj["metadata"]
        key = ObjectKey(gvr, metadata.get("namespace", ""), metadata["name"])
        if self._ledger.remove(Removal(key, kind, metadata["uid"], metadata["resourceVersion"], event.mono_ns)):
            self._queue.add(key)

    def _on_kind_listed(self, gvr: Gvr, alive: dict[Key, tuple[str, str]]) -> None:
        if gvr in self._kinds:
            self._listed.add(gvr)
            self._add(self._ledger.retain(gvr, alive, time.monotonic_ns()))

    def _add(self, keys: list[ObjectKey] | set[ObjectKey]) -> None:
        for key in keys:
            self._queue.add(key)

    async def _resource(self, gvr: Gvr) -> Resource:
        known = _KNOWN.get((gvr.group, gvr.version, gvr.resource))
        if known is not None:
            return known
        for resource in (await self._client.discovery.served(gvr.api_version)).values():
            if resource.plural == gvr.resource:
                return resource
        raise NotFound(
            f"{gvr.resource} of {gvr.api_version} were applied but are not served; install their CRD again",
            cluster=self.name,
            status=HTTPStatus.NOT_FOUND,
            reason="NotFound",
        )

    # Work

    async def _handle(self, key: ObjectKey) -> None:
        """Bring the hub to what this object's newest version requests."""
        wish = self._ledger.wishes.get(key)
        if wish is None:
            return
        target = wish.ws_name if isinstance(wish, Plan) else None
        for name in self._ledger.names_of(key):
            if name != target:
                await self._hub.delete(name, wish)
                self._ledger.unclaim(key, name)
        if isinstance(wish, Plan) and wish.owner_uid in self._foreign:
            self._ledger.renounce(wish)
            return
        if isinstance(wish, Plan):
            work = self._ledger.work(wish.owner_uid)
            if work is None:
                self._ledger.park(key, wish.owner_uid)
                return
            holder = self._ledger.claim(key, wish.ws_name)
            if holder is not None:
                raise Later(f"{self.name}: {key} and {holder} have the same WorkStatus name {wish.ws_name}")
            await self._hub.write(wish, work)
        self._ledger.settle(key, wish)


async def _applied_manifest_works() -> Resource:
    return APPLIED_MANIFEST_WORKS
