"""Writes the WorkStatuses of one WEC to the hub: create, label, status, delete, with what it knows the hub to hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fleet.kube.client import KubeClient
from fleet.kube.errors import AlreadyExists, Conflict, NotFound, Unreachable
from fleet.kube.limiter import TokenBucket
from fleet.kube.resources import MANIFEST_WORKS, WORK_STATUSES
from fleet.kube.transport import Answer
from fleet.managers.kubestellar.status_agent.journal import Journal, Line, Op
from fleet.managers.kubestellar.status_agent.ledger import Wish
from fleet.managers.kubestellar.status_agent.metrics import Histogram, WecCounters
from fleet.managers.kubestellar.status_agent.names import FIELD_MANAGER, SINGLETON_LABEL
from fleet.managers.kubestellar.status_agent.plan import (
    AppliedWork,
    ObjectKey,
    Plan,
    WorkRef,
    digest_of,
    new_work_status,
    source_of,
    status_replacement,
    work_ref,
)
from fleet.managers.kubestellar.status_agent.queue import Later

ATTEMPTS = 5
"""Tries of one write that met 409 or a vanished WorkStatus, before it backs off."""
PAGE = 500
_MANAGER = {"fieldManager": FIELD_MANAGER}


@dataclass(frozen=True, slots=True)
class _Held:
    """What the hub holds under one name, as it last answered."""

    rv: str
    digest: bytes
    singleton: str | None


class HubWriter:
    """One WEC's way to the hub, behind its own token bucket; the connections are shared with all other WECs.

    With `parity` it asks before every write, as ocm-status-addon does; without, it trusts the last answer, which is
    safe because nobody else writes these objects and a lost guess is answered with 409 or 404.
    """

    def __init__(
        self,
        client: KubeClient,
        bucket: TokenBucket,
        *,
        wec: str,
        parity: bool,
        journal: Journal,
        counters: WecCounters,
        latency: Histogram,
    ) -> None:
        self._client = client
        self.bucket = bucket
        self._wec = wec
        self._parity = parity
        self._journal = journal
        self.counters = counters
        self._latency = latency
        self._held: dict[str, _Held] = {}
        self._doubtful: set[str] = set()
        self._works: dict[str, WorkRef] = {}
        """ManifestWorks by the uid of their AppliedManifestWork."""

    async def load(self) -> list[tuple[ObjectKey, str]]:
        """List what the hub holds of this WEC: of which object, and under which name.

        Only what a ManifestWork owns counts: the rest is not ours.
        """
        self._held.clear()
        self._doubtful.clear()
        found: list[tuple[ObjectKey, str]] = []
        token: str | None = None
        while True:
            await self.bucket.wait()
            page = await self._client.list(WORK_STATUSES, self._wec, limit=PAGE, continue_=token)
            for item in page.get("items") or ():
                owners = item["metadata"].get("ownerReferences") or ()
                if any(owner.get("kind") == "ManifestWork" for owner in owners):
                    name = item["metadata"]["name"]
                    found.append((source_of(item), name))
                    if not self._parity:
                        self._held[name] = _held_of(item)
            token = page["metadata"].get("continue")
            if not token:
                return found

    def forget_work(self, amw_uid: str) -> None:
        """That AppliedManifestWork is gone."""
        self._works.pop(amw_uid, None)

    async def write(self, plan: Plan, work: AppliedWork) -> None:
        """Bring the WorkStatus to this plan. Raises KubeError or Later; then nothing is known of what the hub holds."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                await self._bring(plan, work)
            except Conflict:
                self.counters.conflicts += 1
                self._doubt(plan.ws_name)
                if attempt == ATTEMPTS:
                    raise
            except _Vanished:
                self._held.pop(plan.ws_name, None)
                self.forget_work(work.uid)
            except Unreachable:
                self._doubt(plan.ws_name)
                raise
            else:
                return
        raise Later(f"{self._wec}: WorkStatus {plan.ws_name} vanished {ATTEMPTS} times")

    async def delete(self, name: str, wish: Wish) -> None:
        """Delete the WorkStatus of that name, as `wish` asks; fine when it is gone already."""
        self._held.pop(name, None)
        self._doubtful.discard(name)
        try:
            answer = await self._call("DELETE", WORK_STATUSES.path(name, self._wec), None)
        except NotFound:
            return
        self.counters.deletes += 1
        self._note("delete", name, wish, answer)

    async def _bring(self, plan: Plan, work: AppliedWork) -> None:
        ask = self._parity or plan.ws_name in self._doubtful
        held = await self._read(plan.ws_name) if ask else self._held.get(plan.ws_name)
        if held is None:
            held = await self._create(plan, work)
            if held is None:
                return
        if plan.singleton is not None and plan.singleton != held.singleton:
            held = await self._label(plan, held)
        if plan.status is None and self._parity:
            raise Later(f"{self._wec}: {plan.kind} {plan.key.namespace}/{plan.key.name} has no status yet")
        if plan.digest == held.digest and not self._parity:
            self.counters.skipped_equal += 1
            return
        await self._status(plan, held)

    async def _read(self, name: str) -> _Held | None:
        try:
            answer = await self._call("GET", WORK_STATUSES.path(name, self._wec), None)
        except NotFound:
            self._doubtful.discard(name)
            return None
        return self._remember(name, _held_of(answer.json()))

    async def _create(self, plan: Plan, work: AppliedWork) -> _Held | None:
        """POST; None when KubeStellar did not make the ManifestWork, so that nothing is to be reported."""
        ref = await self._manifest_work(work)
        if not ref.from_kubestellar:
            self.forget_work(work.uid)
            return None
        body = new_work_status(plan, self._wec, ref)
        try:
            answer = await self._call("POST", WORK_STATUSES.path(namespace=self._wec), body, _MANAGER)
        except AlreadyExists:
            held = await self._read(plan.ws_name)
            if held is None:
                raise _Vanished from None
            return held
        self.counters.creates += 1
        return self._keep("create", plan, answer, b"")

    async def _label(self, plan: Plan, held: _Held) -> _Held:
        patch = {"metadata": {"labels": {SINGLETON_LABEL: plan.singleton}}}
        path = WORK_STATUSES.path(plan.ws_name, self._wec)
        try:
            answer = await self._call("PATCH", path, patch, _MANAGER, "application/merge-patch+json")
        except NotFound:
            raise _Vanished from None
        self.counters.label_writes += 1
        return self._keep("label", plan, answer, held.digest)

    async def _status(self, plan: Plan, held: _Held) -> None:
        body = status_replacement(plan, self._wec, held.rv)
        try:
            answer = await self._call("PUT", WORK_STATUSES.path(plan.ws_name, self._wec, "status"), body, _MANAGER)
        except NotFound:
            raise _Vanished from None
        self.counters.status_writes += 1
        self._latency.observe((answer.received_ns - plan.received_ns) / 1e9)
        self._keep("status", plan, answer, plan.digest)

    async def _manifest_work(self, work: AppliedWork) -> WorkRef:
        ref = None if self._parity else self._works.get(work.uid)
        if ref is None:
            answer = await self._call("GET", MANIFEST_WORKS.path(work.manifest_work, self._wec), None)
            ref = work_ref(answer.json())
            if not self._parity:
                self._works[work.uid] = ref
        return ref

    def _keep(self, op: Op, plan: Plan, answer: Answer, digest: bytes) -> _Held:
        metadata = answer.json()["metadata"]
        labels = metadata.get("labels") or {}
        held = self._remember(plan.ws_name, _Held(metadata["resourceVersion"], digest, labels.get(SINGLETON_LABEL)))
        self._note(op, plan.ws_name, plan, answer, held.rv)
        return held

    def _remember(self, name: str, held: _Held) -> _Held:
        self._doubtful.discard(name)
        if not self._parity:
            self._held[name] = held
        return held

    def _doubt(self, name: str) -> None:
        """What the hub holds under that name is not known: ask before the next write."""
        self._held.pop(name, None)
        self._doubtful.add(name)

    def _note(self, op: Op, ws: str, wish: Wish, answer: Answer, ws_rv: str = "") -> None:
        self._journal.write(
            Line(
                wec=self._wec,
                op=op,
                kind=wish.kind,
                namespace=wish.key.namespace,
                name=wish.key.name,
                uid=wish.uid,
                wec_rv=wish.rv,
                ws=ws,
                ws_rv=ws_rv,
                in_ns=wish.received_ns,
                out_ns=answer.received_ns,
            )
        )

    async def _call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        params: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Answer:
        # No retry inside: a try that fails goes back to the queue, where a newer state may overtake it.
        await self.bucket.wait()
        return await self._client.request(method, path, params=params, body=body, content_type=content_type)


class _Vanished(Exception):  # noqa: N818 - a turn of the loop above, never seen outside
    """The WorkStatus is not there, though it was."""


def _held_of(work_status: Mapping[str, Any]) -> _Held:
    metadata = work_status["metadata"]
    return _Held(
        rv=metadata["resourceVersion"],
        digest=digest_of(work_status.get("status")),
        singleton=(metadata.get("labels") or {}).get(SINGLETON_LABEL),
    )
