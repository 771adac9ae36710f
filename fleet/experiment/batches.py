"""What a trial made is deleted by requests for many objects each, one after another, until a watch has seen all go."""

from __future__ import annotations

import time

from fleet.experiment.session import Session
from fleet.kube.client import KubeClient
from fleet.kube.resources import Resource
from fleet.observe.marks import CREATED, DELETED, MarkWatch

POLL_SECONDS = 10.0
"""How long what one request deletes may take to be gone before the next request."""


async def delete_in_batches(
    session: Session,
    client: KubeClient,
    watch: MarkWatch,
    resource: Resource,
    trial: str,
    *,
    batch: int,
    seconds: float,
) -> int:
    """Delete the trial's objects, at most `batch` by one request; how many `watch` has not seen go after `seconds`.

    A request that fails is written down, and the next one deletes what it left: an API server short of CPU does not
    answer the deletion of hundreds within a client's time-out, and goes on with it.
    """
    params = {"labelSelector": session.names.selector(trial=trial), "limit": str(batch)}
    namespace = session.names.namespace
    path = resource.path(namespace=namespace)
    end = time.monotonic() + seconds

    def left() -> int:
        made, gone = watch.count(CREATED, trial), watch.count(DELETED, trial)
        session.progress.marks(gone, made)
        return made - gone

    while (there := left()) > 0 and time.monotonic() < end:
        goal = max(0, there - batch)
        await session.request(
            trial, "delete-collection", client.cluster,
            lambda: client.request("DELETE", path, params=params, retry=True), str(resource), namespace=namespace,
        )  # fmt: skip
        await watch.until(lambda goal=goal: left() <= goal, timeout=POLL_SECONDS)  # type: ignore[misc]
    return left()
