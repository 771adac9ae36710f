"""Waits until objects are as they should be, by watching them, never by asking again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Any

from fleet.errors import DeadlineError
from fleet.kube.client import KubeClient
from fleet.kube.reflector import Reflector, WatchEvent
from fleet.kube.resources import SERVICE_ACCOUNTS, Resource
from fleet.kube.view import Key, key_of

Objects = Mapping[Key, Mapping[str, Any]]
"""The newest state of each object by (namespace, name); namespace is empty for cluster-scoped kinds."""


async def wait_until(
    client: KubeClient,
    resource: Resource,
    name: str,
    predicate: Callable[[Mapping[str, Any] | None], bool],
    namespace: str | None = None,
    *,
    timeout: float = 60.0,  # noqa: ASYNC109
) -> Mapping[str, Any] | None:
    """The object of that name as soon as `predicate` holds; the predicate sees None while the object is not there.

    DeadlineError after `timeout` seconds, KubeError when the server refuses the watch.
    """
    key = (namespace or "", name)
    objects = await wait_for_objects(
        client,
        resource,
        lambda found: predicate(found.get(key)),
        namespace=namespace,
        field_selector=f"metadata.name={name}",
        timeout=timeout,
        what=f"{resource} {name}" + (f" in {namespace}" if namespace else ""),
    )
    return objects.get(key)


async def wait_for_all(
    client: KubeClient,
    resource: Resource,
    names: Collection[str],
    predicate: Callable[[Mapping[str, Any]], bool],
    namespace: str | None = None,
    *,
    timeout: float = 60.0,  # noqa: ASYNC109
) -> Objects:
    """All objects of one namespace (or cluster-scoped) once each of `names` is there and fulfils `predicate`."""
    keys = [(namespace or "", name) for name in names]
    return await wait_for_objects(
        client,
        resource,
        lambda found: all(key in found and predicate(found[key]) for key in keys),
        namespace=namespace,
        timeout=timeout,
        what=f"{len(keys)} {resource}",
        missing=lambda found: [key[1] for key in keys if key not in found or not predicate(found[key])],
    )


async def wait_for_accounts(
    client: KubeClient,
    namespaces: Collection[str],
    what: str,
    *,
    timeout: float,  # noqa: ASYNC109
) -> None:
    """Until each of those namespaces has the ServiceAccount `default`, which Pods need; `what` is for the error."""

    def missing(found: Objects) -> list[str]:
        return sorted(set(namespaces) - {namespace for namespace, _ in found})

    await wait_for_objects(
        client,
        SERVICE_ACCOUNTS,
        lambda found: not missing(found),
        field_selector="metadata.name=default",
        timeout=timeout,
        what=what,
        missing=missing,
    )


async def wait_for_objects(
    client: KubeClient,
    resource: Resource,
    predicate: Callable[[Objects], bool],
    *,
    namespace: str | None = None,
    label_selector: str | None = None,
    field_selector: str | None = None,
    timeout: float = 60.0,  # noqa: ASYNC109
    what: str = "",
    missing: Callable[[Objects], list[str]] | None = None,
) -> Objects:
    """The matching objects as soon as `predicate` holds for all of them together; first asked after a whole list."""
    found: dict[Key, Mapping[str, Any]] = {}
    changed = asyncio.Event()

    def remember(event: WatchEvent) -> None:
        key = key_of(event.object["metadata"])
        if event.type == "DELETED":
            found.pop(key, None)
        else:
            found[key] = event.object
        changed.set()

    reflector = Reflector(
        client, resource, remember, namespace=namespace, label_selector=label_selector, field_selector=field_selector
    )
    task = asyncio.create_task(reflector.run())
    try:
        async with asyncio.timeout(timeout):
            await reflector.wait_synced(timeout)
            while not predicate(found):
                changed.clear()
                await _first(task, changed)
            return found
    except (TimeoutError, DeadlineError) as error:
        lacking = f"; not so: {_some(missing(found))}" if missing else ""
        trouble = f"; last error: {reflector.stats.last_error}" if reflector.stats.last_error else ""
        raise DeadlineError(
            f"{client.cluster}: {what or resource}: not as expected within {timeout:g} s{lacking}{trouble}"
        ) from error
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)  # its error, if any, was raised above


async def _first(task: asyncio.Task[None], changed: asyncio.Event) -> None:
    """Returns at the next change; raises what ended the reflector."""
    waiter = asyncio.ensure_future(changed.wait())
    try:
        await asyncio.wait([task, waiter], return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiter.cancel()
    if task.done():
        task.result()


def _some(names: list[str], most: int = 10) -> str:
    rest = len(names) - most
    return ", ".join(sorted(names)[:most]) + (f" and {rest} more" if rest > 0 else "")
