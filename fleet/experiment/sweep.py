"""Deletes what is left of one trial in a cluster, by its label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from fleet.experiment.session import Session
from fleet.kube.client import KubeClient
from fleet.kube.each import AT_ONCE, each
from fleet.kube.errors import NotFound
from fleet.kube.resources import Resource


async def sweep(session: Session, trial: str, client: KubeClient, kinds: Sequence[Resource]) -> None:
    """Objects of these kinds, in this order; one by one, as not every kind serves deletion of a collection."""
    selector = session.names.selector(trial=trial)
    for kind in kinds:

        async def one(item: Mapping[str, Any], kind: Resource = kind) -> None:
            meta = item["metadata"]
            with suppress(NotFound):
                await client.delete(kind, meta["name"], meta["namespace"], propagation="Background")

        found = await client.list_all(kind, session.names.namespace, label_selector=selector)
        await each(found, one, at_once=AT_ONCE)
