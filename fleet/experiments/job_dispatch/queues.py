"""The queues of a run: which Jobs may go to which workers, made at the hub and in each worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fleet.experiment.session import Session
from fleet.install.waiting import until
from fleet.kube.client import KubeClient
from fleet.kube.each import each
from fleet.managers.fields import entries, text
from fleet.managers.multikueue import names, objects
from fleet.platforms.kueue.names import CLUSTER_QUEUES, LOCAL_QUEUES


@dataclass(frozen=True)
class Queues:
    """Of so many workers: one queue for each twenty, as the API allows no more of one; Jobs take them in turn."""

    names: tuple[str, ...]

    def of(self, number: int) -> str:
        """That of the Job with that number."""
        return self.names[number % len(self.names)]


def split(workers: Sequence[str]) -> list[tuple[str, ...]]:
    """As few parts as there may be, of as many workers as can be alike."""
    parts = -(-len(workers) // names.MOST_WORKERS)
    return [tuple(workers[at::parts]) for at in range(parts)]


async def make(session: Session, hub: KubeClient, workers: Sequence[str]) -> Queues:
    """Make them at the hub, and their counterparts in the workers."""
    labels, space = session.names.labels(), session.names.namespace
    made = []
    for number, part in enumerate(split(workers)):
        name = f"{session.names.short}-w{len(workers)}-{number}"
        for resource, body in objects.queue(name, part, labels, [space]):
            await hub.create(resource, body, body["metadata"].get("namespace"), retry=True)

        async def local(wec: str, name: str = name) -> None:
            body = objects.local_queue(name, space)
            await session.spaces.wecs[wec].create(LOCAL_QUEUES, body, space, retry=True)

        await each(part, local)
        made.append(name)
    return Queues(tuple(made))


async def active(hub: KubeClient, queues: Queues, seconds: float) -> None:
    """Wait until the hub dispatches from them: `Active` of each ClusterQueue. DeadlineError with what each says."""
    said: dict[str, str] = {}

    async def look() -> bool:
        for name in queues.names:
            found = entries(await hub.get(CLUSTER_QUEUES, name), "status", "conditions")
            said[name] = next((f"{text(one, 'status')} {text(one, 'message')}" for one in found
                               if text(one, "type") == "Active"), "no condition Active")  # fmt: skip
        return all(word.startswith("True") for word in said.values())

    await until(look, seconds, lambda: "; ".join(f"{name}: {word}" for name, word in said.items()))
