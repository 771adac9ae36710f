"""PriorityClasses for the priorities of a trace, in every WEC of a run; they are cluster-scoped and go with the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from fleet.experiment.session import Session
from fleet.kube import resources
from fleet.kube.client import KubeClient
from fleet.kube.each import each
from fleet.kube.errors import AlreadyExists, NotFound
from fleet.model.run_names import RunNames
from fleet.model.trace import Pod

BUILT_IN = {2_000_000_000: "system-cluster-critical", 2_000_001_000: "system-node-critical"}
"""Every cluster has these (k8s.io/api scheduling, `SystemCriticalPriority`)."""
HIGHEST = 1_000_000_000
"""Of a class that is not built in (`HighestUserDefinablePriority`); a higher one is played as this."""


def classes(pods: Iterable[Pod], names: RunNames) -> dict[int, str]:
    """The class of each priority that the trace has, by its value; 0 is what a pod without a class has."""
    values = {pod.priority for pod in pods if pod.priority}
    return {
        value: BUILT_IN.get(value, f"{names.namespace}-{'m' if value < 0 else 'p'}{abs(value)}") for value in values
    }


async def create(session: Session, wecs: Iterable[str], made: Mapping[int, str]) -> None:
    """In each of them, those that are not built in."""

    async def one(client: KubeClient) -> None:
        for value, name in made.items():
            if value in BUILT_IN:
                continue
            body: dict[str, Any] = {
                "apiVersion": resources.PRIORITY_CLASSES.api_version,
                "kind": resources.PRIORITY_CLASSES.kind,
                "metadata": {"name": name, "labels": session.names.labels()},
                "value": min(value, HIGHEST),
            }
            with suppress(AlreadyExists):  # by an attempt of this call whose answer was lost
                await client.create(resources.PRIORITY_CLASSES, body, retry=True)

    await each([session.spaces.wecs[wec] for wec in wecs], one)


async def remove(session: Session) -> None:
    """Those of the run, in every WEC that is open."""

    async def one(client: KubeClient) -> None:
        found = await client.list_all(resources.PRIORITY_CLASSES, label_selector=session.names.selector())
        for item in found:
            with suppress(NotFound):
                await client.delete(resources.PRIORITY_CLASSES, item["metadata"]["name"])

    await each(session.spaces.wecs.values(), one)
