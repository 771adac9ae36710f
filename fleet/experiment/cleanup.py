"""Removes what runs left in the clusters, found by label alone: no memory of the run is needed, not even its folder.

Order: objects and policies in the WDSes, then KubeStellar and OCM take the rest down by themselves; what they leave
(a ManifestWork whose Binding is gone) is deleted here; the run's namespaces go last. Finalizers of others are never
taken off: what cannot go is named.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from fleet.errors import DeadlineError, FleetError
from fleet.experiment.connect import opened
from fleet.kube import resources
from fleet.kube.client import KubeClient
from fleet.kube.errors import NotFound
from fleet.kube.resources import Resource
from fleet.kube.waiting import Objects, wait_for_objects
from fleet.model.fleet_file import FleetFile
from fleet.observe.watcher import Spaces
from fleet.workload.names import RUN_LABEL

KINDS = (
    resources.DEPLOYMENTS,
    resources.PODS,
    resources.SERVICES,
    resources.CONFIGMAPS,
    resources.SECRETS,
    resources.ROUTES,
    resources.IMAGE_STREAMS,
)
"""What is deleted by itself; whatever else a profile brought goes with the run's namespaces."""
WORKS_LABEL = "transport.kubestellar.io/originWdsName"
BINDING_LABEL = "transport.kubestellar.io/originOwnerReferenceBindingKey"
GRACE_SECONDS = 60.0
"""How long KubeStellar has to delete ManifestWorks by itself before those whose Binding is gone are deleted here."""
CLEAN_SECONDS = 300.0
AT_ONCE = 16


@dataclass(frozen=True)
class CleanReport:
    """What a clean-up did."""

    removed: tuple[tuple[str, str, int], ...] = ()
    """(cluster, resource, count) that it asked to be deleted."""
    left: tuple[str, ...] = ()
    """What is still there, one sentence each; empty when all is clean."""

    @property
    def clean(self) -> bool:
        """Nothing is left."""
        return not self.left


@dataclass
class _Tally:
    removed: dict[tuple[str, str], int] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)

    def took(self, client: KubeClient, resource: Resource, count: int) -> None:
        if count:
            key = (client.cluster, str(resource))
            self.removed[key] = self.removed.get(key, 0) + count

    @contextmanager
    def told(self) -> Iterator[None]:
        """What fails inside is something that is left, and no reason to leave the rest."""
        try:
            yield
        except FleetError as error:
            self.left.append(str(error))

    def report(self) -> CleanReport:
        counted = tuple((cluster, resource, count) for (cluster, resource), count in sorted(self.removed.items()))
        return CleanReport(counted, tuple(self.left))


async def clean_fleet(fleet: FleetFile, run_id: str | None, *, timeout: float = CLEAN_SECONDS) -> CleanReport:  # noqa: ASYNC109
    """Remove what one run (None: any run) left in every cluster of the fleet."""
    async with opened(fleet) as spaces:
        return await remove(spaces, run_id, timeout=timeout)


async def remove(
    spaces: Spaces,
    run_id: str | None,
    *,
    timeout: float,  # noqa: ASYNC109
    kinds: Sequence[Resource] = KINDS,
) -> CleanReport:
    """The same over open clients, of objects of these kinds. Takes at most about `timeout` seconds; never raises for a
    cluster that is away."""
    selector = RUN_LABEL if run_id is None else f"{RUN_LABEL}={run_id}"
    tally = _Tally()
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout
    for wds in spaces.wdses.values():
        with tally.told():
            for kind in (*kinds, resources.BINDING_POLICIES):
                with suppress(NotFound):  # a kind that this WDS does not serve; policies: KubeStellar never ran for it
                    await _delete_labelled(wds, kind, selector, tally)
    grace = min(GRACE_SECONDS, timeout / 2)
    for its in spaces.itses.values():
        with tally.told():
            left = max(1.0, deadline - loop.time())
            await _works_gone(its, spaces, run_id, tally, grace=grace, seconds=left)
    gate = asyncio.Semaphore(AT_ONCE)

    async def namespaces(client: KubeClient) -> None:
        async with gate:
            with tally.told():
                await _delete_labelled(client, resources.NAMESPACES, selector, tally)
                await _wait_none(client, resources.NAMESPACES, selector, max(1.0, deadline - loop.time()))

    await asyncio.gather(*(namespaces(client) for client in spaces.workload()))
    return tally.report()


