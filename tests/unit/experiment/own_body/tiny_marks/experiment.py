"""Its file, its trials and its body."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from pydantic import Field

from fleet.errors import DeadlineError, UsageError
from fleet.experiment.own import OwnExperiment, PlannedTrial, repeated
from fleet.experiment.prepare import make_namespaces
from fleet.experiment.session import Session
from fleet.kube import resources
from fleet.managers.manager import Manager
from fleet.model.base import Name
from fleet.model.experiment_file import ExperimentFile
from fleet.model.fleet_file import FleetFile
from fleet.model.stage import Stage
from fleet.observe.marks import MarkWatch, Object

RESOURCE = str(resources.CONFIGMAPS)


class TinyMarks(ExperimentFile):
    """ConfigMaps that are created and filled."""

    experiment: Literal["tiny-marks"]
    name: Name = "tiny-marks"
    counts: list[int] = Field(default=[2], min_length=1)
    lost: int = 0
    """So many are never filled."""
    refused: bool = False
    """One more is created under a name that is taken."""


def filled(item: Object) -> Iterable[str | tuple[str, Any]]:
    """Its one mark, with the value alongside it."""
    data = item.get("data") or {}
    return [("filled", data["value"])] if "value" in data else []


class Tiny(OwnExperiment[TinyMarks]):
    """The body."""

    name = "tiny-marks"
    file = TinyMarks
    own_stages = (
        Stage(name="seen", begin="sent", end="created", resource=RESOURCE),
        Stage(name="fill", begin="created", end="filled", resource=RESOURCE),
        Stage(name="gone", begin="filled", end="deleted", resource=RESOURCE, optional=True),
    )

    def plan(self, spec: TinyMarks, fleet: FleetFile, manager: Manager) -> Sequence[PlannedTrial]:  # noqa: ARG002
        if not fleet.wecs():
            raise UsageError("the fleet has no cluster")
        return repeated(spec, [f"objects={count}" for count in spec.counts], ["wec001"])

    async def run(self, session: Session, trials: Sequence[PlannedTrial]) -> None:
        client, names = session.spaces.wecs["wec001"], session.names
        async with session.step("prepare"):
            await make_namespaces(session.spaces, session.manager, names, {names.namespace}, pods=False)
        watch = MarkWatch(client, resources.CONFIGMAPS, filled, session.recorder, selector=names.selector())
        session.reflectors.append(watch.reflector)
        async with watch, session.measuring():
            for trial in trials:
                watch.trial = trial.id
                async with session.trial(trial):
                    await self._trial(session, watch, trial)

    async def _trial(self, session: Session, watch: MarkWatch, trial: PlannedTrial) -> None:
        client, namespace = session.spaces.wecs["wec001"], session.names.namespace
        count = int(trial.point.partition("=")[2])
        items = [f"{trial.id}-{number}" for number in range(count)]

        async def create(name: str) -> bool:
            labels = session.names.labels(trial=trial.id)
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}}
            call = lambda: client.create(resources.CONFIGMAPS, body, namespace)  # noqa: E731
            return await session.request(trial.id, "create", client.cluster, call, RESOURCE, name, namespace)

        async with session.step("load", trial.id, measured=True):
            for name in items:
                assert await create(name)
            if session.spec.refused:
                assert not await create(items[0])
            for name in items[session.spec.lost :]:
                patch = {"data": {"value": name}}
                await client.patch(resources.CONFIGMAPS, name, patch, namespace)
        async with session.step("drain", trial.id, measured=True):
            wanted = count - session.spec.lost
            if not await watch.reached("filled", wanted, timeout=5, progress=session.progress.marks):
                raise DeadlineError(f"{watch.count('filled')} of {wanted} were filled")
        session.measured("objects", float(count), "1", trial=trial.id, phase="steady")
        session.folder.raw("ops.txt").write_text(f"{count}\n")
        async with session.step("clean", trial.id):
            for name in items[session.spec.lost :]:
                await client.delete(resources.CONFIGMAPS, name, namespace)
            await watch.reached("deleted", wanted, timeout=5)


EXPERIMENT = Tiny()
