"""What loads and schedulers need of the cluster itself, and how it is taken back: taints, PriorityClasses, objects."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from fleet.errors import DeadlineError
from fleet.experiments.scheduler_throughput import objects
from fleet.kube import resources
from fleet.kube.client import KubeClient
from fleet.kube.each import each
from fleet.kube.errors import NotFound
from fleet.kube.resources import Resource
from fleet.kube.waiting import wait_until
from fleet.model.run_names import RunNames

CLASS_LABEL = "scheduler-throughput.fleet-testbed/class"
"""On every PriorityClass of this experiment, of any run."""


async def names(client: KubeClient) -> list[str]:
    """Nodes that a pod without tolerations may be bound to, in order."""
    found = await client.list_all(resources.NODES)
    return sorted(item["metadata"]["name"] for item in found if not objects.without(_taints(item)))


@asynccontextmanager
async def tainted(client: KubeClient, nodes: Sequence[str]) -> AsyncIterator[None]:
    """Inside it each node has the taint of its number."""

    async def one(numbered: tuple[int, str]) -> None:
        number, name = numbered
        found = await client.get(resources.NODES, name)
        await _write(client, name, [*objects.without(_taints(found)), objects.taint(number)])

    try:
        await each(enumerate(nodes), one)
        yield
    finally:
        await untaint(client)


async def untaint(client: KubeClient) -> None:
    """Take every taint of this experiment away, of a run that was killed too."""

    async def one(item: Mapping[str, Any]) -> None:
        kept = objects.without(_taints(item))
        if len(kept) != len(_taints(item)):
            await _write(client, item["metadata"]["name"], kept)

    await each(await client.list_all(resources.NODES), one)


@asynccontextmanager
async def classes(client: KubeClient, wanted: Sequence[str], labels: Mapping[str, str]) -> AsyncIterator[None]:
    """Inside it there are PriorityClasses of these names, of values 0, 1, 2 and so on."""
    await _remove_classes(client)
    try:
        for value, name in enumerate(wanted):
            body = objects.priority_class(name, value, {**labels, CLASS_LABEL: "true"})
            await client.create(resources.PRIORITY_CLASSES, body, retry=True)
        yield
    finally:
        await _remove_classes(client)


@asynccontextmanager
async def placed(
    client: KubeClient, manifests: Sequence[Mapping[str, Any]], names: RunNames, seconds: float
) -> AsyncIterator[None]:
    """Inside it these objects are there, those of namespaces in the run's; they go in the reverse order.

    Waits up to `seconds` for one of the trial before that a finalizer keeps; DeadlineError then.
    """
    made: list[tuple[Resource, str, str | None]] = []
    try:
        for manifest in manifests:
            resource = await client.resource_for(manifest)
            namespace = names.namespace if resource.namespaced else None
            meta = manifest.get("metadata") or {}
            own = {**meta, "labels": {**(meta.get("labels") or {}), **names.labels()}}
            own |= {"namespace": namespace} if namespace else {}
            await _await_free(client, resource, own["name"], namespace, seconds)
            await client.create(resource, {**manifest, "metadata": own}, namespace)
            made.append((resource, own["name"], namespace))
        yield
    finally:
        for resource, name, namespace in reversed(made):
            with suppress(NotFound):
                await client.delete(resource, name, namespace)


async def _await_free(client: KubeClient, resource: Resource, name: str, namespace: str | None, seconds: float) -> None:
    try:
        await wait_until(client, resource, name, _free, namespace, timeout=seconds)
    except DeadlineError as error:
        raise DeadlineError(
            f"{client.cluster}: {resource} {name} of the trial before is still being deleted after {seconds:.0f} s,"
            " because a finalizer keeps it: raise timeouts.clean"
        ) from error


def _free(found: Mapping[str, Any] | None) -> bool:
    """Nothing is being deleted under that name; what is there otherwise, the API server refuses with its name."""
    return found is None or "deletionTimestamp" not in found["metadata"]


async def _remove_classes(client: KubeClient) -> None:
    for item in await client.list_all(resources.PRIORITY_CLASSES, label_selector=CLASS_LABEL):
        with suppress(NotFound):
            await client.delete(resources.PRIORITY_CLASSES, item["metadata"]["name"])


async def _write(client: KubeClient, name: str, taints: Sequence[Mapping[str, str]]) -> None:
    await client.patch(resources.NODES, name, {"spec": {"taints": list(taints) or None}})


def _taints(node: Mapping[str, Any]) -> list[Mapping[str, str]]:
    return (node.get("spec") or {}).get("taints") or []