async def _delete_labelled(client: KubeClient, resource: Resource, selector: str, tally: _Tally) -> None:
    """Delete all objects of a kind that carry the label, one by one: not every kind serves deletion of a collection."""
    found = await client.list_all(resource, label_selector=selector)
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(item: Mapping[str, Any]) -> None:
        meta = item["metadata"]
        async with gate:
            try:
                await client.delete(resource, meta["name"], meta.get("namespace"), propagation="Background")
            except NotFound:
                return

    await asyncio.gather(*(one(item) for item in found))
    tally.took(client, resource, len(found))


async def _wait_none(client: KubeClient, resource: Resource, selector: str, seconds: float) -> None:
    await wait_for_objects(
        client,
        resource,
        lambda found: not found,
        label_selector=selector,
        timeout=seconds,
        what=f"{resource} with {selector}",
        missing=lambda found: [name for _, name in found],
    )


async def _works_gone(
    its: KubeClient, spaces: Spaces, run_id: str | None, tally: _Tally, *, grace: float, seconds: float
) -> None:
    """Wait for the run's ManifestWorks to go; delete those that nobody owns any more; name those that stay."""
    if await _wait_works(its, run_id, grace) is None:
        return
    bindings = {
        (wds.cluster, item["metadata"]["name"])
        for wds in spaces.wdses.values()
        for item in await wds.list_all(resources.BINDINGS)
    }
    works = await its.list_all(resources.MANIFEST_WORKS, label_selector=WORKS_LABEL)
    orphans = [item for item in works if holds_run(item, run_id) and _binding_of(item) not in bindings]
    for item in orphans:
        meta = item["metadata"]
        try:
            await its.delete(resources.MANIFEST_WORKS, meta["name"], meta["namespace"], uid=meta["uid"])
        except NotFound:
            continue
    tally.took(its, resources.MANIFEST_WORKS, len(orphans))
    why = await _wait_works(its, run_id, max(1.0, seconds - grace))
    if why is not None:
        tally.left.append(f"{why}. An OCM agent that does not run keeps them: see `fleet status`, then clean again")


def _binding_of(work: Mapping[str, Any]) -> tuple[str, str]:
    """The WDS and the name of the Binding that a ManifestWork is of."""
    labels = work["metadata"].get("labels", {})
    return labels.get(WORKS_LABEL, ""), labels.get(BINDING_LABEL, "")


async def _wait_works(its: KubeClient, run_id: str | None, seconds: float) -> str | None:
    """None when the run has no ManifestWork any more, else what was still there after `seconds`."""

    def ours(found: Objects) -> list[str]:
        return [f"{namespace}/{name}" for (namespace, name), item in found.items() if holds_run(item, run_id)]

    try:
        await wait_for_objects(
            its,
            resources.MANIFEST_WORKS,
            lambda found: not ours(found),
            label_selector=WORKS_LABEL,
            timeout=seconds,
            what="ManifestWorks of the run",
            missing=ours,
        )
    except DeadlineError as error:
        return str(error)
    return None


def holds_run(work: Mapping[str, Any], run_id: str | None) -> bool:
    """Whether a ManifestWork wraps an object of that run (None: of any run)."""
    manifests: Sequence[Mapping[str, Any]] = work.get("spec", {}).get("workload", {}).get("manifests") or []
    for manifest in manifests:
        label = (manifest.get("metadata", {}).get("labels") or {}).get(RUN_LABEL)
        if label is not None and (run_id is None or label == run_id):
            return True
    return False
