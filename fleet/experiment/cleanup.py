"""Removes what runs left in the clusters, found by label alone: no memory of the run is needed, not even its folder.

Order: objects and policies at the sources, then the manager takes the rest down by itself or is helped; the run's
namespaces go last. Finalizers of others are never taken off: what cannot go is named, and no reason to leave the rest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from fleet.errors import DeadlineError, FleetError, KubeError
from fleet.experiment.connect import opened
from fleet.kube import resources
from fleet.kube.client import KubeClient
from fleet.kube.each import AT_ONCE, each
from fleet.kube.errors import NotFound, Unreachable
from fleet.kube.resources import Resource
from fleet.kube.waiting import wait_for_objects
from fleet.managers import registry
from fleet.managers.manager import Manager, Spaces
from fleet.model.fleet_file import FleetFile
from fleet.model.run_names import RUN_LABEL

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
CLEAN_SECONDS = 300.0
TAKEN_SECONDS = 60.0
"""How long a manager that brings namespaces has to take them away."""


@dataclass(frozen=True)
class CleanReport:
    """What a clean-up did."""

    removed: tuple[tuple[str, str, int], ...] = ()
    """(cluster, resource, count) that were deleted."""
    left: tuple[str, ...] = ()
    """What is still there, one sentence each; empty when all is clean."""

    @property
    def clean(self) -> bool:
        """Nothing is left."""
        return not self.left


@dataclass
class Tally:
    """Counts what was deleted and keeps what was not."""

    removed: dict[tuple[str, str], int] = field(default_factory=dict)
    sentences: list[str] = field(default_factory=list)

    def took(self, client: KubeClient, resource: Resource, count: int) -> None:
        """So many objects were deleted."""
        if count:
            key = (client.cluster, str(resource))
            self.removed[key] = self.removed.get(key, 0) + count

    def left(self, sentence: str) -> None:
        """Something stays, and why."""
        self.sentences.append(sentence)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """What fails inside is something that is left, and no reason to leave the rest."""
        try:
            yield
        except FleetError as error:
            self.left(str(error))

    def report(self) -> CleanReport:
        """All of it."""
        counted = tuple((cluster, resource, count) for (cluster, resource), count in sorted(self.removed.items()))
        return CleanReport(counted, tuple(self.sentences))


async def clean_fleet(fleet: FleetFile, run_id: str | None, *, timeout: float = CLEAN_SECONDS) -> CleanReport:  # noqa: ASYNC109
    """Remove what one run (None: any run) left in every cluster of the fleet."""
    async with opened(fleet) as spaces:
        return await remove(spaces, registry.of(fleet), run_id, timeout=timeout)


async def remove(
    spaces: Spaces,
    manager: Manager,
    run_id: str | None,
    *,
    timeout: float,  # noqa: ASYNC109
    workload: Sequence[Resource] = KINDS,
) -> CleanReport:
    """The same over open clients, for objects of these kinds. Takes at most about `timeout` seconds; never raises for a
    cluster that is away."""
    selector = RUN_LABEL if run_id is None else f"{RUN_LABEL}={run_id}"
    tally = Tally()
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout
    kinds = (*(() if manager.wraps else workload), *manager.made)

    async def objects(source: KubeClient) -> None:
        for kind in kinds:
            try:
                await _delete_labelled(source, kind, selector, tally)
            except NotFound:  # a kind that this source does not serve
                continue
            except Unreachable as error:
                tally.left(str(error))
                return
            except FleetError as error:
                tally.left(str(error))

    async def namespaces(client: KubeClient) -> None:
        with tally.kept():
            await _delete_labelled(client, resources.NAMESPACES, selector, tally)
            await _wait_none(client, resources.NAMESPACES, selector, max(1.0, deadline - loop.time()))

    await each(spaces.sources.values(), objects)
    with tally.kept():
        await manager.remove(spaces, run_id, tally, max(1.0, deadline - loop.time()))

    async def taken(client: KubeClient) -> None:
        """The manager takes away what it brought, and would bring again what somebody else deletes first."""
        with suppress(DeadlineError, Unreachable):
            await _wait_none(client, resources.NAMESPACES, selector, min(TAKEN_SECONDS, deadline - loop.time()))

    if manager.brings_namespaces:
        await each(spaces.sources.values(), namespaces)
        await each(spaces.wecs.values(), taken)
    await each({**spaces.sources, **spaces.wecs}.values(), namespaces)
    return tally.report()


async def _delete_labelled(client: KubeClient, resource: Resource, selector: str, tally: Tally) -> None:
    """Delete all objects of a kind that carry the label, one by one: not every kind serves deletion of a collection.

    One that cannot be deleted is left, and does not stop the others.
    """
    found = await client.list_all(resource, label_selector=selector)
    refused: list[KubeError] = []

    async def one(item: Mapping[str, Any]) -> None:
        meta = item["metadata"]
        try:
            await client.delete(resource, meta["name"], meta.get("namespace"), propagation="Background")
        except NotFound:
            return
        except KubeError as error:
            refused.append(error)

    await each(found, one, at_once=AT_ONCE)
    tally.took(client, resource, len(found) - len(refused))
    if refused:
        tally.left(f"{client.cluster}: {len(refused)} of {len(found)} {resource} could not be deleted: {refused[0]}")


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
