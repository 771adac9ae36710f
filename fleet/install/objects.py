"""Bring objects of one API server to what a manifest says; report whether anything had to change."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fleet.host.change import Change
from fleet.kube.client import KubeClient
from fleet.kube.errors import AlreadyExists, Conflict, NotFound
from fleet.kube.resources import Resource

CONFLICT_TRIES = 5


@dataclass
class Ledger:
    """What was changed, or would be with `check`: gathers the entries of one Change."""

    check: bool = False
    before: dict[str, str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def record(self, what: str, before: str | None, after: str | None) -> None:
        """One thing that differs; None for absent."""
        if before is not None:
            self.before.setdefault(what, before)
        if after is not None:
            self.after[what] = after
        else:
            self.after.pop(what, None)

    @property
    def change(self) -> Change:
        """All of it."""
        return Change.between(self.before, self.after, self.notes)


def namespace(name: str) -> dict[str, Any]:
    """A Namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def contains(live: object, wanted: object) -> bool:
    """Whether `live` says all that `wanted` says; what the server added alongside it does not count.

    Lists must have the same length and contain each other element by element; None accepts anything.
    """
    if wanted is None:
        return True
    if isinstance(wanted, Mapping):
        if not isinstance(live, Mapping):
            return not wanted and live is None
        return all(contains(live.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list | tuple):
        if not isinstance(live, list | tuple):
            return not wanted and live is None
        return len(live) == len(wanted) and all(contains(a, b) for a, b in zip(live, wanted, strict=True))
    return live == wanted


async def ensure(
    client: KubeClient, resource: Resource, manifest: Mapping[str, Any], ledger: Ledger, *, status: bool = False
) -> bool:
    """Create or patch one object until it contains `manifest`; True when it had to (or would have to) change.

    With `status` its status subresource too. A Secret's content never reaches the ledger: only its name does.
    """
    name, namespace = manifest["metadata"]["name"], manifest["metadata"].get("namespace")
    what = f"{client.cluster} {resource} {f'{namespace}/' if namespace else ''}{name}"
    body = {key: value for key, value in manifest.items() if key != "status"}
    live = await _get(client, resource, name, namespace)
    changed = False
    if live is None:
        ledger.record(what, None, "present")
        if ledger.check:
            return True
        live, changed = await _create(client, resource, body), True
    if not contains(live, body):
        ledger.record(what, "differs" if not changed else None, "present")
        changed = True
        if not ledger.check:
            live = await client.patch(resource, name, _patch(body), namespace)
    if status and not contains(live.get("status"), manifest["status"]):
        ledger.record(f"{what} status", "differs" if live.get("status") else None, "present")
        changed = True
        if not ledger.check:
            await client.patch(resource, name, {"status": manifest["status"]}, namespace, subresource="status")
    return changed


async def ensure_all(client: KubeClient, objects: Iterable[tuple[Resource, Mapping[str, Any]]], ledger: Ledger) -> bool:
    """`ensure` one after another, in that order; True when any had to change."""
    changed = [await ensure(client, resource, manifest, ledger) for resource, manifest in objects]
    return any(changed)


async def remove(client: KubeClient, resource: Resource, name: str, namespace: str | None = None) -> bool:
    """Delete an object if it is there; True when it was. Does not wait for it to be gone."""
    try:
        await client.delete(resource, name, namespace)
    except NotFound:
        return False
    return True


async def drop_finalizers(
    client: KubeClient, resource: Resource, name: str, namespace: str | None, ours: frozenset[str]
) -> list[str]:
    """Take those finalizers off an object, no others; the names that were on it."""
    for _ in range(CONFLICT_TRIES):
        live = await _get(client, resource, name, namespace)
        if live is None:
            return []
        held = list(live["metadata"].get("finalizers") or [])
        dropped = [item for item in held if item in ours]
        if not dropped:
            return []
        patch = {
            "metadata": {
                "finalizers": [item for item in held if item not in ours],
                "resourceVersion": live["metadata"]["resourceVersion"],
            }
        }
        try:
            await client.patch(resource, name, patch, namespace)
        except NotFound:
            return dropped
        except Conflict:
            continue
        return dropped
    raise Conflict(
        f"{resource} {name} changed {CONFLICT_TRIES} times while its finalizers were taken off", cluster=client.cluster
    )


async def _get(client: KubeClient, resource: Resource, name: str, namespace: str | None) -> dict[str, Any] | None:
    try:
        return await client.get(resource, name, namespace)
    except NotFound:
        return None


async def _create(client: KubeClient, resource: Resource, body: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return await client.create(resource, body, retry=True)
    except AlreadyExists:
        # Somebody else (a controller, an earlier try) was faster: compare what is there.
        return await client.get(resource, body["metadata"]["name"], body["metadata"].get("namespace"))


def _patch(body: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest as a merge patch: without what identifies it."""
    patch = copy.deepcopy(dict(body))
    patch.pop("apiVersion", None)
    patch.pop("kind", None)
    return patch
